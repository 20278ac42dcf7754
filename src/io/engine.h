/* engine.h: what the files of the engine share: engine.c (threads, queues, epoll), task.c (one
 * task's life), blocking.c (helper threads). Not for users of io.h.
 *
 * A task's events and its run state are one atomic word in a slot that the engine never frees.
 * epoll hands back the slot's number and generation, never a pointer to the task: a thread that has
 * just harvested an event of a task that another thread is closing finds another generation there
 * and drops it. Whoever sets IO_SCHEDULED in the word owns the right to queue the task; only a
 * queued task runs, and only its run closes it. */
#ifndef IO_ENGINE_H
#define IO_ENGINE_H

#include "io/io.h"
#include "io/wheel.h"

#include <pthread.h>

enum {
    IO_EVENTS = 0x1f,
    IO_SCHEDULED = 0x100, /* queued or running */
    IO_SLOTS_A_CHUNK = 1024,
    IO_CHUNKS = 4096,
    IO_HELPERS_MAX = 16,
    IO_JOBS_MAX = 10000
};

struct io_slot {
    _Atomic uint64_t word; /* generation << 32 | IO_SCHEDULED | events */
    struct io_task *task;  /* valid for the generation's life */
    struct io_slot *next_free;
    uint32_t index;
};

/* Tasks that are to run, in order. `count` may be read without the lock, as a hint. */
struct io_queue {
    pthread_mutex_t lock;
    struct io_task *first, **last;
    atomic_uint count;
};

struct io_worker {
    _Alignas(64) struct io_engine *engine;
    struct io_queue ready;
    struct io_task *running; /* NULL once the run closed it */
    unsigned turns;
    pthread_t thread;
};

struct io_job {
    struct io_job *next;
    void (*fn)(void *arg);
    void *arg;
};

struct io_blocking {
    pthread_mutex_t lock;
    pthread_cond_t more, gone;
    struct io_job *first, **last;
    unsigned waiting, helpers, idle;
    pthread_t left; /* the helper that left last, valid when any_left */
    bool any_left, ending;
};

struct io_engine {
    int epoll_fd;
    int kick_fd;  /* eventfd: a worker that sleeps is needed */
    int timer_fd; /* timerfd: the wheel's next moment */
    unsigned n_workers;
    struct io_worker *workers;
    struct io_queue inject; /* made ready by threads outside the pool */
    atomic_uint sleeping;
    atomic_bool kicked, stopping, running;

    pthread_mutex_t wheel_lock;
    struct wheel wheel;
    int64_t timer_at; /* what timer_fd is set to; INT64_MAX: nothing */

    pthread_mutex_t slots_lock;
    struct io_slot *free_slots;
    unsigned n_chunks;
    struct io_slot *_Atomic chunks[IO_CHUNKS];

    struct io_blocking blocking;
};

/* The pool's thread that is running, or NULL. */
extern _Thread_local struct io_worker *io_this_worker;

/* Queues a task whose IO_SCHEDULED the caller has just set. */
void io_make_ready(struct io_engine *e, struct io_task *t);
/* One run of a task, and what follows from it. */
void io_task_run(struct io_worker *w, struct io_task *t);
/* Events for whatever task lives in the slot now, when it is still of that generation. */
void io_slot_post(struct io_engine *e, uint64_t key, unsigned events);
/* Hands out the timers that are due. */
void io_timers_expire(struct io_engine *e);
void io_slots_free(struct io_engine *e);

void io_blocking_init(struct io_blocking *b);
void io_blocking_end(struct io_blocking *b);

#endif
