/* admin.c: the administrator's view and hands: list, show, flush, hold, release, delete. Commands
 * go one at a time and in small batches, so that deliveries go on beside them. */
#include <stdlib.h>

#include "base/clock.h"
#include "queue/internal.h"
#include "trace/trace.h"

enum { CHUNK = 500, INFO_ARENA_MAX = 8 << 20, STATS_KEPT_MS = 10 * 1000 };

/* ---- looking ---- */

struct look {
    struct queue *queue;
    bool (*each)(void *arg, const struct queue_info *i);
    void *arg;
};

/* All of what a queue_info points to. */
struct gathered {
    struct arena arena;
    struct queue_rcpt rcpts[QUEUE_INFO_RCPTS];
    struct slice reasons[QUEUE_INFO_RCPTS], destinations[QUEUE_INFO_RCPTS];
    int64_t next_s[QUEUE_INFO_RCPTS];
    struct queue_info info;
};

static void gather_bundle(struct gathered *g, const struct q_bundle *b)
{
    struct queue_info *i = &g->info;
    for (uint32_t k = 0; k < b->n && i->n_rcpts < QUEUE_INFO_RCPTS; k++) {
        g->rcpts[i->n_rcpts] = b->rcpts[k];
        g->reasons[i->n_rcpts] = b->reasons[k];
        g->destinations[i->n_rcpts] = b->destination;
        g->next_s[i->n_rcpts] = b->due_s;
        i->n_rcpts++;
    }
    if (b->attempts > i->attempts)
        i->attempts = b->attempts;
    if (i->next_attempt_s == 0 || b->due_s < i->next_attempt_s)
        i->next_attempt_s = b->due_s;
}

/* Bundles in number order until the recipients are enough. CORRUPT ones are left out. */
static enum result gather_bundles(struct queue *q, struct gathered *g)
{
    struct q_key prefix = q_key_bundles(g->info.message);
    struct kv_iter *it = kv_iter_new(q->kv, NULL, q_key_slice(&prefix), SLICE_NONE);
    struct slice key, value;
    if (!it)
        return FAILED;
    while (g->info.n_rcpts < QUEUE_INFO_RCPTS && kv_iter_next(it, &key, &value)) {
        struct slice kept = arena_dup(&g->arena, value);
        struct q_bundle b;
        if (kept.data && q_bundle_decode(kept, &g->arena, &b) == OK)
            gather_bundle(g, &b);
    }
    return kv_iter_free(it);
}

static bool is_active(struct queue *q, uint64_t message)
{
    queue_lock(q);
    bool active = map_get(&q->loaded, map_key_u64(&message)) != NULL;
    queue_unlock(q);
    return active;
}

static enum result look_at(struct look *l, uint64_t message, struct slice value, bool *ret_go_on)
{
    struct gathered *g = calloc(1, sizeof *g);
    struct q_envelope e;
    if (!g)
        return FAILED;
    arena_init(&g->arena, INFO_ARENA_MAX);
    enum result r = q_envelope_decode(message, arena_dup(&g->arena, value), &e);
    if (r == OK) {
        g->info = (struct queue_info){.message = message,
                                      .sender = e.sender,
                                      .size = e.size,
                                      .arrived_s = e.arrived_s,
                                      .total_rcpts = e.recipients,
                                      .rcpts = g->rcpts,
                                      .reasons = g->reasons,
                                      .destinations = g->destinations,
                                      .next_s = g->next_s,
                                      .account = e.account,
                                      .client_ip = e.client_ip};
        r = gather_bundles(l->queue, g);
    }
    if (r == OK) {
        g->info.state = e.held                         ? QUEUE_STATE_HOLD
                        : is_active(l->queue, message) ? QUEUE_STATE_ACTIVE
                                                       : QUEUE_STATE_DEFERRED;
        *ret_go_on = l->each(l->arg, &g->info);
    }
    arena_release(&g->arena);
    free(g);
    return r;
}

enum result queue_list(struct queue *q, bool (*each)(void *arg, const struct queue_info *i),
                       void *arg)
{
    struct look l = {q, each, arg};
    struct kv_iter *it = kv_iter_new(q->kv, NULL, Q_PREFIX_ENVELOPES, SLICE_NONE);
    struct slice key, value;
    enum result r = OK;
    bool go_on = true;
    if (!it)
        return FAILED;
    while (go_on && r == OK && kv_iter_next(it, &key, &value)) {
        uint64_t message;
        if (q_key_message(key, &message) != OK)
            continue;
        r = look_at(&l, message, value, &go_on);
        if (r == CORRUPT)
            r = OK; /* one damaged record must not hide the others */
    }
    enum result end = kv_iter_free(it);
    return r == OK ? end : r;
}

struct show {
    void (*each)(void *arg, const struct queue_info *i);
    void *arg;
};

static bool show_one(void *arg, const struct queue_info *i)
{
    struct show *s = arg;
    s->each(s->arg, i);
    return false;
}

enum result queue_show(struct queue *q, uint64_t message,
                       void (*each)(void *arg, const struct queue_info *i), void *arg)
{
    struct show s = {each, arg};
    struct look l = {q, show_one, &s};
    struct q_key key = q_key_envelope(message);
    struct buf value;
    bool go_on;
    buf_init(&value, KV_VALUE_MAX);
    enum result r = kv_get(q->kv, NULL, q_key_slice(&key), &value);
    if (r == OK)
        r = look_at(&l, message, buf_slice(&value), &go_on);
    buf_release(&value);
    return r;
}

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
