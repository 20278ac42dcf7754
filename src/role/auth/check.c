/* check.c: is this the account's password? chain.c asks users_file, PAM and the passdbs in turn, or
 * the cache, which answers at once. Hashes run on as many threads as there are processors, the rest
 * waits in line; PAM runs in agent's children.
 *
 * A failure is told no sooner than the throttle says, counted from the attempt's start, so that its
 * time does not tell an unknown user from a wrong password; for the same reason an unknown user's
 * password is verified against somebody's hash, with the result thrown away. */
#include "role/auth/check.h"

#include "base/clock.h"

#include <stdlib.h>

static struct auth_role *role_of(const struct check *k)
{
    return k->auth;
}

/* Over a Unix socket many users come by one program: each is slowed down for itself. */
static struct slice throttle_key(const struct check *k)
{
    return slice_cstr(k->client_ip[0] ? k->client_ip : k->login);
}

static void free_check(struct check *k)
{
    struct auth_role *a = k->auth;
    directory_unref(k->directory);
    explicit_bzero(k, sizeof *k);
    free(k);
    pthread_mutex_lock(&a->lock);
    a->n_checks--;
    pthread_mutex_unlock(&a->lock);
}

static void log_outcome(const struct check *k, enum log_level level, const char *event)
{
    LOG(level, event, LOG_C("conn", log_id(k->conn).text), LOG_C("service", k->service),
        LOG_C("ip", k->client_ip), LOG_C("mechanism", k->mechanism->name), LOG_C("login", k->login),
        LOG_C("account", k->account), LOG_C("via", k->via), LOG_C("reason", k->reason.text),
        LOG_I("ms", clock_monotonic_ms() - k->started_ms));
}

static void answer_right(struct check *k)
{
    struct grant grant;
    struct auth_role *a = role_of(k);
    struct slice account = slice_cstr(k->account);
    if (grant_login_make(&a->role->grant_key, k->conn, account, slice_cstr(k->service),
                         clock_realtime_s(), &grant) != OK) {
        auth_answer(k->channel, k->call, AUTH_UNAVAILABLE, SLICE_NONE, "no random bytes");
        return;
    }
    /* Before the answer: the client may ask for a recipient at once. */
    auth_logged_in(a, k->conn, k->serial, account, slice_cstr(k->login));
    struct ipc_message m = {.type = IPC_AUTH_RESULT,
                            .AUTH_RESULT = {.outcome = AUTH_OK,
                                            .account = account,
                                            .login = slice_cstr(k->login),
                                            .grant = grant_slice(&grant)}};
    ipc_answer(k->channel, k->call, &m);
}

/* Did the database say all limits of the account? Not if another one is asked for accounts. */
static bool knows_limits(const struct check *k)
{
    const struct auth_database *db = chain_database(k);
    const struct auth_databases *all = directory_userdbs(k->directory);
    if (!k->password[0] || !db || strcmp(k->via, db->name) != 0 ||
        (db->driver != DRIVER_SQL && db->driver != DRIVER_LDAP))
        return false;
    for (size_t i = 0; i < all->n; i++)
        if (all->items[i].driver == DRIVER_SQL || all->items[i].driver == DRIVER_LDAP)
            return !all->items[i].of_userdb && all->items[i].index == db->index;
    return false;
}

static void finish_right(struct check *k)
{
    struct auth_role *a = role_of(k);
    int64_t ttl_ms = directory_conf(k->directory)->auth_cache_ttl * 1000;
    throttle_succeeded(a->throttle, throttle_key(k));
    if (strcmp(k->via, "cache") != 0 && k->password[0] && !k->fields[0])
        password_cache_put(a->cache, k->cache_generation, slice_cstr(k->account),
                           slice_cstr(k->password), ttl_ms, clock_monotonic_ms());
    auth_send_quota(a, slice_cstr(k->account), slice_cstr(k->fields), knows_limits(k));
    answer_right(k);
    log_outcome(k, LOG_INFO, "auth.ok");
    free_check(k);
}

/* The delay is over. */
static void answer_wrong(struct check *k)
{
    struct auth_role *a = role_of(k);
    throttle_answered(a->throttle, throttle_key(k));
    auth_answer(k->channel, k->call, AUTH_WRONG, SLICE_NONE, "");
    free_check(k);
}

/* First woken from elsewhere, since a deadline can only be set from within. */
static void run_delay(struct io_task *t, unsigned events)
{
    struct check *k = CONTAINER_OF(t, struct check, task);
    struct auth_role *a = role_of(k);
    if (!(events & IO_TIMER) && k->delay_ms > 0) {
        io_task_deadline(t, k->delay_ms);
        return;
    }
    pthread_mutex_lock(&a->lock);
    list_remove(&k->delayed);
    pthread_mutex_unlock(&a->lock);
    io_task_close(t);
    answer_wrong(k);
}

static void finish_wrong(struct check *k)
{
    struct auth_role *a = role_of(k);
    int64_t now = clock_monotonic_ms();
    int64_t base_ms = directory_conf(k->directory)->auth_failure_delay * 1000;
    int64_t delay = throttle_failed(a->throttle, throttle_key(k), base_ms, now);
    k->delay_ms = delay - (now - k->started_ms);
    log_outcome(k, LOG_WARNING, "auth.failed");
    auth_not_logged_in(a, k->conn, k->serial);
    explicit_bzero(k->password, sizeof k->password);
    pthread_mutex_lock(&a->lock);
    a->failures++;
    list_push_back(&a->delayed, &k->delayed);
    io_task_open(a->role->engine, &k->task, -1, run_delay);
    io_wake(&k->task);
    pthread_mutex_unlock(&a->lock);
}

static void finish(struct check *k)
{
    if (k->verdict == OK) {
        finish_right(k);
    } else if (k->verdict == DENIED) {
        finish_wrong(k);
    } else {
        log_outcome(k, LOG_ERROR, "auth.unavailable");
        auth_not_logged_in(role_of(k), k->conn, k->serial);
        auth_answer(k->channel, k->call, AUTH_UNAVAILABLE, SLICE_NONE,
                    "temporary authentication failure");
        free_check(k);
    }
}

static void give_verdict(struct check *k, enum result verdict, const char *reason)
{
    k->verdict = verdict;
    if (!k->reason.text[0])
        (void)error_set(&k->reason, verdict, "%s", reason);
    finish(k);
}

/* Runs outside the engine's threads until nobody waits any more. */
static void run_hashes(void *arg)
{
    struct auth_role *a = arg;
    for (;;) {
        pthread_mutex_lock(&a->lock);
        struct check *k = a->first_check;
        if (k) {
            a->first_check = k->next;
            if (!a->first_check)
                a->last_check = &a->first_check;
        } else {
            a->hashing--;
        }
        pthread_mutex_unlock(&a->lock);
        if (!k)
            return;
        chain_verify(k);
    }
}

void check_stand_in_line(struct check *k)
{
    struct auth_role *a = role_of(k);
    pthread_mutex_lock(&a->lock);
    k->next = NULL;
    *a->last_check = k;
    a->last_check = &k->next;
    bool start = a->hashing < a->processors;
    a->hashing += start;
    pthread_mutex_unlock(&a->lock);
    /* Without a thread of its own the work is done here: late is better than never. */
    if (start && io_run_blocking(a->role->engine, run_hashes, a) != OK)
        run_hashes(a);
}

/* RFC 4616 2: the authorization identity must be one that the authentication identity may take:
 * here, itself only. */
static bool authzid_fits(const struct check *k)
{
    struct slice other = slice_cstr(k->authzid);
    if (other.len == 0 || slice_eq_nocase(other, slice_cstr(k->login)))
        return true;
    return k->user && directory_login(k->directory, other) == k->user;
}

/* What the account's own fields and its database's say, beside the password. */
static const char *objection(const struct check *k)
{
    const struct auth_database *db = chain_database(k);
    struct slice fields[] = {k->user ? k->user->extra : SLICE_NONE, slice_cstr(k->fields),
                             db ? db->fields : SLICE_NONE};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        if (auth_field(fields[i], "nologin").data)
            return "the account has nologin";
        if (!auth_nets_allow(auth_field(fields[i], "allow_nets"), slice_cstr(k->client_ip)))
            return "the client's address is not in allow_nets";
    }
    return authzid_fits(k) ? NULL : "the authorization identity is another account's";
}

void check_verdict(struct check *k, enum result verdict, const char *reason)
{
    const char *against = verdict == OK ? objection(k) : NULL;
    if (against)
        k->reason.text[0] = '\0';
    give_verdict(k, against ? DENIED : verdict, against ? against : reason);
}

/* What an account's fields forbid may depend on more than name and password: then nothing is kept.
 */
bool check_cached(struct check *k)
{
    struct auth_role *a = role_of(k);
    if (!password_cache_hit(a->cache, slice_cstr(k->account), slice_cstr(k->password),
                            clock_monotonic_ms()))
        return false;
    k->via = "cache";
    return true;
}

/* NULL: too many. */
static struct check *new_check(struct auth_role *a)
{
    struct check *k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    pthread_mutex_lock(&a->lock);
    bool room = a->n_checks < CHECKS_MAX;
    a->n_checks += room;
    pthread_mutex_unlock(&a->lock);
    if (!room) {
        free(k);
        return NULL;
    }
    k->auth = a;
    return k;
}

/* NULL: too many, which has been answered. */
static struct check *begin_check(struct auth_role *a, struct ipc_channel *from, uint64_t call,
                                 const struct connection *c, const struct sasl *sasl)
{
    struct check *k = new_check(a);
    if (!k) {
        LOG(LOG_WARNING, "auth.unavailable", LOG_C("conn", log_id(c->id).text),
            LOG_C("ip", c->client_ip), LOG_C("reason", "too many passwords wait"));
        auth_answer(from, call, AUTH_UNAVAILABLE, SLICE_NONE, "too many logins under way");
        return NULL;
    }
    k->channel = from;
    k->call = call;
    k->conn = c->id;
    k->serial = c->serial;
    k->mechanism = sasl->mechanism;
    k->started_ms = clock_monotonic_ms();
    k->directory = auth_directory(a);
    k->cache_generation = password_cache_generation(a->cache);
    memcpy(k->service, c->service, sizeof k->service);
    memcpy(k->client_ip, c->client_ip, sizeof k->client_ip);
    memcpy(k->login, sasl->login, sizeof k->login);
    memcpy(k->password, sasl->password, sizeof k->password);
    memcpy(k->authzid, sasl->authzid, sizeof k->authzid);
    k->at = SIZE_MAX;
    return k;
}

void auth_check(struct auth_role *a, struct ipc_channel *from, uint64_t call,
                const struct connection *c, const struct sasl *sasl)
{
    struct check *k = begin_check(a, from, call, c, sasl);
    if (k)
        chain_start(k);
}

void auth_conclude(struct auth_role *a, struct ipc_channel *from, uint64_t call,
                   const struct connection *c, const struct sasl *sasl, enum result verdict,
                   const char *via)
{
    struct check *k = begin_check(a, from, call, c, sasl);
    if (!k)
        return;
    k->via = via;
    bool found = chain_find(k);
    if (verdict != OK)
        give_verdict(k, verdict,
                     k->login[0] && !found ? "unknown user"
                     : sasl->why           ? sasl->why
                                           : "refused");
    else if (!found)
        give_verdict(k, DENIED, "unknown user");
    else
        check_verdict(k, OK, "");
}

void auth_test(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m)
{
    const struct ipc_AUTH_TEST *t = &m->AUTH_TEST;
    struct connection c = {.id = log_id_new()};
    struct sasl s = {.mechanism = &sasl_plain};
    if (sasl_copy(c.service, sizeof c.service, t->service) &&
        sasl_copy(c.client_ip, sizeof c.client_ip, t->client_ip) &&
        sasl_copy(s.login, sizeof s.login, t->user) &&
        sasl_copy(s.password, sizeof s.password, t->password))
        auth_check(a, from, m->call, &c, &s);
    else
        auth_answer(from, m->call, AUTH_MALFORMED, SLICE_NONE, "a text is too long");
    explicit_bzero(s.password, sizeof s.password);
}

/* The line of passwords is dropped; what helper threads are about (hashes, secrets, tables that ask
 * a server) they finish, for it is with this state and these channels that they work. */
static void end_helpers(struct auth_role *a)
{
    pthread_mutex_lock(&a->lock);
    struct check *k = a->first_check;
    a->first_check = NULL;
    a->last_check = &a->first_check;
    pthread_mutex_unlock(&a->lock);
    io_line_stop(&a->tables_line);
    io_wait_blocking(a->role->engine);
    while (k) {
        struct check *next = k->next;
        free_check(k);
        k = next;
    }
}

bool auth_end_checks(struct auth_role *a)
{
    end_helpers(a);
    LIST_FOR_EACH(n, &a->delayed)
    {
        list_remove(n);
        free_check(CONTAINER_OF(n, struct check, delayed));
    }
    bool begun = io_line_release(&a->tables_line, NULL);
    return begun && a->n_checks == 0 && a->n_queries == 0;
}
