/* lookup.h: accounts in SQL databases (PostgreSQL, MySQL, SQLite) and LDAP directories, asked as
 * Dovecot's dovecot-sql.conf.ext and dovecot-ldap.conf.ext say, or the item itself (2.4).
 *
 * Who calls it: agent's children, one question each: it opens files, resolves names, connects and
 * waits. What a user's name brings into a query is escaped. */
#ifndef AUTH_LOOKUP_H
#define AUTH_LOOKUP_H

#include "auth/databases.h"
#include "auth/format.h"
#include "base/arena.h"

enum {
    LOOKUP_TIMEOUT_S = 10,
    LOOKUP_FIELD_MAX = 2048, /* bytes of a value that comes */
    LOOKUP_FIELDS_MAX = 64,
    LOOKUP_KNOWN_MAX = 1000 /* bytes of all that is handed on */
};

/* How to ask; texts NUL-terminated, "" where not told. */
struct lookup_config {
    struct slice driver;         /* "pgsql", "mysql", "sqlite", "ldap" */
    struct slice connect;        /* "host=… dbname=…", or SQLite's path */
    struct slice password_query; /* LDAP: the filter */
    struct slice user_query;
    struct slice scheme; /* of stored passwords that name none */
    /* LDAP */
    struct slice uris, dn, dnpass, base, scope, bind_userdn;
    struct slice password_attrs, user_attrs; /* "uid=user, userPassword=password" */
    bool bind, tls;
};

/* What a row or an entry said, under Dovecot's names of fields. */
struct lookup_row {
    struct slice names[LOOKUP_FIELDS_MAX], values[LOOKUP_FIELDS_MAX];
    size_t n;
};
/* Data NULL: it has none. */
struct slice lookup_field(const struct lookup_row *row, const char *name);
/* Takes a copy into the arena; too many are left out. */
void lookup_add(struct lookup_row *row, struct arena *a, struct slice name, struct slice value);

/* Reads the item's `config` file, if it names one. INVALID, FAILED with the reason. */
MUST_USE enum result lookup_configure(const struct auth_database *db, struct arena *a,
                                      struct lookup_config *ret, struct error *err);

/* Is it the user's password? OK: right, and *ret_fields ("user=name allow_nets=…", in the arena)
 * says what else is known. DENIED: wrong. NOT_FOUND: no such user. FAILED: could not be asked. */
MUST_USE enum result lookup_password(const struct lookup_config *c, const struct format_names *n,
                                     struct arena *a, struct slice *ret_fields, struct error *err);
/* Is there such a user? by_password: by the passdb's own query. OK, and *ret_fields has what is
 * known of its limits ("quota_rule=*:storage=1G"); NOT_FOUND, FAILED. */
MUST_USE enum result lookup_user(const struct lookup_config *c, const struct format_names *n,
                                 bool by_password, struct arena *a, struct slice *ret_fields,
                                 struct error *err);

/* ---- the kinds of servers: one question each; a row that is not there is NOT_FOUND ---- */
typedef enum result lookup_sql_fn(const struct lookup_config *c, struct slice query,
                                  const struct format_names *n, struct arena *a,
                                  struct lookup_row *ret, struct error *err);
lookup_sql_fn lookup_pgsql, lookup_mysql, lookup_sqlite;
/* user: the filter and attributes of user_query; else of password_query. With c->bind and a
 * password in the names, the password is proven by binding (then DENIED is wrong). */
MUST_USE enum result lookup_ldap(const struct lookup_config *c, const struct format_names *n,
                                 bool user, struct arena *a, struct lookup_row *ret,
                                 struct error *err);

/* "host=localhost port=5432 dbname=mail user='a b'": the value of a key, in the arena; "" none. */
struct slice lookup_connect_value(struct slice connect, const char *key, struct arena *a);

#endif
