/* io.h: the engine that runs all of a role's work: one epoll set, a pool of identical threads and a
 * timer wheel.
 *
 * A task is the unit of work: a connection, an IPC channel, a listener, a timer. The engine runs a
 * task's function on any of its threads, but never on two at once, whenever something happened to
 * it: its fd became ready, its timer ran out, or another thread woke it. A task that waits costs
 * its struct (and 16 bytes in the engine) and nothing else. A task's function must not block for
 * long: a place that does (a durable commit, a password hash) parks the task and is woken by the
 * answer, or runs in io_run_blocking. */
#ifndef IO_IO_H
#define IO_IO_H

#include "base/list.h"
#include "base/result.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct io_engine;
struct io_slot;
struct io_task;

enum io_event {
    IO_READ = 1,   /* fd readable, or the peer closed: read returns 0 */
    IO_WRITE = 2,  /* fd writable */
    IO_TIMER = 4,  /* the deadline set by io_task_deadline passed */
    IO_WAKE = 8,   /* io_wake was called since the last run */
    IO_HANGUP = 16 /* error or both sides closed; comes with what was asked for */
};

/* What happened since the last run, as an OR of io_event. May free the task's object after
 * io_task_close. */
typedef void io_run_fn(struct io_task *t, unsigned events);

/* Embedded in the object that it serves (CONTAINER_OF). All fields are the engine's. */
struct io_task {
    struct io_engine *engine;
    struct io_slot *slot; /* events not yet seen and the run state; outlives the task */
    io_run_fn *run;
    int fd;           /* -1: no fd */
    uint8_t interest; /* IO_READ | IO_WRITE asked for */
    uint8_t armed;    /* what epoll was told to wait for */
    bool in_epoll;    /* the fd is registered */
    bool timed;       /* had a deadline once */
    _Atomic int64_t deadline_ms;
    _Atomic int64_t wheel_ms; /* where the wheel will look at it; 0: not in the wheel */
    struct list_node timer_node;
    struct io_task *next_ready;
};

/* threads: 0 means one per processor, at least two. SIGPIPE is ignored from here on. */
MUST_USE enum result io_engine_new(unsigned threads, struct io_engine **ret, struct error *err);
/* Runs until io_engine_stop; the calling thread is one of the pool, the others are started here. */
void io_engine_run(struct io_engine *e);
/* May be called from a task or a signal handler's task. */
void io_engine_stop(struct io_engine *e);
/* True between the begin of io_engine_run and its end. */
bool io_engine_running(struct io_engine *e);
/* After io_engine_run returned. Waits for what io_run_blocking still does. Tasks still open are the
 * caller's: close them before. */
void io_engine_free(struct io_engine *e);

/* fd (non-blocking, or -1) stays the caller's: close it after io_task_close. The first run comes
 * with the first event after io_task_want or io_wake. */
void io_task_open(struct io_engine *e, struct io_task *t, int fd, io_run_fn *run);
/* Which of IO_READ and IO_WRITE to wait for: from inside the task's run only (or before its first
 * run). Interest is one-shot: it holds until the next run that brings an fd event, and must be
 * asked for again. It is by level, not by edge: when bytes are there already, the run comes at
 * once, so nobody needs to read until EAGAIN first. 0: wait for wakes and the timer alone. Before
 * the first run it is the last thing to do with the task: another thread may run it at once. */
void io_task_want(struct io_task *t, unsigned interest);
/* Milliseconds from now; 0 takes the deadline away. One-shot. From inside the task's run only (or
 * before its first run). Moving a deadline further away costs nothing but reading the clock. */
void io_task_deadline(struct io_task *t, int64_t in_ms);
/* Makes the task run soon with IO_WAKE. From any thread, as long as the task is known to be open:
 * whoever may wake a task must be done before the task is closed (count what is outstanding). */
void io_wake(struct io_task *t);
/* Detaches from fd and timer. From inside the task's run (or while the engine does not run, or
 * before anything could run it), after which the engine does not touch the task again; its memory
 * may be freed at once, or opened again as the last thing that the run does. */
void io_task_close(struct io_task *t);

/* Runs fn(arg) on a thread outside the pool (at most 16 at a time, the rest waits in order): for
 * calls of libraries that block. fn ends by io_wake of whoever waits. BUSY when 10,000 wait
 * already. */
MUST_USE enum result io_run_blocking(struct io_engine *e, void (*fn)(void *arg), void *arg);

/* Returns when all that io_run_blocking took is done: for the end of a role, before it frees what
 * the functions use. After io_engine_run returned, so that nobody asks for more. */
void io_wait_blocking(struct io_engine *e);

#endif
