/* postconf_services.c: postconf -M, -P and -F: the services of master.cf, what they set for
 * themselves, and their fields. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/faces/postconf.h"

enum { FOLD_AT = 80 };

static const char *const fields[] = {"service", "type",   "private",       "unprivileged",
                                     "chroot",  "wakeup", "process_limit", "command"};

int postconf_field(struct slice name)
{
    for (int i = 0; i <= POSTCONF_COMMAND; i++)
        if (slice_is(name, fields[i]))
            return i;
    return -1;
}

static bool fits(struct slice pattern, struct slice text)
{
    return !pattern.data || slice_is(pattern, "*") || slice_eq(pattern, text);
}

struct wanted {
    char **words;
    int n;
    bool *found;
};

/* NAME, NAME/TYPE, NAME/TYPE/PARAMETER. */
static bool matches(const struct master_service *m, struct slice parameter, const char *word)
{
    struct slice rest = slice_cstr(word);
    struct slice name = slice_split(&rest, '/');
    struct slice type = rest.data ? slice_split(&rest, '/') : SLICE_NONE;
    return fits(name, m->name) && fits(type, m->type) && (!parameter.data || fits(rest, parameter));
}

/* found[i]: words[i] fitted something. */
static bool is_wanted(const struct master_service *m, struct slice parameter, struct wanted *w)
{
    bool wanted = w->n == 0;
    for (int i = 0; i < w->n; i++) {
        bool fit = matches(m, parameter, w->words[i]);
        w->found[i] = w->found[i] || fit;
        wanted = wanted || fit;
    }
    return wanted;
}

/* "{ name = value }" of an option without the white space that does not count. */
static void put_word(const struct master_word *w, bool option, struct buf *out)
{
    size_t at = option ? slice_find(w->text, '=') : SIZE_MAX;
    struct slice name = slice_trim(slice_sub(w->text, 0, at));
    struct slice value = at == SIZE_MAX ? SLICE("") : slice_trim(slice_from(w->text, at + 1));
    if (!w->grouped)
        buf_append(out, w->text);
    else if (at == SIZE_MAX)
        buf_printf(out, "{%.*s}", SLICE_ARG(w->text));
    else
        buf_printf(out, "{%.*s=%.*s}", SLICE_ARG(name), SLICE_ARG(value));
}

/* Where lines are folded: as long as nothing but options came behind the command, each that has a
 * value stands in a line of its own, and so does what comes behind it. */
struct folding {
    bool on;
    size_t begin; /* of the line, in what is written */
};

static void put_gap(struct folding *f, bool fold, struct buf *out)
{
    if (f->on && fold) {
        buf_puts(out, "\n    ");
        f->begin = buf_len(out) - 4;
    } else {
        buf_putc(out, ' ');
    }
}

static void put_words(const struct master_service *m, struct folding *f, struct buf *out)
{
    bool options = true, had_value = false;
    for (size_t i = 0; i < m->n_words; i++) {
        const struct master_word *w = &m->words[i];
        size_t so_far = buf_len(out) - f->begin;
        options = options && !w->grouped && w->text.len && w->text.data[0] == '-';
        bool has_value = options && slice_is(w->text, "-o") && i + 1 < m->n_words;
        put_gap(f, has_value || had_value || so_far + 1 + w->text.len > FOLD_AT, out);
        put_word(w, false, out);
        if (has_value) {
            buf_putc(out, ' ');
            put_word(&m->words[++i], true, out);
        }
        had_value = has_value;
    }
}

void postconf_put_service(const struct master_service *m, bool folded, struct buf *out)
{
    static const size_t columns[] = {0, 11, 17, 25, 33, 41, 49, 57};
    struct folding f = {.on = folded, .begin = buf_len(out)};
    size_t at = 0;
    /* In columns; a long one shifts the next. */
    for (size_t i = 0; i <= POSTCONF_COMMAND; i++) {
        if (i)
            do
                buf_putc(out, ' ');
            while (++at < columns[i]);
        buf_append(out, m->fields[i]);
        at += m->fields[i].len;
    }
    put_words(m, &f, out);
    buf_putc(out, '\n');
}

struct override {
    struct slice name, value;
};

static int by_name(const void *a, const void *b)
{
    return slice_cmp(((const struct override *)a)->name, ((const struct override *)b)->name);
}

/* smtp/inet/smtpd_banner = value, of each -o, by their names. */
static void put_parameters(struct postconf *p, const struct master_service *m, struct wanted *w)
{
    struct override found[POSTFIX_WORDS_MAX];
    size_t count = 0;
    for (size_t i = 1; i < m->n_words && count < POSTFIX_WORDS_MAX; i++) {
        struct slice value = m->words[i].text;
        struct slice name = slice_trim(slice_split(&value, '='));
        if (slice_is(m->words[i - 1].text, "-o") && value.data && is_wanted(m, name, w))
            found[count++] = (struct override){name, slice_trim(value)};
    }
    qsort(found, count, sizeof *found, by_name);
    for (size_t i = 0; i < count; i++) {
        const struct override *o = &found[i];
        if (!p->bare)
            buf_printf(&p->out,
                       o->value.len ? "%.*s/%.*s/%.*s = " : "%.*s/%.*s/%.*s =", SLICE_ARG(m->name),
                       SLICE_ARG(m->type), SLICE_ARG(o->name));
        buf_printf(&p->out, "%.*s\n", SLICE_ARG(o->value));
    }
}

/* smtp/inet/chroot = n, of each field. */
static void put_fields(struct postconf *p, const struct master_service *m, struct wanted *w)
{
    for (int i = 0; i <= POSTCONF_COMMAND; i++) {
        if (!is_wanted(m, slice_cstr(fields[i]), w))
            continue;
        if (!p->bare)
            buf_printf(&p->out, "%.*s/%.*s/%s = ", SLICE_ARG(m->name), SLICE_ARG(m->type),
                       fields[i]);
        buf_append(&p->out, m->fields[i]);
        struct folding f = {0};
        if (i == POSTCONF_COMMAND)
            put_words(m, &f, &p->out);
        buf_putc(&p->out, '\n');
    }
}

static void put(struct postconf *p, const struct master_service *m, struct wanted *w)
{
    if (p->mode == 'P')
        put_parameters(p, m, w);
    else if (p->mode == 'F')
        put_fields(p, m, w);
    else if (is_wanted(m, SLICE_NONE, w))
        postconf_put_service(m, p->fold, &p->out);
}

int postconf_services(struct postconf *p, char **words, int n)
{
    struct wanted wanted = {words, n, arena_alloc_n(&p->arena, (size_t)n + 1, sizeof(bool))};
    struct master_services all = {NULL, 0};
    struct slice text;
    const char *path = arena_printf(&p->arena, "%s/master.cf", p->dir ? p->dir : "/etc/postfix");
    if (!path || !wanted.found || conf_read_file(path, &p->arena, &text) != OK)
        return postconf_fatal(path ? path : "master.cf", "it can't be read");
    memset(wanted.found, 0, (size_t)n + 1);
    if (master_cf_parse(text, path, &p->arena, &p->errors, &all) != OK || p->errors.count)
        fprintf(stderr, "postconf: warning: %.*s", SLICE_ARG(buf_slice(&p->errors.text)));
    for (size_t i = 0; i < all.n; i++)
        put(p, &all.items[i], &wanted);
    for (int i = 0; i < n; i++)
        if (!wanted.found[i])
            fprintf(stderr, "postconf: warning: nothing in master.cf fits: \"%s\"\n", words[i]);
    return 0;
}
