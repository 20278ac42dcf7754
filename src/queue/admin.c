/* admin.c: the administrator's hands: flush, hold, release, delete; and how much waits. Commands go
 * one at a time and in small batches, so that deliveries go on beside them. */
#include <stdlib.h>

#include "base/clock.h"
#include "queue/internal.h"
#include "trace/trace.h"

enum { CHUNK = 500, INFO_ARENA_MAX = 8 << 20, STATS_KEPT_MS = 10 * 1000 };

/* ---- counting ---- */

static void count(struct queue *q, struct queue_stats *ret)
{
    struct kv_iter *it = kv_iter_new(q->kv, NULL, Q_PREFIX_ENVELOPES, SLICE_NONE);
    struct slice key, value;
    struct q_envelope e;
    while (it && kv_iter_next(it, &key, &value)) {
        if (q_envelope_decode(0, value, &e) != OK)
            continue;
        ret->messages++;
        ret->recipients += e.recipients;
        ret->held += e.held;
    }
    if (it && kv_iter_free(it) != OK)
        return; /* then the counts are too low, for ten seconds */
}

void queue_stats_get(struct queue *q, struct queue_stats *ret)
{
    int64_t now = clock_monotonic_ms();
    struct queue_stats counted = {0};
    queue_lock(q);
    bool fresh = q->stats_ms && now - q->stats_ms < STATS_KEPT_MS;
    queue_unlock(q);
    if (!fresh)
        count(q, &counted);
    queue_lock(q);
    if (!fresh) {
        q->stats = counted;
        q->stats_ms = now ? now : 1;
    }
    *ret = q->stats;
    ret->active = q->active;
    queue_unlock(q);
}

/* ---- changing ---- */

enum change { CHANGE_FLUSH, CHANGE_HOLD, CHANGE_RELEASE, CHANGE_DELETE };

struct admin {
    struct queue *queue;
    enum change change;
    uint64_t message;
    int64_t now;
    struct arena arena;
    struct kv_batch *batch;
    unsigned n;       /* bundles in the batch */
    uint32_t deleted; /* of the envelope's bundles */
    uint64_t deleted_rcpts;
    struct place from; /* first place that became due */
};

/* What is due already goes by itself, but where its transport is deferred. */
static bool gains_by_flush(const struct admin *a, const struct q_bundle *b)
{
    struct slice transport = queue_transport_of(b->destination);
    bool deferred = queue_limits_find(&a->queue->limits, transport)->deferred;
    return !b->held && (b->due_s > a->now || (deferred && !b->flushed));
}

static void change_bundle(struct admin *a, struct place old, struct q_bundle *b)
{
    struct place p = {a->now, old.message, old.bundle};
    struct q_key key = q_key_bundle(old.message, old.bundle);
    if (a->change == CHANGE_FLUSH && !gains_by_flush(a, b))
        return;
    if (!b->held)
        queue_del_schedule(a->batch, old, b->destination);
    a->n++;
    if (a->change == CHANGE_DELETE) {
        kv_batch_del(a->batch, q_key_slice(&key));
        a->deleted++;
        a->deleted_rcpts += b->n;
        return;
    }
    b->held = a->change == CHANGE_HOLD;
    b->flushed = a->change == CHANGE_FLUSH;
    b->due_s = a->now;
    queue_put_bundle(a->batch, old.message, old.bundle, b);
    if (!b->held)
        queue_put_schedule(a->batch, p, b->destination);
}

/* Changes up to CHUNK bundles from *from on; *from becomes the first that was not looked at, or
 * empty when all were. */
static enum result change_bundles(struct admin *a, struct slice prefix, struct q_key *from)
{
    struct kv_iter *it = kv_iter_new(a->queue->kv, NULL, prefix, q_key_slice(from));
    struct slice key, value;
    bool more = false;
    if (!it)
        return FAILED;
    while ((more = kv_iter_next(it, &key, &value)) && a->n < CHUNK) {
        struct place old = {0};
        struct q_bundle b;
        arena_clear(&a->arena);
        if (q_key_message(key, &old.message) != OK || q_key_bundle_number(key, &old.bundle) != OK ||
            q_bundle_decode(value, &a->arena, &b) != OK)
            continue;
        old.due_s = b.due_s;
        /* A flush leaves alone what is under way; the others have made sure that nothing is. */
        if (!(a->change == CHANGE_FLUSH && map_get(&a->queue->loaded, map_key_u64(&old.message))))
            change_bundle(a, old, &b);
    }
    from->len = 0;
    if (more && key.len <= sizeof from->bytes) {
        memcpy(from->bytes, key.data, key.len);
        from->len = key.len;
    }
    return kv_iter_free(it);
}

static void put_journey(struct admin *a)
{
    struct trace t;
    if (!store_traces(a->queue->store, a->message))
        return;
    trace_begin(&t, a->change == CHANGE_HOLD      ? TRACE_HELD
                    : a->change == CHANGE_RELEASE ? TRACE_RELEASED
                                                  : TRACE_REMOVED);
    trace_put(&t, a->batch, a->message);
}

static enum result put_head(struct admin *a)
{
    struct queue *q = a->queue;
    struct q_key key = q_key_envelope(a->message);
    struct q_envelope e;
    struct buf value;
    buf_init(&value, KV_VALUE_MAX);
    enum result r = kv_get(q->kv, NULL, q_key_slice(&key), &value);
    if (r == OK)
        r = q_envelope_decode(a->message, buf_slice(&value), &e);
    if (r == OK) {
        e.held = a->change == CHANGE_HOLD || (a->change != CHANGE_RELEASE && e.held);
        e.bundles -= a->deleted < e.bundles ? a->deleted : e.bundles;
        e.recipients -= a->deleted_rcpts < e.recipients ? (uint32_t)a->deleted_rcpts : e.recipients;
        put_journey(a);
        if (a->change == CHANGE_DELETE && e.bundles == 0) {
            kv_batch_del(a->batch, q_key_slice(&key));
            message_release(q->store, a->batch, a->message, q_key_slice(&key));
        } else {
            queue_put_envelope(a->batch, &e);
        }
    }
    buf_release(&value);
    return r;
}

/* One batch; the lock is held while it is made, not while it is committed. */
static enum result change_chunk(struct admin *a, struct slice prefix, struct q_key *from)
{
    a->n = 0;
    a->deleted = 0;
    a->deleted_rcpts = 0;
    a->batch = kv_batch_new(a->queue->kv, KV_BATCH_ESSENTIAL);
    if (!a->batch)
        return FAILED;
    queue_lock(a->queue);
    enum result r = change_bundles(a, prefix, from);
    if (r == OK && a->message && a->change != CHANGE_FLUSH)
        r = put_head(a);
    queue_unlock(a->queue);
    if (r == OK && (a->n > 0 || a->change != CHANGE_FLUSH))
        return kv_commit(a->batch);
    kv_batch_free(a->batch);
    return r;
}

static enum result begin(struct queue *q, struct admin *a)
{
    struct q_key key = q_key_envelope(a->message);
    struct buf value;
    if (a->message == 0)
        return OK;
    buf_init(&value, KV_VALUE_MAX);
    enum result r = kv_get(q->kv, NULL, q_key_slice(&key), &value);
    buf_release(&value);
    queue_lock(q);
    if (r == OK && a->change != CHANGE_FLUSH) {
        if (map_get(&q->loaded, map_key_u64(&a->message)))
            r = BUSY;
        else
            q->admin_message = a->message;
    }
    queue_unlock(q);
    return r;
}

static enum result run_change(struct queue *q, uint64_t message, enum change change)
{
    struct admin a = {.queue = q, .change = change, .message = message, .now = clock_realtime_s()};
    struct q_key prefix = q_key_bundles(message), from;
    struct slice range = message ? q_key_slice(&prefix) : Q_PREFIX_BUNDLES;
    pthread_mutex_lock(&q->admin_lock);
    arena_init(&a.arena, INFO_ARENA_MAX);
    enum result r = begin(q, &a);
    from = prefix;
    if (message == 0)
        from.len = 2;
    while (r == OK && from.len)
        r = change_chunk(&a, range, &from);
    queue_lock(q);
    q->admin_message = 0;
    q->stats_ms = 0;
    schedule_rewind(&q->schedule, (struct place){.due_s = a.now, .message = message});
    if (change == CHANGE_FLUSH)
        schedule_revive(&q->schedule);
    queue_unlock(q);
    arena_release(&a.arena);
    pthread_mutex_unlock(&q->admin_lock);
    return r;
}

/* Hold and delete of everything: message by message, those under way left alone. */
struct each_message {
    uint64_t ids[CHUNK];
    size_t n;
};

static enum result read_ids(struct queue *q, uint64_t after, struct each_message *m)
{
    struct q_key from = q_key_envelope(after);
    struct kv_iter *it = kv_iter_new(q->kv, NULL, Q_PREFIX_ENVELOPES, q_key_slice(&from));
    struct slice key, value;
    m->n = 0;
    if (!it)
        return FAILED;
    while (m->n < CHUNK && kv_iter_next(it, &key, &value)) {
        uint64_t id;
        if (q_key_message(key, &id) == OK && id > after)
            m->ids[m->n++] = id;
    }
    return kv_iter_free(it);
}

static enum result change_all(struct queue *q, enum change change)
{
    struct each_message *m = calloc(1, sizeof *m);
    uint64_t after = 0;
    enum result r = m ? OK : FAILED, busy = OK;
    while (r == OK && (r = read_ids(q, after, m)) == OK && m->n > 0) {
        for (size_t i = 0; i < m->n && r == OK; i++) {
            after = m->ids[i];
            r = run_change(q, after, change);
            if (r == BUSY)
                busy = BUSY;
            if (r == BUSY || r == NOT_FOUND)
                r = OK;
        }
    }
    free(m);
    return r == OK ? busy : r;
}

enum result queue_flush(struct queue *q, uint64_t message)
{
    return run_change(q, message, CHANGE_FLUSH);
}

enum result queue_hold(struct queue *q, uint64_t message, bool on)
{
    enum change change = on ? CHANGE_HOLD : CHANGE_RELEASE;
    return message ? run_change(q, message, change) : change_all(q, change);
}

enum result queue_delete(struct queue *q, uint64_t message)
{
    return message ? run_change(q, message, CHANGE_DELETE) : change_all(q, CHANGE_DELETE);
}
