/* deliver.c: a message from edge into mailboxes and the queue, in one durable batch.
 *
 * Edge says where the message goes, but only with auth's grant for each recipient. Every recipient
 * gets a reply of its own (LMTP needs it; SMTP takes the worst). The reply is sent from the
 * commit's `done`, after the fdatasync. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "mime/summary.h"
#include "role/mailbox/incoming.h"
#include "role/mailbox/quota.h"

enum { ARENA_MAX = 4 << 20 };

const struct verdict verdict_accepted = {"250", "2.0.0 Ok"},
                     verdict_malformed = {"451", "4.3.0 Error: internal message malformed"};
static const struct verdict too_large = {"552", "5.2.3 Message is too large for a mailbox"};
static const struct verdict not_granted = {"554", "5.7.1 Error: recipient not permitted"},
                            disk_full = {"452", "4.3.1 Insufficient system storage"},
                            over_quota = {"452", "4.2.2 Mailbox full"},
                            failed = {"451", "4.3.0 Error: queue file write error"};

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
        bool ok = in->verdicts[i] == &verdict_accepted;
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
        if (in->verdicts[i] == &verdict_accepted)
            in->verdicts[i] = v;
}

const struct verdict *verdict_of(enum result r)
{
    switch (r) {
    case OK:
        return &verdict_accepted;
    case FULL:
        return &disk_full;
    case LIMIT:
        return &over_quota;
    default:
        return &failed;
    }
}

const struct verdict *incoming_over_quota(struct incoming *in, size_t i)
{
    struct verdict *v = ARENA_NEW(&in->arena, struct verdict);
    struct buf text;
    buf_init(&text, 1000);
    bool for_good = quota_reply(in->mailbox->quota, in->request->rcpts.items[i], &text);
    struct slice copy = arena_dup(&in->arena, buf_slice(&text));
    buf_release(&text);
    if (!v || !copy.data)
        return &over_quota;
    *v = (struct verdict){for_good ? "552" : "452", copy.data};
    return v;
}

const struct verdict *incoming_too_large(const struct incoming *in)
{
    return quota_too_large(in->mailbox->quota, in->message.len) ? &too_large : NULL;
}

void incoming_stored(struct incoming *in, enum result r)
{
    settle(in, verdict_of(r));
    if (r == OK) {
        pthread_mutex_lock(&in->mailbox->lock);
        in->mailbox->delivered += in->n_local;
        pthread_mutex_unlock(&in->mailbox->lock);
        incoming_send_report(in);
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
    k->service = arena_dup(a, d->service);
    k->client_name = arena_dup(a, d->client_name);
    k->helo = arena_dup(a, d->helo);
    k->tls = arena_dup(a, d->tls);
    k->login = arena_dup(a, d->login);
    k->protocol = arena_dup(a, d->protocol);
    k->sasl_method = arena_dup(a, d->sasl_method);
    k->client_port = arena_dup(a, d->client_port);
    k->sasl_sender = arena_dup(a, d->sasl_sender);
    k->rules = copy_list(a, d->rules);
    k->rcpts = copy_list(a, d->rcpts);
    k->targets = copy_list(a, d->targets);
    k->dsn_notify = copy_list(a, d->dsn_notify);
    k->dsn_orcpt = copy_list(a, d->dsn_orcpt);
    in->request = k;
    in->verdicts = arena_alloc_n(a, d->rcpts.n + 1, sizeof *in->verdicts);
    in->targets = arena_alloc_n(a, d->rcpts.n + 1, sizeof *in->targets);
    return arena_failed(a) ? FAILED : OK;
}

/* Shares the flat target list out to its recipients. INVALID: the counts don't add up. */
static enum result split_targets(struct incoming *in, const struct ipc_DELIVER *d)
{
    size_t at = 0;
    if (d->target_counts.n != d->rcpts.n || d->grants.n != d->rcpts.n || d->rules.n != d->rcpts.n ||
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
    const struct grant_key *key = &in->mailbox->role->grant_key;
    for (size_t i = 0; i < d->rcpts.n; i++) {
        in->verdicts[i] = &verdict_accepted;
        if (grant_rcpt_check(key, d->grants.items[i], d->conn, d->rcpts.items[i], in->targets[i],
                             clock_realtime_s()) != OK) {
            in->verdicts[i] = &not_granted;
            LOG(LOG_ERROR, "deliver.grant_refused", LOG_C("conn", log_id(d->conn).text),
                LOG_C("id", log_id(d->message_id).text), LOG_S("rcpt", d->rcpts.items[i]));
        }
    }
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
    incoming_refuse_loops(in);
    if (incoming_store(in, d->summary) == NOT_FOUND)
        finish(in); /* else `in` may be gone by now */
    if (mapped)
        ipc_memfd_unmap(message);
}
