/* relay.c: the role's table: start and end, settings, secrets, requests of the other roles. */
#include "role/relay/relay.h"

#include <stdio.h>
#include <stdlib.h>

#include "role/relay/https.h"
#include "role/relay/post.h"
#include "role/relay/tables.h"
#include "role/relay/tls.h"
#include "role/wiring.h"

enum { DESTS_MAX = 100000, FETCHES_MAX = 8 };

static struct relay *state_of(struct role *role)
{
    if (!role->state) {
        struct relay *r = calloc(1, sizeof *r);
        if (!r)
            return NULL;
        r->role = role;
        pthread_mutex_init(&r->lock, NULL);
        io_line_init(&r->checks_line, role->engine, CHECK_HELPERS);
        map_init(&r->dests, DESTS_MAX);
        map_init(&r->sts_fetching, FETCHES_MAX);
        list_init(&r->conns);
        list_init(&r->old_resolvers);
        role->state = r;
    }
    return role->state;
}

/* While the library's files can be seen. */
static enum result prepare(struct role *role, struct error *err)
{
    struct error why = {""};
    (void)role, (void)err;
    if (https_load(&why) != OK)
        LOG(LOG_ERROR, "relay.https_off", LOG_C("why", why.text),
            LOG_C("then", "no policy of MTA-STS is fetched"));
    return OK;
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
        result = dns_run(r, err);
    return result;
}

/* ---- tables ---- */

/* The old ones stay where there is no memory for new ones. */
static void renew_tables(struct relay *r)
{
    const struct conf *c = role_conf(r->role);
    struct relay_tables *fresh = NULL;
    pthread_mutex_lock(&r->lock);
    struct relay_tables *old = r->tables;
    if (relay_tables_new(r->role, c, &r->files, &fresh) == OK)
        r->tables = fresh;
    pthread_mutex_unlock(&r->lock);
    if (fresh)
        relay_tables_unref(old);
    else
        LOG(LOG_ERROR, "relay.tables_kept", LOG_C("why", "no memory"));
    conf_unref(c);
}

/* What was found and opened under the old settings (next hop, TLS level, login) is not used again.
 */
static void forget(struct relay *r)
{
    pthread_mutex_lock(&r->lock);
    r->generation++;
    relay_tls_forget(r);
    dest_forget_routes(r);
    pthread_mutex_unlock(&r->lock);
}

static void keep(struct kept_files *files, struct slice name, const struct role_secret *s)
{
    if (kept_files_add(files, name, s->bytes, s->there) != OK)
        LOG(LOG_ERROR, "file.not_kept", LOG_S("path", s->path), LOG_C("why", "no memory"),
            LOG_C("then", "what needs it fails"));
}

static void secrets(struct role *role, const struct role_secret *s, size_t n)
{
    struct relay *r = state_of(role);
    struct kept_files fresh = {.n = 0}, old;
    bool system = false;
    for (size_t i = 0; i < n; i++) {
        bool authorities = slice_is(s[i].setting, SECRET_SYSTEM_AUTHORITIES);
        keep(&fresh, authorities ? s[i].setting : s[i].path, &s[i]);
        system = system || authorities;
    }
    if (!r) {
        kept_files_release(&fresh);
        return;
    }
    pthread_mutex_lock(&r->lock);
    old = r->files;
    r->files = fresh;
    r->system_authorities = system;
    pthread_mutex_unlock(&r->lock);
    kept_files_release(&old);
    dns_configured(r);
    renew_tables(r);
    forget(r);
}

/* ---- jobs ---- */

const struct conf *relay_service(const struct conf *c, struct slice destination,
                                 char label[static RELAY_LABEL_SIZE])
{
    struct slice transport, nexthop;
    target_route_split(destination, &transport, &nexthop);
    snprintf(label, RELAY_LABEL_SIZE, "%.*s/unix",
             SLICE_ARG(transport.len ? transport : SLICE("smtp")));
    return conf_for_service(c, slice_cstr(label));
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
    const struct conf *c = role_conf(role);
    pthread_mutex_lock(&r->lock);
    r->jobs++;
    struct relay_tables *tables = relay_tables_ref(r->tables);
    pthread_mutex_unlock(&r->lock);
    job_prepare(j, c, tables);
    relay_tables_unref(tables);
    conf_unref(c);
}

static void peer_up(struct role *role, enum ipc_role peer)
{
    struct ipc_message m = {.type = IPC_RELAY_WINDOW};
    if (peer != ROLE_MAILBOX)
        return;
    m.RELAY_WINDOW.jobs = RELAY_JOBS;
    if (ipc_send(role->peers[ROLE_MAILBOX], &m) != OK)
        LOG(LOG_WARNING, "relay.window_not_sent", LOG_C("peer", "mailbox"));
}

static void configured(struct role *role)
{
    struct relay *r = state_of(role);
    if (r) {
        dns_configured(r);
        renew_tables(r);
        forget(r);
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
    else if (m->type == IPC_HTTPS_POST && ipc_channel_peer(from) == ROLE_MAILBOX)
        relay_post(r, from, m);
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
    io_line_stop(&r->checks_line);
    io_wait_blocking(role->engine);
    (void)io_line_release(&r->checks_line, job_prepare_drop);
    outconn_free_all(r);
    dest_free_all(r);
    dns_stop(r);
    relay_tls_forget(r);
    relay_tables_unref(r->tables);
    kept_files_release(&r->files);
    map_release(&r->sts_fetching);
    pthread_mutex_destroy(&r->lock);
    free(r);
    role->state = NULL;
}

const struct role_ops role_relay = {
    .role = ROLE_RELAY,
    .prepare = prepare,
    .start = start,
    .configured = configured,
    .secrets = secrets,
    .request = request,
    .peer_up = peer_up,
    .status = status,
    .stop = stop,
};
