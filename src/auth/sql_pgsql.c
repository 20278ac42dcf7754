/* sql_pgsql.c: PostgreSQL, by libpq. */
#include "auth/library.h"
#include "auth/sql.h"

#include <libpq-fe.h>

#define PQ_FUNCTIONS(F)                                                                            \
    F(PQclear)                                                                                     \
    F(PQconnectdbParams)                                                                           \
    F(PQerrorMessage)                                                                              \
    F(PQescapeStringConn)                                                                          \
    F(PQexec)                                                                                      \
    F(PQfinish)                                                                                    \
    F(PQfname)                                                                                     \
    F(PQgetisnull)                                                                                 \
    F(PQgetlength)                                                                                 \
    F(PQgetvalue)                                                                                  \
    F(PQnfields)                                                                                   \
    F(PQntuples)                                                                                   \
    F(PQresultStatus)                                                                              \
    F(PQstatus)

struct pq {
    PQ_FUNCTIONS(LIBRARY_POINTER)
};

static enum result load(struct pq *ret, struct error *err)
{
    static const char *const files[] = {"libpq.so.5", NULL};
#define SYMBOL(name) {#name, offsetof(struct pq, name)},
    static const struct library_symbol symbols[] = {PQ_FUNCTIONS(SYMBOL)};
#undef SYMBOL
    return library_load(files, "libpq5", symbols, sizeof symbols / sizeof *symbols, ret, err);
}

struct connection {
    const struct pq *pq;
    PGconn *db;
};

static void escape(void *arg, struct slice value, struct buf *out)
{
    struct connection *c = arg;
    size_t room;
    int failed = 0;
    char *p = buf_reserve(out, 2 * value.len + 1, &room);
    if (p && value.len)
        buf_commit(out, c->pq->PQescapeStringConn(c->db, p, value.data, value.len, &failed));
    out->failed = out->failed || failed;
}

/* libpq's words, without the query that it repeats on their second line. */
static enum result failed(const struct connection *c, enum result r, struct error *err)
{
    struct slice text = slice_trim(slice_cstr(c->pq->PQerrorMessage(c->db)));
    return error_set(err, r, "pgsql: %.*s", SLICE_ARG(slice_split(&text, '\n')));
}

static PGconn *open_db(const struct pq *pq, const struct sql_server *s, struct arena *a)
{
    const char *timeout = arena_printf(a, "%d", SQL_TIMEOUT_S);
    const char *silence = arena_printf(a, "%d", SQL_TIMEOUT_S * 1000);
    /* What stands further down counts; the first may be a whole connection string. */
    const char *keys[12], *values[12];
    const struct {
        const char *key, *value;
    } all[] = {{"dbname", sql_text(s->info)},
               {"host", sql_text(s->host)},
               {"port", sql_text(s->port)},
               {"user", sql_text(s->user)},
               {"password", sql_text(s->password)},
               {"dbname", sql_text(s->dbname)},
               {"connect_timeout", timeout},
               {"tcp_user_timeout", silence},
               {"client_encoding", sql_text(s->charset)}};
    size_t n = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i].value) {
            keys[n] = all[i].key;
            values[n++] = all[i].value;
        }
    keys[n] = values[n] = NULL;
    return pq->PQconnectdbParams(keys, values, 1);
}

static void give_rows(const struct pq *pq, const PGresult *got, const struct sql_work *w)
{
    struct slice names[SQL_COLUMNS_MAX], values[SQL_COLUMNS_MAX];
    int columns = pq->PQnfields(got), rows = pq->PQntuples(got);
    if (columns > SQL_COLUMNS_MAX)
        columns = SQL_COLUMNS_MAX;
    for (int y = 0; y < rows; y++) {
        for (int x = 0; x < columns; x++) {
            names[x] = slice_cstr(pq->PQfname(got, x));
            values[x] = pq->PQgetisnull(got, y, x) ? SLICE_NONE
                                                   : slice_of(pq->PQgetvalue(got, y, x),
                                                              (size_t)pq->PQgetlength(got, y, x));
        }
        if (!w->row(w->arg, names, values, (size_t)columns))
            return;
    }
}

static enum result ask(struct connection *c, const struct sql_work *w, struct arena *a,
                       struct error *err)
{
    struct slice text = sql_fill(w, escape, c, a, err);
    if (!text.data)
        return FAILED;
    enum result r = OK;
    PGresult *got = c->pq->PQexec(c->db, text.data);
    ExecStatusType status = c->pq->PQresultStatus(got);
    if (status == PGRES_TUPLES_OK)
        give_rows(c->pq, got, w);
    else if (status != PGRES_COMMAND_OK)
        r = failed(c, FAILED, err);
    else if (!w->rowless)
        r = error_set(err, FAILED, "pgsql: the query brings no rows");
    c->pq->PQclear(got);
    return r;
}

enum result sql_pgsql(const struct sql_server *s, const struct sql_work *w, struct arena *a,
                      struct error *err)
{
    struct pq pq;
    if (load(&pq, err) != OK)
        return FAILED;
    struct connection c = {&pq, open_db(&pq, s, a)};
    if (!c.db)
        return error_set(err, FAILED, "no memory");
    enum result r =
        pq.PQstatus(c.db) == CONNECTION_OK ? ask(&c, w, a, err) : failed(&c, CLOSED, err);
    pq.PQfinish(c.db);
    return r;
}
