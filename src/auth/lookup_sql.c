/* lookup_sql.c: Dovecot's SQL: one query, its first row. */
#include "auth/lookup.h"
#include "auth/sql.h"

struct asking {
    struct slice query;
    const struct format_names *names;
    struct arena *arena;
    struct lookup_row *row;
    bool found;
};

static enum result fill(void *arg, format_escape_fn *escape, void *escape_arg, struct buf *out,
                        struct error *err)
{
    const struct asking *q = arg;
    return format_put(q->query, q->names, escape, escape_arg, out, err);
}

static bool take_row(void *arg, const struct slice *names, const struct slice *values, size_t n)
{
    struct asking *q = arg;
    q->found = true;
    for (size_t i = 0; i < n; i++)
        if (values[i].data)
            lookup_add(q->row, q->arena, names[i], values[i]);
    return false;
}

static enum result ask(sql_fn *driver, const struct sql_server *s, struct slice query,
                       const struct format_names *n, struct arena *a, struct lookup_row *ret,
                       struct error *err)
{
    struct asking q = {query, n, a, ret, false};
    struct sql_work w = {.fill = fill, .row = take_row, .arg = &q};
    if (driver(s, &w, a, err) != OK)
        return FAILED;
    return q.found ? OK : NOT_FOUND;
}

enum result lookup_pgsql(const struct lookup_config *c, struct slice query,
                         const struct format_names *n, struct arena *a, struct lookup_row *ret,
                         struct error *err)
{
    struct sql_server s = {.info = arena_dup(a, c->connect)};
    return ask(sql_pgsql, &s, query, n, a, ret, err);
}

enum result lookup_mysql(const struct lookup_config *c, struct slice query,
                         const struct format_names *n, struct arena *a, struct lookup_row *ret,
                         struct error *err)
{
    struct sql_server s = {.host = lookup_connect_value(c->connect, "host", a),
                           .port = lookup_connect_value(c->connect, "port", a),
                           .user = lookup_connect_value(c->connect, "user", a),
                           .password = lookup_connect_value(c->connect, "password", a),
                           .dbname = lookup_connect_value(c->connect, "dbname", a)};
    return ask(sql_mysql, &s, query, n, a, ret, err);
}

enum result lookup_sqlite(const struct lookup_config *c, struct slice query,
                          const struct format_names *n, struct arena *a, struct lookup_row *ret,
                          struct error *err)
{
    struct sql_server s = {.path = lookup_connect_value(c->connect, "path", a)};
    if (!s.path.len)
        s.path = arena_dup(a, c->connect);
    if (!s.path.data)
        return error_set(err, FAILED, "no memory");
    return ask(sql_sqlite, &s, query, n, a, ret, err);
}
