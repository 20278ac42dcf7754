/* postconf_edit.c: postconf -e, -#, -X: main.cf with parameters set, commented out or taken away.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/faces/postconf.h"

enum { EDITS_MAX = 200 };

struct edit {
    struct slice name, value;
    bool found;
};

struct editing {
    struct postconf *p;
    struct edit items[EDITS_MAX];
    size_t n;
};

static bool is_name(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_alnum(s.data[i]) && s.data[i] != '_')
            return false;
    return s.len > 0;
}

/* NAME=VALUE to set, NAME otherwise. */
static int take_words(struct editing *e, char **words, int n)
{
    for (int i = 0; i < n; i++) {
        struct slice value = slice_cstr(words[i]);
        struct slice name = slice_trim(slice_split(&value, '='));
        bool set = e->p->edit == 'e';
        if (!is_name(name) || set != (value.data != NULL)) {
            fprintf(stderr, "postconf: fatal: %s: %s\n", words[i],
                    set ? "write NAME=VALUE" : "write the name of a parameter alone");
            return 1;
        }
        if (slice_find(slice_cstr(words[i]), '\n') != SIZE_MAX)
            return postconf_fatal(words[i], "a value is one line");
        if (e->n == EDITS_MAX)
            return postconf_fatal(words[i], "too many at a time");
        e->items[e->n++] = (struct edit){name, value.data ? slice_trim(value) : value, false};
    }
    return 0;
}

static struct edit *find(struct editing *e, struct slice line)
{
    struct slice name = slice_trim(slice_split(&line, '='));
    for (size_t i = 0; line.data && i < e->n; i++)
        if (slice_eq(e->items[i].name, name))
            return &e->items[i];
    return NULL;
}

static void put_setting(const struct edit *x, struct buf *out)
{
    buf_printf(out, "%.*s = %.*s\n", SLICE_ARG(x->name), SLICE_ARG(x->value));
}

static bool edit_setting(void *arg, struct slice text, struct buf *out)
{
    struct editing *e = arg;
    struct edit *x = find(e, slice_split(&text, '\n'));
    if (!x)
        return false;
    if (e->p->edit == 'e' && !x->found)
        put_setting(x, out);
    x->found = true;
    return true;
}

/* New ones stand at the end. */
static void add_missing(void *arg, struct buf *out)
{
    struct editing *e = arg;
    for (size_t i = 0; e->p->edit == 'e' && i < e->n; i++)
        if (!e->items[i].found)
            put_setting(&e->items[i], out);
}

int postconf_edit(struct postconf *p, char **words, int n)
{
    struct editing *e = calloc(1, sizeof *e);
    const bool failed = false;
    if (!e)
        return postconf_fatal("main.cf", "no memory");
    e->p = p;
    int status = take_words(e, words, n);
    if (status == 0)
        status = postconf_rewrite(
            p, "main.cf", &(struct postconf_rewriting){edit_setting, add_missing, e, &failed});
    free(e);
    return status;
}
