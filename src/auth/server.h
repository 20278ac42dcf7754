/* server.h: Postfix's tables that ask a server: tcp_table(5), socketmap_table(5), sqlite_table(5),
 * pgsql_table(5), mysql_table(5), ldap_table(5), memcache_table(5). Each question takes a
 * connection of its own and reads the table's file, so a changed file counts at once.
 *
 * Who calls it: agent's children (for auth) and the command line; the master checks the files at
 * start. What a key brings into a query is escaped as the library says. */
#ifndef AUTH_SERVER_H
#define AUTH_SERVER_H

#include "auth/format.h"
#include "base/arena.h"

enum {
    SERVER_TIMEOUT_S = 10,
    SERVER_FILE_MAX = 64 * 1024,  /* bytes of a table's file */
    SERVER_PARAMETERS_MAX = 64,   /* of one file */
    SERVER_VALUE_MAX = 64 * 1024, /* bytes of what a key leads to */
    SERVER_HOSTS_MAX = 32
};

/* A table's file: "name = value" lines, as in main.cf (postconf(5)). */
struct server_table {
    struct slice type; /* "pgsql" */
    struct slice names[SERVER_PARAMETERS_MAX], values[SERVER_PARAMETERS_MAX];
    size_t n;
    struct slice query, result_format; /* of SQL: made of the old parameters where those are used */
    struct slice domain;
    uint64_t expansion_limit; /* 0: none */
};

/* INVALID: "file:line: …": a parameter that the type has not, or a value that can't be. Everything
 * is copied into the arena, NUL-terminated. */
MUST_USE enum result server_parse(struct slice type, struct slice file, struct slice text,
                                  struct arena *a, struct server_table *ret, struct error *err);
/* A parameter's value; `without` where it is not told. */
struct slice server_value(const struct server_table *t, const char *name, const char *without);
uint64_t server_number(const struct server_table *t, const char *name, uint64_t without);
/* "yes" and the like. */
bool server_yes(const struct server_table *t, const char *name, bool without);

/* What the file of a table "type:name" would hold whose parameters stand in main.cf (at `path`) as
 * name_parameter: appended, each in the line that it has there, $names replaced. FAILED: can't be
 * read, or too long for `out`. INVALID: a value can't be expanded. Values are not told in `err`. */
MUST_USE enum result server_read_main_cf(struct slice type, struct slice name, const char *path,
                                         struct buf *out, struct error *err);

/* Reads and checks the table's file; nothing is asked. postfix: the folder of main.cf, which has
 * the parameters of tables "pgsql:name"; "": none. INVALID, FAILED. */
MUST_USE enum result server_check(struct slice table, struct slice postfix, struct error *err);
/* Must the table be asked with the rights that its file was read with? It names a key, a file with
 * a password, a database that is a file, or a socket of memcached, which is its owner's alone. */
bool server_needs_rights(const struct server_table *t);
/* table: "pgsql:/etc/postfix/x.cf"; postfix as above. The value into the arena. NOT_FOUND: the key
 * leads nowhere. FAILED: could not be asked: `err` says why, without passwords. give_up: called
 * once the table's file is read, before a server is asked, where the table needs no rights; false:
 * it must not be asked. NULL: the caller's rights are its own. */
MUST_USE enum result server_ask(struct slice table, struct slice postfix, struct slice key,
                                bool (*give_up)(void), struct arena *a, struct slice *ret,
                                struct error *err);

/* ---- the %expansions of queries and results ---- */

/* %s %u %d (of `value`, data NULL: of the key), %S %U %D %1 … %9 (of the key), %%. NOT_FOUND: a
 * part that is used is not there, so nothing must be asked. INVALID: an expansion that there is
 * not. */
MUST_USE enum result server_expand(struct slice format, struct slice key, struct slice value,
                                   format_escape_fn *escape, void *arg, struct buf *out,
                                   struct error *err);
/* May this key be asked for, as the parameter `domain` says? */
bool server_key_allowed(const struct server_table *t, struct slice key);

/* What comes, put together: "a,b,c". */
struct server_result {
    const struct server_table *table;
    struct slice key;
    struct buf text; /* at most SERVER_VALUE_MAX */
    uint64_t n;
    bool too_many;
};
/* Takes one value by the table's result_format; empty ones are left out. False: no more. */
bool server_result_add(struct server_result *r, struct slice value);
/* Releases it. OK, NOT_FOUND (nothing came), FAILED. */
MUST_USE enum result server_result_end(struct server_result *r, struct arena *a, struct slice *ret,
                                       struct error *err);

/* ---- the kinds ---- */
typedef enum result server_ask_fn(const struct server_table *t, struct slice key, struct arena *a,
                                  struct slice *ret, struct error *err);
server_ask_fn server_ask_sql, server_ask_ldap, server_ask_memcache;
/* rest: what follows the type: "host:port", "inet:host:port:name". */
MUST_USE enum result server_ask_tcp(struct slice rest, struct slice key, struct arena *a,
                                    struct slice *ret, struct error *err);
MUST_USE enum result server_ask_socketmap(struct slice rest, struct slice key, struct arena *a,
                                          struct slice *ret, struct error *err);

/* server_socket.c: "unix:/path", "inet:host:port" or "host:port". Sends the request and reads until
 * `complete` says so, the server closes, the answer's buffer is full or the time is over. FAILED.
 */
struct server_exchange {
    struct slice at, request;
    bool (*complete)(struct slice answer);
    unsigned timeout_s;
};
MUST_USE enum result server_exchange(const struct server_exchange *x, struct buf *answer,
                                     struct error *err);
/* "host:port" or "host" or "[address]:port", with "inet:" before it or not. */
void server_split_host(struct slice s, struct slice *ret_host, struct slice *ret_port);
/* Takes the next word off a list with commas or spaces; false at the end. */
bool server_next_word(struct slice *rest, struct slice *ret);

/* ---- answers, read without a connection: for their tests ---- */
MUST_USE enum result server_read_tcp(struct slice answer, struct arena *a, struct slice *ret,
                                     struct error *err);
MUST_USE enum result server_read_socketmap(struct slice answer, struct arena *a, struct slice *ret,
                                           struct error *err);
MUST_USE enum result server_read_memcache(struct slice answer, struct slice key, struct slice *ret,
                                          struct error *err);

#endif
