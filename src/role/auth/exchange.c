/* exchange.c: SASL exchanges, one a connection, from edge's messages; and who is logged in. */
#include "role/auth/auth.h"

#include "auth/secret.h"
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

static bool is_smtp_service(struct slice service)
{
    return slice_is(service, "smtp");
}

/* The mechanism, or NULL with the reason. */
static const struct sasl_mechanism *choose(const struct conf *c, const struct ipc_AUTH_START *s,
                                           const char **ret_reason)
{
    const struct sasl_mechanism *m = sasl_find(s->mechanism);
    bool smtp = is_smtp_service(s->service);
    enum offer_link link = s->link < OFFER_LINKS ? (enum offer_link)s->link : OFFER_CLEAR;
    if (slice_is(s->service, "saslauthd")) /* which knows passwords alone */
        return m == &sasl_plain ? m : NULL;
    if (offer_has(c, smtp, link, m))
        return m;
    *ret_reason = m && offer_has(c, smtp, OFFER_TLS, m)
                      ? "not without TLS (disable_plaintext_auth, smtpd_tls_auth_only, "
                        "smtpd_sasl_security_options)"
                      : "mechanism not offered";
    return NULL;
}

/* What mechanisms look at; what does not fit is left out. */
static void describe_channel(const struct conf *c, const struct ipc_AUTH_START *s,
                             struct sasl_channel *ret)
{
    struct sasl_channel ch = {.bound_offered = false};
    bool fits = sasl_copy(ch.host, sizeof ch.host, c->myhostname) &&
                sasl_copy(ch.identity, sizeof ch.identity, s->identity) &&
                sasl_copy(ch.anonymous, sizeof ch.anonymous, c->auth_anonymous_username);
    (void)fits;
    ch.identity_is_login =
        ch.identity[0] && c->auth_ssl_username_from_cert && !is_smtp_service(s->service);
    if (s->link < OFFER_LINKS)
        ch.bound_offered =
            offer_has_bound(c, is_smtp_service(s->service), (enum offer_link)s->link);
    for (size_t i = 0; i < SASL_BINDINGS && i < s->bindings.n; i++) {
        struct slice data = s->bindings.items[i];
        if (data.len == 0 || data.len > SASL_KEY_MAX)
            continue;
        memcpy(ch.bindings[i].data, data.data, data.len);
        ch.bindings[i].len = data.len;
    }
    *ret = ch;
}

/* A fresh exchange on the connection; NULL: too many, or no memory. Lock held. */
static struct connection *begin_exchange(struct auth_role *a, const struct ipc_AUTH_START *s)
{
    struct connection *c = find_or_new(a, s->conn);
    if (!c)
        return NULL;
    end_exchange(a, c);
    c->serial = ++a->last_serial;
    if (!sasl_copy(c->service, sizeof c->service, s->service) ||
        !sasl_copy(c->client_ip, sizeof c->client_ip, s->client_ip) ||
        a->n_exchanges >= EXCHANGES_MAX)
        return NULL;
    c->sasl = malloc(sizeof *c->sasl);
    if (c->sasl)
        a->n_exchanges++;
    return c->sasl ? c : NULL;
}

static void look_up(struct auth_role *a, struct ipc_channel *from, uint64_t call,
                    struct connection *c);

/* The exchange is over; its data is `now`'s. */
static void conclude(struct auth_role *a, struct ipc_channel *from, uint64_t call,
                     const struct connection *now, enum sasl_step step)
{
    if (step == SASL_CHECK_PASSWORD) {
        auth_check(a, from, call, now, now->sasl);
    } else if (step == SASL_RIGHT || step == SASL_WRONG) {
        auth_conclude(a, from, call, now, now->sasl, step == SASL_RIGHT ? OK : DENIED,
                      now->sasl->mechanism->name);
    } else {
        LOG(LOG_INFO, "auth.malformed", LOG_C("conn", log_id(now->id).text),
            LOG_C("service", now->service), LOG_C("ip", now->client_ip),
            LOG_C("mechanism", now->sasl->mechanism->name),
            LOG_C("reason", now->sasl->why ? now->sasl->why : "the mechanism's syntax is broken"));
        auth_not_logged_in(a, now->id, now->serial);
        auth_answer(from, call, AUTH_MALFORMED, SLICE_NONE, "");
    }
    sasl_end(now->sasl);
    free(now->sasl);
}

/* Does what the mechanism asks for. Lock held; given back. */
static void proceed(struct auth_role *a, struct ipc_channel *from, uint64_t call,
                    struct connection *c, enum sasl_step step)
{
    if (c->sasl->channel.identity_is_login &&
        (step == SASL_CHECK_PASSWORD || step == SASL_NEED_SECRET))
        memcpy(c->sasl->login, c->sasl->channel.identity, sizeof c->sasl->login);
    struct connection now = *c;
    if (step == SASL_CHALLENGE) {
        char text[SASL_CHALLENGE_MAX];
        size_t len = c->sasl->challenge.len < sizeof text ? c->sasl->challenge.len : sizeof text;
        if (len)
            memcpy(text, c->sasl->challenge.data, len);
        pthread_mutex_unlock(&a->lock);
        auth_answer(from, call, AUTH_CHALLENGE, slice_of(text, len), "");
    } else if (step == SASL_NEED_SECRET || step == SASL_CHECK_TOKEN) {
        look_up(a, from, call, c);
    } else {
        c->sasl = NULL;
        a->n_exchanges--;
        pthread_mutex_unlock(&a->lock);
        conclude(a, from, call, &now, step);
    }
}

/* ---- secrets, on helper threads ---- */

/* An exchange that waits for what is known of its login; it belongs to the lookup meanwhile. */
struct lookup {
    struct auth_role *auth;
    struct ipc_channel *from;
    uint64_t call, conn, serial;
    struct sasl *sasl;
};

static enum sasl_step take_secret(struct lookup *l)
{
    struct sasl_secret secret;
    const struct directory *d = auth_directory(l->auth);
    enum result r = secret_find(d, slice_cstr(l->sasl->login), l->sasl->mechanism->secret,
                                l->auth->salt_key, &secret);
    directory_unref(d);
    if (r != OK)
        return SASL_WRONG;
    enum sasl_step step = sasl_secret(l->sasl, &secret);
    explicit_bzero(&secret, sizeof secret);
    return step;
}

static enum sasl_step check_token(struct lookup *l)
{
    struct buf user;
    struct auth_role *a = l->auth;
    const struct directory *d = auth_directory(a);
    const struct conf *c = directory_conf(d);
    const struct jwt_rules rules = {.issuers = c->oauth2_issuers,
                                    .audience = c->oauth2_audience,
                                    .username = c->oauth2_username_attribute};
    pthread_mutex_lock(&a->lock);
    struct jwt_keys *keys = jwt_keys_ref(a->token_keys);
    pthread_mutex_unlock(&a->lock);
    buf_init(&user, SASL_NAME_MAX);
    const char *why = jwt_check(keys, &rules, sasl_token(l->sasl), clock_realtime_s(), &user);
    enum sasl_step step = sasl_token_checked(l->sasl, why ? SLICE("") : buf_slice(&user), why);
    buf_release(&user);
    jwt_keys_unref(keys);
    directory_unref(d);
    return step;
}

/* The connection may be gone, or have begun anew. */
static void give_back(struct lookup *l, enum sasl_step step)
{
    struct auth_role *a = l->auth;
    pthread_mutex_lock(&a->lock);
    struct connection *c = map_get(&a->connections, map_key_u64(&l->conn));
    if (c && c->serial == l->serial && !c->sasl) {
        c->sasl = l->sasl;
        proceed(a, l->from, l->call, c, step);
        return;
    }
    a->n_exchanges--;
    pthread_mutex_unlock(&a->lock);
    sasl_end(l->sasl);
    free(l->sasl);
    auth_answer(l->from, l->call, AUTH_UNAVAILABLE, SLICE_NONE, "no exchange under way");
}

static void run_lookup(void *arg)
{
    struct lookup *l = arg;
    enum sasl_step step = l->sasl->mechanism->token_checked ? check_token(l) : take_secret(l);
    give_back(l, step);
    free(l);
}

/* Lock held; given back. */
static void look_up(struct auth_role *a, struct ipc_channel *from, uint64_t call,
                    struct connection *c)
{
    struct lookup *l = malloc(sizeof *l);
    if (!l) {
        forget(a, c);
        pthread_mutex_unlock(&a->lock);
        auth_answer(from, call, AUTH_UNAVAILABLE, SLICE_NONE, "no memory");
        return;
    }
    *l = (struct lookup){a, from, call, c->id, c->serial, c->sasl};
    c->sasl = NULL;
    pthread_mutex_unlock(&a->lock);
    /* Without a thread of its own the work is done here: late is better than never. */
    if (io_run_blocking(a->role->engine, run_lookup, l) != OK)
        run_lookup(l);
}

static void run_start(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m,
                      const struct sasl_mechanism *mechanism, const struct sasl_channel *channel)
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
    enum sasl_step step = sasl_begin(c->sasl, mechanism, s->has_initial, s->initial, channel);
    proceed(a, from, m->call, c, step);
}

void auth_start(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m)
{
    const char *reason = "";
    struct sasl_channel channel;
    const struct ipc_AUTH_START *s = &m->AUTH_START;
    const struct directory *d = auth_directory(a);
    const struct conf *c = conf_for_service(directory_conf(d), s->listener);
    const struct sasl_mechanism *mechanism = choose(c, s, &reason);
    describe_channel(c, s, &channel);
    directory_unref(d);
    if (!mechanism) {
        log_refused(s, reason);
        auth_answer(from, m->call, AUTH_NO_MECHANISM, SLICE_NONE, reason);
    } else if (throttle_admit(a->throttle, s->client_ip, clock_monotonic_ms()) != OK) {
        log_refused(s, "too many failures of this address wait for their answer");
        auth_answer(from, m->call, AUTH_THROTTLED, SLICE_NONE, "too many failed logins");
    } else {
        run_start(a, from, m, mechanism, &channel);
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
        c->serial = ++a->last_serial;
    }
    pthread_mutex_unlock(&a->lock);
}

static bool is_smtp(const struct connection *c)
{
    return is_smtp_service(slice_cstr(c->service));
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
