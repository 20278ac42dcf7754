/* postconf_services.c: postconf -M and -P: the services of master.cf, and what they set for
 * themselves. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/faces/postconf.h"
#include "conf/postfix/master_cf.h"

static bool fits(struct slice pattern, struct slice text)
{
    return !pattern.data || slice_is(pattern, "*") || slice_eq(pattern, text);
}

/* NAME, NAME/TYPE, NAME/TYPE/PARAMETER. */
static bool matches(const struct master_service *m, struct slice parameter, const char *word)
{
    struct slice rest = slice_cstr(word);
    struct slice name = slice_split(&rest, '/');
    struct slice type = rest.data ? slice_split(&rest, '/') : SLICE_NONE;
    return fits(name, m->name) && fits(type, m->type) && (!parameter.data || fits(rest, parameter));
}

static bool is_wanted(const struct master_service *m, struct slice parameter, char **words, int n)
{
    bool wanted = n == 0;
    for (int i = 0; i < n; i++)
        wanted = wanted || matches(m, parameter, words[i]);
    return wanted;
}

/* "{ name = value }" of an option without the white space that does not count. */
static void put_word(struct postconf *p, const struct master_word *w, bool option)
{
    size_t at = option ? slice_find(w->text, '=') : SIZE_MAX;
    struct slice name = slice_trim(slice_sub(w->text, 0, at));
    struct slice value = at == SIZE_MAX ? SLICE("") : slice_trim(slice_from(w->text, at + 1));
    if (!w->grouped)
        buf_printf(&p->out, " %.*s", SLICE_ARG(w->text));
    else if (at == SIZE_MAX)
        buf_printf(&p->out, " {%.*s}", SLICE_ARG(w->text));
    else
        buf_printf(&p->out, " {%.*s=%.*s}", SLICE_ARG(name), SLICE_ARG(value));
}

/* Fields stand in columns; a long one shifts the next. */
static void put_service(struct postconf *p, const struct master_service *m)
{
    static const size_t columns[] = {0, 11, 17, 25, 33, 41, 49, 57};
    size_t at = 0;
    for (size_t i = 0; i < 8; i++) {
        if (i)
            do
                buf_putc(&p->out, ' ');
            while (++at < columns[i]);
        buf_append(&p->out, m->fields[i]);
        at += m->fields[i].len;
    }
    for (size_t i = 0; i < m->n_words; i++)
        put_word(p, &m->words[i], i && slice_is(m->words[i - 1].text, "-o"));
    buf_putc(&p->out, '\n');
}

struct override {
    struct slice name, value;
};

static int by_name(const void *a, const void *b)
{
    return slice_cmp(((const struct override *)a)->name, ((const struct override *)b)->name);
}

/* smtp/inet/smtpd_banner = value, of each -o, by their names. */
static void put_parameters(struct postconf *p, const struct master_service *m, char **words, int n)
{
    struct override found[POSTFIX_WORDS_MAX];
    size_t count = 0;
    for (size_t i = 1; i < m->n_words && count < POSTFIX_WORDS_MAX; i++) {
        struct slice value = m->words[i].text;
        struct slice name = slice_trim(slice_split(&value, '='));
        if (slice_is(m->words[i - 1].text, "-o") && value.data && is_wanted(m, name, words, n))
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

int postconf_services(struct postconf *p, char **words, int n)
{
    struct master_services all = {NULL, 0};
    struct slice text;
    const char *path = arena_printf(&p->arena, "%s/master.cf", p->dir ? p->dir : "/etc/postfix");
    if (!path || conf_read_file(path, &p->arena, &text) != OK) {
        fprintf(stderr, "postconf: fatal: open %s: not readable\n", path ? path : "master.cf");
        return 1;
    }
    if (master_cf_parse(text, path, &p->arena, &p->errors, &all) != OK || p->errors.count)
        fprintf(stderr, "postconf: warning: %.*s", SLICE_ARG(buf_slice(&p->errors.text)));
    for (size_t i = 0; i < all.n; i++) {
        if (p->mode == 'P')
            put_parameters(p, &all.items[i], words, n);
        else if (is_wanted(&all.items[i], SLICE_NONE, words, n))
            put_service(p, &all.items[i]);
    }
    return 0;
}
