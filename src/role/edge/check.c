/* check.c: asks auth about a recipient, and at the other stages that the configuration wants to be
 * asked about (smtpd_*_restrictions); keeps what access tables ask for beside. */
#include "role/edge/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "ipc/target_show.h"
#include "role/edge/deliver.h"
#include "role/edge/peer_name.h"

enum {
    ENVELOPE_MAX = 2 << 20, /* of DELIVER's lists, which are long then (IPC_MESSAGE_MAX) */
    TARGETS_MAX = IPC_LIST_MAX,
    RULES_MAX = 32 * 1024, /* envelopes above are told without */
    ACTIONS_MAX = 100,
    NAME_PATIENCE_MS = 2000,       /* for the log and the Received field alone */
    NAME_PATIENCE_RULES_MS = 10000 /* where restrictions may look at it */
};

/* ---- the client's name ---- */

static bool keep_name(struct conn *c)
{
    struct peer_name_found found;
    if (!peer_name_get(c->peer_name, &found))
        return false;
    if (c->smtp.peer.name.len || c->smtp.named)
        return true;
    c->smtp.named = true;
    c->smtp.name_status = (uint8_t)found.name_status;
    c->smtp.reverse_status = (uint8_t)found.reverse_status;
    snprintf(c->smtp.name, sizeof c->smtp.name, "%s", found.name);
    snprintf(c->smtp.reverse, sizeof c->smtp.reverse, "%s", found.reverse);
    c->smtp.peer.name = slice_cstr(c->smtp.name);
    return true;
}

int64_t check_name_patience(const struct conn *c)
{
    int64_t most = c->settings->default_policy ? NAME_PATIENCE_MS : NAME_PATIENCE_RULES_MS;
    int64_t left = c->began_ms + most - clock_monotonic_ms();
    return left > 0 ? left : 1;
}

bool check_named(struct conn *c)
{
    return c->ip[0] == 0 || keep_name(c);
}

/* ---- the question ---- */

static uint32_t flags_of(const struct conn *c)
{
    const struct smtp_session *s = &c->smtp.session;
    uint32_t flags = 0;
    flags |= s->esmtp ? CHECK_ESMTP : 0;
    flags |= s->tls ? CHECK_TLS : 0;
    flags |= s->pipelined ? CHECK_PIPELINED : 0;
    flags |= s->config->mechanisms.len ? CHECK_SASL : 0;
    flags |= c->certificate_verified ? CHECK_CERT_TRUSTED : 0;
    flags |= s->tx ? CHECK_SENDER : 0;
    return flags;
}

/* auth does not believe us where a client comes from, or who it is: the socket proves it. */
static bool needs_proof(const struct conn *c, struct slice ip)
{
    struct slice entry;
    if (c->service == LISTEN_SENDMAIL)
        return true;
    return ip.len && (!c->settings->default_policy ||
                      conf_network_match(c->settings->conf->mynetworks, ip, &entry));
}

static void fill_tx(struct ipc_RCPT_CHECK *r, const struct smtp_tx *tx)
{
    r->sender = tx->sender;
    r->sender_given = tx->sender_given;
    r->n_rcpts = tx->n_rcpts;
}

static void send_check(struct conn *c, struct ipc_RCPT_CHECK *r)
{
    struct ipc_message m = {.type = IPC_RCPT_CHECK};
    const struct smtp_session *s = &c->smtp.session;
    struct slice ip = slice_cstr(c->ip);
    r->conn = c->id;
    r->service = slice_cstr(smtp_service_name(c));
    r->label = slice_cstr(c->label);
    r->client_ip = ip;
    r->client_name = slice_cstr(c->smtp.name);
    r->reverse_name = slice_cstr(c->smtp.reverse);
    r->name_status = c->smtp.name_status;
    r->reverse_status = c->smtp.reverse_status;
    r->flags = flags_of(c);
    r->cert_fingerprint = slice_cstr(c->cert_print);
    r->key_fingerprint = slice_cstr(c->key_print);
    if (r->helo_name.len == 0)
        r->helo_name = slice_cstr(s->helo);
    if (s->tx)
        fill_tx(r, s->tx);
    m.RCPT_CHECK = *r;
    if (needs_proof(c, ip)) {
        m.fds[0] = c->stream.fd;
        m.n_fds = 1;
    }
    conn_request(c, ROLE_AUTH, &m);
}

static void ask_rcpt(struct conn *c)
{
    const struct smtp_tx *tx = c->smtp.session.tx;
    struct ipc_RCPT_CHECK r = {
        .stage = POLICY_AT_RCPT,
        .rcpt = tx->being_asked.address,
        .rcpt_given = tx->rcpt_given,
    };
    send_check(c, &r);
}

/* DATA and the message's end know their recipient where there is but one. */
static void ask_policy(struct conn *c)
{
    const struct smtp_session *s = &c->smtp.session;
    struct ipc_RCPT_CHECK r = {.stage = s->stage};
    struct slice pending = slice_cstr(s->pending);
    switch ((enum smtp_stage)s->stage) {
    case SMTP_AT_HELO:
        r.helo_name = pending;
        break;
    case SMTP_AT_RCPT:
        r.rcpt = pending;
        if (pending.len > 2 && pending.data[0] == '<')
            r.rcpt = slice_sub(pending, 1, pending.len - 2);
        break;
    case SMTP_AT_ETRN:
        r.etrn = pending;
        break;
    default:
        if (s->tx && s->tx->n_rcpts == 1)
            r.rcpt = s->tx->rcpts[0].address;
    }
    send_check(c, &r);
}

enum conn_next check_ask(struct conn *c)
{
    if (!check_named(c))
        return CONN_NAME;
    if (c->smtp.session.waiting == SMTP_WANT_POLICY)
        ask_policy(c);
    else
        ask_rcpt(c);
    return CONN_ANSWER;
}

/* ---- actions ---- */

/* Appended once, to what the transaction has. */
static void keep_action(struct smtp_tx *tx, struct slice action)
{
    if (!tx->actions)
        tx->actions = arena_alloc_n(&tx->arena, ACTIONS_MAX, sizeof *tx->actions);
    for (size_t i = 0; tx->actions && i < tx->n_actions; i++)
        if (slice_eq(tx->actions[i], action))
            return;
    if (tx->actions && tx->n_actions < ACTIONS_MAX)
        tx->actions[tx->n_actions++] = arena_dup(&tx->arena, action);
}

static void keep_actions(struct conn *c, const struct ipc_RCPT_RESULT *a)
{
    struct smtp_tx *tx = c->smtp.session.tx;
    for (size_t i = 0; tx && i < a->actions.n; i++) {
        keep_action(tx, a->actions.items[i]);
        if (slice_starts(a->actions.items[i], SLICE("redirect ")))
            tx->redirected = tx->n_rcpts + 1; /* this one, once it is taken */
        LOG(LOG_INFO, "policy.action", LOG_CTX(conn_ctx(c)), LOG_C("id", log_id(tx->id).text),
            LOG_S("action", a->actions.items[i]));
    }
}

/* ---- the answer ---- */

/* What a recipient takes of DELIVER's packet. */
static size_t envelope_cost(const struct smtp_rcpt *r, const struct ipc_RCPT_RESULT *a)
{
    enum { LENGTHS = 24 };
    size_t n = r->address.len + r->notify.len + r->orcpt.len + a->grant.len + LENGTHS;
    for (size_t i = 0; i < a->targets.n; i++)
        n += a->targets.items[i].len + 4;
    return n;
}

static bool has_room(struct conn *c, const struct smtp_rcpt *r, const struct ipc_RCPT_RESULT *a)
{
    size_t cost = envelope_cost(r, a);
    if (c->smtp.envelope_bytes + cost > ENVELOPE_MAX ||
        c->smtp.n_targets + a->targets.n > TARGETS_MAX)
        return false;
    c->smtp.envelope_bytes += cost;
    c->smtp.n_targets += a->targets.n;
    return true;
}

static const struct ipc_RCPT_RESULT no_answer = {
    .code = 451,
    .enhanced = {"4.3.0", 5},
    .text = {"Error: temporary lookup failure", 31},
    .rule = {"auth did not answer", 19},
};
static const struct ipc_RCPT_RESULT no_room = {
    .code = 452,
    .enhanced = {"4.5.3", 5},
    .text = {"Error: too many recipients", 26},
    .rule = {"envelope too large", 18},
};

static void log_refused(struct conn *c, const char *event, struct slice rcpt,
                        const struct ipc_RCPT_RESULT *r)
{
    const struct smtp_session *s = &c->smtp.session;
    LOG(LOG_INFO, event, LOG_CTX(conn_ctx(c)), LOG_C("id", s->tx ? log_id(s->tx->id).text : ""),
        LOG_C("service", smtp_service_name(c)), LOG_S("name", s->peer->name),
        LOG_S("helo", slice_cstr(s->helo)), LOG_S("from", s->tx ? s->tx->sender : SLICE("")),
        LOG_S("rcpt", rcpt), LOG_U("code", r->code), LOG_S("dsn", r->enhanced),
        LOG_S("reply", r->text), LOG_S("rule", r->rule), LOG_S("where", r->where));
}

/* The first recipient's answer tells it for all. */
static void keep_sender(struct conn *c, struct slice sender)
{
    struct smtp_tx *tx = c->smtp.session.tx;
    struct slice kept = tx->sender;
    if (!slice_eq(sender, tx->sender))
        kept = arena_dup(&tx->arena, sender);
    c->smtp.sender = kept.data ? kept : tx->sender;
}

/* What permitted it, for the trace: "" where that is the same as for the one before, "-" where the
 * envelope is so large that there is no room for it. */
static void keep_rule(struct conn *c, struct smtp_tx *tx, const struct ipc_RCPT_RESULT *a)
{
    struct smtp_rcpt *r = &tx->rcpts[tx->n_rcpts - 1];
    const char *rule =
        arena_printf(&tx->arena, "%.*s %.*s", SLICE_ARG(a->rule), SLICE_ARG(a->where));
    struct slice said = rule ? slice_trim(slice_cstr(rule)) : SLICE("");
    if (c->smtp.envelope_bytes > RULES_MAX)
        said = SLICE("-");
    if (tx->n_rcpts > 1 && slice_eq(tx->last_rule, said)) {
        r->rule = SLICE("");
        return;
    }
    r->rule = tx->last_rule = said;
    c->smtp.envelope_bytes += said.len;
}

/* To this machine's programs, for `sendmail -bv`: where it leads. Of one line's length, since that
 * is all that is asked for. */
static struct slice words_of(struct conn *c, const struct ipc_RCPT_RESULT *a,
                             char room[static SMTP_WORDS_MAX])
{
    struct buf out;
    if (c->service != LISTEN_SENDMAIL)
        return SLICE("");
    buf_init(&out, 64 * 1024);
    for (size_t i = 0; i < a->targets.n && buf_len(&out) < SMTP_WORDS_MAX; i++) {
        struct target t;
        bool shown = target_parse(a->targets.items[i], &t) == OK && t.kind != TARGET_VIA && !t.bcc;
        if (!shown) /* hidden copies stay hidden */
            continue;
        buf_puts(&out, buf_len(&out) ? "; " : "");
        target_show(&t, &out);
    }
    struct slice text = slice_sub(buf_slice(&out), 0, SMTP_WORDS_MAX);
    for (size_t i = 0; i < text.len; i++)
        room[i] = text.data[i] >= 0x20 && text.data[i] < 0x7f ? text.data[i] : '?';
    buf_release(&out);
    return slice_of(room, text.len);
}

static void rcpt_answered(struct conn *c, const struct ipc_RCPT_RESULT *a)
{
    struct smtp_session *s = &c->smtp.session;
    const struct smtp_rcpt *asked = &s->tx->being_asked;
    if (s->tx->n_rcpts == 0)
        c->smtp.envelope_bytes = c->smtp.n_targets = 0;
    if (a->code == 250 && !has_room(c, asked, a))
        a = &no_room;
    if (a->code == 250 && s->tx->n_rcpts == 0)
        keep_sender(c, a->sender);
    if (a->code == 250) {
        keep_actions(c, a);
        uint32_t before = s->tx->n_rcpts;
        char room[SMTP_WORDS_MAX];
        smtp_rcpt_accepted(s, a->targets, a->grant, words_of(c, a, room), &c->out);
        if (s->tx->n_rcpts > before)
            keep_rule(c, s->tx, a);
        return;
    }
    atomic_fetch_add(&c->edge->count.refused_rcpts, 1);
    log_refused(c, "smtp.rcpt.refused", asked->address, a);
    smtp_rcpt_refused(s, a->code, a->enhanced, a->text, &c->out);
}

static void policy_answered(struct conn *c, const struct ipc_RCPT_RESULT *a)
{
    struct smtp_session *s = &c->smtp.session;
    if (a->code == 250)
        keep_actions(c, a);
    else
        log_refused(c, "smtp.refused", slice_cstr(s->pending), a);
    smtp_policy_answered(s, a->code, a->enhanced, a->text, &c->out);
}

void check_answered(struct conn *c, const struct conn_answer *answer)
{
    const struct ipc_RCPT_RESULT *a = answer->type == IPC_RCPT_RESULT ? &answer->rcpt : &no_answer;
    if (c->smtp.session.waiting == SMTP_WANT_POLICY)
        policy_answered(c, a);
    else
        rcpt_answered(c, a);
}

/* ---- for the delivery ---- */

bool check_discarded(const struct smtp_tx *tx)
{
    for (size_t i = 0; i < tx->n_actions; i++)
        if (slice_is(slice_sub(tx->actions[i], 0, slice_find(tx->actions[i], ' ')), "discard"))
            return true;
    return false;
}

void check_prepend(struct smtp_tx *tx)
{
    struct buf fields;
    buf_init(&fields, 256 * 1024);
    for (size_t i = 0; i < tx->n_actions; i++)
        if (slice_starts(tx->actions[i], SLICE("prepend "))) {
            buf_append(&fields, slice_from(tx->actions[i], 8));
            buf_puts(&fields, "\r\n");
        }
    if (buf_len(&fields))
        buf_prepend(&tx->message, buf_slice(&fields));
    buf_release(&fields);
}
