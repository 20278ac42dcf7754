/* task.c: one task: its slot, what it waits for, its deadline, its run. */
#include "io/engine.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "base/clock.h"

/* deadline_ms when the wheel has reported it: 0 means that it was taken away meanwhile. */
#define FIRED (-1)

static uint64_t generation_of(uint64_t word)
{
    return word >> 32;
}

/* More slots, all free. The lock is held. False without memory. */
static bool add_chunk(struct io_engine *e)
{
    struct io_slot *chunk =
        e->n_chunks < IO_CHUNKS ? calloc(IO_SLOTS_A_CHUNK, sizeof *chunk) : NULL;
    if (!chunk)
        return false;
    for (int i = IO_SLOTS_A_CHUNK - 1; i >= 0; i--) {
        chunk[i].index = e->n_chunks * IO_SLOTS_A_CHUNK + (uint32_t)i;
        chunk[i].next_free = e->free_slots;
        e->free_slots = &chunk[i];
    }
    atomic_store(&e->chunks[e->n_chunks++], chunk);
    return true;
}

static struct io_slot *slot_take(struct io_engine *e)
{
    pthread_mutex_lock(&e->slots_lock);
    struct io_slot *s = NULL;
    if (e->free_slots || add_chunk(e)) {
        s = e->free_slots;
        e->free_slots = s->next_free;
    }
    pthread_mutex_unlock(&e->slots_lock);
    return s;
}

static void slot_give(struct io_engine *e, struct io_slot *s)
{
    pthread_mutex_lock(&e->slots_lock);
    s->next_free = e->free_slots;
    e->free_slots = s;
    pthread_mutex_unlock(&e->slots_lock);
}

void io_slots_free(struct io_engine *e)
{
    for (unsigned i = 0; i < e->n_chunks; i++)
        free(e->chunks[i]);
}

static struct io_slot *slot_at(struct io_engine *e, uint32_t index)
{
    return &atomic_load(&e->chunks[index / IO_SLOTS_A_CHUNK])[index % IO_SLOTS_A_CHUNK];
}

void io_task_open(struct io_engine *e, struct io_task *t, int fd, io_run_fn *run)
{
    *t = (struct io_task){.engine = e, .run = run, .fd = fd};
    list_init(&t->timer_node);
    t->slot = slot_take(e);
    /* 4 million tasks, or no memory for 40 KiB: nothing can go on from here. */
    if (!t->slot)
        abort();
    t->slot->task = t;
}

static void post(struct io_task *t, unsigned events)
{
    struct io_engine *e = t->engine;
    uint64_t before = atomic_fetch_or(&t->slot->word, events | IO_SCHEDULED);
    if (!(before & IO_SCHEDULED))
        io_make_ready(e, t);
}

void io_wake(struct io_task *t)
{
    post(t, IO_WAKE);
}

void io_slot_post(struct io_engine *e, uint64_t key, unsigned events)
{
    struct io_slot *s = slot_at(e, (uint32_t)key);
    uint64_t word = atomic_load(&s->word);
    do {
        if (generation_of(word) != generation_of(key))
            return;
    } while (!atomic_compare_exchange_weak(&s->word, &word, word | events | IO_SCHEDULED));
    if (!(word & IO_SCHEDULED))
        io_make_ready(e, s->task);
}

/* Tells epoll what the task waits for, where it does not know yet. */
static void arm(struct io_task *t)
{
    if (t->interest == 0 || t->interest == t->armed)
        return;
    struct epoll_event event = {.events = EPOLLONESHOT};
    if (t->interest & IO_READ)
        event.events |= EPOLLIN;
    if (t->interest & IO_WRITE)
        event.events |= EPOLLOUT;
    event.data.u64 = generation_of(atomic_load(&t->slot->word)) << 32 | t->slot->index;
    int op = t->in_epoll ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    /* Before the call: from then on another thread may run the task, when this is not its run. */
    t->in_epoll = true;
    t->armed = t->interest;
    if (epoll_ctl(t->engine->epoll_fd, op, t->fd, &event) == 0)
        return;
    t->in_epoll = op == EPOLL_CTL_MOD;
    post(t, IO_HANGUP); /* no memory, or not a pollable fd: its owner will find out */
}

static bool is_running_here(const struct io_task *t)
{
    return io_this_worker && io_this_worker->running == t;
}

void io_task_want(struct io_task *t, unsigned interest)
{
    assert(interest == 0 || t->fd >= 0);
    t->interest = (uint8_t)interest;
    if (!is_running_here(t)) /* otherwise once, after the run */
        arm(t);
}

/* Sets the timer fd to the wheel's next moment. The wheel's lock is held. */
static void set_timer_fd(struct io_engine *e, int64_t at_ms)
{
    e->timer_at = at_ms;
    struct itimerspec spec = {{0, 0}, {0, 0}};
    if (at_ms != INT64_MAX) {
        int64_t in = at_ms - clock_monotonic_ms();
        in = in < 1 ? 1 : in;
        spec.it_value.tv_sec = in / 1000;
        spec.it_value.tv_nsec = in % 1000 * 1000000;
    }
    timerfd_settime(e->timer_fd, 0, &spec, NULL);
}

static void link_timer(struct io_task *t, int64_t at_ms)
{
    struct io_engine *e = t->engine;
    list_remove(&t->timer_node);
    wheel_insert(&e->wheel, &t->timer_node, at_ms);
    atomic_store(&t->wheel_ms, at_ms);
}

/* A deadline that moves away leaves the node where it is: the wheel looks at it at the old time and
 * links it anew. The store of deadline_ms comes before the load of wheel_ms, and in
 * io_timers_expire the other way round: one of the two sees the other's work. */
void io_task_deadline(struct io_task *t, int64_t in_ms)
{
    int64_t at = in_ms ? clock_monotonic_ms() + in_ms : 0;
    atomic_store(&t->deadline_ms, at);
    int64_t linked = atomic_load(&t->wheel_ms);
    if (at == 0 || (linked && linked <= at))
        return;
    struct io_engine *e = t->engine;
    t->timed = true;
    pthread_mutex_lock(&e->wheel_lock);
    link_timer(t, at);
    int64_t next = wheel_next(&e->wheel);
    if (next < e->timer_at)
        set_timer_fd(e, next);
    pthread_mutex_unlock(&e->wheel_lock);
}

/* A node that came off the wheel: due, to be linked again, or forgotten. Lock held. */
static void timer_looked_at(struct io_task *t, int64_t now)
{
    atomic_store(&t->wheel_ms, 0);
    int64_t at = atomic_load(&t->deadline_ms);
    while (at > 0 && at <= now)
        if (atomic_compare_exchange_weak(&t->deadline_ms, &at, FIRED)) {
            post(t, IO_TIMER);
            return;
        }
    if (at > now)
        link_timer(t, at);
}

void io_timers_expire(struct io_engine *e)
{
    struct list_node due, *node;
    list_init(&due);
    pthread_mutex_lock(&e->wheel_lock);
    int64_t now = clock_monotonic_ms();
    wheel_expire(&e->wheel, now, &due);
    while ((node = list_pop_front(&due)))
        timer_looked_at(CONTAINER_OF(node, struct io_task, timer_node), now);
    set_timer_fd(e, wheel_next(&e->wheel));
    pthread_mutex_unlock(&e->wheel_lock);
}

static void unlink_timer(struct io_task *t)
{
    struct io_engine *e = t->engine;
    if (!t->timed)
        return;
    atomic_store(&t->deadline_ms, 0);
    /* With the lock even when it is not in the wheel: io_timers_expire may be looking at it. */
    pthread_mutex_lock(&e->wheel_lock);
    list_remove(&t->timer_node);
    pthread_mutex_unlock(&e->wheel_lock);
}

void io_task_close(struct io_task *t)
{
    unlink_timer(t);
    if (t->in_epoll)
        epoll_ctl(t->engine->epoll_fd, EPOLL_CTL_DEL, t->fd, NULL);
    t->in_epoll = false;
    if (is_running_here(t))
        io_this_worker->running = NULL;
    struct io_slot *s = t->slot;
    t->slot = NULL;
    uint64_t word = atomic_load(&s->word);
    atomic_store(&s->word, (generation_of(word) + 1) << 32);
    slot_give(t->engine, s);
}

/* Of the events that came, those that the task waits for now: it may have changed its mind since
 * they were posted. */
static unsigned settle(struct io_task *t, unsigned events)
{
    unsigned ready = events & (IO_READ | IO_WRITE);
    if (events & IO_HANGUP)
        ready |= t->interest;
    if (events & (IO_READ | IO_WRITE | IO_HANGUP))
        t->armed = 0;
    ready &= t->interest;
    unsigned out = events & IO_WAKE;
    if (ready) {
        out |= ready | (events & IO_HANGUP);
        t->interest = 0;
    }
    int64_t fired = FIRED;
    if ((events & IO_TIMER) && atomic_compare_exchange_strong(&t->deadline_ms, &fired, 0))
        out |= IO_TIMER;
    return out;
}

/* Back to waiting, or to the end of the queue when something came meanwhile. */
static void finish_run(struct io_task *t)
{
    uint64_t word = atomic_load(&t->slot->word);
    do {
        if (word & IO_EVENTS) {
            io_make_ready(t->engine, t);
            return;
        }
    } while (!atomic_compare_exchange_weak(&t->slot->word, &word, word & ~(uint64_t)IO_SCHEDULED));
}

void io_task_run(struct io_worker *w, struct io_task *t)
{
    uint64_t word = atomic_fetch_and(&t->slot->word, ~(uint64_t)IO_EVENTS);
    unsigned events = settle(t, (unsigned)word & IO_EVENTS);
    if (events) {
        w->running = t;
        t->run(t, events);
        if (w->running != t)
            return; /* closed, maybe freed */
        w->running = NULL;
    }
    arm(t);
    finish_run(t);
}
