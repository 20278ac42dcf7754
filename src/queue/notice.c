/* notice.c: the reports (RFC 3464) that an attempt's end makes necessary. */
#include "base/clock.h"
#include "base/log.h"
#include "mime/header.h"
#include "queue/dsn.h"
#include "queue/finish.h"

enum { DSN_BYTES_MAX = 4 << 20, HEADER_MAX = 64 * 1024 };

/* RFC 3461 5.2.2: what was passed on to a server that reports nothing is "relayed". */
static enum dsn_action action_of(const struct finish *f, size_t i)
{
    switch (f->telling) {
    case NOTICE_DELAY:
        return DSN_DELAYED;
    case NOTICE_SUCCESS:
        return f->job->pub.envelope.rcpts[i].served.len ? DSN_DELIVERED : DSN_RELAYED;
    default:
        return DSN_FAILED;
    }
}

static struct dsn_rcpt report_of(const struct finish *f, size_t i, int64_t now)
{
    const struct queue_rcpt *to = &f->job->pub.envelope.rcpts[i];
    const struct queue_rcpt_result *r = &f->results[i];
    return (struct dsn_rcpt){.action = action_of(f, i),
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

/* RFC 3461 4.3: RET decides between header and whole message for a failure, within limits of our
 * own; the other notices return the header. RFC 8689 5: where the way back may lack the message's
 * TLS, its header alone goes, whatever RET says. */
static enum result read_returned(struct finish *f, struct buf *out, bool *ret_whole)
{
    const struct queue_envelope *e = &f->job->pub.envelope;
    struct store *s = f->job->queue->store;
    bool header = e->require_tls || slice_is_nocase(e->ret, "HDRS");
    uint64_t most = header                            ? 0
                    : slice_is_nocase(e->ret, "FULL") ? DSN_RETURN_MAX
                                                      : DSN_RETURN_DEFAULT;
    bool whole = f->telling == NOTICE_FAILURE && e->size <= most;
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
    struct dsn_rcpt *rcpts = arena_alloc_n(&j->arena, f->n_notices[f->telling], sizeof *rcpts);
    struct buf returned;
    struct dsn d = {.id = log_id_new(),
                    .message = e->message,
                    .reporting_mta = slice_cstr(j->queue->reporting_mta),
                    .system = slice_cstr(j->queue->system),
                    .mailer_domain = slice_cstr(j->queue->mailer_domain),
                    .sender = e->sender,
                    .envid = e->envid,
                    .arrived_s = j->pub.arrived_s,
                    .now_s = now,
                    .smtputf8 = e->smtputf8,
                    .rcpts = rcpts,
                    .n_rcpts = f->n_notices[f->telling]};
    if (!rcpts)
        return FAILED;
    for (size_t i = 0, n = 0; i < e->n_rcpts; i++)
        if (f->notices[i] == f->telling)
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

void notice_send(struct finish *f)
{
    struct queue *q = f->job->queue;
    const struct queue_envelope *e = &f->job->pub.envelope;
    struct buf message;
    buf_init(&message, DSN_BYTES_MAX);
    enum result r = build_notice(f, &message);
    if (r == OK)
        q->bounce(q->bounce_owner,
                  &(struct queue_bounce){e->message, e->sender, buf_slice(&message), e->smtputf8,
                                         e->require_tls},
                  finish_told, f);
    else
        finish_told(f, r);
    buf_release(&message);
}
