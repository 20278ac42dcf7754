#include "role/edge/deliver.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mime/summary.h"
#include "role/edge/check.h"
#include "role/edge/content.h"
#include "role/edge/dkim.h"

enum { SLACK = 5120 }; /* of the fields that are not lists */

/* The lists of DELIVER, one entry per recipient, in an arena of their own. False: no memory. */
static bool fill_lists(struct ipc_DELIVER *d, struct conn *c, struct arena *a)
{
    size_t n, at = 0, n_targets = 0;
    const struct smtp_rcpt **all = content_rcpts(c, a, &n);
    for (size_t i = 0; all && i < n; i++)
        n_targets += all[i]->targets.n;
    if (!all)
        return false;
    struct slice *lists = arena_alloc_n(a, 6 * n + n_targets, sizeof *lists);
    if (!lists)
        return false;
    struct slice *rcpts = lists, *counts = lists + n, *grants = lists + 2 * n;
    struct slice *notify = lists + 3 * n, *orcpt = lists + 4 * n, *rules = lists + 5 * n;
    struct slice *targets = lists + 6 * n;
    for (size_t i = 0; i < n; i++) {
        const struct smtp_rcpt *r = all[i];
        rcpts[i] = r->address;
        counts[i] = slice_cstr(arena_printf(a, "%zu", r->targets.n));
        grants[i] = r->grant;
        notify[i] = r->notify;
        orcpt[i] = r->orcpt;
        rules[i] = r->rule.data ? r->rule : SLICE("");
        for (size_t k = 0; k < r->targets.n; k++)
            targets[at++] = r->targets.items[k];
    }
    d->rcpts = (struct slice_list){rcpts, n};
    d->target_counts = (struct slice_list){counts, n};
    d->grants = (struct slice_list){grants, n};
    d->dsn_notify = (struct slice_list){notify, n};
    d->dsn_orcpt = (struct slice_list){orcpt, n};
    d->rules = (struct slice_list){rules, n};
    d->targets = (struct slice_list){targets, at};
    return !arena_failed(a);
}

static void fill(struct ipc_DELIVER *d, const struct conn *c)
{
    const struct smtp_session *s = &c->smtp.session;
    const struct smtp_tx *tx = c->smtp.session.tx;
    *d = (struct ipc_DELIVER){
        .conn = c->id,
        .message_id = tx->id,
        .sender = c->smtp.sender,
        .account = slice_cstr(c->account),
        .client_ip = slice_cstr(c->ip),
        .service = slice_cstr(smtp_service_name(c)),
        .client_name = slice_cstr(c->smtp.name),
        .helo = slice_cstr(s->helo),
        .tls = slice_cstr(s->tls),
        .login = slice_cstr(c->login_name),
        .protocol = slice_cstr(c->ip[0] == '\0' ? ""
                               : s->esmtp       ? "ESMTP"
                                                : "SMTP"),
        .sasl_method = slice_cstr(c->account ? c->sasl_method : ""),
        .client_port = slice_cstr(c->port),
        .sasl_sender = tx->auth,
        .smtputf8 = tx->smtputf8,
        .require_tls = tx->require_tls,
        .eightbit = tx->eightbit,
        .hold = c->smtp.work && c->smtp.work->hold.data ? c->smtp.work->hold : SLICE(""),
        .ret = tx->ret,
        .envid = tx->envid,
        .size = buf_len(&tx->message),
    };
}

/* Nearly all messages, and so worth a short way. */
static bool is_for_one_mailbox(const struct conn *c)
{
    const struct smtp_tx *tx = c->smtp.session.tx;
    return c->settings->conf->enable_original_recipient && tx->n_rcpts == 1 && !tx->redirected &&
           !c->smtp.work && tx->rcpts[0].targets.n == 1 &&
           slice_starts(tx->rcpts[0].targets.items[0], SLICE("local "));
}

/* RFC 5321 4.4: the final delivery adds Return-Path. Here, so that the summary counts with it;
 * relaying takes it off again (role/mailbox/feed.c). */
static void put_trace(struct conn *c)
{
    struct smtp_tx *tx = c->smtp.session.tx;
    struct buf field;
    buf_init(&field, 4096);
    buf_printf(&field, "Return-Path: <%.*s>\r\n", SLICE_ARG(c->smtp.sender));
    if (is_for_one_mailbox(c)) { /* others are marked in mailbox, in a copy */
        struct slice rcpt = tx->rcpts[0].address;
        buf_printf(&field, "X-Original-To: %.*s\r\nDelivered-To: %.*s\r\n", SLICE_ARG(rcpt),
                   SLICE_ARG(rcpt));
    }
    buf_prepend(&tx->message, buf_slice(&field));
    buf_release(&field);
}

/* The message goes into the packet where it fits, else into a memfd beside it. */
static enum result attach_message(struct ipc_message *m, struct conn *c, struct slice message)
{
    struct ipc_DELIVER *d = &m->DELIVER;
    size_t rest = d->summary.len + c->smtp.envelope_bytes + SLACK;
    if (message.len <= IPC_INLINE_MAX && message.len + rest <= IPC_PACKET_MAX) {
        d->message = message;
        return OK;
    }
    enum result r = ipc_memfd(message, &m->fds[0]);
    m->n_fds = r == OK;
    return r;
}

static void fail(struct conn *c, const char *why)
{
    struct ipc_message m = {.type = IPC_FAILURE};
    LOG(LOG_ERROR, "message.not_sent", LOG_CTX(conn_ctx(c)),
        LOG_C("id", log_id(c->smtp.sent.id).text), LOG_C("why", why));
    m.FAILURE.text = slice_cstr(why);
    conn_answer_myself(c, &m);
}

/* Like smtp_delivered's message, but the memory is free while mailbox works. */
static void drop_message(struct conn *c)
{
    buf_clear(&c->smtp.session.tx->message);
    atomic_fetch_sub(&c->edge->count.message_bytes, c->smtp.message_counted);
    c->smtp.message_counted = 0;
}

/* DISCARD: the client hears that all is well. */
static void discard(struct conn *c)
{
    struct smtp_tx *tx = c->smtp.session.tx;
    struct slice *texts = arena_alloc_n(&tx->arena, 2 * (size_t)tx->n_rcpts, sizeof *texts);
    struct ipc_message m = {.type = texts ? IPC_DELIVER_RESULT : IPC_FAILURE};
    for (uint32_t i = 0; texts && i < tx->n_rcpts; i++) {
        texts[i] = SLICE("250");
        texts[tx->n_rcpts + i] = SLICE("2.0.0 Ok");
    }
    if (texts) {
        m.DELIVER_RESULT.codes = (struct slice_list){texts, tx->n_rcpts};
        m.DELIVER_RESULT.texts = (struct slice_list){texts + tx->n_rcpts, tx->n_rcpts};
    }
    conn_answer_myself(c, &m);
    drop_message(c);
}

static void send_message(struct conn *c)
{
    struct smtp_tx *tx = c->smtp.session.tx;
    struct ipc_message m = {.type = IPC_DELIVER};
    put_trace(c);
    struct slice message = buf_slice(&tx->message);
    struct arena a;
    struct buf summary;
    arena_init(&a, SMTP_TX_BYTES_MAX);
    buf_init(&summary, SUMMARY_BYTES_MAX);
    c->smtp.sent.id = tx->id;
    c->smtp.sent.size = message.len;
    c->smtp.sent.n_rcpts = tx->n_rcpts;
    fill(&m.DELIVER, c);
    const char *why = NULL;
    if (!buf_ok(&tx->message))
        why = "no memory";
    else if (summary_build(message, &summary) != OK)
        why = "the summary could not be made";
    m.DELIVER.summary = buf_slice(&summary);
    if (!why && !fill_lists(&m.DELIVER, c, &a))
        why = "no memory";
    if (!why && attach_message(&m, c, message) != OK)
        why = "no memory file";
    if (why)
        fail(c, why);
    else
        conn_request(c, ROLE_MAILBOX, &m);
    if (m.n_fds)
        close(m.fds[0]);
    drop_message(c);
    buf_release(&summary);
    arena_release(&a);
    content_end(c);
}

/* All that changes the message is done. */
static void sign_and_send(struct conn *c)
{
    c->smtp.signing = edge_dkim_ask(c);
    if (!c->smtp.signing)
        send_message(c);
}

/* Refused or dropped here. */
static void end_here(struct conn *c)
{
    c->smtp.sent.size = buf_len(&c->smtp.session.tx->message);
    drop_message(c);
    content_end(c);
}

void edge_deliver(struct conn *c)
{
    struct smtp_tx *tx = c->smtp.session.tx;
    c->smtp.sent.id = tx->id;
    c->smtp.sent.redirected = false;
    if (check_discarded(tx)) {
        discard(c);
        return;
    }
    check_prepend(tx);
    if (!content_begin(c)) {
        end_here(c);
    } else if (!content_ask_next(c)) {
        sign_and_send(c);
    }
}

/* ---- the answer ---- */

static void log_result(struct conn *c, const struct smtp_outcome *o, size_t n)
{
    const struct smtp_tx *tx = c->smtp.session.tx;
    size_t well = 0, bad = 0;
    for (size_t i = 0; i < n; i++) {
        if (o[i].code / 100 == 2)
            well++;
        else
            bad = i;
    }
    bool all = n > 0 && well == n;
    if (all)
        atomic_fetch_add(&c->edge->count.messages, 1);
    LOG(all ? LOG_INFO : LOG_WARNING, all ? "message.accepted" : "message.refused",
        LOG_CTX(conn_ctx(c)), LOG_C("id", log_id(tx->id).text),
        LOG_C("service", smtp_service_name(c)), LOG_S("from", tx->sender),
        LOG_U("rcpts", tx->n_rcpts), LOG_S("rcpt", tx->rcpts[bad].address),
        LOG_U("size", c->smtp.sent.size), LOG_S("account", slice_cstr(c->account)),
        LOG_S("reply", n && !all ? o[bad].text
                       : all     ? SLICE("ok")
                                 : SLICE("no answer")));
}

static void give_outcomes(struct conn *c, const struct conn_answer *a)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    bool answered = a->type == IPC_DELIVER_RESULT && a->deliver.codes.n == a->deliver.texts.n;
    size_t got = answered ? a->deliver.codes.n : 0, n = c->smtp.session.tx->n_rcpts;
    struct smtp_outcome *o = arena_alloc_n(&arena, n + 1, sizeof *o);
    /* Those that actions added come last; where REDIRECT took the place of all, it stands for them.
     */
    bool one = c->smtp.sent.redirected;
    if (!o || got < (one ? 1 : n))
        n = 0;
    for (size_t i = 0; i < n; i++) {
        uint64_t code = 451;
        size_t from = one ? 0 : i;
        if (slice_parse_u64(a->deliver.codes.items[from], 599, &code) != OK)
            code = 451;
        o[i] = (struct smtp_outcome){(unsigned)code, a->deliver.texts.items[from]};
    }
    log_result(c, o, n);
    smtp_delivered(&c->smtp.session, o, n, &c->out);
    arena_release(&arena);
}

static void take_signatures(struct conn *c, const struct conn_answer *a)
{
    c->smtp.signing = false;
    if (edge_dkim_answered(c, a)) {
        send_message(c);
    } else {
        fail(c, "the message could not be signed");
        end_here(c);
    }
}

void edge_delivered(struct conn *c, const struct conn_answer *a)
{
    if (c->smtp.signing) {
        take_signatures(c, a);
        return;
    }
    if (!c->smtp.work) {
        give_outcomes(c, a);
        return;
    }
    bool go_on = content_answered(c, a); /* not mailbox's answer yet, but auth's */
    if (go_on && content_ask_next(c))
        return;
    if (!go_on || content_failed(c))
        end_here(c);
    else
        sign_and_send(c);
}
