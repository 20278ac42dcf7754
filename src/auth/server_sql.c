/* server_sql.c: tables of sqlite, pgsql and mysql. */
#include "auth/server.h"
#include "auth/sql.h"

struct asking {
    const struct server_table *table;
    struct slice key;
    struct server_result result;
    bool suppressed; /* the key lacks a part that the query needs */
};

static enum result fill(void *arg, format_escape_fn *escape, void *escape_arg, struct buf *out,
                        struct error *err)
{
    struct asking *q = arg;
    enum result r =
        server_expand(q->table->query, q->key, SLICE_NONE, escape, escape_arg, out, err);
    q->suppressed = r == NOT_FOUND;
    return r;
}

static bool take_row(void *arg, const struct slice *names, const struct slice *values, size_t n)
{
    struct asking *q = arg;
    (void)names;
    for (size_t i = 0; i < n; i++)
        if (!server_result_add(&q->result, values[i]))
            return false;
    return true;
}

/* "unix:/run/postgresql/.s.PGSQL.5432" names a socket, which libpq knows by folder and number. */
static void take_pgsql_socket(struct sql_server *s, struct arena *a)
{
    static const struct slice prefix = {".s.PGSQL.", 9};
    size_t slash = slice_rfind(s->host, '/');
    struct slice last = slash == SIZE_MAX ? SLICE("") : slice_from(s->host, slash + 1);
    if (!slice_starts(last, prefix))
        return;
    s->port = arena_dup(a, slice_from(last, prefix.len));
    s->host = arena_dup(a, slice_sub(s->host, 0, slash));
}

static void take_host(struct sql_server *s, struct slice host, bool pgsql, struct arena *a)
{
    struct slice name, port;
    s->info = s->port = SLICE("");
    if (slice_starts(host, SLICE("unix:"))) {
        s->host = arena_dup(a, slice_from(host, 5));
        if (pgsql)
            take_pgsql_socket(s, a);
    } else if (pgsql && slice_search(host, SLICE("://")) != SIZE_MAX) {
        s->info = arena_dup(a, host);
        s->host = SLICE("");
    } else {
        server_split_host(host, &name, &port);
        s->host = arena_dup(a, name);
        s->port = port.len ? arena_dup(a, port) : SLICE("");
    }
}

/* In order, until one can be reached. */
static enum result ask_hosts(const struct server_table *t, struct sql_server *s,
                             const struct sql_work *w, struct arena *a, struct error *err)
{
    bool pgsql = slice_is(t->type, "pgsql");
    struct slice hosts = server_value(t, "hosts", "localhost"), host;
    enum result r = CLOSED;
    unsigned n = 0;
    while (r == CLOSED && n++ < SERVER_HOSTS_MAX && server_next_word(&hosts, &host)) {
        take_host(s, host, pgsql, a);
        r = arena_failed(a) ? error_set(err, FAILED, "no memory")
                            : (pgsql ? sql_pgsql : sql_mysql)(s, w, a, err);
    }
    return r;
}

static enum result ask(const struct server_table *t, const struct sql_work *w, struct arena *a,
                       struct error *err)
{
    bool mysql = slice_is(t->type, "mysql");
    struct sql_server s = {
        .user = server_value(t, "user", ""),
        .password = server_value(t, "password", ""),
        .dbname = server_value(t, "dbname", ""),
        .charset =
            mysql ? server_value(t, "charset", "utf8mb4") : server_value(t, "encoding", "UTF8"),
        .path = server_value(t, "dbpath", ""),
        .option_file = server_value(t, "option_file", ""),
        .option_group =
            server_value(t, "option_group", server_value(t, "option_file", "").len ? "client" : ""),
        .key_file = server_value(t, "tls_key_file", ""),
        .cert_file = server_value(t, "tls_cert_file", ""),
        .ca_file = server_value(t, "tls_CAfile", ""),
        .ca_path = server_value(t, "tls_CApath", ""),
        .ciphers = server_value(t, "tls_ciphers", ""),
        .verify = server_yes(t, "tls_verify_cert", false),
    };
    if (slice_is(t->type, "sqlite"))
        return sql_sqlite(&s, w, a, err);
    return ask_hosts(t, &s, w, a, err);
}

enum result server_ask_sql(const struct server_table *t, struct slice key, struct arena *a,
                           struct slice *ret, struct error *err)
{
    struct asking q = {.table = t, .key = key, .result = {.table = t, .key = key}};
    struct sql_work w = {.fill = fill,
                         .row = take_row,
                         .arg = &q,
                         .rowless = !server_yes(t, "require_result_set", true)};
    buf_init(&q.result.text, SERVER_VALUE_MAX);
    enum result r = ask(t, &w, a, err);
    if (r == OK)
        return server_result_end(&q.result, a, ret, err);
    buf_release(&q.result.text);
    return q.suppressed ? NOT_FOUND : FAILED;
}
