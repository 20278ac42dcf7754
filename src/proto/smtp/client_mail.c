/* client_mail.c: a transaction: RSET where needed, MAIL, RCPTs, DATA and the verdict.
 *
 * Steps are numbered: 0 RSET, 1 MAIL, 2... the RCPTs, then DATA. next_send is the step to be sent,
 * next_receive the one whose reply is awaited; with PIPELINING (RFC 2920) the first runs ahead of
 * the second, never beyond DATA. */
#include "proto/smtp/client_internal.h"

enum { STEP_RSET, STEP_MAIL, STEP_RCPT };

static size_t step_data(const struct smtp_client *c)
{
    return STEP_RCPT + c->n_order;
}

static size_t rcpt_of(const struct smtp_client *c, size_t step)
{
    return c->order[step - STEP_RCPT];
}

void smtp_client_decide(struct smtp_client *c, enum smtp_outcome outcome, bool remote,
                        struct slice status, struct slice text)
{
    struct slice kept_status = arena_dup(&c->arena, status), kept = arena_dup(&c->arena, text);
    for (size_t i = 0; c->results && i < c->mail->n_rcpts; i++)
        if (c->results[i].outcome == SMTP_PENDING)
            c->results[i] = (struct smtp_client_result){outcome, remote, kept_status, kept};
}

static void decide_one(struct smtp_client_result *result, const struct smtp_reply *r)
{
    *result = (struct smtp_client_result){r->code / 100 == 5 ? SMTP_FAILED : SMTP_DEFERRED, true,
                                          r->status, r->text};
}

/* ---- the begin ---- */

/* Nothing that could end a line or a path early may go out (RFC 5321 4.1.2). */
static bool can_be_sent(struct slice address)
{
    bool quoted = false;
    for (size_t i = 0; i < address.len; i++) {
        unsigned char u = (unsigned char)address.data[i];
        if (u < 0x20 || u == 0x7f)
            return false;
        if (quoted && u == '\\' && i + 1 < address.len &&
            (unsigned char)address.data[i + 1] >= 0x20)
            i++;
        else if (u == '"')
            quoted = !quoted;
        else if (!quoted && (u == '<' || u == '>' || u == ' '))
            return false;
    }
    return !quoted && address.len <= 1000;
}

static bool is_parameter(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] <= 0x20 || s.data[i] == 0x7f)
            return false;
    return s.len <= 500;
}

static void choose_recipients(struct smtp_client *c)
{
    for (size_t i = 0; i < c->mail->n_rcpts; i++) {
        if (c->mail->rcpts[i].address.len && can_be_sent(c->mail->rcpts[i].address))
            c->order[c->n_order++] = i;
        else
            c->results[i] = (struct smtp_client_result){
                SMTP_FAILED, false, SLICE("5.1.3"),
                SLICE("the address holds characters that can't be sent")};
    }
}

static void refuse_all(struct smtp_client *c, struct slice status, const char *text)
{
    smtp_client_decide(c, SMTP_FAILED, false, status, slice_cstr(text));
    c->state = CLIENT_DONE;
}

static void check_offers(struct smtp_client *c)
{
    if (!can_be_sent(c->mail->sender)) {
        refuse_all(c, SLICE("5.1.7"), "the sender holds characters that can't be sent");
    } else if (c->size_limit && c->mail->size > c->size_limit) {
        /* RFC 1870 6.1: known beforehand. */
        refuse_all(c, SLICE("5.3.4"), "the message is larger than the server takes");
    } else if (c->mail->smtputf8 && !(c->offers & OFFER_SMTPUTF8)) {
        /* RFC 6531 3.5 */
        refuse_all(c, SLICE("5.6.7"),
                   "the message needs SMTPUTF8, which the server does not offer");
    } else if (c->n_order == 0) {
        c->state = CLIENT_DONE;
    }
}

enum result smtp_client_send(struct smtp_client *c, const struct smtp_client_mail *m)
{
    if (c->state != CLIENT_READY || m->n_rcpts == 0 || m->n_rcpts > SMTP_CLIENT_RCPTS_MAX)
        return INVALID;
    struct smtp_client_result *results = arena_alloc_n(&c->arena, m->n_rcpts, sizeof *results);
    size_t *order = arena_alloc_n(&c->arena, m->n_rcpts, sizeof *order);
    if (arena_failed(&c->arena)) {
        arena_clear(&c->arena);
        return FAILED;
    }
    c->mail = m;
    c->results = results;
    c->order = order;
    c->n_order = c->accepted = c->next_verdict = 0;
    c->mail_refused = false;
    c->untouched = true;
    c->transactions++;
    c->next_send = c->next_receive = c->dirty ? STEP_RSET : STEP_MAIL;
    c->body_all = c->body_cr = false;
    c->body_last = '\n';
    c->state = CLIENT_MAIL;
    choose_recipients(c);
    check_offers(c);
    return OK;
}

/* ---- sending ---- */

/* A message with bytes above 127 goes to a server without 8BITMIME as it is: what conversion would
 * break (signatures) is worth more than what such servers, if there are any left, would. */
static void put_mail(struct smtp_client *c)
{
    const struct smtp_client_mail *m = c->mail;
    buf_printf(&c->out, "MAIL FROM:<%.*s>", SLICE_ARG(m->sender));
    if (c->offers & OFFER_SIZE)
        buf_printf(&c->out, " SIZE=%llu", (unsigned long long)m->size);
    if (m->eightbit && (c->offers & OFFER_8BITMIME))
        buf_puts(&c->out, " BODY=8BITMIME");
    if (m->smtputf8)
        buf_puts(&c->out, " SMTPUTF8");
    if (m->require_tls && c->tls && (c->offers & OFFER_REQUIRETLS))
        buf_puts(&c->out, " REQUIRETLS");
    if ((c->offers & OFFER_DSN) && m->ret.len && is_parameter(m->ret))
        buf_printf(&c->out, " RET=%.*s", SLICE_ARG(m->ret));
    if ((c->offers & OFFER_DSN) && m->envid.len && is_parameter(m->envid))
        buf_printf(&c->out, " ENVID=%.*s", SLICE_ARG(m->envid));
    buf_puts(&c->out, "\r\n");
    c->dirty = true;
}

static void put_rcpt(struct smtp_client *c, const struct smtp_client_rcpt *r)
{
    buf_printf(&c->out, "RCPT TO:<%.*s>", SLICE_ARG(r->address));
    if ((c->offers & OFFER_DSN) && r->notify.len && is_parameter(r->notify))
        buf_printf(&c->out, " NOTIFY=%.*s", SLICE_ARG(r->notify));
    if ((c->offers & OFFER_DSN) && r->orcpt.len && is_parameter(r->orcpt))
        buf_printf(&c->out, " ORCPT=%.*s", SLICE_ARG(r->orcpt));
    buf_puts(&c->out, "\r\n");
}

static void put_step(struct smtp_client *c, size_t step)
{
    if (step == STEP_RSET)
        buf_puts(&c->out, "RSET\r\n");
    else if (step == STEP_MAIL)
        put_mail(c);
    else if (step < step_data(c))
        put_rcpt(c, &c->mail->rcpts[rcpt_of(c, step)]);
    else
        buf_puts(&c->out, "DATA\r\n");
}

/* True when no recipient can come of it any more. */
static bool pointless(const struct smtp_client *c)
{
    return c->mail_refused || (c->next_receive == step_data(c) && c->accepted == 0);
}

void smtp_client_send_steps(struct smtp_client *c)
{
    size_t ahead = c->offers & OFFER_PIPELINING ? SMTP_CLIENT_GROUP_MAX : 1;
    while (!pointless(c) && c->next_send <= step_data(c) &&
           c->next_send - c->next_receive < ahead && buf_len(&c->out) < SMTP_CLIENT_OUT_MAX / 2) {
        put_step(c, c->next_send);
        c->next_send++;
    }
    if (pointless(c) && c->next_receive == c->next_send)
        c->state = CLIENT_DONE;
}

/* ---- receiving ---- */

static void on_mail(struct smtp_client *c, const struct smtp_reply *r)
{
    if (r->code / 100 == 2)
        return;
    c->mail_refused = true;
    smtp_client_decide(c, r->code / 100 == 5 ? SMTP_FAILED : SMTP_DEFERRED, true, r->status,
                       r->text);
}

static void on_rcpt(struct smtp_client *c, size_t i, const struct smtp_reply *r)
{
    if (c->mail_refused)
        return;
    if (r->code / 100 == 2) {
        c->accepted++;
        return;
    }
    decide_one(&c->results[i], r);
    if (r->code == 552) /* RFC 5321 4.5.3.1.10: too many recipients, as 452 */
        c->results[i].outcome = SMTP_DEFERRED;
}

static void on_data(struct smtp_client *c, const struct smtp_reply *r)
{
    bool wanted = !c->mail_refused && c->accepted > 0;
    if (r->code / 100 == 3 && wanted) {
        c->state = CLIENT_BODY;
    } else if (r->code / 100 == 3) {
        buf_puts(&c->out, ".\r\n"); /* RFC 2920 3.1: DATA was taken without recipients */
        c->state = CLIENT_EMPTIED;
    } else if (r->code / 100 == 2) {
        smtp_client_fail(c, "4.5.0", "the server's reply to DATA is not SMTP");
    } else {
        smtp_client_decide(c, r->code / 100 == 5 ? SMTP_FAILED : SMTP_DEFERRED, true, r->status,
                           r->text);
        c->state = CLIENT_DONE;
    }
}

void smtp_client_on_step(struct smtp_client *c, const struct smtp_reply *r)
{
    size_t step = c->next_receive;
    if (step >= c->next_send || (r->code / 100 == 3 && step != step_data(c))) {
        smtp_client_fail(c, "4.5.0", "the server's replies do not match what was asked");
        return;
    }
    c->next_receive++;
    if (step == STEP_MAIL)
        on_mail(c, r);
    else if (step >= STEP_RCPT && step < step_data(c))
        on_rcpt(c, rcpt_of(c, step), r);
    else if (step == step_data(c))
        on_data(c, r);
}

/* RFC 2033 4.2: one reply for each recipient that was taken, in their order. True: more follow. */
static bool take_own_verdict(struct smtp_client *c, const struct smtp_reply *r)
{
    bool taken = false;
    for (; c->next_verdict < c->n_order; c->next_verdict++) {
        struct smtp_client_result *result = &c->results[c->order[c->next_verdict]];
        if (result->outcome != SMTP_PENDING)
            continue;
        if (taken)
            return true;
        *result = (struct smtp_client_result){r->code / 100 == 2   ? SMTP_SENT
                                              : r->code / 100 == 5 ? SMTP_FAILED
                                                                   : SMTP_DEFERRED,
                                              true, r->status, r->text};
        taken = true;
    }
    return false;
}

void smtp_client_on_verdict(struct smtp_client *c, const struct smtp_reply *r)
{
    if (c->config->lmtp && c->state == CLIENT_VERDICT && r->code != 421 && take_own_verdict(c, r))
        return;
    enum smtp_outcome outcome = r->code / 100 == 2   ? SMTP_SENT
                                : r->code / 100 == 5 ? SMTP_FAILED
                                                     : SMTP_DEFERRED;
    if (c->state == CLIENT_EMPTIED)
        outcome = SMTP_DEFERRED; /* for whoever is still without a verdict: there is none */
    c->dirty = false;            /* RFC 5321 4.1.1.4: the server's buffers are empty now */
    smtp_client_decide(c, outcome, true, r->status, r->text);
    c->state = CLIENT_DONE;
}
