/* done.c: what an attempt came to. Recipients are sorted into those that are done with, those that
 * stay, and those whose sender must be told; the telling comes first, the record after, so that a
 * crash between repeats a notice rather than losing it. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "mime/header.h"
#include "queue/dsn.h"
#include "queue/internal.h"
#include "queue/journey.h"

enum { DSN_BYTES_MAX = 4 << 20, HEADER_MAX = 64 * 1024 };

/* An attempt that is being recorded; lives in the job's arena. */
struct finish {
    struct note note;
    struct job *job;
    struct queue_options options; /* as they were when it began */
    struct queue_rcpt_result *results;
    bool *bounced; /* the sender is told of it */
    bool *expired;
    size_t n_bounced;
    uint64_t dsn_id;
    store_done_fn *done;
    void *arg;
};

static int64_t backoff(const struct queue_options *o, uint32_t attempt)
{
    uint64_t wait = o->minimal_backoff_time;
    for (uint32_t i = 1; i < attempt && wait < o->maximal_backoff_time; i++)
        wait *= 2;
    if (wait > o->maximal_backoff_time)
        wait = o->maximal_backoff_time;
    return (int64_t)(wait ? wait : 1);
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

static void sort_failed(struct finish *f, size_t i)
{
    const struct queue_envelope *e = &f->job->pub.envelope;
    f->results[i].outcome = QUEUE_FAILED;
    /* RFC 5321 4.5.5, RFC 3464 2: no notice about a notice. */
    if (is_bounce(e)) {
        tell(f, i, "dropped", "double bounce", 0);
    } else if (!dsn_notify_failure(e->rcpts[i].dsn_notify)) {
        tell(f, i, "dropped", "notify", 0); /* RFC 3461 4.1 */
    } else if (!f->job->queue->bounce) {
        tell(f, i, "dropped", "no way to tell the sender", 0);
    } else {
        f->bounced[i] = true;
        f->n_bounced++;
    }
}

static void sort_results(struct finish *f)
{
    int64_t now = clock_realtime_s();
    for (size_t i = 0; i < f->job->pub.envelope.n_rcpts; i++) {
        if (f->results[i].outcome == QUEUE_SENT) {
            tell(f, i, "sent", "", 0);
        } else if (f->results[i].outcome == QUEUE_FAILED) {
            sort_failed(f, i);
        } else if (too_old(f, now)) {
            f->expired[i] = true;
            sort_failed(f, i);
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
        ends[i] = (struct journey_end){&e->rcpts[i], &f->results[i], f->bounced[i], f->expired[i]};
    if (ends)
        journey_put_attempt(b, e->message, j->bundle.attempts, next_s, ends, e->n_rcpts);
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
    j->bundle.attempts++;
    p.due_s = clock_realtime_s() + backoff(&f->options, j->bundle.attempts);
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

/* ---- the notice ---- */

static void told(void *arg, enum result r)
{
    struct finish *f = arg;
    for (size_t i = 0; i < f->job->pub.envelope.n_rcpts; i++) {
        if (!f->bounced[i])
            continue;
        if (r == NOT_FOUND) {
            tell(f, i, "dropped", "the sender does not exist", 0);
        } else if (r == OK) {
            tell(f, i, f->expired[i] ? "expired" : "bounced", "", 0);
        } else {
            f->results[i].outcome = QUEUE_DEFERRED; /* the notice could not be stored: later */
        }
    }
    record(f);
}

static struct dsn_rcpt report_of(const struct finish *f, size_t i, int64_t now)
{
    const struct queue_rcpt *to = &f->job->pub.envelope.rcpts[i];
    const struct queue_rcpt_result *r = &f->results[i];
    return (struct dsn_rcpt){.action = DSN_FAILED,
                             .address = to->address,
                             .original = to->original,
                             .orcpt = to->dsn_orcpt,
                             .status = r->status,
                             .reply = r->reply,
                             .remote = r->remote,
                             .diag_type = r->diag_type,
                             .attempted_s = now,
                             .expired = f->expired[i]};
}

/* RFC 3461 4.3: RET decides between header and whole message, within limits of our own. */
static enum result read_returned(struct finish *f, struct buf *out, bool *ret_whole)
{
    const struct queue_envelope *e = &f->job->pub.envelope;
    struct store *s = f->job->queue->store;
    uint64_t most = slice_is_nocase(e->ret, "FULL")   ? DSN_RETURN_MAX
                    : slice_is_nocase(e->ret, "HDRS") ? 0
                                                      : DSN_RETURN_DEFAULT;
    bool whole = e->size <= most;
    enum result r = message_read(s, e->message, 0, whole ? most : HEADER_MAX, out);
    if (r != OK)
        return r;
    if (!whole)
        buf_truncate(out, header_length(buf_slice(out)));
    *ret_whole = whole;
    return OK;
}

static enum result build_notice(struct finish *f, struct buf *out)
{
    struct job *j = f->job;
    const struct queue_envelope *e = &j->pub.envelope;
    int64_t now = clock_realtime_s();
    struct dsn_rcpt *rcpts = arena_alloc_n(&j->arena, f->n_bounced, sizeof *rcpts);
    struct buf returned;
    struct dsn d = {.id = log_id_new(),
                    .message = e->message,
                    .reporting_mta = slice_cstr(j->queue->reporting_mta),
                    .mailer_domain = slice_cstr(j->queue->mailer_domain),
                    .sender = e->sender,
                    .envid = e->envid,
                    .arrived_s = j->pub.arrived_s,
                    .now_s = now,
                    .smtputf8 = e->smtputf8,
                    .rcpts = rcpts,
                    .n_rcpts = f->n_bounced};
    if (!rcpts)
        return FAILED;
    for (size_t i = 0, n = 0; i < e->n_rcpts; i++)
        if (f->bounced[i])
            rcpts[n++] = report_of(f, i, now);
    buf_init(&returned, DSN_RETURN_MAX);
    /* A message that can't be read any more must not keep its sender in ignorance. */
    if (read_returned(f, &returned, &d.whole) != OK)
        buf_reset(&returned);
    d.returned = buf_slice(&returned);
    enum result r = dsn_build(&d, out);
    buf_release(&returned);
    return r;
}

static void send_notice(struct finish *f)
{
    struct queue *q = f->job->queue;
    const struct queue_envelope *e = &f->job->pub.envelope;
    struct buf message;
    buf_init(&message, DSN_BYTES_MAX);
    enum result r = build_notice(f, &message);
    if (r == OK)
        q->bounce(q->bounce_owner, e->message, e->sender, buf_slice(&message), e->smtputf8, told,
                  f);
    else
        told(f, r);
    buf_release(&message);
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
    f->bounced = arena_alloc_n(&j->arena, n, sizeof *f->bounced);
    f->expired = arena_alloc_n(&j->arena, n, sizeof *f->expired);
    for (size_t i = 0; !arena_failed(&j->arena) && i < n; i++)
        f->results[i] = (struct queue_rcpt_result){
            .outcome = results[i].outcome,
            .status = keep(&j->arena, results[i].status, 20),
            .reply = keep(&j->arena, results[i].reply, 1000),
            .remote = keep(&j->arena, results[i].remote, 400),
            .diag_type = keep(&j->arena, results[i].diag_type, 40),
            .tls = keep(&j->arena, results[i].tls, 80),
        };
    return arena_failed(&j->arena) ? NULL : f;
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
    queue_unlock(q);
    sort_results(f);
    if (f->n_bounced > 0)
        send_notice(f);
    else
        record(f);
}
