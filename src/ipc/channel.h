/* channel.h: what the files of a channel share: channel.c (its task: receiving, going down, coming
 * back), send.c (sending from any thread), calls.c (who waits for which answer). Not for users of
 * ipc.h. */
#ifndef IPC_CHANNEL_H
#define IPC_CHANNEL_H

#include "base/arena.h"
#include "ipc/ipc.h"

#include <pthread.h>

enum {
    IPC_QUEUE_MAX = 16 * 1024 * 1024, /* bytes that wait for a slow peer */
    IPC_CALLS_MAX = 65536,            /* requests under way on one channel */
    IPC_PACKETS_A_RUN = 64,           /* then other tasks get their turn */
    CALL_INDEX_BITS = 16,
    CALL_BITS = 46,
    IPC_HEADER = 2 + 8, /* type and call */
    IPC_LONG = 0xffff   /* the type of a packet whose message lies in its last descriptor */
};
/* On the wire an answer is told from a request by the top bit of its call. */
#define CALL_ANSWER ((uint64_t)1 << 63)
/* A peer's call, as its handler keeps it, carries the number of the connection above CALL_BITS. */
#define CALL_MASK (((uint64_t)1 << CALL_BITS) - 1)
#define EPOCH_MASK ((uint64_t)0xffff)

struct ipc_call {
    ipc_answer_fn *on_answer; /* NULL: free */
    void *arg;
    uint64_t number;
    uint64_t epoch; /* the connection that it was sent on */
    enum ipc_type expected;
    uint32_t next_free;
};

/* Requests that wait for their answer. number = serial << CALL_INDEX_BITS | index + 1. */
struct ipc_calls {
    struct ipc_call *items;
    uint32_t size, free, used;
    uint64_t serial;
};

struct ipc_packet {
    struct ipc_packet *next;
    size_t len;
    int fds[IPC_FDS_MAX];
    size_t n_fds;
    char bytes[];
};

/* Senders use `fd` at once when the channel is replaced; the task follows in its next run
 * (bound_fd), which answers the calls of earlier connections. */
struct ipc_channel {
    struct io_task task;
    struct io_engine *engine;
    enum ipc_role peer;
    ipc_handler_fn *handler;
    void *arg;
    void (*on_down)(void *arg, struct ipc_channel *c);
    char *packet; /* IPC_PACKET_MAX bytes; pages never used cost nothing */
    struct arena arena;
    int bound_fd;         /* what the task receives from; -1: nothing */
    uint64_t bound_epoch; /* the connection that it is */

    pthread_mutex_t lock; /* all below */
    int fd;               /* where to send; -1: down */
    uint64_t epoch;       /* number of the connection */
    bool broken;          /* the peer is gone; the task will see to it */
    bool closing;
    struct ipc_packet *first, **last;
    size_t queued;
    pthread_cond_t room; /* told when `queued` gets less, or the peer is gone */
    struct ipc_calls calls;
};

/* Enters a copy; its number is set. */
MUST_USE enum result ipc_calls_add(struct ipc_calls *t, const struct ipc_call *call,
                                   uint64_t *ret_number);
/* Takes the call out; false when there is none of that number. */
bool ipc_calls_take(struct ipc_calls *t, uint64_t number, struct ipc_call *ret);
/* Any one call of a connection before `epoch`; false when none is left. */
bool ipc_calls_take_older(struct ipc_calls *t, uint64_t epoch, struct ipc_call *ret);
void ipc_calls_release(struct ipc_calls *t);
void ipc_answer_with_failure(const struct ipc_call *call, const char *text);

/* The type that answers a request; IPC_NO_TYPE for what is not a request. */
enum ipc_type ipc_answer_type(enum ipc_type request);

/* Sends what waits, as far as it goes. Lock held. Marks the channel broken when the peer is gone.
 */
void ipc_flush(struct ipc_channel *c);
/* Forgets what waits. Lock held. */
void ipc_drop_queue(struct ipc_channel *c);
/* One packet out of a socket: OK, BUSY (none now), CLOSED, INVALID (does not fit, too many fds). */
MUST_USE enum result ipc_receive_packet(int fd, char *into, size_t size, int flags, size_t *ret_len,
                                        int *fds, size_t *ret_n_fds);
/* One packet into a socket: OK, BUSY, LIMIT (too long for the socket), CLOSED or FAILED. */
MUST_USE enum result ipc_send_packet(int fd, struct slice bytes, const int *fds, size_t n_fds,
                                     int flags);
void ipc_close_fds(int *fds, size_t n);
/* Messages with passwords, whose bytes are wiped as soon as they are sent or served. */
bool ipc_is_secret(enum ipc_type type);

#endif
