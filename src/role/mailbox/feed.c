/* feed.c: one task that takes due jobs from the queue and sends them to relay; answers come back on
 * the channel's thread, are recorded, and kick the task for the next. Before a repeated attempt
 * auth is asked for the way once more: the settings may have changed, which is often why it is
 * repeated. */
#include "role/mailbox/feed.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "role/mailbox/ends.h"
#include "role/mailbox/quota.h"

enum { RETRY_MS = 1000, LONGEST_SLEEP_MS = 60 * 1000, MESSAGE_MAX = 1 << 30, ARENA_MAX = 8 << 20 };

struct feed {
    struct io_task task;
    struct mailbox_role *mailbox;
    atomic_uint jobs, under_way;
    pthread_mutex_t lock;
    struct list_node routed; /* jobs whose way auth has told, for the task to go on with */
};

struct job {
    struct feed *feed;
    struct queue_job *queued;
    struct list_node node; /* in feed->routed */
};

void feed_kick(struct feed *f)
{
    io_wake(&f->task);
}

void feed_window(struct feed *f, uint32_t jobs)
{
    f->jobs = jobs;
    feed_kick(f);
}

static void recorded(void *arg, enum result r)
{
    struct feed *f = arg;
    if (r != OK)
        LOG(LOG_ERROR, "queue.not_recorded", LOG_C("result", result_name(r)));
    atomic_fetch_sub(&f->under_way, 1);
    feed_kick(f);
}

static enum result parse_outcome(struct slice word, enum queue_outcome *ret)
{
    if (slice_is(word, "sent"))
        *ret = QUEUE_SENT;
    else if (slice_is(word, "deferred"))
        *ret = QUEUE_DEFERRED;
    else if (slice_is(word, "failed"))
        *ret = QUEUE_FAILED;
    else
        return INVALID;
    return OK;
}

/* Reads relay's answer into results; anything unusable defers the recipient. */
static void read_results(const struct ipc_RELAY_RESULT *r, struct queue_rcpt_result *out, size_t n)
{
    bool usable = r->outcomes.n == n && r->statuses.n == n && r->replies.n == n &&
                  r->remotes.n == n && r->diag_types.n == n;
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct queue_rcpt_result){
            .outcome = QUEUE_DEFERRED,
            .status = SLICE("4.3.0"),
            .reply = SLICE("the relay role gave no usable answer"),
            .remote = SLICE(""),
            .diag_type = SLICE("x-postrider"),
            .tls = usable ? r->tls : SLICE(""),
            .reports = usable && r->reports,
            .missed = usable && r->missed,
        };
        if (!usable || parse_outcome(r->outcomes.items[i], &out[i].outcome) != OK)
            continue;
        out[i].status = r->statuses.items[i];
        out[i].reply = r->replies.items[i];
        out[i].remote = r->remotes.items[i];
        out[i].diag_type = r->diag_types.items[i];
    }
}

static void not_attempted(struct feed *f, struct queue_job *queued)
{
    queue_job_abandon(f->mailbox->queue, queued);
    atomic_fetch_sub(&f->under_way, 1);
    feed_kick(f);
}

static void record(struct feed *f, struct queue_job *queued, const struct ipc_message *m)
{
    size_t n = queued->envelope.n_rcpts;
    struct queue_rcpt_result *results =
        m->type == IPC_RELAY_RESULT ? calloc(n + 1, sizeof *results) : NULL;
    if (results) {
        read_results(&m->RELAY_RESULT, results, n);
        queue_job_done(f->mailbox->queue, queued, results, recorded, f);
        free(results);
    } else {
        not_attempted(f, queued);
    }
}

/* agent's answer, which holds for all recipients of the job. */
static void served(void *arg, struct ipc_message *m)
{
    struct job *j = arg;
    const struct ipc_LOCAL_RESULT *l = &m->LOCAL_RESULT;
    size_t n = j->queued->envelope.n_rcpts;
    struct queue_rcpt_result one = {.remote = SLICE(""), .diag_type = SLICE("x-postrider")};
    struct queue_rcpt_result *results = calloc(n + 1, sizeof *results);
    if (!results || m->type != IPC_LOCAL_RESULT || parse_outcome(l->outcome, &one.outcome) != OK) {
        not_attempted(j->feed, j->queued);
    } else {
        one.status = l->status;
        one.reply = l->reply;
        for (size_t i = 0; i < n; i++)
            results[i] = one;
        queue_job_done(j->feed->mailbox->queue, j->queued, results, recorded, j->feed);
    }
    free(results);
    free(j);
}

static void answered(void *arg, struct ipc_message *m)
{
    struct job *j = arg;
    record(j->feed, j->queued, m);
    free(j);
}

static struct slice_list list_of(struct arena *a, const struct queue_envelope *e, size_t offset)
{
    struct slice_list l = {arena_alloc_n(a, e->n_rcpts + 1, sizeof *l.items), e->n_rcpts};
    for (size_t i = 0; l.items && i < l.n; i++)
        l.items[i] = *(const struct slice *)((const char *)&e->rcpts[i] + offset);
    return l;
}

/* The stored form begins with our Return-Path, which must not travel on (RFC 5321 4.4). */
static void drop_return_path(struct buf *message)
{
    struct slice s = buf_slice(message);
    if (slice_starts_nocase(s, SLICE("Return-Path:"))) {
        size_t end = slice_search(s, SLICE("\r\n"));
        buf_consume(message, end == SIZE_MAX ? 0 : end + 2);
    }
}

static enum result put_message(struct ipc_message *m, struct slice bytes, struct slice *ret_inline)
{
    if (bytes.len <= IPC_INLINE_MAX) {
        *ret_inline = bytes;
        return OK;
    }
    *ret_inline = SLICE("");
    m->n_fds = 1;
    return ipc_memfd(bytes, &m->fds[0]);
}

static enum result send_job(struct feed *f, struct queue_job *q, struct buf *message)
{
    const struct queue_envelope *e = &q->envelope;
    struct job *j = malloc(sizeof *j);
    struct arena a;
    struct ipc_message m = {.type = IPC_RELAY_JOB};
    if (!j)
        return FAILED;
    *j = (struct job){.feed = f, .queued = q};
    arena_init(&a, ARENA_MAX);
    m.RELAY_JOB.message_id = e->message;
    m.RELAY_JOB.destination = q->destination;
    m.RELAY_JOB.sender = e->sender;
    m.RELAY_JOB.rcpts = list_of(&a, e, offsetof(struct queue_rcpt, address));
    m.RELAY_JOB.dsn_notify = list_of(&a, e, offsetof(struct queue_rcpt, dsn_notify));
    m.RELAY_JOB.dsn_orcpt = list_of(&a, e, offsetof(struct queue_rcpt, dsn_orcpt));
    m.RELAY_JOB.smtputf8 = e->smtputf8;
    m.RELAY_JOB.require_tls = e->require_tls;
    m.RELAY_JOB.eightbit = e->eightbit;
    m.RELAY_JOB.ret = e->ret;
    m.RELAY_JOB.envid = e->envid;
    m.RELAY_JOB.attempt = q->attempt;
    m.RELAY_JOB.concurrency = q->concurrency;
    m.RELAY_JOB.size = buf_len(message);
    enum result r =
        arena_failed(&a) ? FAILED : put_message(&m, buf_slice(message), &m.RELAY_JOB.message);
    if (r == OK)
        ipc_request(f->mailbox->role->peers[ROLE_RELAY], &m, answered, j);
    else
        free(j);
    if (m.n_fds && r == OK)
        close(m.fds[0]);
    arena_release(&a);
    return r;
}

static void redelivered(void *arg, enum result r)
{
    struct job *j = arg;
    struct buf full;
    struct queue_rcpt_result result = {
        .outcome = r == OK ? QUEUE_SENT : QUEUE_DEFERRED,
        .status = r == OK ? SLICE("2.0.0") : SLICE("4.3.0"),
        .reply = r == OK ? SLICE("stored") : slice_cstr(result_name(r)),
        .remote = SLICE(""),
        .diag_type = SLICE("x-postrider"),
    };
    buf_init(&full, 1000);
    if (r == LIMIT) {
        struct slice rcpt = j->queued->envelope.rcpts[0].address;
        if (quota_reply(j->feed->mailbox->quota, rcpt, &full))
            result.outcome = QUEUE_FAILED;
        result.reply = buf_slice(&full);
        result.status = slice_split(&result.reply, ' ');
    }
    queue_job_done(j->feed->mailbox->queue, j->queued, &result, recorded, j->feed);
    buf_release(&full);
    free(j);
}

static bool is_for_mailbox(const struct queue_job *q)
{
    return q->envelope.n_rcpts == 1 && slice_starts(q->envelope.rcpts[0].served, SLICE("local "));
}

static enum result send_local_job(struct feed *f, struct queue_job *q, struct buf *message)
{
    const struct queue_envelope *e = &q->envelope;
    struct job *j = malloc(sizeof *j);
    struct arena a;
    struct ipc_message m = {.type = IPC_LOCAL_JOB};
    if (!j)
        return FAILED;
    *j = (struct job){.feed = f, .queued = q};
    arena_init(&a, ARENA_MAX);
    m.LOCAL_JOB.message_id = e->message;
    m.LOCAL_JOB.target = e->rcpts[0].served;
    m.LOCAL_JOB.route = e->rcpts[0].served.len ? SLICE("") : q->destination;
    m.LOCAL_JOB.sender = e->sender;
    m.LOCAL_JOB.rcpts = list_of(&a, e, offsetof(struct queue_rcpt, address));
    m.LOCAL_JOB.originals = list_of(&a, e, offsetof(struct queue_rcpt, original));
    m.LOCAL_JOB.account = e->account;
    m.LOCAL_JOB.client_ip = e->client_ip;
    m.LOCAL_JOB.client_name = e->origin.client_name;
    m.LOCAL_JOB.helo = e->origin.helo;
    m.LOCAL_JOB.protocol = e->origin.protocol;
    m.LOCAL_JOB.sasl_method = e->origin.sasl_method;
    m.LOCAL_JOB.client_port = e->origin.client_port;
    m.LOCAL_JOB.sasl_sender = e->origin.sasl_sender;
    m.LOCAL_JOB.attempt = q->attempt;
    m.LOCAL_JOB.size = buf_len(message);
    enum result r =
        arena_failed(&a) ? FAILED : put_message(&m, buf_slice(message), &m.LOCAL_JOB.message);
    if (r == OK)
        ipc_request(f->mailbox->role->peers[ROLE_AGENT], &m, served, j);
    else
        free(j);
    if (m.n_fds && r == OK)
        close(m.fds[0]);
    arena_release(&a);
    return r;
}

/* Commands and files are one recipient a job (queue/bundle.c). */
static bool is_served_here(const struct queue_job *q)
{
    return q->envelope.n_rcpts == 1 && q->envelope.rcpts[0].served.len > 0;
}

/* A mailbox's own mail that was on hold; the message as it is stored. */
static enum result start_here(struct feed *f, struct queue_job *q, struct slice message)
{
    struct job *j = malloc(sizeof *j);
    if (!j)
        return FAILED;
    *j = (struct job){.feed = f, .queued = q};
    mailbox_redeliver(f->mailbox, q->envelope.rcpts[0].served, message, redelivered, j);
    return OK;
}

static void start_job(struct feed *f, struct queue_job *q)
{
    struct buf message;
    if (q->put_off) {
        queue_job_put_off(f->mailbox->queue, q, recorded, f);
        return;
    }
    if (!is_served_here(q) && ends_here(f->mailbox, q, recorded, f))
        return;
    buf_init(&message, MESSAGE_MAX);
    enum result r = message_read(f->mailbox->store, q->envelope.message, 0, UINT64_MAX, &message);
    if (r == OK && is_for_mailbox(q)) {
        r = start_here(f, q, buf_slice(&message));
    } else if (r == OK) {
        drop_return_path(&message);
        bool agent = is_served_here(q) || goes_by_pipe(f->mailbox, q);
        r = agent ? send_local_job(f, q, &message) : send_job(f, q, &message);
    }
    buf_release(&message);
    if (r != OK) {
        LOG(LOG_ERROR, "queue.message_unreadable", LOG_C("id", log_id(q->envelope.message).text),
            LOG_C("result", result_name(r)));
        not_attempted(f, q);
    }
}

/* ---- the way of a repeated attempt ---- */

static void go_on(struct job *j)
{
    struct feed *f = j->feed;
    pthread_mutex_lock(&f->lock);
    list_push_back(&f->routed, &j->node);
    pthread_mutex_unlock(&f->lock);
    feed_kick(f);
}

/* Without an answer it goes the way it was to go. */
static void take_routes(void *arg, struct ipc_message *m)
{
    struct job *j = arg;
    const struct slice_list *routes = &m->ROUTE_RESULT.routes;
    bool told = m->type == IPC_ROUTE_RESULT && routes->n == j->queued->envelope.n_rcpts;
    if (told && queue_job_reroute(j->feed->mailbox->queue, j->queued, routes->items, recorded,
                                  j->feed) == BUSY)
        free(j);
    else
        go_on(j);
}

/* False: no memory, or no auth. */
static bool ask_routes(struct feed *f, struct queue_job *q)
{
    struct ipc_message m = {.type = IPC_ROUTE};
    struct ipc_channel *auth = f->mailbox->role->peers[ROLE_AUTH];
    struct job *j = malloc(sizeof *j);
    struct arena a;
    if (!j)
        return false;
    *j = (struct job){.feed = f, .queued = q};
    arena_init(&a, ARENA_MAX);
    m.ROUTE.sender = q->envelope.sender;
    m.ROUTE.addresses = list_of(&a, &q->envelope, offsetof(struct queue_rcpt, address));
    bool ok = !arena_failed(&a) && ipc_channel_up(auth);
    if (ok)
        ipc_request(auth, &m, take_routes, j);
    else
        free(j);
    arena_release(&a);
    return ok;
}

static void start_routed(struct feed *f)
{
    for (;;) {
        pthread_mutex_lock(&f->lock);
        struct list_node *n = list_pop_front(&f->routed);
        pthread_mutex_unlock(&f->lock);
        if (!n)
            return;
        struct job *j = CONTAINER_OF(n, struct job, node);
        start_job(f, j->queued);
        free(j);
    }
}

static void run(struct io_task *task, unsigned events)
{
    struct feed *f = CONTAINER_OF(task, struct feed, task);
    int64_t wait_ms = -1;
    (void)events;
    start_routed(f);
    while (ipc_channel_up(f->mailbox->role->peers[ROLE_RELAY]) && f->under_way < f->jobs) {
        struct queue_job *q;
        enum result r = queue_next(f->mailbox->queue, &q, &wait_ms);
        if (r != OK) {
            if (r != NOT_FOUND)
                wait_ms = RETRY_MS;
            break;
        }
        atomic_fetch_add(&f->under_way, 1);
        if (q->attempt == 1 || q->keeps_way || is_served_here(q) || !ask_routes(f, q))
            start_job(f, q);
    }
    if (wait_ms >= 0)
        io_task_deadline(task, wait_ms < 1                  ? 1
                               : wait_ms > LONGEST_SLEEP_MS ? LONGEST_SLEEP_MS
                                                            : wait_ms);
}

enum result feed_new(struct mailbox_role *m, struct feed **ret)
{
    struct feed *f = calloc(1, sizeof *f);
    if (!f)
        return FAILED;
    f->mailbox = m;
    pthread_mutex_init(&f->lock, NULL);
    list_init(&f->routed);
    io_task_open(m->role->engine, &f->task, -1, run);
    *ret = f;
    return OK;
}

void feed_free(struct feed *f)
{
    struct list_node *n;
    if (!f)
        return;
    while ((n = list_pop_front(&f->routed)))
        free(CONTAINER_OF(n, struct job, node));
    pthread_mutex_destroy(&f->lock);
    free(f);
}
