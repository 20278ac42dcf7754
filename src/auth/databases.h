/* databases.h: passdb and userdb of the configuration, as the directory's snapshot holds them: a
 * list each, in the order in which they are asked. Those of files are read; PAM and the system's
 * accounts are agent's, and so are SQL and LDAP (lookup.h), which need names, sockets and files.
 *
 * Who calls it: the directory builds them; role/auth walks them for a login (chain.c) and for
 * "is there such an account" (system.c). */
#ifndef AUTH_DATABASES_H
#define AUTH_DATABASES_H

#include "auth/passwd_file.h"
#include "base/arena.h"
#include "conf/conf.h"

enum auth_driver {
    DRIVER_PASSWD_FILE,
    DRIVER_PAM,
    DRIVER_PASSWD, /* getpwnam */
    DRIVER_SHADOW, /* getspnam */
    DRIVER_STATIC,
    DRIVER_SQL,
    DRIVER_LDAP,
    DRIVER_SASLAUTHD, /* a running saslauthd (pwcheck_method), where there is no other passdb */
    DRIVER_DOVECOT,   /* a running Dovecot (smtpd_sasl_type), likewise */
    DRIVER_PREFETCH   /* userdb: what the passdb said */
};

struct auth_database {
    enum auth_driver driver;
    const char *name; /* for the log: "users_file", "pam", "sql" */
    bool deny;        /* passdb: who is in it can't log in */
    bool final;       /* passdb: a wrong password here is not tried elsewhere */
    bool all;         /* userdb static: every name is an account */
    struct slice service, path, scheme, username_format, password, fields; /* of the item; or "" */
    struct slice item;
    const struct passwd_file *file; /* DRIVER_PASSWD_FILE */
    bool of_userdb;                 /* where it stands: the setting, and which item of it */
    unsigned index;
};

struct auth_databases {
    struct auth_database *items;
    size_t n;
};

/* The driver's keyword: "passwd-file". INVALID: there is none. */
MUST_USE enum result auth_driver_parse(struct slice word, enum auth_driver *ret);
const char *auth_driver_name(enum auth_driver d);

/* The socket of DRIVER_SASLAUTHD or DRIVER_DOVECOT, as text into `room`; cut when it does not fit.
 */
void auth_socket_path(const struct conf *c, enum auth_driver d, char *room, size_t size);

/* What passdb and userdb say, checked when the configuration is loaded: an error for each item that
 * can't be served. INVALID when there is one. */
MUST_USE enum result auth_databases_check(const struct conf *c, struct conf_errors *errors);

/* One item of passdb or userdb. INVALID with the reason. Slices borrow from the item. */
MUST_USE enum result auth_database_parse(struct slice item, struct auth_database *ret,
                                         struct error *why);

/* The stored form to verify against: with the database's default scheme where the stored one names
 * none. Appended. */
void auth_database_stored(const struct auth_database *db, struct slice stored, struct buf *out);

/* A value among "key=value key2=value2" fields ("yes" without =); data NULL: not there. */
struct slice auth_field(struct slice fields, const char *key);
/* allow_nets: may the client come from there? Also true without that field. */
bool auth_nets_allow(struct slice allow_nets, struct slice client_ip);

/* The name that is looked up: the login after auth_default_realm and auth_username_format, lower
 * case where they say so. Into the arena. INVALID: it can't be a name. DENIED: its domain is none
 * of auth_realms. */
MUST_USE enum result auth_login_name(const struct conf *c, struct slice login, struct arena *a,
                                     struct slice *ret, struct error *why);
/* The same for one database's own username_format. */
MUST_USE enum result auth_database_name(const struct auth_database *db, struct slice name,
                                        struct arena *a, struct slice *ret);

#endif
