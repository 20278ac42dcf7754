/* postconf_edit_services.c: postconf -M, -P and -F with -e, -# or -X: master.cf with services,
 * their -o or their fields set, commented out or taken away. What is asked of a service is applied
 * to its line as it was read, which is then written anew; its comments stay. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/faces/postconf.h"

enum { REQUESTS_MAX = 200, NAME = 0, TYPE = 1 };

struct request {
    const char *word;
    struct slice name, type, detail, value; /* detail: the parameter of -P, the field of -F */
    struct master_service line;             /* of -M -e: the new one */
    unsigned matched;
};

struct editing {
    struct postconf *p;
    struct request items[REQUESTS_MAX];
    size_t n;
    bool failed;
};

static bool has_space(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (ascii_blank(s.data[i]))
            return true;
    return false;
}

/* One service's line; what is wrong with it is told. */
static bool parse_service(struct postconf *p, struct slice text, const char *what,
                          struct master_service *ret)
{
    struct master_services all = {NULL, 0};
    struct conf_errors errors;
    conf_errors_init(&errors);
    bool good = master_cf_parse(text, what, &p->arena, &errors, &all) == OK && all.n == 1 &&
                errors.count == 0;
    if (good)
        *ret = all.items[0];
    else if (errors.count)
        fprintf(stderr, "postconf: fatal: %.*s", SLICE_ARG(buf_slice(&errors.text)));
    else
        postconf_fatal(what, "write one service's line");
    conf_errors_release(&errors);
    return good;
}

/* ---- the words ---- */

static const char *check_detail(const struct postconf *p, const struct request *q)
{
    int field = postconf_field(q->detail);
    if (p->mode == 'F' && field < 0)
        return "fields are service, type, private, unprivileged, chroot, wakeup, process_limit and "
               "command";
    if (p->edit == 'e' && p->mode == 'F' && field < POSTCONF_COMMAND &&
        (q->value.len == 0 || has_space(q->value)))
        return "a field but the command is one word";
    if (p->edit == 'e' && p->mode == 'P' && has_space(q->value))
        return "-P takes no value with spaces: write \"-o { NAME = VALUE }\" into master.cf";
    return NULL;
}

/* NAME/TYPE, with -P and -F /DETAIL; with -e =VALUE. NULL: taken. */
static const char *take_word(const struct postconf *p, const char *word, struct request *q)
{
    struct slice value = slice_cstr(word);
    if (slice_find(value, '\n') != SIZE_MAX)
        return "a value is one line";
    struct slice rest = slice_trim(slice_split(&value, '='));
    if ((p->edit == 'e') != (value.data != NULL))
        return p->edit == 'e' ? "-e takes a value: =VALUE" : "-X and -# take names without a value";
    struct slice name = slice_split(&rest, '/');
    struct slice type = slice_split(&rest, '/');
    *q = (struct request){.word = word, .name = name, .type = type, .detail = rest};
    q->value = value.data ? slice_trim(value) : value;
    if (p->mode == 'M')
        return name.len && type.len && !rest.data ? NULL : "-M edits NAME/TYPE";
    if (!name.len || !type.len || !rest.len)
        return p->mode == 'P' ? "-P edits NAME/TYPE/PARAMETER" : "-F edits NAME/TYPE/FIELD";
    return check_detail(p, q);
}

static int take_words(struct editing *e, char **words, int n)
{
    for (int i = 0; i < n; i++) {
        if (e->n == REQUESTS_MAX)
            return postconf_fatal(words[i], "too many at a time");
        struct request *q = &e->items[e->n++];
        const char *why = take_word(e->p, words[i], q);
        if (why)
            return postconf_fatal(words[i], why);
        if (e->p->mode == 'M' && e->p->edit == 'e' &&
            !parse_service(e->p, q->value, words[i], &q->line))
            return 1;
    }
    return 0;
}

/* ---- a service ---- */

static bool is_override(const struct master_service *m, size_t i, struct slice name)
{
    struct slice text = m->words[i].text;
    return i > 0 && slice_is(m->words[i - 1].text, "-o") && slice_find(text, '=') != SIZE_MAX &&
           slice_eq(slice_trim(slice_split(&text, '=')), name);
}

static void remove_override(struct master_service *m, struct slice name)
{
    for (size_t i = 1; i < m->n_words; i++) {
        if (!is_override(m, i, name))
            continue;
        memmove(m->words + i - 1, m->words + i + 1, (m->n_words - i - 1) * sizeof *m->words);
        m->n_words -= 2;
        i--;
    }
}

/* Behind the options that are there: arguments of the command stay behind them. */
static bool insert_override(struct postconf *p, struct master_service *m, struct master_word text)
{
    size_t at = 0;
    while (at < m->n_words && m->words[at].text.len && m->words[at].text.data[0] == '-')
        at += slice_is(m->words[at].text, "-o") && at + 1 < m->n_words ? 2 : 1;
    struct master_word *fresh = arena_alloc_n(&p->arena, m->n_words + 2, sizeof *fresh);
    if (!fresh)
        return false;
    memcpy(fresh, m->words, at * sizeof *fresh);
    fresh[at] = (struct master_word){.text = SLICE("-o")};
    fresh[at + 1] = text;
    memcpy(fresh + at + 2, m->words + at, (m->n_words - at) * sizeof *fresh);
    m->words = fresh;
    m->n_words += 2;
    return true;
}

static bool set_override(struct postconf *p, struct master_service *m, const struct request *q)
{
    const char *text =
        arena_printf(&p->arena, "%.*s=%.*s", SLICE_ARG(q->detail), SLICE_ARG(q->value));
    struct master_word word = {.text = slice_cstr(text)};
    bool found = false;
    for (size_t i = 1; text && i < m->n_words; i++)
        if (is_override(m, i, q->detail)) {
            m->words[i] = word;
            found = true;
        }
    return text && (found || insert_override(p, m, word));
}

static bool set_field(struct postconf *p, struct master_service *m, const struct request *q)
{
    int field = postconf_field(q->detail);
    struct master_service line;
    const char *text = arena_printf(&p->arena, "- - - - - - - %.*s", SLICE_ARG(q->value));
    if (field < POSTCONF_COMMAND) {
        m->fields[field] = q->value;
        return true;
    }
    if (!text || !parse_service(p, slice_cstr(text), q->word, &line))
        return false;
    m->fields[field] = line.fields[field];
    m->words = line.words;
    m->n_words = line.n_words;
    return true;
}

static bool apply(struct editing *e, struct master_service *m, const struct request *q)
{
    if (e->p->mode == 'F')
        return set_field(e->p, m, q);
    if (e->p->edit == 'e')
        return set_override(e->p, m, q);
    remove_override(m, q->detail);
    return true;
}

/* ---- the file ---- */

static bool fits(struct slice pattern, struct slice text)
{
    return slice_is(pattern, "*") || slice_eq(pattern, text);
}

static bool matches(const struct request *q, const struct master_service *m)
{
    bool by_line = q->line.fields[NAME].data && slice_eq(q->line.fields[NAME], m->fields[NAME]) &&
                   slice_eq(q->line.fields[TYPE], m->fields[TYPE]);
    return by_line || (fits(q->name, m->fields[NAME]) && fits(q->type, m->fields[TYPE]));
}

/* Its name and type, which stand in its first line, whatever is wrong with the rest. */
static void read_names(struct slice text, struct master_service *ret)
{
    struct slice line = slice_split(&text, '\n');
    for (int i = NAME; i <= TYPE; i++) {
        size_t len = 0;
        line = slice_trim(line);
        while (len < line.len && !ascii_blank(line.data[len]))
            len++;
        ret->fields[i] = slice_sub(line, 0, len);
        line = slice_from(line, len);
    }
}

/* The line anew, with what is asked of its -o and fields. */
static bool edit_details(struct editing *e, const struct master_service *names, struct slice text,
                         struct buf *out)
{
    struct master_service m;
    if (!parse_service(e->p, text, "master.cf", &m))
        return false;
    for (size_t i = 0; i < e->n; i++)
        if (matches(&e->items[i], names) && !apply(e, &m, &e->items[i]))
            return false;
    postconf_put_service(&m, true, out);
    return true;
}

static bool edit_service(void *arg, struct slice text, struct buf *out)
{
    struct editing *e = arg;
    struct master_service names = {0};
    bool edited = false;
    read_names(text, &names);
    for (size_t i = 0; i < e->n; i++) {
        struct request *q = &e->items[i];
        if (!matches(q, &names))
            continue;
        edited = true;
        if (q->matched++ == 0 && q->line.fields[NAME].data)
            postconf_put_service(&q->line, true, out);
    }
    if (edited && e->p->mode != 'M' && !edit_details(e, &names, text, out))
        e->failed = true;
    return edited;
}

/* New services stand at the end. */
static void add_missing(void *arg, struct buf *out)
{
    struct editing *e = arg;
    for (size_t i = 0; i < e->n && !e->failed; i++) {
        const struct request *q = &e->items[i];
        if (q->matched == 0 && q->line.fields[NAME].data)
            postconf_put_service(&q->line, true, out);
        else if (q->matched == 0)
            fprintf(stderr, "postconf: warning: no service in master.cf fits: \"%s\"\n", q->word);
    }
}

int postconf_edit_services(struct postconf *p, char **words, int n)
{
    struct editing *e = calloc(1, sizeof *e);
    if (!e)
        return postconf_fatal("master.cf", "no memory");
    e->p = p;
    int status = take_words(e, words, n);
    if (status == 0)
        status = postconf_rewrite(
            p, "master.cf", &(struct postconf_rewriting){edit_service, add_missing, e, &e->failed});
    free(e);
    return status;
}
