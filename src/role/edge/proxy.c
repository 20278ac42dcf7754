/* proxy.c: pumps plaintext between a TLS connection and the socket pair that mailbox reads.
 *
 * Two descriptors, so two tasks, which may run on two threads at once: a lock makes their runs take
 * turns. Each run moves what it can in both directions and then asks for its own side's events;
 * when what the other side waits for has changed, that side is woken to ask for it. Buffers exist
 * only while bytes are in them. Either side's end closes both, after what was under way has gone.
 */
#include "role/edge/proxy.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

enum { PIECE = 16 * 1024 };

struct proxy {
    pthread_mutex_t lock;
    struct list_node node;
    struct edge *edge;
    struct io_task outer_task, inner_task;
    struct stream outer;               /* TLS, the client */
    int inner;                         /* plaintext, mailbox */
    struct buf up, down;               /* client to mailbox, mailbox to client */
    unsigned outer_wants, inner_wants; /* what the last pumping left to wait for */
    unsigned outer_asked, inner_asked; /* what each task asked for in its last run */
    bool outer_readable, inner_readable;
    bool client_ended, mailbox_ended, closing;
    unsigned tasks; /* still open */
    uint64_t id;
    int64_t began_ms;
};

/* ---- moving bytes; each returns false when the connection is broken ---- */

static bool write_inner(struct proxy *p)
{
    while (buf_len(&p->up)) {
        struct slice s = buf_slice(&p->up);
        ssize_t n = send(p->inner, s.data, s.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            p->inner_wants |= IO_WRITE;
            return true;
        }
        if (n < 0 && errno != EINTR)
            return false;
        buf_consume(&p->up, n > 0 ? (size_t)n : 0);
    }
    buf_clear(&p->up);
    return true;
}

static bool read_inner(struct proxy *p)
{
    size_t room;
    char *at = buf_reserve(&p->down, PIECE, &room);
    if (!at)
        return false;
    ssize_t n = recv(p->inner, at, room, MSG_DONTWAIT);
    p->inner_readable = n > 0 && (size_t)n == room;
    if (n > 0)
        buf_commit(&p->down, (size_t)n);
    p->mailbox_ended |= n == 0;
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static bool pump_up(struct proxy *p)
{
    for (;;) {
        if (!write_inner(p))
            return false;
        if (buf_len(&p->up) || p->client_ended)
            return true;
        if (!p->outer_readable && !stream_pending(&p->outer)) {
            p->outer_wants |= IO_READ;
            return true;
        }
        enum result r = stream_read(&p->outer, &p->up, PIECE);
        if (r == BUSY) {
            p->outer_readable = false;
            buf_clear(&p->up);
            p->outer_wants |= p->outer.wants;
            return true;
        }
        if (r == CLOSED) {
            p->client_ended = true;
            shutdown(p->inner, SHUT_WR);
        } else if (r != OK) {
            return false;
        }
    }
}

static bool pump_down(struct proxy *p)
{
    for (;;) {
        enum result r = buf_len(&p->down) ? stream_write(&p->outer, &p->down) : OK;
        if (r == BUSY) {
            p->outer_wants |= p->outer.wants;
            return true;
        }
        if (r != OK)
            return false;
        buf_clear(&p->down);
        if (p->mailbox_ended) {
            p->closing = true;
            return true;
        }
        if (!p->inner_readable) {
            p->inner_wants |= IO_READ;
            return true;
        }
        if (!read_inner(p))
            return false;
    }
}

/* ---- the two tasks ---- */

static void free_proxy(struct proxy *p)
{
    struct edge *e = p->edge;
    LOG(LOG_INFO, "disconnect", LOG_C("conn", log_id(p->id).text), LOG_C("service", "tls proxy"),
        LOG_C("reason", p->client_ended ? "client left" : "closed"),
        LOG_U("ms", clock_monotonic_ms() - p->began_ms));
    pthread_mutex_lock(&e->lock);
    list_remove(&p->node);
    pthread_mutex_unlock(&e->lock);
    atomic_fetch_sub(&e->count.proxied, 1);
    atomic_fetch_sub(&e->count.connections, 1);
    stream_close(&p->outer);
    close(p->inner);
    buf_release(&p->up);
    buf_release(&p->down);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static void pump(struct proxy *p)
{
    p->outer_wants = p->inner_wants = 0;
    if (!p->closing && (!pump_up(p) || !pump_down(p)))
        p->closing = true;
}

/* One task's run. The lock is held; returns whether this was the last task of the proxy. */
static bool step(struct proxy *p, struct io_task *self, struct io_task *other, unsigned *self_asked,
                 const unsigned *self_wants, unsigned *other_asked, const unsigned *other_wants)
{
    *self_asked = 0;
    pump(p);
    if (p->closing) {
        if (p->tasks == 2)
            io_wake(other);
        io_task_close(self);
        return --p->tasks == 0;
    }
    /* An interest that it has already is none to wake it for. */
    if (*other_asked != *other_wants) {
        *other_asked = *other_wants;
        io_wake(other);
    }
    io_task_want(self, *self_wants);
    *self_asked = *self_wants;
    return false;
}

static void outer_run(struct io_task *t, unsigned events)
{
    struct proxy *p = CONTAINER_OF(t, struct proxy, outer_task);
    pthread_mutex_lock(&p->lock);
    p->outer_readable |= (events & (IO_READ | IO_HANGUP)) != 0;
    bool last = step(p, &p->outer_task, &p->inner_task, &p->outer_asked, &p->outer_wants,
                     &p->inner_asked, &p->inner_wants);
    pthread_mutex_unlock(&p->lock);
    if (last)
        free_proxy(p);
}

static void inner_run(struct io_task *t, unsigned events)
{
    struct proxy *p = CONTAINER_OF(t, struct proxy, inner_task);
    pthread_mutex_lock(&p->lock);
    p->inner_readable |= (events & (IO_READ | IO_HANGUP)) != 0;
    bool last = step(p, &p->inner_task, &p->outer_task, &p->inner_asked, &p->inner_wants,
                     &p->outer_asked, &p->outer_wants);
    pthread_mutex_unlock(&p->lock);
    if (last)
        free_proxy(p);
}

void proxy_take(struct conn *c, int inner_fd)
{
    struct edge *e = c->edge;
    struct proxy *p = calloc(1, sizeof *p);
    if (!p) { /* mailbox sees its end close */
        close(inner_fd);
        conn_dissolve(c);
        return;
    }
    pthread_mutex_init(&p->lock, NULL);
    p->edge = e;
    p->outer = c->stream;
    p->inner = inner_fd;
    p->id = c->id;
    p->began_ms = c->began_ms;
    p->tasks = 2;
    p->outer_readable = true; /* it may hold what came behind the login */
    buf_init(&p->up, PIECE);
    buf_init(&p->down, PIECE);
    atomic_fetch_add(&e->count.proxied, 1);
    atomic_fetch_add(&e->count.connections, 1);
    pthread_mutex_lock(&e->lock);
    list_push_back(&e->proxies, &p->node);
    pthread_mutex_unlock(&e->lock);
    stream_init(&c->stream, -1);
    conn_dissolve(c);
    /* Both are open before either can run. */
    pthread_mutex_lock(&p->lock);
    io_task_open(e->role->engine, &p->outer_task, p->outer.fd, outer_run);
    io_task_open(e->role->engine, &p->inner_task, p->inner, inner_run);
    io_wake(&p->outer_task);
    io_wake(&p->inner_task);
    pthread_mutex_unlock(&p->lock);
}

void proxy_free_all(struct edge *e)
{
    LIST_FOR_EACH(n, &e->proxies)
    {
        struct proxy *p = CONTAINER_OF(n, struct proxy, node);
        if (p->tasks == 2 || p->outer_task.slot)
            io_task_close(&p->outer_task);
        if (p->inner_task.slot)
            io_task_close(&p->inner_task);
        free_proxy(p);
    }
}
