/* auth.c: start, messages and end of the auth role. */
#include "dkim/sign.h"
#include "role/auth/auth.h"
#include "role/auth/policies.h"
#include "role/auth/tables.h"

#include <stdlib.h>
#include <unistd.h>

static enum result make_parts(struct auth_role *a)
{
    enum result r = random_bytes(a->salt_key, sizeof a->salt_key);
    if (r == OK)
        r = throttle_new(THROTTLE_ADDRESSES, &a->throttle);
    if (r == OK)
        r = password_cache_new(CACHE_ACCOUNTS, &a->cache);
    if (r == OK)
        r = system_accounts_new(&a->system);
    if (r == OK)
        r = auth_actions_new(&a->actions);
    return r;
}

static void free_state(struct auth_role *a)
{
    auth_forget_connections(a);
    map_release(&a->connections);
    auth_drop_secrets(a);
    directory_unref(a->directory);
    jwt_keys_unref(a->token_keys);
    dkim_keys_unref(a->dkim_keys);
    auth_policies_unref(a->policies);
    table_set_unref(a->tables);
    system_accounts_free(a->system);
    auth_actions_free(a->actions);
    password_cache_free(a->cache);
    throttle_free(a->throttle);
    explicit_bzero(a->salt_key, sizeof a->salt_key);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

/* The first secrets come before start: whoever is first makes the state. */
static struct auth_role *state_or_new(struct role *r)
{
    if (r->state)
        return r->state;
    struct auth_role *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    a->role = r;
    pthread_mutex_init(&a->lock, NULL);
    map_init(&a->connections, CONNECTIONS_MAX);
    list_init(&a->delayed);
    a->last_check = &a->first_check;
    io_line_init(&a->tables_line, r->engine, TABLE_HELPERS);
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    a->processors = processors > 0 ? (unsigned)processors : 1;
    if (make_parts(a) != OK) {
        free_state(a);
        return NULL;
    }
    r->state = a;
    return a;
}

/* False: no memory. */
static bool open_tables(struct auth_role *a)
{
    const struct conf *c = role_conf(a->role);
    struct table_set *fresh = auth_open_tables(a, c), *old = NULL;
    conf_unref(c);
    if (!fresh)
        return false;
    pthread_mutex_lock(&a->lock);
    old = a->tables;
    a->tables = fresh;
    pthread_mutex_unlock(&a->lock);
    table_set_unref(old);
    return true;
}

/* What was right may be wrong now. */
static void rebuild(struct auth_role *a)
{
    if (!open_tables(a) || auth_build_directory(a) != OK)
        LOG(LOG_ERROR, "accounts.failed", LOG_C("reason", "no memory; the old ones stay in force"));
    auth_build_policies(a);
    auth_actions_build(a);
    auth_dkim_build(a);
    auth_send_quotas(a);
    password_cache_empty(a->cache);
    system_accounts_forget(a->system);
}

static void secrets(struct role *r, const struct role_secret *s, size_t n)
{
    bool started = r->state && auth_state(r)->directory;
    struct auth_role *a = state_or_new(r);
    if (!a || auth_keep_secrets(a, s, n) != OK) {
        LOG(LOG_ERROR, "accounts.failed", LOG_C("reason", "no memory"));
        return;
    }
    if (started)
        rebuild(a);
}

static enum result start(struct role *r, struct error *err)
{
    struct auth_role *a = state_or_new(r);
    if (!a || !open_tables(a) || auth_build_directory(a) != OK)
        return error_set(err, FAILED, "no memory or no random bytes");
    auth_build_policies(a);
    auth_actions_build(a);
    auth_dkim_build(a);
    if (!a->policies)
        return error_set(err, INVALID, "the restrictions can't be used: see the lines above");
    return OK;
}

static enum result prepare(struct role *r, struct error *err)
{
    (void)r, (void)err;
    auth_find_own_ips();
    return OK;
}

static void configured(struct role *r)
{
    rebuild(auth_state(r));
}

static void peer_up(struct role *r, enum ipc_role peer)
{
    if (peer == ROLE_MAILBOX)
        auth_send_quotas(auth_state(r));
    else if (peer == ROLE_EDGE)
        auth_forget_connections(auth_state(r));
}

/* True when it was a message that edge may send. */
static bool request_of_edge(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m)
{
    switch (m->type) {
    case IPC_AUTH_START:
        auth_start(a, from, m);
        return true;
    case IPC_AUTH_STEP:
        auth_step(a, from, m);
        return true;
    case IPC_AUTH_CANCEL:
        auth_cancel(a, m);
        return true;
    case IPC_REWRITE:
        auth_serve(a, from, m, auth_rewrite);
        return true;
    case IPC_ACTION_ASK:
        auth_action_ask(a, from, m);
        return true;
    case IPC_CHECK_ASK:
        auth_check_ask(a, from, m);
        return true;
    case IPC_DKIM_SIGN:
        auth_dkim_sign(a, from, m);
        return true;
    case IPC_RCPT_CHECK:
        auth_rcpt_check(a, from, m);
        return true;
    default:
        return false;
    }
}

static void request(struct role *r, struct ipc_channel *from, struct ipc_message *m)
{
    enum ipc_role peer = ipc_channel_peer(from);
    if (peer == ROLE_EDGE && request_of_edge(auth_state(r), from, m))
        return;
    if (peer == ROLE_RELAY && m->type == IPC_REWRITE) {
        auth_serve(auth_state(r), from, m, auth_rewrite);
        return;
    }
    if (peer == ROLE_MAILBOX && m->type == IPC_ROUTE) {
        auth_serve(auth_state(r), from, m, auth_route);
        return;
    }
    if (peer == ROLE_MAILBOX && m->type == IPC_AUTH_TEST) {
        auth_test(auth_state(r), from, m);
        return;
    }
    if (peer == ROLE_MAILBOX && m->type == IPC_EXPLAIN) {
        auth_explain(auth_state(r), from, m);
        return;
    }
    if (peer == ROLE_MAILBOX && m->type == IPC_DKIM_SIGN) {
        auth_dkim_sign(auth_state(r), from, m);
        return;
    }
    if (peer == ROLE_MAILBOX && m->type == IPC_EXPAND) {
        auth_expand(auth_state(r), from, m);
        return;
    }
    LOG(LOG_WARNING, "ipc.refused", LOG_C("from", ipc_role_name(peer)), LOG_U("type", m->type));
    if (m->call)
        ipc_answer_failure(from, m->call, "auth does not serve this message for you");
}

static void status(struct role *r, void (*add)(void *arg, const char *key, uint64_t value),
                   void *arg)
{
    struct auth_role *a = auth_state(r);
    pthread_mutex_lock(&a->lock);
    uint64_t accounts = passwd_file_count(directory_users(a->directory));
    uint64_t logins = a->logins, failures = a->failures, recipients = a->recipients;
    uint64_t connections = a->connections.used, checks = a->n_checks;
    pthread_mutex_unlock(&a->lock);
    add(arg, "accounts", accounts);
    add(arg, "logins", logins);
    add(arg, "login_failures", failures);
    add(arg, "recipients_checked", recipients);
    add(arg, "connections_known", connections);
    add(arg, "passwords_waiting", checks);
    add(arg, "passwords_cached", password_cache_count(a->cache));
    add(arg, "addresses_throttled", throttle_addresses(a->throttle));
}

static void stop(struct role *r)
{
    struct auth_role *a = auth_state(r);
    if (!a)
        return;
    if (auth_end_checks(a))
        free_state(a);
    r->state = NULL;
}

const struct role_ops role_auth = {
    .role = ROLE_AUTH,
    .prepare = prepare,
    .start = start,
    .configured = configured,
    .secrets = secrets,
    .request = request,
    .peer_up = peer_up,
    .status = status,
    .stop = stop,
};
