/* next.c: handing out jobs. */
#include <stdlib.h>

#include "base/clock.h"
#include "queue/internal.h"

enum {
    JOB_ARENA_MAX = 16 << 20,
    TURNS = 64, /* most chunks of the schedule read in one call, so that nobody waits long */
    ABANDONED_MS = 10 * 1000 /* relay restarts within that */
};

/* ---- messages with attempts under way ---- */

static enum result read_envelope(struct queue *q, uint64_t message, struct loaded *l)
{
    struct q_key key = q_key_envelope(message);
    enum result r = kv_get(q->kv, NULL, q_key_slice(&key), &l->bytes);
    return r == OK ? q_envelope_decode(message, buf_slice(&l->bytes), &l->envelope) : r;
}

struct loaded *queue_loaded_get(struct queue *q, uint64_t message, enum result *ret)
{
    struct loaded *l = map_get(&q->loaded, map_key_u64(&message));
    *ret = OK;
    if (l) {
        l->users++;
        return l;
    }
    l = calloc(1, sizeof *l);
    if (!l) {
        *ret = FAILED;
        return NULL;
    }
    buf_init(&l->bytes, KV_VALUE_MAX);
    *ret = read_envelope(q, message, l);
    if (*ret == OK)
        *ret = map_put(&q->loaded, map_key_u64(&message), l);
    if (*ret != OK) {
        buf_release(&l->bytes);
        free(l);
        return NULL;
    }
    l->users = 1;
    return l;
}

void queue_loaded_put(struct queue *q, struct loaded *l)
{
    if (--l->users > 0)
        return;
    (void)map_remove(&q->loaded, map_key_u64(&l->envelope.message));
    buf_release(&l->bytes);
    free(l);
}

/* ---- jobs ---- */

void queue_job_free(struct job *j)
{
    if (j->loaded)
        queue_loaded_put(j->queue, j->loaded);
    schedule_drop(&j->queue->schedule, j->item, clock_monotonic_ms());
    buf_release(&j->bytes);
    arena_release(&j->arena);
    free(j);
}

static enum result read_bundle(struct queue *q, struct job *j)
{
    struct q_key key = q_key_bundle(j->item->place.message, j->item->place.bundle);
    enum result r = kv_get(q->kv, NULL, q_key_slice(&key), &j->bytes);
    return r == OK ? q_bundle_decode(buf_slice(&j->bytes), &j->arena, &j->bundle) : r;
}

static void fill(struct job *j)
{
    const struct q_envelope *e = &j->loaded->envelope;
    j->pub = (struct queue_job){
        .envelope = {.message = e->message,
                     .sender = e->sender,
                     .account = e->account,
                     .client_ip = e->client_ip,
                     .ret = e->ret,
                     .envid = e->envid,
                     .origin = e->origin,
                     .smtputf8 = e->smtputf8,
                     .require_tls = e->require_tls,
                     .eightbit = e->eightbit,
                     .bounce = e->bounce,
                     .size = e->size,
                     .rcpts = j->bundle.rcpts,
                     .n_rcpts = j->bundle.n},
        .destination = j->bundle.destination,
        .attempt = j->bundle.attempts + 1,
        .arrived_s = e->arrived_s,
        .concurrency = j->item->dest->pace.window,
        .put_off = j->item->put_off,
        .keeps_way = j->bundle.keeps_way,
    };
}

static void forgotten(void *arg, enum result r)
{
    (void)arg;
    (void)r;
}

/* The schedule names a bundle that is not there (any more): its entry goes too. */
static void forget_entry(struct queue *q, const struct q_item *item)
{
    struct kv_batch *b = kv_batch_new(q->kv, KV_BATCH_ESSENTIAL);
    if (!b)
        return;
    queue_del_schedule(b, item->place, slice_of(item->dest->name, item->dest->name_len));
    if (kv_submit(b, forgotten, NULL) != OK)
        return; /* it will be found again */
}

/* OK: *ret is ready. NOT_FOUND: the item was out of date and is gone. */
static enum result make_job(struct queue *q, struct q_item *item, struct job **ret)
{
    struct job *j = calloc(1, sizeof *j);
    if (!j)
        return FAILED;
    j->queue = q;
    j->item = item;
    list_init(&j->node);
    arena_init(&j->arena, JOB_ARENA_MAX);
    buf_init(&j->bytes, KV_VALUE_MAX);
    enum result r = read_bundle(q, j);
    if (r == OK && (j->bundle.held || j->bundle.due_s > clock_realtime_s() ||
                    item->place.message == q->admin_message))
        r = NOT_FOUND; /* changed since it was loaded */
    else if (r == NOT_FOUND)
        forget_entry(q, item);
    if (r == OK)
        j->loaded = queue_loaded_get(q, item->place.message, &r);
    if (r != OK) {
        struct place p = item->place;
        queue_job_free(j);
        /* A damaged record stays away until the next start, so that the others go on. */
        if (r != NOT_FOUND && r != CORRUPT)
            schedule_rewind(&q->schedule, p);
        return r;
    }
    if (j->item->put_off && j->bundle.flushed && !j->item->dest->death)
        schedule_attempt(j->item);
    fill(j);
    *ret = j;
    return OK;
}

static void return_abandoned(struct queue *q)
{
    int64_t now = clock_monotonic_ms();
    LIST_FOR_EACH(n, &q->abandoned)
    {
        struct job *j = CONTAINER_OF(n, struct job, node);
        if (j->abandoned_until_ms > now)
            return;
        struct place p = j->item->place;
        list_remove(n);
        queue_job_free(j);
        schedule_rewind(&q->schedule, p);
    }
}

static int64_t wait_ms(const struct queue *q)
{
    int64_t wait = schedule_wait_ms(&q->schedule, clock_realtime_us(), clock_monotonic_ms());
    if (!list_empty(&q->abandoned)) {
        const struct job *j = CONTAINER_OF(q->abandoned.next, struct job, node);
        int64_t back = j->abandoned_until_ms - clock_monotonic_ms();
        if (wait < 0 || back < wait)
            wait = back < 0 ? 0 : back;
    }
    return wait;
}

/* NOT_FOUND: there is none. BUSY: there may be more, but others are to have a go first. */
static enum result take(struct queue *q, struct job **ret)
{
    int64_t now = clock_realtime_s();
    return_abandoned(q);
    for (int turn = 0; turn < TURNS; turn++) {
        enum result r = schedule_refill(&q->schedule, q->kv, now);
        if (r != OK)
            return r;
        struct q_item *item = schedule_take(&q->schedule, clock_monotonic_ms());
        if (item) {
            r = make_job(q, item, ret);
            if (r != NOT_FOUND)
                return r;
        } else if (!schedule_unread(&q->schedule, now)) {
            return NOT_FOUND;
        }
    }
    return BUSY;
}

enum result queue_next(struct queue *q, struct queue_job **ret, int64_t *ret_wait_ms)
{
    struct job *j = NULL;
    queue_lock(q);
    enum result r = take(q, &j);
    if (r == OK) {
        q->active++;
        *ret = &j->pub;
    } else if (r == NOT_FOUND || r == BUSY) {
        *ret_wait_ms = r == BUSY ? 0 : wait_ms(q);
        r = NOT_FOUND;
    }
    queue_unlock(q);
    return r;
}

void queue_job_abandon(struct queue *q, struct queue_job *job)
{
    struct job *j = CONTAINER_OF(job, struct job, pub);
    queue_lock(q);
    q->active--;
    j->abandoned_until_ms = clock_monotonic_ms() + ABANDONED_MS;
    list_push_back(&q->abandoned, &j->node);
    queue_unlock(q);
}
