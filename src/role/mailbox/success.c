/* success.c: reports of success for recipients that asked for them (RFC 3461 4.1, NOTIFY=SUCCESS)
 * and whose journey ends here: in a mailbox ("delivered"), or in several targets
 * ("expanded", 5.2.7.3). The queue reports about the others. */
#include "base/clock.h"
#include "mime/header.h"
#include "queue/dsn.h"
#include "role/mailbox/incoming.h"

enum { REPORT_MAX = 1 << 20, HEADER_MAX = 64 * 1024 };

bool incoming_is_expanded(const struct incoming *in, size_t i)
{
    return in->targets[i].n > 1;
}

static bool ends_here(const struct incoming *in, size_t i)
{
    struct target t;
    if (incoming_is_expanded(in, i))
        return true;
    return in->targets[i].n == 1 && target_parse(in->targets[i].items[0], &t) == OK && t.local;
}

static bool is_wanted(const struct incoming *in, size_t i)
{
    const struct ipc_DELIVER *d = in->request;
    return in->verdicts[i] == &verdict_accepted && !d->hold.len &&
           dsn_wants(d->dsn_notify.items[i], DSN_WISH_SUCCESS) && ends_here(in, i);
}

static size_t gather(const struct incoming *in, struct dsn_rcpt *list)
{
    const struct ipc_DELIVER *d = in->request;
    int64_t now = clock_realtime_s();
    size_t n = 0;
    for (size_t i = 0; i < d->rcpts.n; i++) {
        if (!is_wanted(in, i))
            continue;
        list[n++] = (struct dsn_rcpt){
            .action = incoming_is_expanded(in, i) ? DSN_EXPANDED : DSN_DELIVERED,
            .address = d->rcpts.items[i],
            .original = d->rcpts.items[i],
            .orcpt = d->dsn_orcpt.items[i],
            .status = SLICE("2.0.0"),
            .reply = incoming_is_expanded(in, i) ? SLICE("sent on to the addresses behind it")
                                                 : SLICE("delivered to the mailbox"),
            .remote = SLICE(""),
            .diag_type = SLICE(""),
            .attempted_s = now};
    }
    return n;
}

/* The stored form begins with our Return-Path, which is not the sender's. */
static struct slice header_of(struct slice message)
{
    size_t end = slice_starts(message, SLICE("Return-Path:")) ? slice_search(message, SLICE("\r\n"))
                                                              : SIZE_MAX;
    if (end != SIZE_MAX)
        message = slice_from(message, end + 2);
    return slice_sub(message, 0, header_length(slice_sub(message, 0, HEADER_MAX)));
}

void incoming_prepare_report(struct incoming *in)
{
    const struct ipc_DELIVER *q = in->request;
    struct dsn_rcpt *rcpts;
    struct buf text;
    bool any = false;
    for (size_t i = 0; i < q->rcpts.n && !any; i++)
        any = q->sender.len && is_wanted(in, i);
    rcpts = any ? arena_alloc_n(&in->arena, q->rcpts.n, sizeof *rcpts) : NULL;
    if (!rcpts)
        return;
    const struct conf *c = role_conf(in->mailbox->role);
    struct dsn d = {.id = log_id_new(),
                    .message = q->message_id,
                    .reporting_mta = c->myhostname,
                    .system = c->mail_name,
                    .mailer_domain = c->myorigin,
                    .sender = q->sender,
                    .envid = q->envid,
                    .arrived_s = clock_realtime_s(),
                    .now_s = clock_realtime_s(),
                    .smtputf8 = q->smtputf8,
                    .rcpts = rcpts,
                    .n_rcpts = gather(in, rcpts),
                    .returned = header_of(in->message)};
    buf_init(&text, REPORT_MAX);
    if (dsn_build(&d, &text) == OK)
        in->report = arena_dup(&in->arena, buf_slice(&text));
    conf_unref(c);
    buf_release(&text);
}

/* It is delivered all the same. */
static void reported(void *arg, enum result r)
{
    (void)arg;
    if (r != OK && r != NOT_FOUND)
        LOG(LOG_WARNING, "report.not_stored", LOG_C("result", result_name(r)));
}

void incoming_send_report(struct incoming *in)
{
    const struct ipc_DELIVER *d = in->request;
    if (in->report.len)
        mailbox_bounce(in->mailbox,
                       &(struct queue_bounce){d->message_id, d->sender, in->report, d->smtputf8,
                                              d->require_tls},
                       reported, NULL);
}
