/* reroute.c: a job whose recipients go another way by now: its bundle becomes one for each way. */
#include <stdlib.h>

#include "base/clock.h"
#include "queue/internal.h"

/* Lives in the job's arena. */
struct reroute {
    struct note note;
    struct job *job;
    store_done_fn *done;
    void *arg;
};

static bool goes_as_before(const struct job *j, const struct slice *routes)
{
    for (uint32_t i = 0; i < j->bundle.n; i++) {
        char text[DESTINATION_MAX];
        struct slice now = q_destination(j->bundle.rcpts[i].address, routes[i], text);
        if (!slice_eq(now, j->bundle.destination))
            return false;
    }
    return true;
}

/* Once for a message with attempts under way: what they add is counted in memory from then on. */
static enum result find_free_number(struct queue *q, struct loaded *l)
{
    struct q_key prefix = q_key_bundles(l->envelope.message);
    struct kv_iter *it;
    struct slice key, value;
    uint32_t number, next = 1;
    if (l->next_bundle)
        return OK;
    it = kv_iter_new(q->kv, NULL, q_key_slice(&prefix), SLICE_NONE);
    if (!it)
        return FAILED;
    while (kv_iter_next(it, &key, &value))
        if (q_key_bundle_number(key, &number) == OK && number >= next && number < UINT32_MAX)
            next = number + 1;
    enum result r = kv_iter_free(it);
    if (r == OK)
        l->next_bundle = next;
    return r;
}

static void apply(struct queue *q, struct note *n)
{
    struct reroute *f = CONTAINER_OF(n, struct reroute, note);
    struct place p = {clock_realtime_s(), 0, 0};
    if (f->note.r != OK)
        return; /* the engine has failed for good: nothing more will be attempted */
    if (f->job->bundle.due_s < p.due_s)
        p.due_s = f->job->bundle.due_s;
    q->active--;
    queue_job_free(f->job); /* and f with it */
    schedule_rewind(&q->schedule, p);
}

static void committed(void *arg, enum result r)
{
    struct reroute *f = arg;
    store_done_fn *done = f->done;
    void *done_arg = f->arg;
    f->note.r = r;
    f->note.apply = apply;
    queue_leave_note(f->job->queue, &f->note); /* f may be gone from here on */
    done(done_arg, r);
}

static void each_bundle(void *arg, struct slice destination)
{
    (void)arg, (void)destination;
}

/* With the lock held. */
static void put(struct reroute *f, struct bundling *bundling, struct kv_batch *b)
{
    struct job *j = f->job;
    struct loaded *l = j->loaded;
    struct place old = {j->bundle.due_s, j->item->place.message, j->item->place.bundle};
    struct place first = {j->bundle.due_s, old.message, l->next_bundle};
    struct q_key key = q_key_bundle(old.message, old.bundle);
    queue_del_schedule(b, old, j->bundle.destination);
    kv_batch_del(b, q_key_slice(&key));
    uint32_t made = bundling_put(bundling, b, first, j->bundle.attempts, &j->queue->limits, false,
                                 each_bundle, NULL);
    l->next_bundle += made;
    l->envelope.bundles += made - 1;
    queue_put_envelope(b, &l->envelope);
}

enum result queue_job_reroute(struct queue *q, struct queue_job *job, const struct slice *routes,
                              store_done_fn *done, void *arg)
{
    struct job *j = CONTAINER_OF(job, struct job, pub);
    if (goes_as_before(j, routes))
        return OK;
    struct reroute *f = ARENA_NEW(&j->arena, struct reroute);
    for (uint32_t i = 0; i < j->bundle.n; i++)
        j->bundle.rcpts[i].route = routes[i];
    struct bundling *bundling = bundling_new(j->bundle.rcpts, j->bundle.n);
    struct kv_batch *b = kv_batch_new(q->kv, KV_BATCH_ESSENTIAL);
    queue_lock(q);
    enum result r = f && bundling && b ? find_free_number(q, j->loaded) : FAILED;
    if (r == OK) {
        *f = (struct reroute){.job = j, .done = done, .arg = arg};
        put(f, bundling, b);
        r = kv_submit(b, committed, f) == OK ? BUSY : CORRUPT;
    } else if (b) {
        kv_batch_free(b);
    }
    queue_unlock(q);
    free(bundling);
    if (r == CORRUPT) { /* as in done.c: untouched until the next start */
        done(arg, FAILED);
        r = BUSY;
    }
    return r == BUSY ? BUSY : FAILED;
}
