/* sql.h: one question to PostgreSQL, MySQL or SQLite over a connection of its own. Two grammars use
 * it: Dovecot's passdb and userdb (lookup_sql.c) and Postfix's tables (server_sql.c).
 *
 * Who calls it: agent's children and the command line; it opens files, connects and waits. */
#ifndef AUTH_SQL_H
#define AUTH_SQL_H

#include "auth/format.h"
#include "base/arena.h"

enum { SQL_TIMEOUT_S = 10, SQL_QUERY_MAX = 64 * 1024, SQL_COLUMNS_MAX = 64 };

/* Where it is; texts NUL-terminated, "" where not told. */
struct sql_server {
    struct slice info; /* PostgreSQL: "host=… dbname=…" or a URI, instead of or beside the rest */
    struct slice host, port, user, password, dbname, charset; /* host: "/path" is a socket */
    struct slice path;                                        /* SQLite */
    /* MySQL */
    struct slice option_file, option_group, key_file, cert_file, ca_file, ca_path, ciphers;
    bool verify;
};

struct sql_work {
    /* Writes the query; `escape` is how a value gets into a text of it. */
    enum result (*fill)(void *arg, format_escape_fn *escape, void *escape_arg, struct buf *out,
                        struct error *err);
    /* A row of n columns; data NULL is SQL's NULL. False: no more rows are wanted. */
    bool (*row)(void *arg, const struct slice *names, const struct slice *values, size_t n);
    void *arg;
    bool rowless; /* a statement that brings no rows at all is as good as one without a row */
};

/* OK: asked, all rows are given. CLOSED: the server could not be reached, another may. FAILED: it
 * could not be asked, or refused the query. */
typedef enum result sql_fn(const struct sql_server *s, const struct sql_work *w, struct arena *a,
                           struct error *err);
sql_fn sql_pgsql, sql_mysql, sql_sqlite;

/* The query, NUL-terminated in the arena; data NULL: err says why. */
struct slice sql_fill(const struct sql_work *w, format_escape_fn *escape, void *escape_arg,
                      struct arena *a, struct error *err);
/* NULL for "". */
static inline const char *sql_text(struct slice s)
{
    return s.len ? s.data : NULL;
}

#endif
