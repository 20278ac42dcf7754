/* copies.c: the targets of a message that came in, and the message stored for them: once for all
 * that get it as it is, and once for each other envelope sender (of an owner- alias) or
 * Delivered-To that some go out with. Each copy is one durable batch. */
#include <stdlib.h>

#include "mime/summary.h"
#include "queue/dsn.h"
#include "role/mailbox/incoming.h"

/* What differs of it is NULL in the first one: none. */
struct copy {
    struct incoming *in;
    struct slice sender, delivered;
    struct slice original; /* X-Original-To */
    uint64_t id;
    struct delivery *delivery;
    struct slice message;      /* its bytes */
    struct queue_rcpt *remote; /* recipients for the queue */
    size_t n_remote, n_local;
    bool queued; /* queue_added is owed */
};

/* How a copy differs from the message; data NULL: not in this. */
struct mark {
    struct slice sender, delivered, original;
};
static const struct mark as_it_is;

/* ---- copies ---- */

/* Stored messages begin with Return-Path (role/edge/deliver.c). */
static struct slice without_return_path(struct slice message)
{
    size_t end = slice_search(message, SLICE("\r\n"));
    bool there = slice_starts(message, SLICE("Return-Path:")) && end != SIZE_MAX;
    return there ? slice_from(message, end + 2) : message;
}

/* Appends the message with what differs in it. */
static void put_changed(const struct copy *c, struct buf *out)
{
    struct slice sender = c->sender.data ? c->sender : c->in->request->sender;
    buf_printf(out, "Return-Path: <%.*s>\r\n", SLICE_ARG(sender));
    if (c->original.data)
        buf_printf(out, "X-Original-To: %.*s\r\n", SLICE_ARG(c->original));
    if (c->delivered.data)
        buf_printf(out, "Delivered-To: %.*s\r\n", SLICE_ARG(c->delivered));
    buf_append(out, without_return_path(c->in->message));
}

static enum result write_changed(struct copy *c)
{
    struct buf bytes, summary;
    buf_init(&bytes, c->in->message.len + 2048);
    buf_init(&summary, SUMMARY_BYTES_MAX);
    put_changed(c, &bytes);
    enum result r = buf_ok(&bytes) ? summary_build(buf_slice(&bytes), &summary) : FAILED;
    if (r == OK)
        r = delivery_write(c->delivery, buf_slice(&bytes));
    if (r == OK)
        delivery_summary(c->delivery, buf_slice(&summary));
    c->message.len = buf_len(&bytes);
    buf_release(&summary);
    buf_release(&bytes);
    return r;
}

static enum result new_copy(struct incoming *in, const struct mark *mark, struct copy **ret)
{
    struct copy *c = ARENA_NEW(&in->arena, struct copy);
    if (in->n_copies == COPIES_MAX || !c)
        return FAILED;
    bool first = in->n_copies == 0;
    *c = (struct copy){.in = in,
                       .sender = mark->sender,
                       .delivered = mark->delivered,
                       .original = mark->original,
                       .id = first ? in->request->message_id : log_id_new(),
                       .message = in->message};
    c->remote = arena_alloc_n(&in->arena, in->request->targets.n + 1, sizeof *c->remote);
    enum result r = c->remote ? delivery_new(in->mailbox->store, c->id, &c->delivery) : FAILED;
    if (r != OK)
        return r;
    in->copies[in->n_copies++] = c;
    if (mark->sender.data)
        LOG(LOG_INFO, "message.copied", LOG_C("id", log_id(in->request->message_id).text),
            LOG_C("copy", log_id(c->id).text), LOG_S("from", mark->sender),
            LOG_S("delivered_to", mark->delivered));
    *ret = c;
    return OK;
}

static bool same_text(struct slice a, struct slice b)
{
    return (a.data == NULL) == (b.data == NULL) && slice_eq(a, b);
}

static enum result find_copy(struct incoming *in, const struct mark *mark, struct copy **ret)
{
    for (size_t i = 0; i < in->n_copies; i++)
        if (same_text(in->copies[i]->sender, mark->sender) &&
            same_text(in->copies[i]->delivered, mark->delivered) &&
            same_text(in->copies[i]->original, mark->original)) {
            *ret = in->copies[i];
            return OK;
        }
    enum result r = new_copy(in, mark, ret);
    return r == OK ? write_changed(*ret) : r;
}

struct queue_rcpt mailbox_served(struct slice text, const struct target *t, struct slice original)
{
    return (struct queue_rcpt){.address = t->address,
                               .original = original,
                               .dsn_notify = SLICE(""),
                               .dsn_orcpt = SLICE(""),
                               .route = SLICE(QUEUE_HERE),
                               .served = text};
}

/* ---- targets ---- */

/* A recipient's targets, found and opened before any is added: it gets all of them or none. */
struct opened {
    struct target target;
    struct slice text;       /* as the grant has it */
    struct copy *copy;       /* that it gets */
    struct account *account; /* NULL: for the queue */
};

static void close_targets(struct opened *list, size_t n)
{
    for (size_t k = 0; k < n; k++)
        if (list[k].account)
            account_unref(list[k].account);
}

/* Another recipient of this message has brought it already. */
static bool bcc_is_there(const struct incoming *in, size_t i, struct slice text)
{
    for (size_t r = 0; r < i; r++)
        for (size_t k = 0; in->verdicts[r] == &verdict_accepted && k < in->targets[r].n; k++)
            if (slice_eq(in->targets[r].items[k], text))
                return true;
    return false;
}

static void drop_bcc(const struct incoming *in, struct slice text, enum result r)
{
    LOG(LOG_ERROR, "deliver.bcc_dropped", LOG_C("id", log_id(in->request->message_id).text),
        LOG_S("target", text), LOG_C("result", result_name(r)));
}

/* What a "via" in front of targets asks for. A message without a sender keeps none, whoever sends
 * it on: nobody is told of a bounce's failure (RFC 5321 4.5.5). */
static void take_via(const struct incoming *in, const struct target *via, struct slice *sender,
                     struct slice *delivered)
{
    *sender = in->request->sender.len ? via->sender : SLICE_NONE;
    *delivered = via->delivered;
}

/* edge has marked a message for one mailbox already. */
static bool is_marked(const struct incoming *in)
{
    return slice_starts(without_return_path(in->message), SLICE("X-Original-To: "));
}

static struct mark mark_of(const struct incoming *in, size_t i, const struct target *t,
                           struct slice sender, struct slice delivered)
{
    struct mark m = as_it_is;
    if (t->bcc)
        return m;
    m.sender = sender;
    if (t->kind == TARGET_REMOTE)
        m.delivered = delivered;
    /* Where there are very many the marks are left out rather than the mail. */
    if (t->local && in->mailbox->marks && in->n_copies < COPIES_MAX / 2 && !is_marked(in))
        m.delivered = m.original = in->request->rcpts.items[i];
    return m;
}

/* One target: opened at *o, or not wanted (EXISTS). */
static enum result open_target(struct incoming *in, size_t i, const struct target *t,
                               struct slice text, struct slice sender, struct slice delivered,
                               struct opened *o)
{
    *o = (struct opened){.target = *t, .text = text};
    if (t->bcc && bcc_is_there(in, i, text))
        return EXISTS;
    struct mark mark = mark_of(in, i, t, sender, delivered);
    enum result r = find_copy(in, &mark, &o->copy);
    if (r == OK && t->local && !in->request->hold.len)
        r = account_open(in->mailbox->store, t->account, &o->account);
    return r;
}

/* *ret_n counts those of the recipient that are to be added. */
static enum result open_targets(struct incoming *in, size_t i, struct opened *list, size_t *ret_n)
{
    struct slice sender = SLICE_NONE, delivered = SLICE_NONE;
    size_t n = 0;
    for (size_t k = 0; k < in->targets[i].n; k++) {
        struct slice text = in->targets[i].items[k];
        struct target t = {0};
        enum result r = target_parse(text, &t);
        if (r == OK && t.kind == TARGET_VIA) {
            take_via(in, &t, &sender, &delivered);
            continue;
        }
        if (r == OK)
            r = open_target(in, i, &t, text, sender, delivered, &list[n]);
        if (r == OK) {
            n++;
        } else if (r == EXISTS) {
            continue;
        } else if (t.bcc) {
            drop_bcc(in, text, r);
        } else {
            close_targets(list, n);
            return r;
        }
    }
    *ret_n = n;
    return OK;
}

/* Success was told of here already (success.c). */
static struct slice notify_beyond(const struct incoming *in, size_t i)
{
    struct slice notify = in->request->dsn_notify.items[i];
    if (!incoming_is_expanded(in, i) || !dsn_wants(notify, DSN_WISH_SUCCESS))
        return notify;
    bool failure = dsn_wants(notify, DSN_WISH_FAILURE), delay = dsn_wants(notify, DSN_WISH_DELAY);
    return failure && delay ? SLICE("FAILURE,DELAY")
           : failure        ? SLICE("FAILURE")
           : delay          ? SLICE("DELAY")
                            : SLICE("NEVER");
}

/* RFC 3461 5.2.7: what a list sends on in its own name has none of the first sender's wishes. */
static void add_remote_target(struct incoming *in, size_t i, const struct opened *o)
{
    const struct ipc_DELIVER *d = in->request;
    const struct target *t = &o->target;
    bool plain = !t->bcc && !o->copy->sender.data;
    /* A copy was for the address that asked for it. */
    struct slice rcpt = t->bcc && t->copy_for.len ? t->copy_for : d->rcpts.items[i];
    struct queue_rcpt *r = &o->copy->remote[o->copy->n_remote++];
    if (t->kind == TARGET_REMOTE)
        *r = (struct queue_rcpt){
            .address = t->address, .original = rcpt, .route = t->route, .keeps_way = t->filter};
    else
        *r = mailbox_served(o->text, t, rcpt);
    if (t->local) /* on hold; where it leads was decided */
        r->address = rcpt;
    r->dsn_notify = t->bcc ? SLICE("NEVER") : plain ? notify_beyond(in, i) : SLICE("");
    r->dsn_orcpt = plain ? d->dsn_orcpt.items[i] : SLICE("");
}

static enum result add_opened(struct incoming *in, size_t i, const struct opened *list, size_t n)
{
    enum result r = OK;
    for (size_t k = 0; r == OK && k < n; k++) {
        if (list[k].account) {
            struct delivery_target to = {
                .account = list[k].account, .mailbox = SLICE("INBOX"), .may_exceed = true};
            r = delivery_add(list[k].copy->delivery, &to);
            list[k].copy->n_local += r == OK;
            in->n_local += r == OK;
        } else {
            add_remote_target(in, i, &list[k]);
        }
    }
    return r;
}

/* LMTP has a reply for each recipient. SMTP has one for all: where others get the message, the one
 * whose mailbox is full gets it by the queue, which tries again or returns it. */
static const struct verdict *check_quota(struct incoming *in, size_t i, struct opened *list,
                                         size_t n)
{
    bool alone = in->request->rcpts.n == 1 || slice_is(in->request->service, "lmtp");
    for (size_t k = 0; k < n; k++) {
        if (!list[k].account)
            continue;
        const struct verdict *too_large = incoming_too_large(in);
        if (too_large)
            return too_large;
        if (account_admits(list[k].account, SLICE("INBOX"), in->message.len, true) != LIMIT)
            continue;
        if (alone && n == 1)
            return incoming_over_quota(in, i);
        account_unref(list[k].account);
        list[k].account = NULL;
    }
    return &verdict_accepted;
}

/* Adds one recipient's targets. When one can't be opened, none is added and the recipient alone
 * gets the verdict; a failure here is the whole message's, since what was added can't be taken
 * back. */
static enum result add_targets(struct incoming *in, size_t i)
{
    size_t n = 0;
    struct opened *list = calloc(in->targets[i].n + 1, sizeof *list);
    if (!list)
        return FAILED;
    enum result r = open_targets(in, i, list, &n);
    if (r != OK) {
        in->verdicts[i] = r == INVALID ? &verdict_malformed : verdict_of(r);
        r = OK;
    } else {
        in->verdicts[i] = check_quota(in, i, list, n);
        if (in->verdicts[i] == &verdict_accepted)
            r = add_opened(in, i, list, n);
        close_targets(list, n);
    }
    free(list);
    return r;
}

/* ---- storing ---- */

static enum result add_remote(struct copy *c)
{
    const struct ipc_DELIVER *q = c->in->request;
    bool own = c->sender.data != NULL;
    struct queue_envelope e = {
        .message = c->id,
        .sender = own ? c->sender : q->sender,
        .account = q->account,
        .client_ip = q->client_ip,
        .ret = own ? SLICE("") : q->ret,
        .envid = own ? SLICE("") : q->envid,
        .origin = {q->client_name, q->helo, q->protocol, q->sasl_method, q->client_port,
                   q->sasl_sender},
        .smtputf8 = q->smtputf8,
        .require_tls = q->require_tls,
        .eightbit = q->eightbit,
        .held = q->hold.len > 0,
        .size = c->message.len,
        .rcpts = c->remote,
        .n_rcpts = c->n_remote,
    };
    if (c->n_remote == 0)
        return OK;
    enum result r = queue_add(c->in->mailbox->queue, c->delivery, &e);
    c->queued = r == OK;
    return r;
}

static void one_less(struct incoming *in)
{
    if (atomic_fetch_sub(&in->pending, 1) == 1)
        incoming_stored(in, (enum result)in->worst);
}

static void committed(void *arg, enum result r)
{
    struct copy *c = arg;
    if (c->queued) {
        queue_added(c->in->mailbox->queue, c->id, r);
        feed_kick(c->in->mailbox->feed);
    }
    if (r != OK)
        c->in->worst = r;
    one_less(c->in);
}

/* The first one's batch tells how the message came. */
static void put_journey(const struct copy *c)
{
    const struct incoming *in = c->in;
    uint64_t message = in->request->message_id;
    if (c == in->copies[0])
        incoming_put_journey(in, delivery_batch(c->delivery));
    if (c->id != message && store_traces(in->mailbox->store, message))
        journey_put_copy(delivery_batch(c->delivery), message, c->id);
}

static void submit(struct copy *c, enum result r)
{
    if (r == OK)
        r = add_remote(c);
    if (r == OK)
        put_journey(c);
    if (r == OK)
        r = delivery_submit(c->delivery, committed, c);
    else
        delivery_abandon(c->delivery);
    if (r != OK)
        committed(c, r);
}

/* r: what became of filling them. NOT_FOUND: none has anything. */
static enum result submit_copies(struct incoming *in, enum result r)
{
    size_t kept = 0;
    for (size_t i = 0; i < in->n_copies; i++) {
        struct copy *c = in->copies[i];
        if (c->n_local + c->n_remote > 0)
            in->copies[kept++] = c;
        else
            delivery_abandon(c->delivery);
    }
    in->n_copies = kept;
    if (r == OK && kept == 0)
        return NOT_FOUND;
    incoming_prepare_report(in);
    in->worst = r;
    in->pending = (unsigned)kept + 1;
    for (size_t i = 0; i < kept; i++)
        submit(in->copies[i], r);
    one_less(in);
    return OK;
}

enum result incoming_store(struct incoming *in, struct slice summary)
{
    struct copy *first;
    enum result r = new_copy(in, &as_it_is, &first);
    if (r == OK)
        r = delivery_write(first->delivery, in->message);
    if (r == OK)
        delivery_summary(first->delivery, summary);
    for (size_t i = 0; r == OK && i < in->request->rcpts.n; i++)
        if (in->verdicts[i] == &verdict_accepted)
            r = add_targets(in, i);
    return submit_copies(in, r);
}
