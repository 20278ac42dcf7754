/* sql_mysql.c: MySQL and MariaDB, by libmariadb. */
#include "auth/library.h"
#include "auth/sql.h"

#include <mysql.h>

#define MYSQL_FUNCTIONS(F)                                                                         \
    F(mysql_close)                                                                                 \
    F(mysql_error)                                                                                 \
    F(mysql_fetch_fields)                                                                          \
    F(mysql_fetch_lengths)                                                                         \
    F(mysql_fetch_row)                                                                             \
    F(mysql_field_count)                                                                           \
    F(mysql_free_result)                                                                           \
    F(mysql_init)                                                                                  \
    F(mysql_next_result)                                                                           \
    F(mysql_num_fields)                                                                            \
    F(mysql_options)                                                                               \
    F(mysql_real_connect)                                                                          \
    F(mysql_real_escape_string)                                                                    \
    F(mysql_real_query)                                                                            \
    F(mysql_ssl_set)                                                                               \
    F(mysql_store_result)

struct api {
    MYSQL_FUNCTIONS(LIBRARY_POINTER)
};

static enum result load(struct api *ret, struct error *err)
{
    static const char *const files[] = {"libmariadb.so.3", NULL};
#define SYMBOL(name) {#name, offsetof(struct api, name)},
    static const struct library_symbol symbols[] = {MYSQL_FUNCTIONS(SYMBOL)};
#undef SYMBOL
    return library_load(files, "libmariadb3", symbols, sizeof symbols / sizeof *symbols, ret, err);
}

struct connection {
    const struct api *api;
    MYSQL *db;
};

static void escape(void *arg, struct slice value, struct buf *out)
{
    struct connection *c = arg;
    size_t room;
    char *p = buf_reserve(out, 2 * value.len + 1, &room);
    if (!p || !value.len)
        return;
    unsigned long got = c->api->mysql_real_escape_string(c->db, p, value.data, value.len);
    if (got == (unsigned long)-1)
        out->failed = true;
    else
        buf_commit(out, got);
}

static enum result failed(const struct connection *c, enum result r, struct error *err)
{
    return error_set(err, r, "mysql: %s", c->api->mysql_error(c->db));
}

static void set_options(const struct connection *c, const struct sql_server *s)
{
    const struct api *m = c->api;
    unsigned timeout = SQL_TIMEOUT_S;
    my_bool verify = s->verify;
    m->mysql_options(c->db, MYSQL_OPT_CONNECT_TIMEOUT, &timeout);
    m->mysql_options(c->db, MYSQL_OPT_READ_TIMEOUT, &timeout);
    m->mysql_options(c->db, MYSQL_OPT_WRITE_TIMEOUT, &timeout);
    if (s->option_file.len)
        m->mysql_options(c->db, MYSQL_READ_DEFAULT_FILE, s->option_file.data);
    if (s->option_group.len)
        m->mysql_options(c->db, MYSQL_READ_DEFAULT_GROUP, s->option_group.data);
    if (s->charset.len)
        m->mysql_options(c->db, MYSQL_SET_CHARSET_NAME, s->charset.data);
    if (s->key_file.len || s->cert_file.len || s->ca_file.len || s->ca_path.len || s->ciphers.len)
        m->mysql_ssl_set(c->db, sql_text(s->key_file), sql_text(s->cert_file), sql_text(s->ca_file),
                         sql_text(s->ca_path), sql_text(s->ciphers));
    if (s->verify)
        m->mysql_options(c->db, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}

static enum result open_db(const struct connection *c, const struct sql_server *s,
                           struct error *err)
{
    const char *host = sql_text(s->host), *socket = NULL;
    uint64_t port = 0;
    if (s->port.len && slice_parse_u64(s->port, 65535, &port) != OK)
        return error_set(err, FAILED, "mysql: port `%.*s` is no number", SLICE_ARG(s->port));
    if (host && host[0] == '/') {
        socket = host;
        host = NULL;
    }
    set_options(c, s);
    if (c->api->mysql_real_connect(c->db, host, sql_text(s->user), sql_text(s->password),
                                   sql_text(s->dbname), (unsigned)port, socket,
                                   CLIENT_MULTI_RESULTS))
        return OK;
    return failed(c, CLOSED, err);
}

static void give_rows(const struct api *m, MYSQL_RES *got, const struct sql_work *w)
{
    struct slice names[SQL_COLUMNS_MAX], values[SQL_COLUMNS_MAX];
    const MYSQL_FIELD *fields = m->mysql_fetch_fields(got);
    unsigned columns = m->mysql_num_fields(got);
    MYSQL_ROW row;
    if (columns > SQL_COLUMNS_MAX)
        columns = SQL_COLUMNS_MAX;
    while ((row = m->mysql_fetch_row(got))) {
        const unsigned long *lengths = m->mysql_fetch_lengths(got);
        for (unsigned i = 0; i < columns; i++) {
            names[i] = slice_cstr(fields[i].name);
            values[i] = row[i] ? slice_of(row[i], lengths[i]) : SLICE_NONE;
        }
        if (!w->row(w->arg, names, values, columns))
            return;
    }
}

/* A stored procedure brings several results, of which the last has no rows. */
static enum result take_results(const struct connection *c, const struct sql_work *w,
                                struct error *err)
{
    bool any = false;
    int more;
    do {
        MYSQL_RES *got = c->api->mysql_store_result(c->db);
        if (!got && c->api->mysql_field_count(c->db))
            return failed(c, FAILED, err);
        if (got && !any)
            give_rows(c->api, got, w);
        if (got)
            c->api->mysql_free_result(got);
        any = any || got;
        more = c->api->mysql_next_result(c->db);
    } while (more == 0);
    if (more > 0)
        return failed(c, FAILED, err);
    return any || w->rowless ? OK : error_set(err, FAILED, "mysql: the query brings no rows");
}

static enum result ask(struct connection *c, const struct sql_work *w, struct arena *a,
                       struct error *err)
{
    struct slice text = sql_fill(w, escape, c, a, err);
    if (!text.data)
        return FAILED;
    if (c->api->mysql_real_query(c->db, text.data, text.len) != 0)
        return failed(c, FAILED, err);
    return take_results(c, w, err);
}

enum result sql_mysql(const struct sql_server *s, const struct sql_work *w, struct arena *a,
                      struct error *err)
{
    struct api api;
    if (load(&api, err) != OK)
        return FAILED;
    struct connection c = {&api, api.mysql_init(NULL)};
    if (!c.db)
        return error_set(err, FAILED, "no memory");
    enum result r = open_db(&c, s, err);
    r = r == OK ? ask(&c, w, a, err) : r;
    api.mysql_close(c.db);
    return r;
}
