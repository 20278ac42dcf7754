/* queue.c: opening, settings, notes, and what becomes of a message on its way in. */
#include <stdlib.h>

#include "base/clock.h"
#include "queue/internal.h"

enum {
    FRESH_MAX = 1 << 20,
    FRESH_BUNDLES = 16, /* messages with more bundles are found by the schedule's cursor */
    LOADED_MAX = 1 << 20
};

/* A message between queue_add and its commit. */
struct fresh {
    struct note note;
    uint64_t message;
    int64_t due_s;
    uint32_t n; /* bundles; above FRESH_BUNDLES their destinations are not kept */
    struct slice destinations[FRESH_BUNDLES];
    char text[];
};

enum result queue_open(struct store *s, const struct queue_options *o, struct queue **ret,
                       struct error *err)
{
    struct queue *q = calloc(1, sizeof *q);
    if (!q)
        return error_set(err, FAILED, "no memory for the queue");
    q->store = s;
    q->kv = store_kv(s);
    pthread_mutex_init(&q->lock, NULL);
    pthread_mutex_init(&q->admin_lock, NULL);
    pthread_mutex_init(&q->notes_lock, NULL);
    schedule_init(&q->schedule, &q->limits);
    map_init(&q->loaded, LOADED_MAX);
    map_init(&q->fresh, FRESH_MAX);
    list_init(&q->notes);
    list_init(&q->abandoned);
    queue_configure(q, o);
    *ret = q;
    return OK;
}

static void free_fresh(struct queue *q)
{
    size_t at = 0;
    struct slice key;
    void *value;
    while (map_next(&q->fresh, &at, &key, &value))
        free(value);
    map_release(&q->fresh);
}

void queue_close(struct queue *q)
{
    struct list_node *n;
    if (!q)
        return;
    queue_lock(q); /* applies and frees the notes */
    while ((n = list_pop_front(&q->abandoned)))
        queue_job_free(CONTAINER_OF(n, struct job, node));
    queue_unlock(q);
    free_fresh(q);
    schedule_release(&q->schedule);
    map_release(&q->loaded);
    pthread_mutex_destroy(&q->lock);
    pthread_mutex_destroy(&q->admin_lock);
    pthread_mutex_destroy(&q->notes_lock);
    free(q->reporting_mta);
    free(q->mailer_domain);
    free(q->system);
    free(q);
}

void queue_configure(struct queue *q, const struct queue_options *o)
{
    pthread_mutex_lock(&q->lock);
    q->options = *o;
    if (q->options.maximal_backoff_time < q->options.minimal_backoff_time)
        q->options.maximal_backoff_time = q->options.minimal_backoff_time;
    queue_limits_set(&q->limits, &q->options);
    q->options.limits = NULL; /* the caller's */
    q->options.n_limits = 0;
    schedule_configure(&q->schedule);
    pthread_mutex_unlock(&q->lock);
}

void queue_set_bounce(struct queue *q, queue_bounce_fn *fn, void *owner, const char *reporting_mta,
                      const char *mailer_daemon_domain, const char *system)
{
    pthread_mutex_lock(&q->lock);
    free(q->reporting_mta);
    free(q->mailer_domain);
    free(q->system);
    q->reporting_mta = strdup(reporting_mta);
    q->mailer_domain = strdup(mailer_daemon_domain);
    q->system = strdup(system);
    q->bounce = q->reporting_mta && q->mailer_domain && q->system ? fn : NULL;
    q->bounce_owner = owner;
    pthread_mutex_unlock(&q->lock);
}

void queue_set_events(struct queue *q, queue_event_fn *fn, void *owner)
{
    pthread_mutex_lock(&q->lock);
    q->event = fn;
    q->event_owner = owner;
    pthread_mutex_unlock(&q->lock);
}

/* ---- notes ---- */

void queue_leave_note(struct queue *q, struct note *n)
{
    pthread_mutex_lock(&q->notes_lock);
    list_push_back(&q->notes, &n->node);
    pthread_mutex_unlock(&q->notes_lock);
}

static struct list_node *next_note(struct queue *q)
{
    pthread_mutex_lock(&q->notes_lock);
    struct list_node *n = list_pop_front(&q->notes);
    pthread_mutex_unlock(&q->notes_lock);
    return n;
}

void queue_lock(struct queue *q)
{
    struct list_node *n;
    pthread_mutex_lock(&q->lock);
    while ((n = next_note(q))) {
        struct note *note = CONTAINER_OF(n, struct note, node);
        note->apply(q, note);
    }
}

void queue_unlock(struct queue *q)
{
    pthread_mutex_unlock(&q->lock);
}

/* ---- records ---- */

void queue_put_schedule(struct kv_batch *b, struct place p, struct slice destination)
{
    struct q_key s = q_key_schedule(p), d = q_key_destination(destination, p);
    kv_batch_put(b, q_key_slice(&s), destination);
    kv_batch_put(b, q_key_slice(&d), SLICE(""));
}

void queue_del_schedule(struct kv_batch *b, struct place p, struct slice destination)
{
    struct q_key s = q_key_schedule(p), d = q_key_destination(destination, p);
    kv_batch_del(b, q_key_slice(&s));
    kv_batch_del(b, q_key_slice(&d));
}

/* What does not fit in a value makes the batch fail with LIMIT: queue_add sees to it that bundles
 * fit, and they only shrink. */
static void put_value(struct kv_batch *b, struct q_key key, struct buf *value)
{
    if (!buf_ok(value))
        kv_batch_put(b, SLICE_NONE, SLICE_NONE);
    else
        kv_batch_put(b, q_key_slice(&key), buf_slice(value));
    buf_release(value);
}

void queue_put_bundle(struct kv_batch *b, uint64_t message, uint32_t number,
                      const struct q_bundle *bundle)
{
    struct buf value;
    buf_init(&value, KV_VALUE_MAX);
    q_bundle_encode(bundle, &value);
    put_value(b, q_key_bundle(message, number), &value);
}

void queue_put_envelope(struct kv_batch *b, const struct q_envelope *e)
{
    struct buf value;
    buf_init(&value, KV_VALUE_MAX);
    q_envelope_encode(e, &value);
    put_value(b, q_key_envelope(e->message), &value);
}

/* ---- adding ---- */

static struct fresh *fresh_new(uint64_t message, int64_t due_s)
{
    struct fresh *f = calloc(1, sizeof *f + FRESH_BUNDLES * DESTINATION_MAX);
    if (f) {
        f->message = message;
        f->due_s = due_s;
    }
    return f;
}

static void fresh_bundle(struct fresh *f, struct slice destination)
{
    if (f->n < FRESH_BUNDLES) {
        char *text = f->text + f->n * DESTINATION_MAX;
        if (destination.len)
            memcpy(text, destination.data, destination.len);
        f->destinations[f->n] = slice_of(text, destination.len);
    }
    f->n++;
}

static void added_bundle(void *arg, struct slice destination)
{
    fresh_bundle(arg, destination);
}

static void put_new_envelope(struct kv_batch *b, const struct queue_envelope *e,
                             const struct fresh *f)
{
    struct q_envelope record = {
        .message = e->message,
        .bundles = f->n,
        .recipients = (uint32_t)e->n_rcpts,
        .smtputf8 = e->smtputf8,
        .require_tls = e->require_tls,
        .eightbit = e->eightbit,
        .bounce = e->bounce,
        .held = e->held,
        .arrived_s = f->due_s,
        .size = e->size,
        .sender = e->sender,
        .account = e->account,
        .client_ip = e->client_ip,
        .ret = e->ret,
        .envid = e->envid,
        .origin = e->origin,
    };
    queue_put_envelope(b, &record);
}

static enum result remember(struct queue *q, struct fresh *f)
{
    pthread_mutex_lock(&q->notes_lock);
    enum result r = map_put(&q->fresh, map_key_u64(&f->message), f);
    pthread_mutex_unlock(&q->notes_lock);
    return r;
}

enum result queue_add(struct queue *q, struct delivery *d, const struct queue_envelope *e)
{
    if (e->n_rcpts == 0 || e->n_rcpts > UINT32_MAX)
        return INVALID;
    struct bundling *bundling = bundling_new(e->rcpts, e->n_rcpts);
    struct fresh *f = fresh_new(e->message, clock_realtime_s());
    enum result r = bundling && f ? remember(q, f) : FAILED;
    if (r != OK) {
        free(f);
    } else {
        struct kv_batch *b = delivery_batch(d);
        struct q_key holder = q_key_envelope(e->message);
        struct place first = {f->due_s, e->message, 0};
        pthread_mutex_lock(&q->lock);
        struct queue_limits limits = q->limits;
        pthread_mutex_unlock(&q->lock);
        (void)bundling_put(bundling, b, first, 0, &limits, e->held, added_bundle, f);
        put_new_envelope(b, e, f);
        delivery_hold(d, q_key_slice(&holder));
    }
    free(bundling);
    return r;
}

static void apply_fresh(struct queue *q, struct note *n)
{
    struct fresh *f = CONTAINER_OF(n, struct fresh, note);
    struct place p = {f->due_s, f->message, 0};
    if (f->note.r == OK && f->n > FRESH_BUNDLES)
        schedule_rewind(&q->schedule, p);
    else if (f->note.r == OK)
        for (; p.bundle < f->n; p.bundle++)
            schedule_insert(&q->schedule, p, f->destinations[p.bundle], clock_realtime_s());
    free(f);
}

void queue_added(struct queue *q, uint64_t message, enum result r)
{
    pthread_mutex_lock(&q->notes_lock);
    struct fresh *f = map_remove(&q->fresh, map_key_u64(&message));
    if (f) {
        f->note.r = r;
        f->note.apply = apply_fresh;
        list_push_back(&q->notes, &f->note.node);
    }
    pthread_mutex_unlock(&q->notes_lock);
}

void queue_kick(struct queue *q)
{
    queue_lock(q);
    schedule_rewind(&q->schedule, (struct place){0});
    queue_unlock(q);
}
