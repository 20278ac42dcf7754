/* auth.h: the auth role's state: the accounts and aliases of now, the SASL exchanges under way, who
 * is logged in on which SMTP connection. It reads no mail and listens for nobody; its files come
 * from the master.
 *
 * The journey of a login: exchange.c takes the client's words (AUTH_START, AUTH_STEP), check.c has
 * the password verified (cache, hash, PAM) and answers. rcpt.c answers RCPT_CHECK and EXPAND. */
#ifndef ROLE_AUTH_AUTH_H
#define ROLE_AUTH_AUTH_H

#include "auth/cache.h"
#include "auth/directory.h"
#include "auth/jwt.h"
#include "auth/mac.h"
#include "auth/offer.h"
#include "auth/throttle.h"
#include "base/log.h"
#include "base/map.h"
#include "io/line.h"
#include "policy/policy.h"
#include "role/role.h"
#include "sasl/sasl.h"

#include <pthread.h>

enum {
    CONNECTIONS_MAX = 200000, /* remembered at a time */
    EXCHANGES_MAX = 10000,    /* under way at a time, each 2 KiB */
    QUERIES_MAX = 10000,      /* recipients that wait for agent */
    CHECKS_MAX = 5000,        /* passwords that wait to be verified or delayed answers */
    CACHE_ACCOUNTS = 50000,
    THROTTLE_ADDRESSES = 50000,
    IP_TEXT_MAX = 63,
    SERVICE_MAX = 15,
    TABLE_HELPERS = IO_HELPERS_MAX / 2 /* a dead server holds up no password's hash */
};

struct auth_policies;
struct table_set;
struct check;
struct system_accounts;
struct dkim_keys;

/* What a connection is to us: an exchange under way, a login, or both. */
struct connection {
    uint64_t id;
    uint64_t serial;   /* of its last exchange: an answer to an old one does not touch a new one */
    struct sasl *sasl; /* NULL: no exchange, or it waits for a secret */
    char service[SERVICE_MAX + 1];
    char client_ip[IP_TEXT_MAX + 1];
    char *account, *login; /* NULL: not logged in */
};

struct auth_role {
    struct role *role;
    unsigned char salt_key[MAC_KEY_LEN]; /* for salts of accounts that have none (auth/secret.h) */
    struct throttle *throttle;
    struct password_cache *cache;
    struct system_accounts *system;
    struct auth_actions *actions;
    struct io_line tables_line; /* work that asks tables of servers (later.c) */
    unsigned processors;

    pthread_mutex_t lock; /* of all that follows */
    const struct directory *directory;
    struct table_set *tables;       /* of now; policies and directory hold their own */
    struct auth_policies *policies; /* NULL: none could be built yet */
    struct jwt_keys *token_keys;
    struct dkim_keys *dkim_keys; /* NULL: none are configured */
    struct role_secret *secrets; /* copies, so that new settings can be applied to them */
    size_t n_secrets;
    struct map connections;
    size_t n_exchanges;
    uint64_t last_serial;
    struct check *first_check, **last_check; /* waiting for a hash */
    struct list_node delayed;                /* checks that wait to tell their failure */
    size_t n_checks;                         /* of all kinds */
    size_t n_queries;                        /* recipients that wait for agent */
    unsigned hashing;                        /* threads */
    int64_t tables_full_ms; /* when the log was told last that there are too many; 0: never */
    uint64_t logins, failures, recipients;
};

static inline struct auth_role *auth_state(struct role *r)
{
    return r->state;
}

/* accounts.c: the snapshot of now; the caller's reference. */
const struct directory *auth_directory(struct auth_role *a);
/* Builds the snapshot anew from the secrets and the settings; what is wrong in the files is logged.
 */
MUST_USE enum result auth_build_directory(struct auth_role *a);
MUST_USE enum result auth_keep_secrets(struct auth_role *a, const struct role_secret *s, size_t n);
void auth_drop_secrets(struct auth_role *a);

/* exchange.c: AUTH_START, AUTH_STEP, AUTH_CANCEL from edge. */
void auth_start(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m);
void auth_step(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m);
void auth_cancel(struct auth_role *a, struct ipc_message *m);
/* Forgets all connections: edge started anew. */
void auth_forget_connections(struct auth_role *a);
/* Remembers a login, when the exchange that led to it is still the connection's last. */
void auth_logged_in(struct auth_role *a, uint64_t conn, uint64_t serial, struct slice account,
                    struct slice login);
/* The exchange led to nothing. */
void auth_not_logged_in(struct auth_role *a, uint64_t conn, uint64_t serial);
/* Copies account and login of the connection into the arena; both data NULL when not logged in. */
void auth_login_of(struct auth_role *a, uint64_t conn, struct arena *arena,
                   struct slice *ret_account, struct slice *ret_login);

/* check.c: verifies what a finished exchange holds and answers `call`, now or later. */
void auth_check(struct auth_role *a, struct ipc_channel *from, uint64_t call,
                const struct connection *c, const struct sasl *sasl);
/* The exchange itself has found out (SCRAM …): logs, delays and answers as auth_check. OK:
 * sasl->login has proven itself; DENIED. via: by what ("users_file"). */
void auth_conclude(struct auth_role *a, struct ipc_channel *from, uint64_t call,
                   const struct connection *c, const struct sasl *sasl, enum result verdict,
                   const char *via);
/* AUTH_TEST from mailbox: the command line asks. */
void auth_test(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m);
/* When the engine has stopped; waits for what helper threads are about. False: something still
 * hangs on the state (an answer of another role that was to come, a job that was not begun), so it
 * must stay. */
bool auth_end_checks(struct auth_role *a);
void auth_answer(struct ipc_channel *to, uint64_t call, enum auth_outcome outcome,
                 struct slice challenge, const char *reason);

/* rcpt.c */
void auth_rcpt_check(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m);
/* explain.c */
void auth_explain(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m);
void auth_expand(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m);

/* The address behind the socket that edge handed over, in `out`: what a client can't lie about; ""
 * where none came. */
enum { AUTH_IP_TEXT = 46 };
struct slice auth_peer_ip(const struct ipc_message *m, char out[static AUTH_IP_TEXT]);

/* dkim.c: the keys from the secrets and settings of now; those that can't be used are told. */
void auth_dkim_build(struct auth_role *a);
/* DKIM_SIGN. */
void auth_dkim_sign(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m);

/* route.c: ROUTE from mailbox. */
void auth_route(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m);
/* submit.c: is RCPT_CHECK's client a program of this machine, and may its user send? */
enum submitter {
    SUBMITTER_UNPROVEN,
    SUBMITTER_MAY,
    SUBMITTER_ASK,   /* agent must be asked about the uid: auth_submitter_ask */
    SUBMITTER_LATER, /* agent could not be asked */
    SUBMITTER_DENIED
};
/* Was this socket accepted on ours for sendmail? edge could hand over any. */
bool auth_is_submit_socket(const struct auth_role *a, int fd);
enum submitter auth_submitter(const struct auth_role *a, const struct ipc_message *m,
                              unsigned *ret_uid);
/* Then calls done, exactly once, on any thread. */
void auth_submitter_ask(struct auth_role *a, unsigned uid,
                        void (*done)(void *arg, enum submitter s), void *arg);
/* The decision about a recipient of theirs. */
struct decision auth_submission_decide(const struct resolved *r, enum submitter who,
                                       struct slice rcpt, struct arena *a);

/* system.c: which system accounts there are, as agent said lately. */
MUST_USE enum result system_accounts_new(struct system_accounts **ret);
void system_accounts_free(struct system_accounts *s);
/* For struct directory_system: arg is the struct system_accounts. */
enum account_known system_account_known(void *arg, struct slice name);
/* Asks agent about the name; then calls done (exactly once, on any thread). */
void system_account_ask(struct auth_role *a, struct slice name, void (*done)(void *arg, bool told),
                        void *arg);
void system_accounts_forget(struct system_accounts *s);
/* lists.c: files that list recipients, as agent read them a moment ago. For struct directory_system
 * likewise. */
enum account_known system_file_known(void *arg, const struct directory_wish *wish, struct arena *a,
                                     struct directory_found *ret);
void system_file_ask(struct auth_role *a, const struct directory_wish *wish,
                     void (*done)(void *arg, bool told), void *arg);
struct file_cache;
struct file_cache *system_accounts_files(struct system_accounts *s);
MUST_USE enum result file_cache_new(struct file_cache **ret);
void file_cache_free(struct file_cache *c);

/* later.c: runs fn(arg), which may wait for tables that ask a server, on a helper thread. A few of
 * the engine's helpers do all of it: the others stay free for logins. BUSY, FAILED: it can't be. */
MUST_USE enum result auth_run_tables(struct auth_role *a, void (*fn)(void *arg), void *arg);
/* Serves a message (ROUTE or REWRITE) now, or on a helper thread where the directory's
 * tables ask a server. */
typedef void auth_serve_fn(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m);
void auth_serve(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m,
                auth_serve_fn *fn);
/* The same for ACTION_ASK and CHECK_ASK; waits: their tables ask servers. */
void auth_serve_or_wait(struct auth_role *a, bool waits, struct ipc_channel *from,
                        struct ipc_message *m, auth_serve_fn *fn);

/* action.c */
MUST_USE enum result auth_actions_new(struct auth_actions **ret);
void auth_actions_free(struct auth_actions *s);
/* The tables of header_checks and its like, from the secrets and settings of now. */
void auth_actions_build(struct auth_role *a);
/* REWRITE. */
void auth_rewrite(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m);
/* ACTION_ASK, CHECK_ASK. */
void auth_action_ask(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m);
void auth_check_ask(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m);

/* quota.c: tells mailbox the limits of single accounts: of all in files, and of one that a database
 * was asked about (fields: "quota_rule=… …"). all: these are all of the account's limits, so that
 * without any it has none; else nothing is told then. */
void auth_send_quotas(struct auth_role *a);
void auth_send_quota(struct auth_role *a, struct slice account, struct slice fields, bool all);

#endif
