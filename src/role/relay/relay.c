/* relay.c: the role's table: start and end, settings, secrets, requests of the other roles. */
#include "role/relay/relay.h"

#include <stdlib.h>

enum { DESTS_MAX = 100000, PASSWORDS_ARENA_MAX = 64 << 20 };

static struct relay *state_of(struct role *role)
{
    if (!role->state) {
        struct relay *r = calloc(1, sizeof *r);
        if (!r)
            return NULL;
        r->role = role;
        pthread_mutex_init(&r->lock, NULL);
        map_init(&r->dests, DESTS_MAX);
        list_init(&r->conns);
        list_init(&r->old_resolvers);
        arena_init(&r->kept, PASSWORDS_ARENA_MAX);
        role->state = r;
    }
    return role->state;
}

/* Reads what the system says of DNS while it can be seen; no thread is started before the sandbox.
 */
static enum result start(struct role *role, struct error *err)
{
    struct relay *r = state_of(role);
    if (!r)
        return error_set(err, FAILED, "no memory");
    enum result result = dns_start(r, err);
    if (result == OK)
        result = tls_client_new(false, &r->tls, err);
    if (result == OK)
        result = dns_run(r, err);
    return result;
}

static void secrets(struct role *role, const struct role_secret *s, size_t n)
{
    struct relay *r = state_of(role);
    for (size_t i = 0; r && i < n; i++) {
        if (!slice_is(s[i].setting, "smtp_sasl_password_maps"))
            continue;
        pthread_mutex_lock(&r->lock);
        struct slice kept = arena_dup(&r->kept, s[i].bytes);
        if (kept.data)
            r->passwords = kept;
        pthread_mutex_unlock(&r->lock);
    }
}

/* ---- jobs ---- */

static unsigned destination_limit(struct role *role)
{
    const struct conf *c = role_conf(role);
    unsigned limit = (unsigned)c->default_destination_concurrency_limit;
    conf_unref(c);
    return limit;
}

static void take_job(struct role *role, struct ipc_channel *from, struct ipc_message *m)
{
    struct relay *r = state_of(role);
    struct rjob *j;
    enum result result = ipc_channel_peer(from) == ROLE_MAILBOX ? job_new(r, from, m, &j) : DENIED;
    if (result != OK) {
        LOG(LOG_ERROR, "relay.job_refused", LOG_C("id", log_id(m->RELAY_JOB.message_id).text),
            LOG_C("result", result_name(result)));
        ipc_answer_failure(from, m->call, "unusable job");
        return;
    }
    unsigned limit = destination_limit(role);
    pthread_mutex_lock(&r->lock);
    r->jobs++;
    dest_submit(r, j, limit);
    pthread_mutex_unlock(&r->lock);
}

/* Twice the connections, so that each finds its next job waiting. */
static void peer_up(struct role *role, enum ipc_role peer)
{
    struct ipc_message m = {.type = IPC_RELAY_WINDOW};
    if (peer != ROLE_MAILBOX)
        return;
    m.RELAY_WINDOW.jobs = RELAY_JOBS;
    m.RELAY_WINDOW.per_destination = 2 * destination_limit(role);
    if (ipc_send(role->peers[ROLE_MAILBOX], &m) != OK)
        LOG(LOG_WARNING, "relay.window_not_sent", LOG_C("peer", "mailbox"));
}

/* What was found and opened under the old settings (next hop, TLS level) is not used again. */
static void configured(struct role *role)
{
    struct relay *r = state_of(role);
    if (r) {
        dns_configured(r);
        pthread_mutex_lock(&r->lock);
        r->generation++;
        dest_forget_routes(r);
        pthread_mutex_unlock(&r->lock);
    }
    peer_up(role, ROLE_MAILBOX);
}

static void request(struct role *role, struct ipc_channel *from, struct ipc_message *m)
{
    struct relay *r = state_of(role);
    if (m->type == IPC_RELAY_JOB)
        take_job(role, from, m);
    else if (m->type == IPC_RESOLVE)
        dns_serve(r, from, m);
    else if (m->call)
        ipc_answer_failure(from, m->call, "relay does not know this request");
}

/* ---- the rest ---- */

static void status(struct role *role, void (*add)(void *arg, const char *key, uint64_t value),
                   void *arg)
{
    struct relay *r = state_of(role);
    uint64_t conns = 0;
    pthread_mutex_lock(&r->lock);
    LIST_FOR_EACH(n, &r->conns)
    {
        conns++;
    }
    add(arg, "relay_jobs", r->jobs);
    add(arg, "relay_destinations", r->dests.used);
    add(arg, "relay_connections", conns);
    pthread_mutex_unlock(&r->lock);
    add(arg, "relay_sent", __atomic_load_n(&r->sent, __ATOMIC_RELAXED));
    add(arg, "relay_deferred", __atomic_load_n(&r->deferred, __ATOMIC_RELAXED));
    add(arg, "relay_bounced", __atomic_load_n(&r->failed, __ATOMIC_RELAXED));
}

static void stop(struct role *role)
{
    struct relay *r = role->state;
    if (!r)
        return;
    outconn_free_all(r);
    dest_free_all(r);
    dns_stop(r);
    tls_context_unref(r->tls);
    arena_release(&r->kept);
    pthread_mutex_destroy(&r->lock);
    free(r);
    role->state = NULL;
}

const struct role_ops role_relay = {
    .role = ROLE_RELAY,
    .start = start,
    .configured = configured,
    .secrets = secrets,
    .request = request,
    .peer_up = peer_up,
    .status = status,
    .stop = stop,
};
