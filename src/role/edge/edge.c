/* edge.c: the role's table: start, end, and what the master brings. */
#include "role/edge/edge.h"

#include <stdlib.h>

#include "role/edge/conn.h"
#include "role/edge/proxy.h"

/* The master's things come before the start: whoever is first makes the state. */
static struct edge *state_of(struct role *r)
{
    struct edge *e = r->state;
    if (e)
        return e;
    e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->role = r;
    pthread_mutex_init(&e->lock, NULL);
    list_init(&e->conns);
    list_init(&e->proxies);
    list_init(&e->listeners);
    r->state = e;
    return e;
}

static enum result start(struct role *r, struct error *err)
{
    struct edge *e = state_of(r);
    if (!e)
        return error_set(err, FAILED, "no memory");
    enum result result = edge_settings_renew(e, err);
    if (result == OK)
        edge_open_listeners(e);
    return result;
}

static void configured(struct role *r)
{
    struct error err = {""};
    if (edge_settings_renew(r->state, &err) != OK)
        LOG(LOG_ERROR, "edge.settings", LOG_C("why", err.text));
}

static void secrets(struct role *r, const struct role_secret *secrets, size_t n)
{
    struct edge *e = state_of(r);
    if (e)
        edge_take_secrets(e, secrets, n);
}

static void listeners(struct role *r, const struct slice *urls, int *fds, size_t n)
{
    struct edge *e = state_of(r);
    if (!e)
        return;
    edge_take_listeners(e, urls, fds, n);
    if (e->settings) /* started: these replace others */
        edge_open_listeners(e);
}

static void request(struct role *r, struct ipc_channel *from, struct ipc_message *m)
{
    (void)r;
    if (m->call)
        ipc_answer_failure(from, m->call, "edge does not serve this message");
}

static void status(struct role *r, void (*add)(void *arg, const char *key, uint64_t value),
                   void *arg)
{
    struct edge_counters *n = &((struct edge *)r->state)->count;
    add(arg, "connections", atomic_load(&n->connections));
    add(arg, "smtp", atomic_load(&n->smtp));
    add(arg, "pop3_before_login", atomic_load(&n->pop3));
    add(arg, "imap_before_login", atomic_load(&n->imap));
    add(arg, "password_askers", atomic_load(&n->askers));
    add(arg, "tls_after_login", atomic_load(&n->proxied));
    add(arg, "accepted_connections", atomic_load(&n->accepted_total));
    add(arg, "refused_connections", atomic_load(&n->refused_connections));
    add(arg, "messages", atomic_load(&n->messages));
    add(arg, "refused_recipients", atomic_load(&n->refused_rcpts));
    add(arg, "auth_ok", atomic_load(&n->auth_ok));
    add(arg, "auth_failed", atomic_load(&n->auth_failed));
    add(arg, "tls_handshakes", atomic_load(&n->tls_handshakes));
    add(arg, "message_bytes", atomic_load(&n->message_bytes));
}

static void stop(struct role *r)
{
    struct edge *e = r->state;
    if (!e)
        return;
    edge_free_listeners(e);
    edge_conn_free_all(e);
    proxy_free_all(e);
    edge_settings_unref(e->settings);
    edge_certificates_free(e->certificates);
    edge_free_limits(e);
    kept_files_release(&e->files);
    pthread_mutex_destroy(&e->lock);
    free(e);
    r->state = NULL;
}

const struct role_ops role_edge = {
    .role = ROLE_EDGE,
    .start = start,
    .configured = configured,
    .secrets = secrets,
    .listeners = listeners,
    .request = request,
    .status = status,
    .stop = stop,
};
