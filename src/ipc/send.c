/* send.c: sending from any thread. While nothing waits a packet goes straight into the socket; only
 * behind a slow peer it is queued, and the channel's task sends the queue when there is room. */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ipc/channel.h"

enum { CALL_OFFSET = 2 }; /* of the call in an encoded packet */

static void release_packet(struct buf *packet, enum ipc_type type)
{
    if (ipc_is_secret(type) && packet->mem)
        explicit_bzero(packet->mem, packet->size);
    buf_release(packet);
}

/* One that waited in the queue. */
static void free_packet(struct ipc_packet *p)
{
    ipc_close_fds(p->fds, p->n_fds);
    explicit_bzero(p->bytes, p->len);
    free(p);
}

void ipc_drop_queue(struct ipc_channel *c)
{
    while (c->first) {
        struct ipc_packet *p = c->first;
        c->first = p->next;
        free_packet(p);
    }
    c->last = &c->first;
    c->queued = 0;
    pthread_cond_broadcast(&c->room);
}

/* The peer is gone: the task finds out and answers what is outstanding. */
static void mark_broken(struct ipc_channel *c)
{
    if (!c->broken)
        io_wake(&c->task);
    c->broken = true;
    pthread_cond_broadcast(&c->room);
}

void ipc_flush(struct ipc_channel *c)
{
    while (c->first && !c->broken) {
        struct ipc_packet *p = c->first;
        enum result r =
            ipc_send_packet(c->fd, slice_of(p->bytes, p->len), p->fds, p->n_fds, MSG_DONTWAIT);
        if (r == BUSY)
            return;
        if (r != OK)
            mark_broken(c); /* a packet that was promised did not go: nothing later may */
        c->first = p->next;
        if (!c->first)
            c->last = &c->first;
        c->queued -= p->len;
        pthread_cond_broadcast(&c->room);
        free_packet(p);
    }
}

static bool duplicate_fds(struct ipc_packet *p, const int *fds, size_t n)
{
    for (p->n_fds = 0; p->n_fds < n; p->n_fds++) {
        p->fds[p->n_fds] = fcntl(fds[p->n_fds], F_DUPFD_CLOEXEC, 0);
        if (p->fds[p->n_fds] < 0) {
            ipc_close_fds(p->fds, p->n_fds);
            return false;
        }
    }
    return true;
}

static enum result enqueue(struct ipc_channel *c, struct slice bytes, const int *fds, size_t n_fds)
{
    if (c->queued + bytes.len > IPC_QUEUE_MAX)
        return FAILED;
    struct ipc_packet *p = malloc(sizeof *p + bytes.len);
    if (!p || !duplicate_fds(p, fds, n_fds)) {
        free(p);
        return FAILED;
    }
    p->next = NULL;
    p->len = bytes.len;
    memcpy(p->bytes, bytes.data, bytes.len);
    bool first = c->first == NULL;
    *c->last = p;
    c->last = &p->next;
    c->queued += bytes.len;
    if (first)
        io_wake(&c->task); /* to wait for room */
    return OK;
}

static enum result transmit_packet(struct ipc_channel *c, struct slice bytes, const int *fds,
                                   size_t n_fds)
{
    if (c->fd < 0 || c->broken)
        return CLOSED;
    enum result r = BUSY;
    if (!c->first)
        r = ipc_send_packet(c->fd, bytes, fds, n_fds, MSG_DONTWAIT);
    if (r == BUSY)
        return enqueue(c, bytes, fds, n_fds);
    if (r == CLOSED)
        mark_broken(c);
    return r;
}

/* Too long for the socket: the bytes in a memfd, behind a packet that says so. */
static enum result transmit_long(struct ipc_channel *c, struct slice bytes, const int *fds,
                                 size_t n_fds)
{
    char header[IPC_HEADER];
    int all[IPC_FDS_MAX];
    if (n_fds == IPC_FDS_MAX)
        return LIMIT;
    memcpy(header, bytes.data, sizeof header);
    header[0] = header[1] = (char)0xff; /* IPC_LONG */
    memcpy(all, fds, n_fds * sizeof *fds);
    enum result r = ipc_memfd(bytes, &all[n_fds]);
    if (r != OK)
        return r;
    r = transmit_packet(c, slice_of(header, sizeof header), all, n_fds + 1);
    ipc_close_fds(&all[n_fds], 1);
    return r;
}

/* Lock held. CLOSED: the channel is going down; the rest leaves it as it was. */
static enum result transmit(struct ipc_channel *c, struct slice bytes, const int *fds, size_t n_fds)
{
    return bytes.len > IPC_PACKET_MAX ? transmit_long(c, bytes, fds, n_fds)
                                      : transmit_packet(c, bytes, fds, n_fds);
}

static void set_call(struct buf *packet, uint64_t call)
{
    for (int i = 0; i < 8; i++)
        packet->mem[packet->start + CALL_OFFSET + (size_t)i] = (char)(call >> (8 * i));
}

enum result ipc_send(struct ipc_channel *c, const struct ipc_message *m)
{
    struct buf packet;
    buf_init(&packet, IPC_MESSAGE_MAX);
    enum result r = ipc_encode(m, &packet);
    if (r == OK) {
        set_call(&packet, 0);
        pthread_mutex_lock(&c->lock);
        r = transmit(c, buf_slice(&packet), m->fds, m->n_fds);
        pthread_mutex_unlock(&c->lock);
    }
    release_packet(&packet, m->type);
    return r;
}

enum result ipc_wait_room(struct ipc_channel *c, size_t most, unsigned ms)
{
    struct timespec until;
    int failed = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&c->lock);
    while (c->fd >= 0 && !c->broken && c->queued > most && !failed)
        failed = pthread_cond_timedwait(&c->room, &c->lock, &until);
    enum result r = c->fd < 0 || c->broken ? CLOSED : c->queued > most ? BUSY : OK;
    pthread_mutex_unlock(&c->lock);
    return r;
}

/* Enters the call and sends. When that fails, *ret_call is to be answered by the caller unless the
 * channel's going down has done it. */
static enum result send_request(struct ipc_channel *c, struct buf *packet, struct ipc_message *m,
                                struct ipc_call *call)
{
    if (c->fd < 0 || c->broken)
        return CLOSED;
    call->epoch = c->epoch;
    enum result r = ipc_calls_add(&c->calls, call, &m->call);
    if (r != OK)
        return r;
    set_call(packet, m->call);
    r = transmit(c, buf_slice(packet), m->fds, m->n_fds);
    if (r == CLOSED)
        return OK; /* the task answers it */
    if (r != OK && !ipc_calls_take(&c->calls, m->call, call))
        return OK;
    return r;
}

void ipc_request(struct ipc_channel *c, struct ipc_message *m, ipc_answer_fn *on_answer, void *arg)
{
    struct buf packet;
    struct ipc_call call = {.on_answer = on_answer, .arg = arg};
    call.expected = ipc_answer_type(m->type);
    assert(on_answer && call.expected != IPC_NO_TYPE);
    buf_init(&packet, IPC_MESSAGE_MAX);
    m->call = 0;
    enum result r = ipc_encode(m, &packet);
    if (r == OK) {
        pthread_mutex_lock(&c->lock);
        r = send_request(c, &packet, m, &call);
        pthread_mutex_unlock(&c->lock);
    }
    release_packet(&packet, m->type);
    if (r != OK)
        ipc_answer_with_failure(&call, r == CLOSED  ? "the role is not there"
                                       : r == LIMIT ? "the request is too large"
                                                    : "the role does not keep up");
}

static enum result send_answer(struct ipc_channel *c, uint64_t call, const struct ipc_message *m)
{
    struct buf packet;
    buf_init(&packet, IPC_MESSAGE_MAX);
    enum result r = ipc_encode(m, &packet);
    if (r == OK) {
        set_call(&packet, (call & CALL_MASK) | CALL_ANSWER);
        pthread_mutex_lock(&c->lock);
        /* A call of an earlier connection was answered FAILURE on the other side long ago. */
        if (call >> CALL_BITS == (c->epoch & EPOCH_MASK))
            r = transmit(c, buf_slice(&packet), m->fds, m->n_fds);
        pthread_mutex_unlock(&c->lock);
    }
    release_packet(&packet, m->type);
    return r;
}

void ipc_answer(struct ipc_channel *c, uint64_t call, struct ipc_message *m)
{
    if (call == 0)
        return;
    m->call = call;
    enum result r = send_answer(c, call, m);
    if (r != OK && r != CLOSED)
        ipc_answer_failure(c, call, r == LIMIT ? "the answer is too large" : "no room to answer");
}

void ipc_answer_failure(struct ipc_channel *c, uint64_t call, const char *text)
{
    struct ipc_message m = {.type = IPC_FAILURE, .call = call};
    m.FAILURE.text = slice_cstr(text);
    if (call == 0)
        return;
    enum result r = send_answer(c, call, &m);
    if (r == OK || r == CLOSED)
        return;
    /* The other side must not be left waiting: a new connection answers it. */
    pthread_mutex_lock(&c->lock);
    if (c->fd >= 0)
        mark_broken(c);
    pthread_mutex_unlock(&c->lock);
}
