/* journey.c: what the trace is told of messages that come in, and old journeys forgotten. */
#include "role/mailbox/journey.h"

#include <stdlib.h>

#include "base/clock.h"
#include "mime/header.h"
#include "role/mailbox/incoming.h"
#include "trace/trace.h"

/* ---- what came in ---- */

static void add_message_id(struct trace *t, struct slice message)
{
    struct header_field f;
    struct buf text;
    if (header_find(slice_sub(message, 0, header_length(message)), "Message-ID", &f) != OK)
        return;
    buf_init(&text, TRACE_TEXT_MAX);
    header_unfold(f.body, &text);
    trace_add(t, TRACE_F_MESSAGE_ID, buf_slice(&text));
    buf_release(&text);
}

static size_t rcpt_bytes(const struct incoming *in, size_t i)
{
    enum { FIELD_COST = 4 };
    size_t n = in->request->rcpts.items[i].len + in->request->rules.items[i].len + 2 * FIELD_COST;
    for (size_t k = 0; k < in->targets[i].n; k++)
        n += in->targets[i].items[k].len + FIELD_COST;
    return n;
}

static void add_rcpt(struct trace *t, const struct incoming *in, size_t i)
{
    trace_add(t, TRACE_F_RCPT, in->request->rcpts.items[i]);
    trace_add(t, TRACE_F_RULE, in->request->rules.items[i]);
    for (size_t k = 0; k < in->targets[i].n; k++)
        trace_add(t, TRACE_F_TARGET, slice_trim(in->targets[i].items[k]));
}

static void add_rcpts(struct trace *t, const struct incoming *in)
{
    size_t n = in->request->rcpts.n, more = 0;
    for (size_t i = 0; i < n; i++) {
        if (in->verdicts[i] != &verdict_accepted)
            continue;
        if (more || !trace_has_room(t, rcpt_bytes(in, i)))
            more++;
        else
            add_rcpt(t, in, i);
    }
    if (more)
        trace_add_number(t, TRACE_F_MORE, more);
}

void incoming_put_journey(const struct incoming *in, struct kv_batch *b)
{
    const struct ipc_DELIVER *d = in->request;
    struct trace t;
    if (!store_traces(in->mailbox->store, d->message_id))
        return;
    trace_begin(&t, TRACE_ACCEPTED);
    trace_add(&t, TRACE_F_SERVICE, d->service);
    trace_add(&t, TRACE_F_CLIENT, d->client_ip);
    trace_add(&t, TRACE_F_NAME, d->client_name);
    trace_add(&t, TRACE_F_HELO, d->helo);
    trace_add(&t, TRACE_F_TLS, d->tls);
    trace_add(&t, TRACE_F_LOGIN, d->login);
    trace_add(&t, TRACE_F_ACCOUNT, d->account);
    trace_add(&t, TRACE_F_SENDER, d->sender.len ? d->sender : SLICE("<>"));
    trace_add_number(&t, TRACE_F_SIZE, in->message.len);
    add_message_id(&t, in->message);
    add_rcpts(&t, in);
    trace_put(&t, b, d->message_id);
    if (d->hold.len) {
        trace_begin(&t, TRACE_HELD);
        trace_add(&t, TRACE_F_REASON, d->hold);
        trace_put(&t, b, d->message_id);
    }
}

void journey_put_copy(struct kv_batch *b, uint64_t message, uint64_t copy)
{
    struct trace t;
    trace_begin(&t, TRACE_COPIED);
    trace_add(&t, TRACE_F_COPY, slice_cstr(log_id(copy).text));
    trace_put(&t, b, message);
    trace_begin(&t, TRACE_COPY_OF);
    trace_add(&t, TRACE_F_ABOUT, slice_cstr(log_id(message).text));
    trace_put(&t, b, copy);
}

void journey_put_bounce(const struct store *s, struct kv_batch *b, uint64_t about, uint64_t id,
                        struct slice rcpt)
{
    struct trace t;
    if (!store_traces(s, id))
        return;
    if (about) {
        trace_begin(&t, TRACE_NOTICE);
        trace_add(&t, TRACE_F_COPY, slice_cstr(log_id(id).text));
        trace_add(&t, TRACE_F_RCPT, rcpt);
        trace_put(&t, b, about);
    }
    trace_begin(&t, TRACE_ACCEPTED);
    trace_add(&t, TRACE_F_SERVICE, about ? SLICE("bounce") : SLICE("report"));
    trace_add(&t, TRACE_F_SENDER, SLICE("<>"));
    trace_add(&t, TRACE_F_RCPT, rcpt);
    if (about)
        trace_add(&t, TRACE_F_ABOUT, slice_cstr(log_id(about).text));
    trace_put(&t, b, id);
}

/* ---- what is forgotten ---- */

enum { AT_ONCE = 2000, ROUND_MS = 60 * 1000, NEXT_MS = 100 };

struct trace_keeper {
    struct io_task task;
    struct mailbox_role *mailbox;
    uint64_t from; /* messages below have nothing left */
    size_t n;      /* how many events the last round took */
};

static uint64_t lifetime_of(const struct trace_keeper *k)
{
    const struct conf *c = role_conf(k->mailbox->role);
    uint64_t lifetime = (uint64_t)c->trace_lifetime;
    conf_unref(c);
    return lifetime;
}

/* Waits for its commit, so it runs on a helper thread. */
static void forget(void *arg)
{
    struct trace_keeper *k = arg;
    uint64_t before = log_id_at(clock_realtime_s() - (int64_t)lifetime_of(k));
    k->n = 0;
    if (trace_forget(k->mailbox->kv, &k->from, before, AT_ONCE, &k->n) != OK)
        LOG(LOG_WARNING, "trace.not_forgotten", LOG_C("then", "tried again in a minute"));
    io_wake(&k->task);
}

static void run(struct io_task *task, unsigned events)
{
    struct trace_keeper *k = CONTAINER_OF(task, struct trace_keeper, task);
    if (events & IO_WAKE)
        io_task_deadline(task, k->n == AT_ONCE ? NEXT_MS : ROUND_MS);
    else if (io_run_blocking(k->mailbox->role->engine, forget, k) != OK)
        io_task_deadline(task, ROUND_MS);
}

enum result trace_keeper_new(struct mailbox_role *m, struct trace_keeper **ret)
{
    struct trace_keeper *k = calloc(1, sizeof *k);
    if (!k)
        return FAILED;
    k->mailbox = m;
    io_task_open(m->role->engine, &k->task, -1, run);
    io_task_deadline(&k->task, ROUND_MS);
    *ret = k;
    return OK;
}

void trace_keeper_free(struct trace_keeper *k)
{
    free(k);
}
