/* deliver.c: a message from edge into mailboxes and the queue, in one durable batch.
 *
 * Edge says where the message goes, but only with auth's grant for each recipient. Every recipient
 * gets a reply of its own (LMTP needs it; SMTP takes the worst). The reply is sent from the
 * commit's `done`, after the fdatasync. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "mime/summary.h"
#include "role/mailbox/feed.h"
#include "role/mailbox/mailbox.h"

enum { ARENA_MAX = 4 << 20 };

struct verdict {
    const char *code, *text;
};
static const struct verdict accepted = {"250", "2.0.0 Ok"},
                            no_key = {"451", "4.3.0 Error: not ready, try again later"},
                            not_granted = {"554", "5.7.1 Error: recipient not permitted"},
                            malformed = {"451", "4.3.0 Error: internal message malformed"},
                            disk_full = {"452", "4.3.1 Insufficient system storage"},
                            over_quota = {"452", "4.2.2 Mailbox full"},
                            failed = {"451", "4.3.0 Error: queue file write error"};

/* One DELIVER under way. */
struct incoming {
    struct mailbox_role *mailbox;
    struct ipc_channel *from;
    uint64_t call;
    struct arena arena;
    const struct ipc_DELIVER *request; /* a copy, while preparing and for the log */
    struct slice message;
    bool mapped;
    const struct verdict **verdicts; /* per rcpt */
    struct slice_list *targets;      /* per rcpt */
    struct queue_rcpt *remote;       /* recipients for the queue */
    size_t n_remote, n_local;
    bool queued; /* queue_added is owed */
};

static void answer(struct incoming *in)
{
    size_t n = in->request->rcpts.n;
    struct slice *texts = arena_alloc_n(&in->arena, 2 * n + 1, sizeof *texts);
    if (!texts) {
        ipc_answer_failure(in->from, in->call, "no memory");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        texts[i] = slice_cstr(in->verdicts[i]->code);
        texts[n + i] = slice_cstr(in->verdicts[i]->text);
    }
    struct ipc_message m = {.type = IPC_DELIVER_RESULT};
    m.DELIVER_RESULT.codes = (struct slice_list){texts, n};
    m.DELIVER_RESULT.texts = (struct slice_list){texts + n, n};
    ipc_answer(in->from, in->call, &m);
}

static void log_outcome(struct incoming *in)
{
    const struct ipc_DELIVER *d = in->request;
    for (size_t i = 0; i < d->rcpts.n; i++) {
        bool ok = in->verdicts[i] == &accepted;
        for (size_t k = 0; k < in->targets[i].n; k++)
            LOG(ok ? LOG_INFO : LOG_WARNING, ok ? "message.stored" : "message.not_stored",
                LOG_C("conn", log_id(d->conn).text), LOG_C("id", log_id(d->message_id).text),
                LOG_S("from", d->sender), LOG_S("rcpt", d->rcpts.items[i]),
                LOG_S("target", in->targets[i].items[k]), LOG_U("size", in->message.len),
                LOG_C("reply", in->verdicts[i]->text));
    }
}

static void finish(struct incoming *in)
{
    answer(in);
    log_outcome(in);
    arena_release(&in->arena);
    free(in);
}

/* What became of all that were to be stored. */
static void settle(struct incoming *in, const struct verdict *v)
{
    for (size_t i = 0; i < in->request->rcpts.n; i++)
        if (in->verdicts[i] == &accepted)
            in->verdicts[i] = v;
}

static const struct verdict *verdict_of(enum result r)
{
    switch (r) {
    case OK:
        return &accepted;
    case FULL:
        return &disk_full;
    case LIMIT:
        return &over_quota;
    default:
        return &failed;
    }
}

static void committed(void *arg, enum result r)
{
    struct incoming *in = arg;
    settle(in, verdict_of(r));
    if (in->queued) {
        queue_added(in->mailbox->queue, in->request->message_id, r);
        feed_kick(in->mailbox->feed);
    }
    if (r == OK) {
        pthread_mutex_lock(&in->mailbox->lock);
        in->mailbox->delivered += in->n_local;
        pthread_mutex_unlock(&in->mailbox->lock);
    }
    finish(in);
}

static struct slice_list copy_list(struct arena *a, struct slice_list l)
{
    struct slice_list copy = {arena_alloc_n(a, l.n + 1, sizeof *copy.items), l.n};
    for (size_t i = 0; copy.items && i < l.n; i++)
        copy.items[i] = arena_dup(a, l.items[i]);
    return copy;
}

/* The parts of the request that outlive the handler. */
static enum result keep_request(struct incoming *in, const struct ipc_DELIVER *d)
{
    struct arena *a = &in->arena;
    struct ipc_DELIVER *k = ARENA_NEW(a, struct ipc_DELIVER);
    if (!k)
        return FAILED;
    *k = *d;
    k->sender = arena_dup(a, d->sender);
    k->account = arena_dup(a, d->account);
    k->client_ip = arena_dup(a, d->client_ip);
    k->ret = arena_dup(a, d->ret);
    k->envid = arena_dup(a, d->envid);
    k->rcpts = copy_list(a, d->rcpts);
    k->targets = copy_list(a, d->targets);
    k->dsn_notify = copy_list(a, d->dsn_notify);
    k->dsn_orcpt = copy_list(a, d->dsn_orcpt);
    in->request = k;
    in->verdicts = arena_alloc_n(a, d->rcpts.n + 1, sizeof *in->verdicts);
    in->targets = arena_alloc_n(a, d->rcpts.n + 1, sizeof *in->targets);
    in->remote = arena_alloc_n(a, d->targets.n + 1, sizeof *in->remote);
    return arena_failed(a) ? FAILED : OK;
}

/* Shares the flat target list out to its recipients. INVALID: the counts don't add up. */
static enum result split_targets(struct incoming *in, const struct ipc_DELIVER *d)
{
    size_t at = 0;
    if (d->target_counts.n != d->rcpts.n || d->grants.n != d->rcpts.n ||
        d->dsn_notify.n != d->rcpts.n || d->dsn_orcpt.n != d->rcpts.n || d->rcpts.n == 0)
        return INVALID;
    for (size_t i = 0; i < d->rcpts.n; i++) {
        uint64_t n;
        if (slice_parse_u64(d->target_counts.items[i], d->targets.n - at, &n) != OK)
            return INVALID;
        in->targets[i] = (struct slice_list){in->request->targets.items + at, (size_t)n};
        at += (size_t)n;
    }
    return at == d->targets.n ? OK : INVALID;
}

static enum result take_message(struct incoming *in, struct ipc_message *msg)
{
    const struct ipc_DELIVER *d = &msg->DELIVER;
    enum result r = OK;
    if (msg->n_fds == 0) {
        in->message = d->message;
    } else {
        r = ipc_memfd_map(msg->fds[0], d->size, &in->message);
        in->mapped = r == OK;
    }
    if (r == OK && in->message.len != d->size)
        r = INVALID;
    /* Built in edge, which is not believed: offsets must lie within the message, texts be IMAP. */
    if (r == OK)
        r = summary_verify(d->summary, d->size);
    return r;
}

static void check_grants(struct incoming *in, const struct ipc_DELIVER *d)
{
    struct grant_key key;
    bool have_key = mailbox_grant_key(in->mailbox, &key) == OK;
    for (size_t i = 0; i < d->rcpts.n; i++) {
        in->verdicts[i] = &accepted;
        if (!have_key) {
            in->verdicts[i] = &no_key;
        } else if (grant_rcpt_check(&key, d->grants.items[i], d->conn, d->rcpts.items[i],
                                    in->targets[i], clock_realtime_s()) != OK) {
            in->verdicts[i] = &not_granted;
            LOG(LOG_ERROR, "deliver.grant_refused", LOG_C("conn", log_id(d->conn).text),
                LOG_C("id", log_id(d->message_id).text), LOG_S("rcpt", d->rcpts.items[i]));
        }
    }
}

enum result mailbox_add_local(struct mailbox_role *m, struct delivery *d, struct slice name)
{
    struct account *account;
    enum result r = account_open(m->store, name, &account);
    if (r != OK)
        return r;
    struct delivery_target to = {.account = account, .mailbox = SLICE("INBOX")};
    r = delivery_add(d, &to);
    account_unref(account);
    return r;
}

/* A recipient's targets, found and opened before any is added: it gets all of them or none. */
struct opened {
    struct target target;
    struct account *account; /* NULL: remote, or a copy that need not be */
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
        for (size_t k = 0; in->verdicts[r] == &accepted && k < in->targets[r].n; k++)
            if (slice_eq(in->targets[r].items[k], text))
                return true;
    return false;
}

static void drop_bcc(const struct incoming *in, struct slice text, enum result r)
{
    LOG(LOG_ERROR, "deliver.bcc_dropped", LOG_C("id", log_id(in->request->message_id).text),
        LOG_S("target", text), LOG_C("result", result_name(r)));
}

/* *ret_n counts those of the recipient that are to be added. */
static enum result open_targets(struct incoming *in, size_t i, struct opened *list, size_t *ret_n)
{
    size_t n = 0;
    for (size_t k = 0; k < in->targets[i].n; k++) {
        struct slice text = in->targets[i].items[k];
        struct opened *o = &list[n];
        *o = (struct opened){.account = NULL};
        enum result r = target_parse(text, &o->target);
        if (r == OK && o->target.bcc && bcc_is_there(in, i, text))
            continue;
        if (r == OK && o->target.local)
            r = account_open(in->mailbox->store, o->target.account, &o->account);
        if (r != OK && o->target.bcc) {
            drop_bcc(in, text, r);
        } else if (r != OK) {
            close_targets(list, n);
            return r;
        } else {
            n++;
        }
    }
    *ret_n = n;
    return OK;
}

static void add_remote_target(struct incoming *in, size_t i, const struct target *t)
{
    const struct ipc_DELIVER *d = in->request;
    in->remote[in->n_remote++] = (struct queue_rcpt){
        .address = t->address,
        .original = d->rcpts.items[i],
        .dsn_notify = t->bcc ? SLICE("NEVER") : d->dsn_notify.items[i],
        .dsn_orcpt = t->bcc ? SLICE("") : d->dsn_orcpt.items[i],
        .route = t->route,
    };
}

static enum result add_opened(struct incoming *in, struct delivery *d, size_t i,
                              const struct opened *list, size_t n)
{
    enum result r = OK;
    for (size_t k = 0; r == OK && k < n; k++) {
        if (list[k].account) {
            struct delivery_target to = {.account = list[k].account, .mailbox = SLICE("INBOX")};
            r = delivery_add(d, &to);
            in->n_local += r == OK;
        } else {
            add_remote_target(in, i, &list[k].target);
        }
    }
    return r;
}

/* Adds one recipient's targets. When one can't be opened, none is added and the recipient alone
 * gets the verdict; a failure here is the whole message's, since what was added can't be taken
 * back. */
static enum result add_targets(struct incoming *in, struct delivery *d, size_t i)
{
    size_t n = 0;
    struct opened *list = calloc(in->targets[i].n + 1, sizeof *list);
    if (!list)
        return FAILED;
    enum result r = open_targets(in, i, list, &n);
    if (r != OK) {
        in->verdicts[i] = r == INVALID ? &malformed : verdict_of(r);
        r = OK;
    } else {
        r = add_opened(in, d, i, list, n);
        close_targets(list, n);
    }
    free(list);
    return r;
}

static enum result add_remote(struct incoming *in, struct delivery *d)
{
    const struct ipc_DELIVER *q = in->request;
    struct queue_envelope e = {
        .message = q->message_id,
        .sender = q->sender,
        .account = q->account,
        .client_ip = q->client_ip,
        .ret = q->ret,
        .envid = q->envid,
        .smtputf8 = q->smtputf8,
        .eightbit = q->eightbit,
        .size = in->message.len,
        .rcpts = in->remote,
        .n_rcpts = in->n_remote,
    };
    if (in->n_remote == 0)
        return OK;
    enum result r = queue_add(in->mailbox->queue, d, &e);
    in->queued = r == OK;
    return r;
}

/* OK: `committed` will finish. Else nothing was stored. */
static enum result store_message(struct incoming *in, const struct ipc_DELIVER *d)
{
    struct delivery *delivery;
    enum result r = delivery_new(in->mailbox->store, d->message_id, &delivery);
    if (r != OK)
        return r;
    r = delivery_write(delivery, in->message);
    if (r == OK) {
        delivery_summary(delivery, d->summary);
        for (size_t i = 0; r == OK && i < d->rcpts.n; i++)
            if (in->verdicts[i] == &accepted)
                r = add_targets(in, delivery, i);
        if (r == OK)
            r = add_remote(in, delivery);
    }
    if (r == OK && in->n_local + in->n_remote == 0)
        r = NOT_FOUND;
    if (r != OK) {
        delivery_abandon(delivery);
        return r;
    }
    return delivery_submit(delivery, committed, in);
}

void mailbox_deliver(struct mailbox_role *m, struct ipc_channel *from, struct ipc_message *msg)
{
    const struct ipc_DELIVER *d = &msg->DELIVER;
    struct incoming *in = calloc(1, sizeof *in);
    if (!in) {
        ipc_answer_failure(from, msg->call, "no memory");
        return;
    }
    *in = (struct incoming){.mailbox = m, .from = from, .call = msg->call};
    arena_init(&in->arena, ARENA_MAX);
    if (keep_request(in, d) != OK || split_targets(in, d) != OK || take_message(in, msg) != OK) {
        LOG(LOG_ERROR, "deliver.malformed", LOG_C("conn", log_id(d->conn).text),
            LOG_C("id", log_id(d->message_id).text));
        ipc_answer_failure(from, msg->call, "malformed DELIVER");
        arena_release(&in->arena);
        if (in->mapped)
            ipc_memfd_unmap(in->message);
        free(in);
        return;
    }
    struct slice message = in->message;
    bool mapped = in->mapped;
    check_grants(in, d);
    enum result r = store_message(in, d);
    /* `in` is gone already when the commit was quick, unless r tells that there is none. */
    if (r != OK) {
        if (in->queued)
            queue_added(m->queue, d->message_id, r);
        if (r != NOT_FOUND)
            settle(in, verdict_of(r));
        finish(in);
    }
    if (mapped)
        ipc_memfd_unmap(message);
}
