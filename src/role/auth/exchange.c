/* exchange.c: SASL exchanges, one a connection, from edge's messages; and who is logged in. */
#include "role/auth/auth.h"

#include "base/clock.h"

#include <stdlib.h>

static void end_exchange(struct auth_role *a, struct connection *c)
{
    if (!c->sasl)
        return;
    sasl_end(c->sasl);
    free(c->sasl);
    c->sasl = NULL;
    a->n_exchanges--;
}

static void clear_login(struct connection *c)
{
    free(c->account);
    free(c->login);
    c->account = c->login = NULL;
}

/* Lock held. */
static void forget(struct auth_role *a, struct connection *c)
{
    map_remove(&a->connections, map_key_u64(&c->id));
    end_exchange(a, c);
    clear_login(c);
    free(c);
}

void auth_forget_connections(struct auth_role *a)
{
    size_t at = 0;
    struct slice key;
    void *c;
    pthread_mutex_lock(&a->lock);
    while (map_next(&a->connections, &at, &key, &c))
        forget(a, c);
    pthread_mutex_unlock(&a->lock);
}

static struct connection *find_or_new(struct auth_role *a, uint64_t id)
{
    struct connection *c = map_get(&a->connections, map_key_u64(&id));
    if (c)
        return c;
    c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->id = id;
    if (map_put(&a->connections, map_key_u64(&id), c) != OK) {
        free(c);
        return NULL;
    }
    return c;
}

void auth_answer(struct ipc_channel *to, uint64_t call, enum auth_outcome outcome,
                 struct slice challenge, const char *reason)
{
    struct ipc_message m = {.type = IPC_AUTH_RESULT,
                            .AUTH_RESULT = {.outcome = (uint8_t)outcome,
                                            .challenge = challenge,
                                            .reason = slice_cstr(reason)}};
    ipc_answer(to, call, &m);
}

static void log_refused(const struct ipc_AUTH_START *s, const char *reason)
{
    LOG(LOG_INFO, "auth.refused", LOG_C("conn", log_id(s->conn).text), LOG_S("service", s->service),
        LOG_S("ip", s->client_ip), LOG_S("mechanism", s->mechanism), LOG_C("reason", reason));
}

static bool offered(const struct conf *c, const struct sasl_mechanism *m)
{
    for (size_t i = 0; i < c->auth_mechanisms.n; i++)
        if (slice_is_nocase(c->auth_mechanisms.items[i], m->name))
            return true;
    return false;
}

/* The mechanism, or NULL with the reason. */
static const struct sasl_mechanism *choose(const struct conf *c, const struct ipc_AUTH_START *s,
                                           const char **ret_reason)
{
    const struct sasl_mechanism *m = sasl_find(s->mechanism);
    if (!m || !offered(c, m)) {
        *ret_reason = "mechanism not offered";
        return NULL;
    }
    if (m->plaintext && c->disable_plaintext_auth && !s->secured) {
        *ret_reason = "plaintext authentication disallowed without TLS (disable_plaintext_auth)";
        return NULL;
    }
    return m;
}

/* A fresh exchange on the connection; NULL: too many, or no memory. Lock held. */
static struct connection *begin_exchange(struct auth_role *a, const struct ipc_AUTH_START *s)
{
    struct connection *c = find_or_new(a, s->conn);
    if (!c)
        return NULL;
    end_exchange(a, c);
    c->serial++;
    if (!sasl_copy(c->service, sizeof c->service, s->service) ||
        !sasl_copy(c->client_ip, sizeof c->client_ip, s->client_ip) ||
        a->n_exchanges >= EXCHANGES_MAX)
        return NULL;
    c->sasl = malloc(sizeof *c->sasl);
    if (c->sasl)
        a->n_exchanges++;
    return c->sasl ? c : NULL;
}

/* Does what the mechanism asks for. Lock held; given back. */
static void proceed(struct auth_role *a, struct ipc_channel *from, uint64_t call,
                    struct connection *c, enum sasl_step step)
{
    struct connection now = *c;
    if (step == SASL_CHALLENGE) {
        struct slice challenge = c->sasl->challenge; /* a literal, or read before the next step */
        pthread_mutex_unlock(&a->lock);
        auth_answer(from, call, AUTH_CHALLENGE, challenge, "");
        return;
    }
    /* The exchange is over: its data is ours now. */
    c->sasl = NULL;
    a->n_exchanges--;
    pthread_mutex_unlock(&a->lock);
    if (step == SASL_CHECK_PASSWORD) {
        auth_check(a, from, call, &now, now.sasl);
    } else {
        auth_not_logged_in(a, now.id, now.serial);
        auth_answer(from, call, step == SASL_WRONG ? AUTH_WRONG : AUTH_MALFORMED, SLICE_NONE, "");
    }
    sasl_end(now.sasl);
    free(now.sasl);
}

static void run_start(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m,
                      const struct sasl_mechanism *mechanism)
{
    const struct ipc_AUTH_START *s = &m->AUTH_START;
    pthread_mutex_lock(&a->lock);
    struct connection *c = begin_exchange(a, s);
    if (!c) {
        pthread_mutex_unlock(&a->lock);
        log_refused(s, "too many exchanges under way");
        auth_answer(from, m->call, AUTH_UNAVAILABLE, SLICE_NONE, "too many logins under way");
        return;
    }
    enum sasl_step step = sasl_begin(c->sasl, mechanism, s->has_initial, s->initial);
    proceed(a, from, m->call, c, step);
}

void auth_start(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m)
{
    const char *reason = "";
    const struct directory *d = auth_directory(a);
    const struct sasl_mechanism *mechanism = choose(directory_conf(d), &m->AUTH_START, &reason);
    directory_unref(d);
    if (!mechanism) {
        log_refused(&m->AUTH_START, reason);
        auth_answer(from, m->call, AUTH_NO_MECHANISM, SLICE_NONE, reason);
    } else if (throttle_admit(a->throttle, m->AUTH_START.client_ip, clock_monotonic_ms()) != OK) {
        log_refused(&m->AUTH_START, "too many failures of this address wait for their answer");
        auth_answer(from, m->call, AUTH_THROTTLED, SLICE_NONE, "too many failed logins");
    } else {
        run_start(a, from, m, mechanism);
    }
}

void auth_step(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m)
{
    uint64_t conn = m->AUTH_STEP.conn;
    pthread_mutex_lock(&a->lock);
    struct connection *c = map_get(&a->connections, map_key_u64(&conn));
    if (c && c->sasl) {
        proceed(a, from, m->call, c, sasl_respond(c->sasl, m->AUTH_STEP.response));
        return;
    }
    pthread_mutex_unlock(&a->lock);
    /* auth started anew within the exchange: the client may try again. */
    auth_answer(from, m->call, AUTH_UNAVAILABLE, SLICE_NONE, "no exchange under way");
}

void auth_cancel(struct auth_role *a, struct ipc_message *m)
{
    uint64_t conn = m->AUTH_CANCEL.conn;
    pthread_mutex_lock(&a->lock);
    struct connection *c = map_get(&a->connections, map_key_u64(&conn));
    if (c && (m->AUTH_CANCEL.forget || !c->account)) {
        forget(a, c);
    } else if (c) {
        end_exchange(a, c);
        c->serial++;
    }
    pthread_mutex_unlock(&a->lock);
}

static bool is_smtp(const struct connection *c)
{
    return strcmp(c->service, "pop3") != 0 && strcmp(c->service, "imap") != 0;
}

static bool remember(struct connection *c, struct slice account, struct slice login)
{
    clear_login(c);
    c->account = strndup(account.data, account.len);
    c->login = strndup(login.data, login.len);
    return c->account && c->login;
}

/* POP3 and IMAP connections go to mailbox with their login token: nobody asks us about them again.
 */
void auth_logged_in(struct auth_role *a, uint64_t conn, uint64_t serial, struct slice account,
                    struct slice login)
{
    pthread_mutex_lock(&a->lock);
    a->logins++;
    struct connection *c = map_get(&a->connections, map_key_u64(&conn));
    if (c && c->serial == serial && (!is_smtp(c) || !remember(c, account, login)))
        forget(a, c);
    pthread_mutex_unlock(&a->lock);
}

/* Only logins are remembered, so that strangers fill no table. */
void auth_not_logged_in(struct auth_role *a, uint64_t conn, uint64_t serial)
{
    pthread_mutex_lock(&a->lock);
    struct connection *c = map_get(&a->connections, map_key_u64(&conn));
    if (c && c->serial == serial && !c->sasl && !c->account)
        forget(a, c);
    pthread_mutex_unlock(&a->lock);
}

void auth_login_of(struct auth_role *a, uint64_t conn, struct arena *arena,
                   struct slice *ret_account, struct slice *ret_login)
{
    *ret_account = *ret_login = SLICE_NONE;
    pthread_mutex_lock(&a->lock);
    const struct connection *c = map_get(&a->connections, map_key_u64(&conn));
    if (c && c->account) {
        *ret_account = arena_dup(arena, slice_cstr(c->account));
        *ret_login = arena_dup(arena, slice_cstr(c->login));
    }
    pthread_mutex_unlock(&a->lock);
}
