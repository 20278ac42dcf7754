/* combine.c: tables made of tables: unionmap (all their answers, with commas) and pipemap (the
 * answer of one is the key of the next). */
#include <stdlib.h>

#include "table/impl.h"
#include "table/spec.h"

struct combined {
    struct table table;
    struct table *members[TABLE_MEMBERS_MAX];
    size_t n;
};

static void release(struct table *t)
{
    struct combined *c = (struct combined *)t;
    for (size_t i = 0; i < c->n; i++)
        table_close(c->members[i]);
}

static enum result find_union(const struct table *t, struct slice key, struct arena *a,
                              struct table_match *ret, struct error *err)
{
    const struct combined *c = (const struct combined *)t;
    struct buf all;
    enum result r = OK;
    buf_init(&all, TABLE_VALUE_MAX);
    for (size_t i = 0; i < c->n && (r == OK || r == NOT_FOUND); i++) {
        struct table_match m;
        r = table_find(c->members[i], key, a, &m, err);
        if (r != OK || m.value.len == 0)
            continue;
        if (buf_len(&all))
            buf_putc(&all, ',');
        buf_append(&all, m.value);
    }
    bool told = r == OK || r == NOT_FOUND, found = buf_len(&all) > 0;
    struct slice value = told && found && buf_ok(&all) ? arena_dup(a, buf_slice(&all)) : SLICE_NONE;
    buf_release(&all);
    if (!told)
        return r;
    if (!found)
        return NOT_FOUND;
    if (!value.data)
        return error_set(err, FAILED, "%.*s: the values are too long", SLICE_ARG(t->name));
    *ret = (struct table_match){value, t->name};
    return OK;
}

static enum result find_pipe(const struct table *t, struct slice key, struct arena *a,
                             struct table_match *ret, struct error *err)
{
    const struct combined *c = (const struct combined *)t;
    struct table_match m = {key, t->name};
    enum result r = OK;
    for (size_t i = 0; i < c->n && r == OK; i++)
        r = table_find(c->members[i], m.value, a, &m, err);
    if (r == OK)
        *ret = (struct table_match){m.value, t->name};
    return r;
}

static void union_values(const struct table *t, table_value_fn *each, void *arg)
{
    const struct combined *c = (const struct combined *)t;
    for (size_t i = 0; i < c->n; i++)
        table_each_value(c->members[i], each, arg);
}

static void pipe_values(const struct table *t, table_value_fn *each, void *arg)
{
    const struct combined *c = (const struct combined *)t;
    table_each_value(c->members[c->n - 1], each, arg);
}

static const struct table_ops union_ops = {
    .find = find_union, .values = union_values, .release = release};
static const struct table_ops pipe_ops = {
    .find = find_pipe, .values = pipe_values, .release = release};

static enum result add_member(struct combined *c, const struct opening *o, struct slice spec)
{
    struct table *member;
    if (c->n == TABLE_MEMBERS_MAX)
        return error_set(o->err, LIMIT, "%.*s: too many tables in one", SLICE_ARG(o->spec));
    enum result r = table_open_member(o, spec, &member);
    if (r != OK)
        return r;
    c->members[c->n++] = member;
    c->table.waits |= member->waits;
    c->table.patterns &= member->patterns; /* partial keys concern one that is not */
    return OK;
}

static enum result open_combined(const struct opening *o, const struct table_ops *ops,
                                 struct table **ret)
{
    struct combined *c = table_new(o, ops, sizeof *c);
    struct slice rest, item;
    const char *why;
    if (!c)
        return FAILED;
    c->table.patterns = true;
    enum result r = table_braces(o->rest, &rest, &why);
    if (r != OK)
        error_set(o->err, r, "%.*s: %s: write { type:name, type:name }", SLICE_ARG(o->spec), why);
    while (r == OK && table_next_item(&rest, &item))
        r = add_member(c, o, item);
    if (r == OK && c->n == 0)
        r = error_set(o->err, INVALID, "%.*s: there is no table in it", SLICE_ARG(o->spec));
    return table_opened(r, &c->table, ret);
}

enum result table_open_union(const struct opening *o, struct table **ret)
{
    return open_combined(o, &union_ops, ret);
}

enum result table_open_pipe(const struct opening *o, struct table **ret)
{
    return open_combined(o, &pipe_ops, ret);
}
