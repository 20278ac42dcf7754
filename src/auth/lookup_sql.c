/* lookup_sql.c: one query to PostgreSQL, MySQL or SQLite; its first row. */
#include "auth/lookup.h"

#include <libpq-fe.h>
#include <mysql.h>
#include <sqlite3.h>
#include <stdlib.h>

enum { QUERY_MAX = 64 * 1024 };

/* The query with the names in it, each escaped; data NULL: err says why. */
static struct slice fill(struct slice query, const struct format_names *n, format_escape_fn *escape,
                         void *arg, struct arena *a, struct error *err)
{
    struct buf out;
    buf_init(&out, QUERY_MAX);
    enum result r = format_put(query, n, escape, arg, &out, err);
    struct slice text = r == OK ? arena_dup(a, buf_slice(&out)) : SLICE_NONE;
    buf_release(&out);
    return text;
}

/* ---- PostgreSQL ---- */

static void escape_pgsql(void *arg, struct slice value, struct buf *out)
{
    size_t room;
    int failed = 0;
    char *p = buf_reserve(out, 2 * value.len + 1, &room);
    if (p && value.len)
        buf_commit(out, PQescapeStringConn(arg, p, value.data, value.len, &failed));
    out->failed = out->failed || failed;
}

static void take_pgsql_row(const PGresult *got, struct arena *a, struct lookup_row *ret)
{
    for (int i = 0; i < PQnfields(got); i++)
        if (!PQgetisnull(got, 0, i))
            lookup_add(ret, a, slice_cstr(PQfname(got, i)), slice_cstr(PQgetvalue(got, 0, i)));
}

static enum result pgsql_error(const PGconn *db, struct error *err)
{
    struct slice text = slice_trim(slice_cstr(PQerrorMessage(db)));
    return error_set(err, FAILED, "pgsql: %.*s",
                     SLICE_ARG(slice_sub(text, 0, slice_find(text, '\n'))));
}

enum result lookup_pgsql(const struct lookup_config *c, struct slice query,
                         const struct format_names *n, struct arena *a, struct lookup_row *ret,
                         struct error *err)
{
    char *info =
        arena_printf(a, "%.*s connect_timeout=%d", SLICE_ARG(c->connect), LOOKUP_TIMEOUT_S);
    PGconn *db = info ? PQconnectdb(info) : NULL;
    enum result r = FAILED;
    if (!db)
        return error_set(err, FAILED, "no memory");
    if (PQstatus(db) == CONNECTION_OK) {
        struct slice text = fill(query, n, escape_pgsql, db, a, err);
        PGresult *got = text.data ? PQexec(db, text.data) : NULL;
        if (got && PQresultStatus(got) == PGRES_TUPLES_OK) {
            r = PQntuples(got) ? OK : NOT_FOUND;
            if (r == OK)
                take_pgsql_row(got, a, ret);
        } else if (text.data) {
            r = pgsql_error(db, err);
        }
        PQclear(got);
    } else {
        r = pgsql_error(db, err);
    }
    PQfinish(db);
    return r;
}

/* ---- MySQL and MariaDB ---- */

static void escape_mysql(void *arg, struct slice value, struct buf *out)
{
    size_t room;
    char *p = buf_reserve(out, 2 * value.len + 1, &room);
    if (p && value.len) {
        unsigned long got = mysql_real_escape_string(arg, p, value.data, value.len);
        if (got != (unsigned long)-1)
            buf_commit(out, got);
        else
            out->failed = true;
    }
}

static const char *value_or_null(struct slice connect, const char *key, struct arena *a)
{
    struct slice v = lookup_connect_value(connect, key, a);
    return v.len ? v.data : NULL;
}

static bool connect_mysql(MYSQL *db, const struct lookup_config *c, struct arena *a)
{
    const char *host = value_or_null(c->connect, "host", a), *socket = NULL;
    struct slice port_text = lookup_connect_value(c->connect, "port", a);
    unsigned timeout = LOOKUP_TIMEOUT_S;
    uint64_t port = 0;
    if (port_text.len && slice_parse_u64(port_text, 65535, &port) != OK)
        port = 0;
    if (host && host[0] == '/') {
        socket = host;
        host = NULL;
    }
    mysql_options(db, MYSQL_OPT_CONNECT_TIMEOUT, &timeout);
    mysql_options(db, MYSQL_OPT_READ_TIMEOUT, &timeout);
    return mysql_real_connect(db, host, value_or_null(c->connect, "user", a),
                              value_or_null(c->connect, "password", a),
                              value_or_null(c->connect, "dbname", a), (unsigned)port, socket,
                              0) != NULL;
}

static enum result take_mysql_row(MYSQL_RES *got, struct arena *a, struct lookup_row *ret)
{
    MYSQL_ROW row = mysql_fetch_row(got);
    const unsigned long *lengths = row ? mysql_fetch_lengths(got) : NULL;
    const MYSQL_FIELD *fields = mysql_fetch_fields(got);
    if (!row)
        return NOT_FOUND;
    for (unsigned i = 0; i < mysql_num_fields(got); i++)
        if (row[i])
            lookup_add(ret, a, slice_cstr(fields[i].name), slice_of(row[i], lengths[i]));
    return OK;
}

enum result lookup_mysql(const struct lookup_config *c, struct slice query,
                         const struct format_names *n, struct arena *a, struct lookup_row *ret,
                         struct error *err)
{
    MYSQL *db = mysql_init(NULL);
    enum result r = FAILED;
    if (!db)
        return error_set(err, FAILED, "no memory");
    bool connected = connect_mysql(db, c, a);
    struct slice text = connected ? fill(query, n, escape_mysql, db, a, err) : SLICE_NONE;
    MYSQL_RES *got = NULL;
    if (text.data && mysql_real_query(db, text.data, text.len) == 0)
        got = mysql_store_result(db);
    if (got)
        r = take_mysql_row(got, a, ret);
    else if (!connected || text.data)
        r = error_set(err, FAILED, "mysql: %s", mysql_error(db));
    if (got)
        mysql_free_result(got);
    mysql_close(db);
    return r;
}

/* ---- SQLite ---- */

static void escape_sqlite(void *arg, struct slice value, struct buf *out)
{
    (void)arg;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == '\'')
            buf_putc(out, '\'');
        buf_putc(out, value.data[i]);
    }
}

static void take_sqlite_row(sqlite3_stmt *s, struct arena *a, struct lookup_row *ret)
{
    for (int i = 0; i < sqlite3_column_count(s); i++) {
        const void *value = sqlite3_column_text(s, i);
        if (value)
            lookup_add(ret, a, slice_cstr(sqlite3_column_name(s, i)),
                       slice_of(value, (size_t)sqlite3_column_bytes(s, i)));
    }
}

enum result lookup_sqlite(const struct lookup_config *c, struct slice query,
                          const struct format_names *n, struct arena *a, struct lookup_row *ret,
                          struct error *err)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *s = NULL;
    struct slice path = lookup_connect_value(c->connect, "path", a);
    if (!path.len)
        path = arena_dup(a, c->connect);
    struct slice text = fill(query, n, escape_sqlite, NULL, a, err);
    if (!path.data || !text.data)
        return FAILED;
    int r = sqlite3_open_v2(path.data, &db, SQLITE_OPEN_READONLY, NULL);
    if (r == SQLITE_OK) {
        sqlite3_busy_timeout(db, LOOKUP_TIMEOUT_S * 1000);
        r = sqlite3_prepare_v2(db, text.data, (int)text.len, &s, NULL);
    }
    if (r == SQLITE_OK)
        r = sqlite3_step(s);
    if (r == SQLITE_ROW)
        take_sqlite_row(s, a, ret);
    else if (r != SQLITE_DONE)
        (void)error_set(err, FAILED, "sqlite: %s", db ? sqlite3_errmsg(db) : "no memory");
    sqlite3_finalize(s);
    sqlite3_close(db);
    return r == SQLITE_ROW ? OK : r == SQLITE_DONE ? NOT_FOUND : FAILED;
}
