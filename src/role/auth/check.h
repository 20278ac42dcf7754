/* check.h: a password under way, shared by check.c (its start, its answer), chain.c (which passdb
 * is asked, in order) and lookup.c (those that are asked on helper threads). */
#ifndef ROLE_AUTH_CHECK_H
#define ROLE_AUTH_CHECK_H

#include "auth/lookup.h"
#include "role/auth/auth.h"

enum { FIELDS_MAX = LOOKUP_KNOWN_MAX };

/* A password under way. */
struct check {
    struct auth_role *auth;
    struct ipc_channel *channel;
    uint64_t call, conn, serial;
    char service[SERVICE_MAX + 1], client_ip[IP_TEXT_MAX + 1];
    char login[SASL_NAME_MAX + 1], account[SASL_NAME_MAX + 1], password[SASL_PASSWORD_MAX + 1];
    const struct sasl_mechanism *mechanism;
    const struct directory *directory;
    const struct passwd_user *user; /* in the directory; NULL: not in users_file */
    const char *via;                /* for the log: "users_file", "pam", "cache" */
    char authzid[SASL_NAME_MAX + 1];
    char name[SASL_NAME_MAX + 1]; /* what is looked up: auth_username_format of the login */
    char fields[FIELDS_MAX + 1];  /* of an SQL or LDAP database: "allow_nets=…" */
    size_t at;                    /* which passdb is asked */
    bool unavailable;             /* one could not be asked */
    bool hashed;                  /* a hash was computed */
    bool elsewhere;               /* another process or server was asked */
    uint64_t cache_generation;
    int64_t started_ms;
    enum result verdict; /* OK, DENIED, or FAILED: could not be found out */
    struct error reason;
    struct check *next;       /* in line for a hash */
    struct list_node delayed; /* while the answer waits */
    struct io_task task;      /* its timer */
    int64_t delay_ms;
};

/* chain.c: asks the passdbs in turn, from k->at on. Ends in check_verdict. */
void chain_start(struct check *k);
void chain_run(struct check *k);
/* Without a password: finds the login's account in the files (k->user, k->account). False: there is
 * none, or a passdb denies it. */
MUST_USE bool chain_find(struct check *k);
/* A database that was asked has answered: OK, its password is right; DENIED or NOT_FOUND: the next
 * is asked; FAILED: likewise, and without a right password the answer is "try again". */
void chain_answer(struct check *k, enum result r);
const struct auth_database *chain_database(const struct check *k);
/* Verifies k->password against what the database has stored for k->user (NULL: somebody's, with the
 * result thrown away). Takes time. */
void chain_verify(struct check *k);

/* check.c */
/* On a thread for hashes, when one is free: chain_verify. */
void check_stand_in_line(struct check *k);
/* OK, DENIED or FAILED. reason counts where none was set before. */
void check_verdict(struct check *k, enum result verdict, const char *reason);
bool check_cached(struct check *k);

#endif
