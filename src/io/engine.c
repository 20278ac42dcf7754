/* engine.c: the threads of the engine: where they find tasks to run and how they sleep.
 *
 * Each worker has a queue of its own; what a run makes ready stays with its worker (warm cache, no
 * system call), and a worker without work takes half of another's. All sleep in the one epoll_wait;
 * the kernel wakes one thread an event. Threads outside the pool put tasks into `inject` and kick a
 * sleeper through an eventfd, once for however many tasks. */
#include "io/engine.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    HARVEST = 32,     /* events taken from epoll at a time */
    TURNS_A_POLL = 32 /* runs before a busy worker looks at epoll and `inject` all the same */
};
#define KEY_KICK UINT64_MAX
#define KEY_TIMER (UINT64_MAX - 1)

_Thread_local struct io_worker *io_this_worker;

static void queue_init(struct io_queue *q)
{
    pthread_mutex_init(&q->lock, NULL);
    q->first = NULL;
    q->last = &q->first;
    q->count = 0;
}

static unsigned queue_push(struct io_queue *q, struct io_task *t)
{
    t->next_ready = NULL;
    pthread_mutex_lock(&q->lock);
    *q->last = t;
    q->last = &t->next_ready;
    unsigned count = atomic_fetch_add(&q->count, 1) + 1;
    pthread_mutex_unlock(&q->lock);
    return count;
}

static struct io_task *queue_pop(struct io_queue *q)
{
    if (atomic_load(&q->count) == 0)
        return NULL;
    pthread_mutex_lock(&q->lock);
    struct io_task *t = q->first;
    if (t) {
        q->first = t->next_ready;
        if (!q->first)
            q->last = &q->first;
        atomic_fetch_sub(&q->count, 1);
    }
    pthread_mutex_unlock(&q->lock);
    return t;
}

/* Wakes a sleeping worker, unless one has been called already and not looked yet. */
static void kick(struct io_engine *e)
{
    uint64_t one = 1;
    if (atomic_load(&e->sleeping) && !atomic_exchange(&e->kicked, true))
        while (write(e->kick_fd, &one, sizeof one) < 0 && errno == EINTR)
            ;
}

void io_make_ready(struct io_engine *e, struct io_task *t)
{
    struct io_worker *w = io_this_worker;
    if (!w || w->engine != e) {
        queue_push(&e->inject, t);
        kick(e);
    } else if (queue_push(&w->ready, t) > 1) {
        kick(e); /* one is run next here; more than one is work for two */
    }
}

/* Takes half of what another worker has waiting: runs the first, queues the rest here. */
static struct io_task *steal(struct io_worker *w)
{
    struct io_engine *e = w->engine;
    unsigned self = (unsigned)(w - e->workers);
    for (unsigned i = 1; i < e->n_workers; i++) {
        struct io_queue *from = &e->workers[(self + i) % e->n_workers].ready;
        unsigned want = (atomic_load(&from->count) + 1) / 2;
        struct io_task *t = want ? queue_pop(from) : NULL;
        if (!t)
            continue;
        while (--want) {
            struct io_task *more = queue_pop(from);
            if (!more)
                break;
            queue_push(&w->ready, more);
        }
        return t;
    }
    return NULL;
}

static struct io_task *next_task(struct io_worker *w)
{
    struct io_task *t = NULL;
    if (w->turns % TURNS_A_POLL == 0)
        t = queue_pop(&w->engine->inject);
    if (!t)
        t = queue_pop(&w->ready);
    if (!t)
        t = queue_pop(&w->engine->inject);
    return t ? t : steal(w);
}

static unsigned events_of(uint32_t epoll_events)
{
    unsigned events = 0;
    if (epoll_events & EPOLLIN)
        events |= IO_READ;
    if (epoll_events & EPOLLOUT)
        events |= IO_WRITE;
    if (epoll_events & (EPOLLERR | EPOLLHUP))
        events |= IO_HANGUP;
    return events;
}

static void harvest(struct io_engine *e, int timeout_ms, bool asleep)
{
    struct epoll_event events[HARVEST];
    int n = epoll_wait(e->epoll_fd, events, HARVEST, timeout_ms);
    if (asleep)
        atomic_fetch_sub(&e->sleeping, 1);
    for (int i = 0; i < n; i++) {
        if (events[i].data.u64 == KEY_KICK)
            atomic_store(&e->kicked, false);
        else if (events[i].data.u64 == KEY_TIMER)
            io_timers_expire(e);
        else
            io_slot_post(e, events[i].data.u64, events_of(events[i].events));
    }
}

static bool work_waits(struct io_engine *e)
{
    bool found = atomic_load(&e->inject.count) > 0;
    for (unsigned i = 0; i < e->n_workers && !found; i++)
        found = atomic_load(&e->workers[i].ready.count) > 0;
    return found;
}

/* Counts itself among the sleepers before it looks a last time: whoever queues a task afterwards
 * sees a sleeper and kicks. */
static void sleep_until_event(struct io_engine *e)
{
    atomic_fetch_add(&e->sleeping, 1);
    bool stay = !work_waits(e) && !atomic_load(&e->stopping);
    harvest(e, stay ? -1 : 0, true);
}

static void *worker_main(void *arg)
{
    struct io_worker *w = arg;
    struct io_engine *e = w->engine;
    io_this_worker = w;
    while (!atomic_load(&e->stopping)) {
        struct io_task *t = next_task(w);
        if (!t) {
            sleep_until_event(e);
            continue;
        }
        io_task_run(w, t);
        if (++w->turns % TURNS_A_POLL == 0)
            harvest(e, 0, false);
    }
    io_this_worker = NULL;
    /* The kernel wakes one thread a kick: each that leaves wakes the next. */
    uint64_t one = 1;
    if (write(e->kick_fd, &one, sizeof one) < 0)
        (void)0;
    return NULL;
}

void io_engine_run(struct io_engine *e)
{
    sigset_t all, before;
    atomic_store(&e->running, true);
    /* Signals are for the thread that has a signalfd or a handler, never for a helper. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    unsigned started = 1;
    while (started < e->n_workers && pthread_create(&e->workers[started].thread, NULL, worker_main,
                                                    &e->workers[started]) == 0)
        started++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    worker_main(&e->workers[0]);
    for (unsigned i = 1; i < started; i++)
        pthread_join(e->workers[i].thread, NULL);
    atomic_store(&e->running, false);
}

void io_engine_stop(struct io_engine *e)
{
    uint64_t one = 1;
    atomic_store(&e->stopping, true);
    if (write(e->kick_fd, &one, sizeof one) < 0)
        (void)0;
}

bool io_engine_running(struct io_engine *e)
{
    return atomic_load(&e->running);
}

static bool watch(struct io_engine *e, int fd, uint64_t key)
{
    /* Edge-triggered: every write is one event for one thread, and nobody needs to read. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = key};
    return fd >= 0 && epoll_ctl(e->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static unsigned count_workers(unsigned threads)
{
    long n = threads ? (long)threads : sysconf(_SC_NPROCESSORS_ONLN);
    if (!threads && n < 2)
        n = 2;
    return n > 64 ? 64 : (unsigned)n;
}

static void init_parts(struct io_engine *e)
{
    for (unsigned i = 0; i < e->n_workers; i++) {
        e->workers[i].engine = e;
        queue_init(&e->workers[i].ready);
    }
    queue_init(&e->inject);
    pthread_mutex_init(&e->wheel_lock, NULL);
    pthread_mutex_init(&e->slots_lock, NULL);
    wheel_init(&e->wheel, clock_monotonic_ms());
    e->timer_at = INT64_MAX;
    io_blocking_init(&e->blocking);
}

enum result io_engine_new(unsigned threads, struct io_engine **ret, struct error *err)
{
    struct io_engine *e = calloc(1, sizeof *e);
    if (!e)
        return error_set(err, FAILED, "no memory for the engine");
    e->n_workers = count_workers(threads);
    e->workers = aligned_alloc(64, e->n_workers * sizeof *e->workers);
    e->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    e->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    e->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (!e->workers || e->epoll_fd < 0 || !watch(e, e->kick_fd, KEY_KICK) ||
        !watch(e, e->timer_fd, KEY_TIMER)) {
        enum result r = error_set(err, FAILED, "starting the engine: %s", strerror(errno));
        e->n_workers = e->workers ? e->n_workers : 0;
        if (e->workers)
            memset(e->workers, 0, e->n_workers * sizeof *e->workers);
        init_parts(e);
        io_engine_free(e);
        return r;
    }
    memset(e->workers, 0, e->n_workers * sizeof *e->workers);
    init_parts(e);
    signal(SIGPIPE, SIG_IGN);
    *ret = e;
    return OK;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void io_engine_free(struct io_engine *e)
{
    io_blocking_end(&e->blocking);
    close_fd(e->epoll_fd);
    close_fd(e->kick_fd);
    close_fd(e->timer_fd);
    io_slots_free(e);
    free(e->workers);
    free(e);
}
