/* simple.c: static (every key has one value), environ (environment variables), fail (nothing can be
 * told). */
#include <stdlib.h>

#include "table/impl.h"
#include "table/spec.h"

struct fixed {
    struct table table;
    struct slice value;
};

static enum result find_static(const struct table *t, struct slice key, struct arena *a,
                               struct table_match *ret, struct error *err)
{
    (void)key;
    struct slice value = arena_dup(a, ((const struct fixed *)t)->value);
    if (!value.data)
        return error_set(err, FAILED, "no memory");
    *ret = (struct table_match){value, t->name};
    return OK;
}

static const struct table_ops static_ops = {.find = find_static};

/* "static:{ text, with spaces }" or "static:word". */
enum result table_open_static(const struct opening *o, struct table **ret)
{
    struct fixed *f = table_new(o, &static_ops, sizeof *f);
    struct slice value = o->rest;
    const char *why = NULL;
    if (!f)
        return FAILED;
    if (value.len && value.data[0] == '{' && table_braces(o->rest, &value, &why) != OK)
        return table_opened(error_set(o->err, INVALID, "%.*s: %s", SLICE_ARG(o->spec), why),
                            &f->table, ret);
    f->value = arena_dup(&f->table.arena, value);
    return table_opened(f->value.data ? OK : FAILED, &f->table, ret);
}

static enum result find_environ(const struct table *t, struct slice key, struct arena *a,
                                struct table_match *ret, struct error *err)
{
    struct slice name = arena_dup(a, key);
    const char *value = name.data ? getenv(name.data) : NULL;
    struct slice copy = value ? arena_dup(a, slice_cstr(value)) : SLICE_NONE;
    if (!name.data || (value && !copy.data))
        return error_set(err, FAILED, "no memory");
    if (!value)
        return NOT_FOUND;
    *ret = (struct table_match){copy, t->name};
    return OK;
}

static const struct table_ops environ_ops = {.folds = true, .find = find_environ};

enum result table_open_environ(const struct opening *o, struct table **ret)
{
    struct table *t = table_new(o, &environ_ops, sizeof *t);
    return table_opened(t ? OK : FAILED, t, ret);
}

static enum result find_fail(const struct table *t, struct slice key, struct arena *a,
                             struct table_match *ret, struct error *err)
{
    (void)key, (void)a, (void)ret;
    return error_set(err, FAILED, "%.*s fails always", SLICE_ARG(t->name));
}

static const struct table_ops fail_ops = {.patterns = true, .find = find_fail};

enum result table_open_fail(const struct opening *o, struct table **ret)
{
    struct table *t = table_new(o, &fail_ops, sizeof *t);
    return table_opened(t ? OK : FAILED, t, ret);
}
