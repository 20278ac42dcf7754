/* message.c: the message of a transaction: its Received field on top, and what is checked and
 * mended in its header once it is whole. */
#include "proto/smtp/command.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "mime/date.h"
#include "mime/header.h"
#include "mime/submission.h"

/* Room for our own fields beside what message_size_limit allows. */
enum { OWN_FIELDS_MAX = 64 * 1024 };

/* ---- Received ---- */

/* The way it came, as RFC 3848 and RFC 6531 4.3 name it. */
static void put_protocol(const struct smtp_session *s, struct buf *out)
{
    bool lmtp = smtp_is_lmtp(s);
    if (!s->esmtp) {
        buf_puts(out, "SMTP");
        return;
    }
    if (s->tx->smtputf8)
        buf_puts(out, lmtp ? "UTF8LMTP" : "UTF8SMTP");
    else
        buf_puts(out, lmtp ? "LMTP" : "ESMTP");
    buf_puts(out, s->tls ? "S" : "");
    buf_puts(out, s->authenticated ? "A" : "");
}

static void put_client(const struct smtp_session *s, struct buf *out)
{
    const struct smtp_peer *p = s->peer;
    bool v6 = slice_find(p->ip, ':') != SIZE_MAX;
    if (p->ip.len == 0) {
        buf_printf(out, "from %s (localhost)", s->helo ? s->helo : "localhost");
        return;
    }
    buf_printf(out, "from %s (%.*s [%s%.*s])", s->helo ? s->helo : "unknown",
               SLICE_ARG(p->name.len ? p->name : SLICE("unknown")), v6 ? "IPv6:" : "",
               SLICE_ARG(p->ip));
}

/* "TLSv1.3 CIPHER" as a comment. */
static void put_tls(const struct smtp_session *s, struct buf *out)
{
    struct slice rest = slice_cstr(s->tls);
    if (rest.len == 0 || !s->config->tell_tls)
        return;
    struct slice version = slice_split(&rest, ' ');
    buf_printf(out, "\r\n\t(using %.*s", SLICE_ARG(version));
    if (rest.len)
        buf_printf(out, " with cipher %.*s", SLICE_ARG(rest));
    buf_puts(out, ")");
}

static void put_way(const struct smtp_session *s, struct buf *out)
{
    put_client(s, out);
    put_tls(s, out);
    if (s->config->tell_login && s->authenticated && s->peer->login.len)
        buf_printf(out, "\r\n\t(Authenticated sender: %.*s)", SLICE_ARG(s->peer->login));
    buf_printf(out, "\r\n\tby %.*s (%.*s) with ", SLICE_ARG(s->config->hostname),
               SLICE_ARG(s->config->system));
    put_protocol(s, out);
}

/* RFC 5321 4.4. One recipient is named; of several each would learn of the others. */
static void put_received(const struct smtp_session *s, struct buf *out)
{
    const struct smtp_tx *tx = s->tx;
    buf_puts(out, "Received: ");
    if (s->config->service == SMTP_SERVICE_SENDMAIL)
        buf_printf(out, "by %.*s (%.*s, from userid %u)", SLICE_ARG(s->config->hostname),
                   SLICE_ARG(s->config->system), s->peer->uid);
    else
        put_way(s, out);
    buf_printf(out, " id %s", log_id(tx->id).text);
    if (tx->n_rcpts == 1)
        buf_printf(out, "\r\n\tfor <%.*s>", SLICE_ARG(tx->rcpts[0].address));
    int64_t now = clock_realtime_s();
    buf_puts(out, ";\r\n\t");
    date_format(now, date_local_zone(now), out);
    buf_puts(out, "\r\n");
}

void smtp_message_begin(struct smtp_session *s, bool chunked)
{
    struct smtp_tx *tx = s->tx;
    uint64_t limit = s->config->size_limit;
    buf_init(&tx->message, limit && limit < SIZE_MAX - OWN_FIELDS_MAX
                               ? (size_t)limit + OWN_FIELDS_MAX
                               : SIZE_MAX / 2);
    tx->chunked = chunked;
    smtp_data_init(&tx->data, !chunked, limit);
    put_received(s, &tx->message);
    tx->received_len = buf_len(&tx->message);
    tx->data.no_memory = !buf_ok(&tx->message);
}

/* ---- the whole message ---- */

static bool has_eightbit(struct slice s)
{
    uint64_t all = 0;
    size_t i = 0;
    for (; i + 8 <= s.len; i += 8) {
        uint64_t word;
        memcpy(&word, s.data + i, 8);
        all |= word;
    }
    for (; i < s.len; i++)
        all |= (uint64_t)(unsigned char)s.data[i];
    return all & 0x8080808080808080u;
}

/* Takes the bytes [from, from + len) out of the front part of the message: what stands before them
 * moves, which is our Received field and a few more. */
static void cut(struct buf *message, size_t from, size_t len)
{
    char *start = message->mem + message->start;
    memmove(start + len, start, from);
    buf_consume(message, len);
}

/* RFC 5321 4.4: Return-Path is added at the final delivery, and only there. */
static void drop_return_path(struct buf *message)
{
    struct header_field f;
    for (unsigned n = 0; n < 10; n++) {
        struct slice all = buf_slice(message);
        if (header_find(slice_sub(all, 0, header_length(all)), "Return-Path", &f) != OK)
            return;
        cut(message, (size_t)(f.raw.data - all.data), f.raw.len);
    }
}

/* RFC 6409 8. False: no memory, or a header beyond all measure. */
static bool complete_submission(struct smtp_session *s)
{
    struct smtp_tx *tx = s->tx;
    struct slice all = buf_slice(&tx->message);
    struct slice client = slice_from(all, tx->received_len);
    struct submission how = {
        .origin = s->config->origin,
        .host = s->config->hostname,
        .sender = tx->sender,
        .id = tx->id,
        .now = clock_realtime_s(),
    };
    struct buf whole;
    size_t body;
    buf_init(&whole, tx->message.max);
    buf_append(&whole, slice_sub(all, 0, tx->received_len));
    enum result r = submission_complete(client, &how, &whole, &body, &tx->submission_changes);
    if (r == OK)
        buf_append(&whole, slice_from(client, body));
    if (r != OK || !buf_ok(&whole)) {
        buf_release(&whole);
        return false;
    }
    buf_release(&tx->message);
    tx->message = whole;
    return true;
}

/* The reply that refuses the message as it came, or NULL. */
static const char *faults(const struct smtp_session *s)
{
    const struct smtp_tx *tx = s->tx;
    const struct smtp_data *d = &tx->data;
    if (d->too_big)
        return "552 5.3.4 Error: message file too big";
    if (d->no_memory)
        return "452 4.3.1 Insufficient system storage";
    if (s->config->reject_bare && d->bare_lf)
        return "550 5.5.2 Error: bare <LF> received";
    if (s->config->reject_bare && d->bare_cr)
        return "550 5.5.2 Error: bare <CR> received";
    /* RFC 5321 6.3; our own field is not counted. */
    struct slice all = buf_slice(&tx->message);
    struct slice header = slice_sub(all, 0, header_length(all));
    if (header_count(header, "Received") > s->config->hop_limit + 1)
        return "554 5.4.6 Error: too many hops";
    return NULL;
}

/* RFC 2033 4.2: LMTP answers once for each recipient that was accepted. */
static void refuse(struct smtp_session *s, const char *reply)
{
    uint32_t n = smtp_is_lmtp(s) ? s->tx->n_rcpts : 1;
    uint32_t errors = s->errors;
    for (uint32_t i = 0; i < n; i++)
        smtp_reply(s, "%s", reply);
    s->errors = errors + 1;
    smtp_end_tx(s);
}

static bool is_submission(enum smtp_service s)
{
    return s == SMTP_SERVICE_SUBMISSION || s == SMTP_SERVICE_SENDMAIL;
}

static void hand_over(struct smtp_session *s)
{
    smtp_ask(s, SMTP_WANT_DELIVER);
}

void smtp_message_complete(struct smtp_session *s)
{
    struct smtp_tx *tx = s->tx;
    const char *reply = faults(s);
    if (reply) {
        refuse(s, reply);
        return;
    }
    drop_return_path(&tx->message);
    if (is_submission(s->config->service) && !complete_submission(s)) {
        refuse(s, "552 5.3.4 Error: message header too big");
        return;
    }
    tx->eightbit = has_eightbit(buf_slice(&tx->message));
    smtp_ask_policy(s, SMTP_AT_END, hand_over);
}

/* ---- its reply ---- */

static bool went_well(const struct smtp_outcome *o)
{
    return o->code >= 200 && o->code < 300;
}

static void reply_failure(struct smtp_session *s, const struct smtp_outcome *o)
{
    if (o->code >= 400 && o->code <= 599)
        smtp_reply(s, "%u %.*s", o->code, SLICE_ARG(o->text));
    else
        smtp_reply(s, "451 4.3.0 Error: queue file write error");
    s->refused = false; /* the driver logs it */
}

static void reply_one(struct smtp_session *s, const struct smtp_outcome *o)
{
    if (went_well(o))
        smtp_reply(s, "250 2.0.0 Ok: queued as %s", log_id(s->tx->id).text);
    else
        reply_failure(s, o);
}

static void reply_each(struct smtp_session *s, const struct smtp_outcome *outcomes, size_t n)
{
    static const struct smtp_outcome unknown;
    for (size_t i = 0; i < s->tx->n_rcpts; i++) {
        const struct smtp_outcome *o = i < n ? &outcomes[i] : &unknown;
        if (went_well(o))
            smtp_reply(s, "250 2.1.5 <%.*s> Ok: delivered as %s",
                       SLICE_ARG(s->tx->rcpts[i].address), log_id(s->tx->id).text);
        else
            reply_failure(s, o);
    }
}

void smtp_delivered(struct smtp_session *s, const struct smtp_outcome *outcomes, size_t n,
                    struct buf *out)
{
    static const struct smtp_outcome unknown;
    s->waiting = 0;
    s->out = out;
    const struct smtp_outcome *worst = n == s->tx->n_rcpts && n ? &outcomes[0] : &unknown;
    for (size_t i = 1; i < n && went_well(worst); i++)
        worst = &outcomes[i];
    if (smtp_is_lmtp(s))
        reply_each(s, outcomes, n);
    else
        reply_one(s, worst);
    if (went_well(worst))
        s->errors = s->junk = 0;
    smtp_end_tx(s);
}
