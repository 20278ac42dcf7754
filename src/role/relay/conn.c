/* conn.c: a connection's life: made with a job, given further ones, idle a while, ended. */
#include "role/relay/conn.h"

#include <stdio.h>
#include <stdlib.h>

enum { IN_MAX = 64 * 1024, TEXTS_MAX = 256 * 1024 };

static void run(struct io_task *t, unsigned events);

void conn_open_task(struct outconn *c, int fd)
{
    io_task_open(c->relay->role->engine, &c->task, fd, run);
    c->task_open = true;
}

void conn_close_task(struct outconn *c)
{
    if (c->task_open)
        io_task_close(&c->task);
    c->task_open = false;
}

/* The settings of the transport's service in master.cf, where it has any. */
static void choose_conf(struct outconn *c)
{
    char label[RELAY_LABEL_SIZE];
    struct slice transport, nexthop;
    target_route_split(dest_route(c->dest), &transport, &nexthop);
    c->held = role_conf(c->relay->role);
    c->conf = relay_service(c->held, dest_route(c->dest), label);
    c->lmtp = slice_is(conf_transport_kind(c->conf, transport), "lmtp");
}

struct outconn *outconn_new(struct relay *relay, struct dest *d, struct rjob *j)
{
    struct outconn *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    list_init(&c->idle);
    c->relay = relay;
    c->dest = d;
    c->job = j;
    choose_conf(c);
    c->generation = relay->generation;
    c->route = d->route;
    c->route->refs++;
    buf_init(&c->in, IN_MAX);
    sts_init(&c->sts);
    arena_init(&c->texts, TEXTS_MAX);
    c->tables = relay_tables_ref(relay->tables);
    verdict_set(&c->last, SMTP_DEFERRED, "4.4.1", "no address to connect to");
    list_push_back(&relay->conns, &c->all);
    conn_open_task(c, -1);
    io_wake(&c->task);
    return c;
}

void outconn_give(struct list_node *idle, struct rjob *j)
{
    struct outconn *c = CONTAINER_OF(list_pop_front(idle), struct outconn, idle);
    c->job = j;
    io_wake(&c->task);
}

/* ---- ends ---- */

void conn_close_stream(struct outconn *c)
{
    conn_close_task(c);
    if (!c->open)
        return;
    stream_close(&c->stream);
    smtp_client_release(&c->client);
    c->login.tls = NULL;
    buf_clear(&c->in);
    c->open = false;
}

static void conn_release(struct outconn *c)
{
    list_remove(&c->all);
    route_unref(c->route);
    conf_unref(c->held);
    relay_tables_unref(c->tables);
    sts_release(c);
    relay_login_wipe(&c->login);
    arena_release(&c->texts);
    buf_release(&c->in);
    free(c);
}

void conn_finish(struct outconn *c, const struct verdict *failure)
{
    struct relay *relay = c->relay;
    conn_close_stream(c);
    pthread_mutex_lock(&relay->lock);
    list_remove(&c->idle);
    if (c->job && failure) {
        struct verdict missed = *failure;
        /* What only this message demands says nothing of the destination. */
        missed.missed = dest_demand(c->dest) != TLS_DEMAND_REQUIRED;
        job_finish_all(c->job, &missed, c->remote);
    } else if (c->job)
        dest_return(c->dest, c->job);
    dest_conn_gone(c->dest);
    conn_release(c);
    pthread_mutex_unlock(&relay->lock);
}

void outconn_free_all(struct relay *relay)
{
    LIST_FOR_EACH(n, &relay->conns)
    {
        struct outconn *c = CONTAINER_OF(n, struct outconn, all);
        conn_close_stream(c);
        if (c->job)
            job_free(c->job);
        conn_release(c);
    }
}

/* An idle connection ran: a job came, the time is over, or the server spoke or closed. */
static void run_idle(struct outconn *c, unsigned events)
{
    pthread_mutex_lock(&c->relay->lock);
    bool mine = !list_empty(&c->idle); /* still in the list: nobody gave it a job */
    bool ends = events & (IO_TIMER | IO_READ | IO_HANGUP);
    if (mine && ends)
        list_remove(&c->idle);
    pthread_mutex_unlock(&c->relay->lock);
    if (!mine) {
        c->state = TALKING;
        conn_talk(c);
    } else if (ends && (events & (IO_READ | IO_HANGUP))) {
        conn_finish(c, NULL); /* a 421, or closed */
    } else if (ends) {
        conn_leave(c);
        conn_talk(c);
    } else {
        io_task_want(&c->task, IO_READ);
    }
}

static void run(struct io_task *t, unsigned events)
{
    struct outconn *c = CONTAINER_OF(t, struct outconn, task);
    switch (c->state) {
    case NEW:
        conn_connect(c);
        return;
    case LOOKING:
        conn_looked(c);
        return;
    case RESOLVING:
        conn_resolved(c);
        return;
    case READING:
        conn_sts_read(c);
        return;
    case ASKING:
        conn_given(c);
        return;
    case CONNECTING:
        conn_connected(c, events);
        return;
    case IDLE:
        run_idle(c, events);
        return;
    case HANDSHAKING:
        if (events & IO_TIMER)
            conn_tls_failed(c, &(struct error){"timed out"});
        else
            conn_handshake(c);
        return;
    case TALKING:
    case LEAVING:
        if ((events & IO_TIMER) && !(events & (IO_READ | IO_WRITE)))
            conn_lost(c, "timed out");
        conn_talk(c);
        return;
    }
}
