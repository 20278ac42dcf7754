/* channel.c: a channel's task: it receives and hands out, goes down when the peer is gone (or sent
 * what it must not) and comes back with a new connection. */
#include "ipc/channel.h"

#include "base/cursor.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SOCKET_BUFFER = 1024 * 1024, ARENA_MAX = IPC_LIST_MAX * 16 * 16 };

static void run_channel(struct io_task *t, unsigned events);

const char *ipc_role_name(enum ipc_role r)
{
    static const char *const names[ROLE_COUNT] = {"master",  "auth",  "edge",
                                                  "mailbox", "relay", "agent"};
    return (unsigned)r < ROLE_COUNT ? names[r] : "unknown";
}

static void prepare_socket(int fd)
{
    int size = SOCKET_BUFFER; /* the kernel grants what it may */
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* Waits go by the clock that nobody sets. */
static void init_room(struct ipc_channel *c)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&c->room, &attr);
    pthread_condattr_destroy(&attr);
}

enum result ipc_channel_new(struct io_engine *e, int fd, enum ipc_role peer,
                            ipc_handler_fn *handler, void *arg,
                            void (*on_down)(void *arg, struct ipc_channel *c),
                            struct ipc_channel **ret)
{
    struct ipc_channel *c = calloc(1, sizeof *c);
    char *packet = malloc(IPC_PACKET_MAX);
    if (!c || !packet) {
        free(c);
        free(packet);
        return FAILED;
    }
    *c = (struct ipc_channel){.engine = e,
                              .peer = peer,
                              .handler = handler,
                              .arg = arg,
                              .on_down = on_down,
                              .packet = packet,
                              .fd = fd,
                              .bound_fd = fd};
    arena_init(&c->arena, ARENA_MAX);
    pthread_mutex_init(&c->lock, NULL);
    init_room(c);
    c->last = &c->first;
    *ret = c;
    io_task_open(e, &c->task, fd, run_channel);
    if (fd >= 0) {
        prepare_socket(fd);
        io_task_want(&c->task, IO_READ);
    }
    return OK;
}

bool ipc_channel_up(struct ipc_channel *c)
{
    pthread_mutex_lock(&c->lock);
    bool up = c->fd >= 0 && !c->broken;
    pthread_mutex_unlock(&c->lock);
    return up;
}

enum ipc_role ipc_channel_peer(struct ipc_channel *c)
{
    return c->peer;
}

/* Gives the task the socket of now. The last thing that a run does: the task may run on another
 * thread before this returns. Lock held, so no sender wakes the task in between. */
static void rebind(struct ipc_channel *c)
{
    io_task_close(&c->task);
    if (c->bound_fd >= 0)
        close(c->bound_fd);
    c->bound_fd = c->fd;
    c->bound_epoch = c->epoch;
    io_task_open(c->engine, &c->task, c->fd, run_channel);
    /* What was said to the task's former life is heard by its new one. */
    if (c->closing || c->broken || c->first)
        io_wake(&c->task);
    if (c->fd >= 0)
        io_task_want(&c->task, IO_READ);
}

static void fail_calls(struct ipc_channel *c)
{
    struct ipc_call call;
    for (;;) {
        pthread_mutex_lock(&c->lock);
        bool found = ipc_calls_take_older(&c->calls, c->epoch, &call);
        pthread_mutex_unlock(&c->lock);
        if (!found)
            return;
        ipc_answer_with_failure(&call, "the role went away");
    }
}

/* Nothing is sent on this connection any more. Lock held. */
static void give_up_connection(struct ipc_channel *c, int new_fd)
{
    ipc_drop_queue(c);
    c->fd = new_fd;
    c->epoch++;
    c->broken = false;
}

/* The connection that the task receives from is lost or replaced: everybody who waits for an answer
 * over it gets one, the owner is told, and the task goes over to the connection of now. */
static void move_on(struct ipc_channel *c)
{
    pthread_mutex_lock(&c->lock);
    if (c->epoch == c->bound_epoch)
        give_up_connection(c, -1);
    pthread_mutex_unlock(&c->lock);
    fail_calls(c);
    if (c->on_down && c->bound_fd >= 0)
        c->on_down(c->arg, c);
    pthread_mutex_lock(&c->lock);
    rebind(c);
    pthread_mutex_unlock(&c->lock);
}

void ipc_channel_cut(struct ipc_channel *c)
{
    pthread_mutex_lock(&c->lock);
    if (c->fd >= 0 && c->fd != c->bound_fd)
        close(c->fd);
    give_up_connection(c, -1);
    pthread_mutex_unlock(&c->lock);
    fail_calls(c);
}

static void free_channel(struct ipc_channel *c)
{
    io_task_close(&c->task);
    ipc_channel_cut(c);
    if (c->bound_fd >= 0)
        close(c->bound_fd);
    ipc_calls_release(&c->calls);
    arena_release(&c->arena);
    pthread_cond_destroy(&c->room);
    pthread_mutex_destroy(&c->lock);
    free(c->packet);
    free(c);
}

/* False when the peer answered what it was not asked, or with another type. */
static bool take_answer(struct ipc_channel *c, struct ipc_message *m)
{
    struct ipc_call call;
    m->call &= ~CALL_ANSWER;
    pthread_mutex_lock(&c->lock);
    bool found = ipc_calls_take(&c->calls, m->call, &call);
    pthread_mutex_unlock(&c->lock);
    if (!found)
        return false;
    if (m->type != call.expected && m->type != IPC_FAILURE) {
        ipc_answer_with_failure(&call, "the role's answer is malformed");
        return false;
    }
    call.on_answer(call.arg, m);
    return true;
}

static bool take_request(struct ipc_channel *c, struct ipc_message *m)
{
    if (m->call > CALL_MASK)
        return false;
    if (m->call)
        m->call |= (c->bound_epoch & EPOCH_MASK) << CALL_BITS;
    c->handler(c->arg, c, m);
    return true;
}

static bool is_long(struct slice packet)
{
    struct cursor c = cursor_of(packet);
    return packet.len == IPC_HEADER && cursor_le16(&c) == IPC_LONG;
}

/* The message behind a long packet: its last descriptor is closed. */
static enum result map_long(int *fds, size_t *n_fds, struct slice *ret)
{
    struct stat st;
    enum result r = INVALID;
    if (*n_fds == 0)
        return r;
    int fd = fds[--*n_fds];
    if (fstat(fd, &st) == 0 && st.st_size > IPC_PACKET_MAX && st.st_size <= IPC_MESSAGE_MAX)
        r = ipc_memfd_map(fd, (uint64_t)st.st_size, ret);
    close(fd);
    return r;
}

/* One packet: OK, BUSY (none there), or the channel must go down. */
static enum result receive_one(struct ipc_channel *c)
{
    struct ipc_message m;
    int fds[IPC_FDS_MAX];
    size_t len = 0, n_fds = 0;
    enum result r =
        ipc_receive_packet(c->bound_fd, c->packet, IPC_PACKET_MAX, MSG_DONTWAIT, &len, fds, &n_fds);
    if (r != OK)
        return r;
    struct slice packet = slice_of(c->packet, len), mapped = SLICE_NONE;
    if (is_long(packet)) {
        r = map_long(fds, &n_fds, &mapped);
        packet = mapped;
    }
    if (r == OK)
        r = ipc_decode(packet, &c->arena, &m);
    if (r != OK) {
        ipc_close_fds(fds, n_fds);
    } else {
        memcpy(m.fds, fds, n_fds * sizeof(int));
        m.n_fds = n_fds;
        r = (m.call & CALL_ANSWER ? take_answer(c, &m) : take_request(c, &m)) ? OK : INVALID;
        ipc_close_fds(m.fds, n_fds);
        if (ipc_is_secret(m.type))
            explicit_bzero(c->packet, len);
    }
    ipc_memfd_unmap(mapped);
    arena_clear(&c->arena);
    return r;
}

static enum result receive_some(struct ipc_channel *c)
{
    enum result r = OK;
    for (int i = 0; i < IPC_PACKETS_A_RUN && r == OK; i++)
        r = receive_one(c);
    return r == BUSY ? OK : r;
}

static void run_channel(struct io_task *t, unsigned events)
{
    struct ipc_channel *c = CONTAINER_OF(t, struct ipc_channel, task);
    pthread_mutex_lock(&c->lock);
    bool closing = c->closing, lost = c->broken || c->epoch != c->bound_epoch;
    if (!closing && !lost)
        ipc_flush(c);
    pthread_mutex_unlock(&c->lock);
    if (closing) {
        free_channel(c);
    } else if (lost || ((events & (IO_READ | IO_HANGUP)) && receive_some(c) != OK)) {
        move_on(c);
    } else if (c->bound_fd >= 0) {
        pthread_mutex_lock(&c->lock);
        bool waiting = c->first != NULL;
        pthread_mutex_unlock(&c->lock);
        io_task_want(t, IO_READ | (waiting ? IO_WRITE : 0));
    }
}

void ipc_channel_replace(struct ipc_channel *c, int fd)
{
    prepare_socket(fd);
    pthread_mutex_lock(&c->lock);
    if (c->fd >= 0 && c->epoch != c->bound_epoch)
        close(c->fd); /* the task never got to know it */
    give_up_connection(c, fd);
    io_wake(&c->task);
    pthread_mutex_unlock(&c->lock);
}

void ipc_channel_close(struct ipc_channel *c)
{
    if (!io_engine_running(c->engine)) {
        free_channel(c);
        return;
    }
    pthread_mutex_lock(&c->lock);
    c->closing = true;
    io_wake(&c->task);
    pthread_mutex_unlock(&c->lock);
}
