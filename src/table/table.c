/* table.c: the types of tables, and what is alike for all: opening by spec, the files of a spec,
 * asking. */
#include <stdlib.h>

#include "base/log.h"
#include "table/impl.h"
#include "table/key.h"
#include "table/spec.h"

static const struct table_type types[] = {
    {"hash", table_open_database, PARTS_FILE},
    {"btree", table_open_database, PARTS_FILE},
    {"lmdb", table_open_database, PARTS_FILE},
    {"cdb", table_open_database, PARTS_FILE},
    {"dbm", table_open_database, PARTS_FILE},
    {"texthash", table_open_text, PARTS_FILE},
    {"inline", table_open_inline, PARTS_NONE},
    {"static", table_open_static, PARTS_NONE},
    {"environ", table_open_environ, PARTS_NONE},
    {"fail", table_open_fail, PARTS_NONE},
    {"cidr", table_open_cidr, PARTS_RULES},
    {"regexp", table_open_regexp, PARTS_RULES},
    {"pcre", table_open_pcre, PARTS_RULES},
    {"unionmap", table_open_union, PARTS_TABLES},
    {"pipemap", table_open_pipe, PARTS_TABLES},
    {"unix", table_open_unix, PARTS_NONE},
    {"tcp", table_open_server_whole, PARTS_SERVER},
    {"socketmap", table_open_server_whole, PARTS_SERVER},
    {"sqlite", table_open_server, PARTS_SERVER},
    {"pgsql", table_open_server, PARTS_SERVER},
    {"mysql", table_open_server, PARTS_SERVER},
    {"ldap", table_open_server, PARTS_SERVER},
    {"memcache", table_open_server, PARTS_SERVER},
};
enum { TYPES = sizeof types / sizeof *types };

const char *table_type_name(size_t i)
{
    return i < TYPES ? types[i].name : NULL;
}

void table_log_skipped(void *arg, struct slice file, unsigned line, const char *reason)
{
    (void)arg;
    LOG(LOG_WARNING, "table.skipped", LOG_S("file", file), LOG_U("line", line),
        LOG_C("reason", reason));
}

static void ignore(void *arg, struct slice file, unsigned line, const char *reason)
{
    (void)arg, (void)file, (void)line, (void)reason;
}

/* "proxy:type:name" is "type:name": whose process asks makes no difference here. */
static struct slice without_proxy(struct slice spec)
{
    spec = table_trim(spec);
    while (slice_starts(spec, SLICE("proxy:")))
        spec = slice_from(spec, 6);
    return spec;
}

static enum result unknown_type(struct slice spec, struct slice type, struct error *err)
{
    struct buf all;
    buf_init(&all, 200);
    for (size_t i = 0; i < TYPES; i++)
        buf_printf(&all, "%s%s", i ? " " : "", types[i].name);
    error_set(err, INVALID, "%.*s: no table type `%.*s`: there are %.*s", SLICE_ARG(spec),
              SLICE_ARG(type), SLICE_ARG(buf_slice(&all)));
    buf_release(&all);
    return INVALID;
}

/* Finds the type; *ret_rest is what follows. A path alone is a text file. */
static enum result find_type(struct slice spec, const struct table_type **ret,
                             struct slice *ret_rest, struct error *err)
{
    static const struct table_type text = {"texthash", table_open_text, PARTS_FILE};
    struct slice type = table_spec_type(spec);
    if (!type.data && spec.len && spec.data[0] == '/') {
        *ret = &text;
        *ret_rest = spec;
        return OK;
    }
    if (!type.data)
        return error_set(err, INVALID, "`%.*s` is no table: write type:name, such as hash:/path",
                         SLICE_ARG(spec));
    struct slice rest = slice_from(spec, type.len + 1);
    if (rest.len == 0)
        return error_set(err, INVALID, "%.*s: write type:name", SLICE_ARG(spec));
    for (size_t i = 0; i < TYPES; i++) {
        if (!slice_is(type, types[i].name))
            continue;
        bool path = types[i].parts == PARTS_FILE ||
                    (types[i].parts == PARTS_RULES && !slice_starts(rest, SLICE("{")));
        if (path && (rest.len == 0 || rest.data[0] != '/'))
            return error_set(err, INVALID, "%.*s: a path that begins with / must follow `%s:`",
                             SLICE_ARG(spec), types[i].name);
        *ret = &types[i];
        *ret_rest = rest;
        return OK;
    }
    return unknown_type(spec, type, err);
}

void *table_new(const struct opening *o, const struct table_ops *ops, size_t size)
{
    struct table *t = calloc(1, size);
    if (!t) {
        error_set(o->err, FAILED, "no memory");
        return NULL;
    }
    t->ops = ops;
    t->waits = ops->waits;
    t->patterns = ops->patterns;
    arena_init(&t->arena, TABLE_ARENA_MAX);
    t->name = arena_dup(&t->arena, o->spec);
    return t;
}

enum result table_opened(enum result r, struct table *t, struct table **ret)
{
    if (r == OK && arena_failed(&t->arena))
        r = FAILED;
    if (r == OK)
        *ret = t;
    else
        table_close(t);
    return r;
}

void table_close(const struct table *t)
{
    struct table *mine = (struct table *)t;
    if (!t)
        return;
    if (t->ops->release)
        t->ops->release(mine);
    arena_release(&mine->arena);
    free(mine);
}

enum result table_open_member(const struct opening *o, struct slice spec, struct table **ret)
{
    const struct table_type *type;
    struct opening inner = *o;
    inner.depth++;
    inner.spec = without_proxy(spec);
    if (inner.depth > TABLE_DEPTH_MAX)
        return error_set(o->err, LIMIT, "%.*s: tables in tables too deep", SLICE_ARG(o->spec));
    enum result r = find_type(inner.spec, &type, &inner.rest, o->err);
    return r == OK ? type->open(&inner, ret) : r;
}

enum result table_open(struct slice spec, const struct table_reader *reader,
                       table_problem_fn *problem, void *arg, const struct table **ret,
                       struct error *err)
{
    struct opening o = {reader, problem ? problem : ignore, arg, err, 0, SLICE_NONE, SLICE_NONE};
    struct table *t = NULL;
    enum result r = table_open_member(&o, spec, &t);
    if (r == OK)
        *ret = t;
    return r == OK || r == INVALID ? r : FAILED;
}

/* What a spec is made of: its files, or its tables of servers. */
struct parts {
    bool servers;
    void (*each)(void *arg, struct slice part);
    void *arg;
};

static void give_part(const struct parts *p, const struct table_type *type, struct slice spec,
                      struct slice rest)
{
    bool server = type->parts == PARTS_SERVER;
    if (p->servers && server)
        p->each(p->arg, spec);
    else if (!p->servers && !server && rest.data[0] == '/')
        p->each(p->arg, rest);
}

static enum result parts_of(struct slice spec, const struct parts *p, unsigned depth,
                            struct error *err)
{
    const struct table_type *type;
    struct slice rest, item;
    const char *why;
    spec = without_proxy(spec);
    if (depth > TABLE_DEPTH_MAX)
        return error_set(err, INVALID, "%.*s: tables in tables too deep", SLICE_ARG(spec));
    enum result r = find_type(spec, &type, &rest, err);
    if (r != OK || type->parts == PARTS_NONE)
        return r;
    if (type->parts != PARTS_TABLES) {
        give_part(p, type, spec, rest);
        return OK;
    }
    if (table_braces(rest, &rest, &why) != OK)
        return error_set(err, INVALID, "%.*s: %s", SLICE_ARG(spec), why);
    while (r == OK && table_next_item(&rest, &item))
        r = parts_of(item, p, depth + 1, err);
    return r;
}

enum result table_files(struct slice spec, void (*each)(void *arg, struct slice path), void *arg,
                        struct error *err)
{
    return parts_of(spec, &(struct parts){false, each, arg}, 0, err);
}

enum result table_servers(struct slice spec, void (*each)(void *arg, struct slice table), void *arg,
                          struct error *err)
{
    return parts_of(spec, &(struct parts){true, each, arg}, 0, err);
}

enum result table_read(const struct opening *o, struct slice path, struct buf *out)
{
    struct error why = {""};
    enum result r = o->reader ? o->reader->read(o->reader->arg, path, out, &why) : NOT_FOUND;
    if (r == OK && buf_ok(out))
        return OK;
    if (r == OK)
        error_set(&why, LIMIT, "the file is larger than %d MiB", TABLE_FILE_MAX >> 20);
    else if (!why.text[0])
        error_set(&why, r, "%s", r == NOT_FOUND ? "there is no such file" : result_name(r));
    return error_set(o->err, FAILED, "%.*s: %s", SLICE_ARG(path), why.text);
}

enum result table_rules(const struct opening *o, struct arena *a, struct slice *ret,
                        struct slice *ret_file)
{
    struct buf text;
    struct slice rest, item;
    const char *why = NULL;
    enum result r = OK;
    buf_init(&text, TABLE_FILE_MAX);
    *ret_file = slice_starts(o->rest, SLICE("{")) ? o->spec : o->rest;
    if (ret_file->data == o->rest.data) {
        r = table_read(o, o->rest, &text);
    } else if ((r = table_braces(o->rest, &rest, &why)) == OK) {
        while (!why && table_next_item(&rest, &item)) {
            if (item.data[0] != '{')
                why = "each rule must stand in { }";
            else if (table_braces(item, &item, &why) == OK)
                buf_append(&text, item), buf_putc(&text, '\n');
        }
    }
    if (why)
        r = error_set(o->err, INVALID, "%.*s: %s", SLICE_ARG(o->spec), why);
    *ret = arena_dup(a, buf_slice(&text));
    *ret_file = arena_dup(a, *ret_file);
    buf_release(&text);
    return r == OK && arena_failed(a) ? error_set(o->err, FAILED, "no memory") : r;
}

struct slice table_where(struct arena *a, struct slice file, unsigned line)
{
    char *text = arena_printf(a, "%.*s:%u", SLICE_ARG(file), line);
    return slice_cstr(text);
}

struct slice table_name(const struct table *t)
{
    return t->name;
}

bool table_waits(const struct table *t)
{
    return t->waits;
}

bool table_has_patterns(const struct table *t)
{
    return t->patterns;
}

enum result table_each(const struct table *t,
                       void (*each)(void *arg, struct slice key, struct slice value), void *arg)
{
    if (!t->ops->each)
        return INVALID;
    t->ops->each(t, each, arg);
    return OK;
}

void table_each_value(const struct table *t, table_value_fn *each, void *arg)
{
    if (t->ops->values)
        t->ops->values(t, each, arg);
}

enum result table_find(const struct table *t, struct slice key, struct arena *a,
                       struct table_match *ret, struct error *err)
{
    size_t max = t->patterns || t->waits ? TABLE_PATTERN_KEY_MAX : TABLE_KEY_MAX;
    if (key.len > max || slice_find(key, '\0') != SIZE_MAX)
        return NOT_FOUND;
    if (!t->patterns && !table_key_is_utf8(key))
        return NOT_FOUND;
    if (t->ops->folds) {
        key = table_fold_key(key, a);
        if (!key.data)
            return error_set(err, FAILED, "no memory");
    }
    enum result r = t->ops->find(t, key, a, ret, err);
    return r == OK || r == NOT_FOUND ? r : FAILED;
}
