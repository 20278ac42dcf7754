/* done.c: what an attempt came to. Recipients are sorted into those that are done with, those that
 * stay, and those whose sender must be told; the telling comes first, the record after, so that a
 * crash between repeats a notice rather than losing it. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "queue/dsn.h"
#include "queue/finish.h"
#include "queue/journey.h"

static int64_t backoff(const struct queue_options *o, uint32_t attempt)
{
    uint64_t wait = o->minimal_backoff_time;
    for (uint32_t i = 1; i < attempt && wait < o->maximal_backoff_time; i++)
        wait *= 2;
    if (wait > o->maximal_backoff_time)
        wait = o->maximal_backoff_time;
    return (int64_t)(wait ? wait : 1);
}

/* Without an attempt: when the destination has rested; the older the message, the rarer. */
static int64_t put_off_until(const struct job *j, const struct queue_options *o, int64_t now)
{
    int64_t age = now - j->pub.arrived_s, least = backoff(o, 1);
    int64_t most = (int64_t)o->maximal_backoff_time;
    int64_t due = now + (age < least ? least : age > most ? most : age);
    return due > j->rested_s ? due : j->rested_s;
}

static bool is_bounce(const struct queue_envelope *e)
{
    return e->bounce || e->sender.len == 0;
}

/* ---- telling the owner ---- */

static void tell(struct finish *f, size_t i, const char *what, const char *why, int64_t next_s)
{
    const struct queue *q = f->job->queue;
    const struct queue_envelope *e = &f->job->pub.envelope;
    const struct queue_rcpt_result *r = &f->results[i];
    struct queue_event event = {.what = what,
                                .why = why,
                                .message = e->message,
                                .sender = e->sender,
                                .rcpt = e->rcpts[i].address,
                                .status = r->status,
                                .reply = r->reply,
                                .remote = r->remote,
                                .arrived_s = f->job->pub.arrived_s,
                                .next_s = next_s};
    if (q->event)
        q->event(q->event_owner, &event);
}

/* ---- sorting ---- */

static bool too_old(const struct finish *f, int64_t now)
{
    uint64_t lifetime = is_bounce(&f->job->pub.envelope) ? f->options.bounce_queue_lifetime
                                                         : f->options.maximal_queue_lifetime;
    return now - f->job->pub.arrived_s >= (int64_t)lifetime;
}

static void want_notice(struct finish *f, size_t i, enum notice n)
{
    f->notices[i] = n;
    f->n_notices[n]++;
}

static void sort_sent(struct finish *f, size_t i)
{
    const struct queue_envelope *e = &f->job->pub.envelope;
    tell(f, i, "sent", "", 0);
    if (dsn_wants(e->rcpts[i].dsn_notify, DSN_WISH_SUCCESS) && !f->results[i].reports &&
        !is_bounce(e) && f->job->queue->bounce)
        want_notice(f, i, NOTICE_SUCCESS);
}

/* Once a bundle: the sender hears that it takes long. */
static void sort_deferred(struct finish *f, size_t i, int64_t now)
{
    const struct queue_envelope *e = &f->job->pub.envelope;
    uint64_t after = f->options.delay_warning_time;
    if (after && now - f->job->pub.arrived_s >= (int64_t)after && !f->job->bundle.warned &&
        !is_bounce(e) && dsn_wants(e->rcpts[i].dsn_notify, DSN_WISH_DELAY) && f->job->queue->bounce)
        want_notice(f, i, NOTICE_DELAY);
}

static void sort_failed(struct finish *f, size_t i)
{
    const struct queue_envelope *e = &f->job->pub.envelope;
    f->results[i].outcome = QUEUE_FAILED;
    /* RFC 5321 4.5.5, RFC 3464 2: no notice about a notice. */
    if (is_bounce(e)) {
        tell(f, i, "dropped", "double bounce", 0);
    } else if (!dsn_wants(e->rcpts[i].dsn_notify, DSN_WISH_FAILURE)) {
        tell(f, i, "dropped", "notify", 0); /* RFC 3461 4.1 */
    } else if (!f->job->queue->bounce) {
        tell(f, i, "dropped", "no way to tell the sender", 0);
    } else {
        want_notice(f, i, NOTICE_FAILURE);
    }
}

static void sort_results(struct finish *f)
{
    int64_t now = clock_realtime_s();
    for (size_t i = 0; i < f->job->pub.envelope.n_rcpts; i++) {
        if (f->results[i].outcome == QUEUE_SENT) {
            sort_sent(f, i);
        } else if (f->results[i].outcome == QUEUE_FAILED) {
            sort_failed(f, i);
        } else if (too_old(f, now)) {
            f->expired[i] = true;
            sort_failed(f, i);
        } else {
            sort_deferred(f, i, now);
        }
    }
}

/* ---- the record ---- */

static void apply_finish(struct queue *q, struct note *n)
{
    struct finish *f = CONTAINER_OF(n, struct finish, note);
    struct job *j = f->job;
    struct place p = {j->bundle.due_s, j->item->place.message, j->item->place.bundle};
    char name[DESTINATION_MAX];
    struct slice destination = slice_sub(j->bundle.destination, 0, sizeof name);
    bool stays = j->bundle.n > 0;
    if (f->note.r != OK)
        return; /* the engine has failed for good: nothing more will be attempted */
    if (destination.len)
        memcpy(name, destination.data, destination.len);
    destination.data = name;
    q->active--;
    queue_job_free(j); /* and f with it */
    if (stays)
        schedule_insert(&q->schedule, p, destination, clock_realtime_s());
}

static void committed(void *arg, enum result r)
{
    struct finish *f = arg;
    store_done_fn *done = f->done;
    void *done_arg = f->arg;
    f->note.r = r;
    f->note.apply = apply_finish;
    queue_leave_note(f->job->queue, &f->note); /* f may be gone from here on */
    done(done_arg, r);
}

/* What stays moves to the front of the bundle's arrays; the number of those that go is returned. */
static uint32_t keep_deferred(struct finish *f, int64_t next_s)
{
    struct q_bundle *b = &f->job->bundle;
    uint32_t n = b->n, kept = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (f->results[i].outcome != QUEUE_DEFERRED)
            continue;
        tell(f, i, "deferred", "", next_s);
        b->rcpts[kept] = b->rcpts[i];
        b->reasons[kept] = f->results[i].reply;
        kept++;
    }
    b->n = kept;
    return n - kept;
}

static void put_journey(struct finish *f, struct kv_batch *b, int64_t next_s)
{
    struct job *j = f->job;
    const struct queue_envelope *e = &j->pub.envelope;
    struct journey_end *ends;
    if (!store_traces(j->queue->store, e->message))
        return;
    ends = arena_alloc_n(&j->arena, e->n_rcpts, sizeof *ends);
    for (size_t i = 0; ends && i < e->n_rcpts; i++)
        ends[i] = (struct journey_end){&e->rcpts[i], &f->results[i],
                                       f->notices[i] == NOTICE_FAILURE, f->expired[i]};
    if (ends)
        journey_put_attempt(b, e->message, j->pub.put_off ? 0 : j->bundle.attempts, next_s, ends,
                            e->n_rcpts);
}

/* RFC 5321 4.5.4.1: the bundle goes, or comes again later; with the message's last bundle its
 * envelope and its hold on the bytes go too. */
static void put_outcome(struct finish *f, struct kv_batch *b)
{
    struct job *j = f->job;
    struct queue *q = j->queue;
    struct q_envelope *e = &j->loaded->envelope;
    struct place p = {j->bundle.due_s, e->message, j->item->place.bundle};
    struct q_key key = q_key_bundle(p.message, p.bundle), holder = q_key_envelope(e->message);
    queue_del_schedule(b, p, j->bundle.destination);
    int64_t now = clock_realtime_s();
    j->bundle.attempts += !j->pub.put_off;
    j->bundle.flushed = false;
    p.due_s = j->pub.put_off ? put_off_until(j, &f->options, now)
                             : now + backoff(&f->options, j->bundle.attempts);
    put_journey(f, b, p.due_s);
    uint32_t gone = keep_deferred(f, p.due_s);
    e->recipients -= gone < e->recipients ? gone : e->recipients;
    if (j->bundle.n > 0) {
        j->bundle.due_s = p.due_s;
        queue_put_bundle(b, p.message, p.bundle, &j->bundle);
        queue_put_schedule(b, p, j->bundle.destination);
    } else {
        kv_batch_del(b, q_key_slice(&key));
        e->bundles -= e->bundles > 0;
    }
    if (e->bundles == 0) {
        kv_batch_del(b, q_key_slice(&holder));
        message_release(q->store, b, e->message, q_key_slice(&holder));
    } else if (gone) {
        queue_put_envelope(b, e);
    }
}

static void record(struct finish *f)
{
    struct queue *q = f->job->queue;
    struct kv_batch *b = kv_batch_new(q->kv, KV_BATCH_ESSENTIAL);
    enum result r = FAILED;
    store_done_fn *done = f->done;
    void *arg = f->arg;
    queue_lock(q);
    if (b) {
        put_outcome(f, b);
        r = kv_submit(b, committed, f);
    }
    queue_unlock(q);
    if (r != OK)
        done(arg, r); /* the bundle stays active, that is, untouched until the next start */
}

/* ---- notices ---- */

/* What follows from one kind's end for recipient i. */
static void take_told(struct finish *f, size_t i, enum result r)
{
    switch (f->telling) {
    case NOTICE_FAILURE:
        if (r == NOT_FOUND) {
            tell(f, i, "dropped", "the sender does not exist", 0);
            f->notices[i] = NOTICE_NONE; /* the trace must not say that somebody was told */
        } else if (r == OK) {
            tell(f, i, f->expired[i] ? "expired" : "bounced", "", 0);
        } else {
            f->results[i].outcome = QUEUE_DEFERRED; /* the notice could not be stored: later */
        }
        break;
    case NOTICE_DELAY:
        f->job->bundle.warned |= r == OK || r == NOT_FOUND;
        break;
    default: /* it is delivered, and must not be again */
        break;
    }
}

/* The next kind of notice; behind the last one comes the record. */
static void go_on(struct finish *f)
{
    while (f->telling < NOTICE_NONE && f->n_notices[f->telling] == 0)
        f->telling++;
    if (f->telling < NOTICE_NONE)
        notice_send(f);
    else
        record(f);
}

void finish_told(void *arg, enum result r)
{
    struct finish *f = arg;
    for (size_t i = 0; i < f->job->pub.envelope.n_rcpts; i++)
        if (f->notices[i] == f->telling)
            take_told(f, i, r);
    f->telling++;
    go_on(f);
}

/* ---- the way in ---- */

static struct slice keep(struct arena *a, struct slice s, size_t most)
{
    return arena_dup(a, slice_sub(s, 0, most));
}

static struct finish *finish_new(struct job *j, const struct queue_rcpt_result *results)
{
    size_t n = j->pub.envelope.n_rcpts;
    struct finish *f = ARENA_NEW(&j->arena, struct finish);
    if (!f)
        return NULL;
    f->job = j;
    f->results = arena_alloc_n(&j->arena, n, sizeof *f->results);
    f->notices = arena_alloc_n(&j->arena, n, sizeof *f->notices);
    f->expired = arena_alloc_n(&j->arena, n, sizeof *f->expired);
    for (size_t i = 0; !arena_failed(&j->arena) && i < n; i++) {
        f->notices[i] = NOTICE_NONE;
        f->results[i] = (struct queue_rcpt_result){
            .outcome = results[i].outcome,
            .status = keep(&j->arena, results[i].status, 20),
            .reply = keep(&j->arena, results[i].reply, 1000),
            .remote = keep(&j->arena, results[i].remote, 400),
            .diag_type = keep(&j->arena, results[i].diag_type, 40),
            .tls = keep(&j->arena, results[i].tls, 80),
            .reports = results[i].reports,
            .missed = results[i].missed,
        };
    }
    return arena_failed(&j->arena) ? NULL : f;
}

/* An attempt that reached nobody tells the same of all its recipients. */
static void hear(struct queue *q, struct job *j, const struct queue_rcpt_result *results)
{
    const struct queue_rcpt_result *missed = NULL;
    for (size_t i = 0; i < j->pub.envelope.n_rcpts && !missed; i++)
        missed = results[i].missed ? &results[i] : NULL;
    /* A second less than what waits for it by the back-off, which is by whole seconds. */
    int64_t rest_ms = (backoff(&q->options, 1) - 1) * 1000;
    schedule_heard(&q->schedule, j->item, missed, clock_monotonic_ms(), rest_ms);
}

void queue_job_done(struct queue *q, struct queue_job *job, const struct queue_rcpt_result *results,
                    store_done_fn *done, void *arg)
{
    struct job *j = CONTAINER_OF(job, struct job, pub);
    struct finish *f = finish_new(j, results);
    if (!f) {
        queue_job_abandon(q, job);
        done(arg, FAILED);
        return;
    }
    f->done = done;
    f->arg = arg;
    queue_lock(q);
    f->options = q->options;
    if (!job->put_off)
        hear(q, j, results);
    queue_unlock(q);
    sort_results(f);
    go_on(f);
}

/* ---- attempts that are not made ---- */

/* postconf(5) defer_transports. */
static struct queue_rcpt_result deferred_transport(void)
{
    return (struct queue_rcpt_result){.outcome = QUEUE_DEFERRED,
                                      .status = SLICE("4.3.2"),
                                      .reply = SLICE("deferred transport"),
                                      .remote = SLICE(""),
                                      .diag_type = SLICE("x-postrider"),
                                      .tls = SLICE("")};
}

static struct queue_rcpt_result suspended(struct arena *a, const struct q_death *death)
{
    return (struct queue_rcpt_result){
        .outcome = QUEUE_DEFERRED,
        .status = arena_dup(a, slice_cstr(death->status)),
        .reply = slice_cstr(arena_printf(a, "delivery temporarily suspended: %s", death->reply)),
        .remote = arena_dup(a, slice_cstr(death->remote)),
        .diag_type = arena_dup(a, slice_cstr(death->diag_type)),
        .tls = SLICE("")};
}

void queue_job_put_off(struct queue *q, struct queue_job *job, store_done_fn *done, void *arg)
{
    struct job *j = CONTAINER_OF(job, struct job, pub);
    size_t n = job->envelope.n_rcpts;
    struct queue_rcpt_result *results = arena_alloc_n(&j->arena, n, sizeof *results);
    struct queue_rcpt_result one = deferred_transport();
    queue_lock(q);
    const struct q_dest *d = j->item->dest;
    bool attempt = !d->death && !d->transport->limit->deferred; /* alive again meanwhile */
    if (d->death) {
        one = suspended(&j->arena, d->death);
        int64_t rest_ms = d->dead_until_ms - clock_monotonic_ms();
        j->rested_s = clock_realtime_s() + (rest_ms + 999) / 1000 + 1;
    }
    queue_unlock(q);
    if (attempt || arena_failed(&j->arena)) {
        queue_job_abandon(q, job);
        done(arg, OK);
        return;
    }
    for (size_t i = 0; i < n; i++)
        results[i] = one;
    queue_job_done(q, job, results, done, arg);
}
