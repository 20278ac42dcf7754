/* simple.c: static (every key has one value), environ (environment variables), unix (users and
 * groups of the system), fail (nothing can be told). */
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

static void static_value(const struct table *t, table_value_fn *each, void *arg)
{
    each(arg, t->name, 0, ((const struct fixed *)t)->value);
}

static const struct table_ops static_ops = {.find = find_static, .values = static_value};

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

/* value: why. */
static enum result find_fail(const struct table *t, struct slice key, struct arena *a,
                             struct table_match *ret, struct error *err)
{
    (void)key, (void)a, (void)ret;
    return error_set(err, FAILED, "%.*s", SLICE_ARG(((const struct fixed *)t)->value));
}

static const struct table_ops fail_ops = {.patterns = true, .find = find_fail};

static enum result open_failing(const struct opening *o, const char *why, struct table **ret)
{
    struct fixed *f = table_new(o, &fail_ops, sizeof *f);
    if (!f)
        return FAILED;
    f->value = arena_dup(&f->table.arena, slice_cstr(why));
    return table_opened(f->value.data ? OK : FAILED, &f->table, ret);
}

enum result table_open_fail(const struct opening *o, struct table **ret)
{
    return open_failing(o, "the table fails always", ret);
}

enum result table_open_broken(struct slice spec, const char *why, const struct table **ret)
{
    struct opening o = {.spec = spec};
    struct table *t;
    enum result r = open_failing(&o, why, &t);
    if (r == OK)
        *ret = t;
    return r;
}

/* ---- unix:passwd.byname, unix:group.byname ---- */

struct accounts {
    struct table table;
    bool group;
    enum result (*account)(void *arg, bool group, struct slice name, struct error *err);
    void *arg;
};

/* Postfix gives the whole line of /etc/passwd; nobody asks for more than whether there is one. */
static enum result find_account(const struct table *t, struct slice key, struct arena *a,
                                struct table_match *ret, struct error *err)
{
    const struct accounts *u = (const struct accounts *)t;
    if (key.len == 0)
        return NOT_FOUND;
    enum result r = u->account(u->arg, u->group, key, err);
    struct slice value = r == OK ? arena_dup(a, key) : SLICE_NONE;
    if (r == OK && !value.data)
        return error_set(err, FAILED, "no memory");
    if (r == OK)
        *ret = (struct table_match){value, t->name};
    return r;
}

static const struct table_ops unix_ops = {.waits = true, .find = find_account};

enum result table_open_unix(const struct opening *o, struct table **ret)
{
    struct accounts *u = table_new(o, &unix_ops, sizeof *u);
    if (!u)
        return FAILED;
    u->group = slice_is(o->rest, "group.byname");
    if (!u->group && !slice_is(o->rest, "passwd.byname"))
        return table_opened(error_set(o->err, INVALID,
                                      "%.*s: there are unix:passwd.byname and unix:group.byname",
                                      SLICE_ARG(o->spec)),
                            &u->table, ret);
    if (!o->reader || !o->reader->account)
        return table_opened(error_set(o->err, FAILED,
                                      "%.*s: the system's users can't be asked here",
                                      SLICE_ARG(o->spec)),
                            &u->table, ret);
    u->account = o->reader->account;
    u->arg = o->reader->account_arg;
    return table_opened(OK, &u->table, ret);
}
