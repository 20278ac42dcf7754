/* smtp.c: drives the SMTP core of a connection: its requests become messages to auth and mailbox,
 * their answers its replies. */
#include <stdlib.h>

#include "policy/policy.h"
#include "role/edge/content.h"
#include "role/edge/deliver.h"

enum {
    IN_MAX = 64 * 1024,
    ENVELOPE_MAX = 72 * 1024, /* of DELIVER's lists: message and summary go into the packet too */
    TARGETS_MAX = 1500
};

static enum smtp_service service_of(enum listen_service s)
{
    if (s == LISTEN_LMTP)
        return SMTP_SERVICE_LMTP;
    if (s == LISTEN_SENDMAIL)
        return SMTP_SERVICE_SENDMAIL;
    return s == LISTEN_SMTP || s == LISTEN_SMTPS ? SMTP_SERVICE_SMTP : SMTP_SERVICE_SUBMISSION;
}

const char *smtp_service_name(const struct conn *c)
{
    static const char *const names[] = {"smtp", "submission", "lmtp", "sendmail"};
    return names[service_of(c->service)];
}

static void open_session(struct conn *c)
{
    const struct smtp_config *config = &c->settings->smtp[service_of(c->service)];
    struct slice entry;
    c->smtp.peer = (struct smtp_peer){
        .ip = slice_cstr(c->ip),
        .uid = c->uid,
        .name = c->loopback ? SLICE("localhost") : SLICE_NONE,
        .secured = c->loopback,
        .certificate = c->identity[0] != 0,
        .no_auth = conf_network_match(c->settings->conf->smtpd_sasl_exceptions_networks,
                                      slice_cstr(c->ip), &entry),
    };
    struct buf tls;
    buf_init(&tls, 256);
    if (c->stream.tls)
        tls_describe(c->stream.tls, &tls);
    smtp_open(&c->smtp.session, config, &c->smtp.peer, buf_slice(&tls), &c->out);
    buf_release(&tls);
}

/* ---- what is said of refusals ---- */

static struct slice sender_of(const struct conn *c)
{
    return c->smtp.session.tx ? c->smtp.session.tx->sender : SLICE("");
}

/* A refusal that the core gave on its own. */
static void log_core_refusal(struct conn *c)
{
    struct slice text = smtp_take_refusal(&c->smtp.session);
    if (text.len)
        LOG(LOG_INFO, "smtp.refused", LOG_CTX(conn_ctx(c)), LOG_C("service", smtp_service_name(c)),
            LOG_S("helo", slice_cstr(c->smtp.session.helo)), LOG_S("reply", text));
}

static void log_rcpt_refused(struct conn *c, struct slice rcpt, const struct ipc_RCPT_RESULT *r)
{
    atomic_fetch_add(&c->edge->count.refused_rcpts, 1);
    LOG(LOG_INFO, "smtp.rcpt.refused", LOG_CTX(conn_ctx(c)),
        LOG_C("id", log_id(c->smtp.session.tx->id).text), LOG_C("service", smtp_service_name(c)),
        LOG_S("helo", slice_cstr(c->smtp.session.helo)), LOG_S("from", sender_of(c)),
        LOG_S("rcpt", rcpt), LOG_U("code", r->code), LOG_S("dsn", r->enhanced),
        LOG_S("reply", r->text), LOG_S("rule", r->rule), LOG_S("where", r->where));
}

/* ---- RCPT ---- */

static void ask_rcpt(struct conn *c, struct slice rcpt)
{
    struct ipc_message m = {.type = IPC_RCPT_CHECK};
    struct slice entry, ip = slice_cstr(c->ip);
    m.RCPT_CHECK = (struct ipc_RCPT_CHECK){
        .conn = c->id,
        .stage = POLICY_AT_RCPT,
        .service = slice_cstr(smtp_service_name(c)),
        .label = slice_cstr(c->label),
        .client_ip = ip,
        .flags = CHECK_SENDER,
        .helo_name = slice_cstr(c->smtp.session.helo),
        .sender = sender_of(c),
        .rcpt = rcpt,
    };
    /* auth does not believe us where a client comes from, or who it is: the socket proves it. */
    if (c->service == LISTEN_SENDMAIL ||
        (ip.len && conf_network_match(c->settings->conf->mynetworks, ip, &entry))) {
        m.fds[0] = c->stream.fd;
        m.n_fds = 1;
    }
    conn_request(c, ROLE_AUTH, &m);
}

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

/* The first recipient's answer tells it for all. */
static void keep_sender(struct conn *c, struct slice sender)
{
    struct smtp_tx *tx = c->smtp.session.tx;
    struct slice kept = tx->sender;
    if (!slice_eq(sender, tx->sender))
        kept = arena_dup(&tx->arena, sender);
    c->smtp.sender = kept.data ? kept : tx->sender;
}

static void rcpt_answered(struct conn *c, const struct conn_answer *answer)
{
    struct smtp_session *s = &c->smtp.session;
    const struct smtp_rcpt *asked = &s->tx->being_asked;
    const struct ipc_RCPT_RESULT *a = answer->type == IPC_RCPT_RESULT ? &answer->rcpt : &no_answer;
    if (s->tx->n_rcpts == 0)
        c->smtp.envelope_bytes = c->smtp.n_targets = 0;
    if (a->code == 250 && !has_room(c, asked, a))
        a = &no_room;
    if (a->code == 250 && s->tx->n_rcpts == 0)
        keep_sender(c, a->sender);
    if (a->code == 250) {
        content_note_actions(c, a->actions);
        smtp_rcpt_accepted(s, a->targets, a->grant, &c->out);
        return;
    }
    log_rcpt_refused(c, asked->address, a);
    smtp_rcpt_refused(s, a->code, a->enhanced, a->text, &c->out);
}

/* ---- AUTH ---- */

static enum smtp_auth_refusal refusal_of(const struct conn_answer *a)
{
    if (a->type != IPC_AUTH_RESULT)
        return SMTP_AUTH_UNAVAILABLE;
    switch (a->auth.outcome) {
    case AUTH_WRONG:
        return SMTP_AUTH_WRONG;
    case AUTH_MALFORMED:
        return SMTP_AUTH_MALFORMED;
    case AUTH_NO_MECHANISM:
        return SMTP_AUTH_NO_MECHANISM;
    case AUTH_THROTTLED:
        return SMTP_AUTH_THROTTLED;
    default:
        return SMTP_AUTH_UNAVAILABLE;
    }
}

static void auth_answered(struct conn *c, const struct conn_answer *a)
{
    struct smtp_session *s = &c->smtp.session;
    bool answered = a->type == IPC_AUTH_RESULT;
    if (answered && a->auth.outcome == AUTH_CHALLENGE) {
        smtp_auth_challenge(s, a->auth.challenge, &c->out);
        return;
    }
    conn_log_auth(c, a);
    if (answered && a->auth.outcome == AUTH_OK && conn_set_login(c, &a->auth)) {
        c->smtp.peer.login = slice_cstr(c->account);
        smtp_auth_done(s, &c->out);
        return;
    }
    smtp_auth_refused(s, refusal_of(a), &c->out);
}

/* ---- the loop ---- */

/* Keeps the sum of all messages under way within the budget. */
static void count_message(struct conn *c)
{
    size_t now = smtp_message_bytes(&c->smtp.session), before = c->smtp.message_counted;
    if (now == before)
        return;
    uint64_t all = atomic_fetch_add(&c->edge->count.message_bytes, now - before) + now - before;
    c->smtp.message_counted = now;
    if (now > before && all > EDGE_MESSAGE_BUDGET) {
        smtp_refuse_message(&c->smtp.session);
        LOG(LOG_WARNING, "smtp.message.refused", LOG_CTX(conn_ctx(c)),
            LOG_C("rule", "message memory budget"), LOG_U("bytes", all));
        count_message(c);
    }
}

/* Message bytes come by the ten thousand: larger reads then. */
static void prepare_read(struct conn *c)
{
    size_t room;
    if (c->smtp.session.tx && smtp_message_bytes(&c->smtp.session) > 0)
        (void)buf_reserve(&c->in, 16 * 1024, &room);
}

static enum conn_next act(struct conn *c, enum smtp_want want, const struct smtp_request *req)
{
    switch (want) {
    case SMTP_WANT_INPUT:
        prepare_read(c);
        return CONN_INPUT;
    case SMTP_WANT_FLUSH:
        return CONN_FLUSH;
    case SMTP_WANT_AUTH_START:
        conn_auth_start(c, "smtp", req->mechanism, req->has_initial, req->initial);
        return CONN_ANSWER;
    case SMTP_WANT_AUTH_STEP:
        conn_auth_step(c, req->initial);
        return CONN_ANSWER;
    case SMTP_WANT_RCPT:
        ask_rcpt(c, req->rcpt);
        return CONN_ANSWER;
    case SMTP_WANT_DELIVER:
        edge_deliver(c);
        return CONN_ANSWER;
    case SMTP_WANT_STARTTLS:
        return CONN_STARTTLS;
    case SMTP_WANT_ANSWER:
        return CONN_ANSWER;
    case SMTP_WANT_AUTH_CANCEL:
    case SMTP_WANT_CLOSE:
        break;
    }
    c->end_reason = "goodbye";
    return CONN_CLOSE;
}

static enum conn_next work(struct conn *c)
{
    struct smtp_request req;
    enum smtp_want want;
    do {
        struct slice in = buf_slice(&c->in);
        want = smtp_step(&c->smtp.session, &in, &c->out, &req);
        buf_consume(&c->in, buf_len(&c->in) - in.len);
        log_core_refusal(c);
        count_message(c);
        if (want == SMTP_WANT_AUTH_CANCEL)
            conn_auth_cancel(c, false);
    } while (want == SMTP_WANT_AUTH_CANCEL);
    return act(c, want, &req);
}

static enum conn_next answer(struct conn *c, const struct conn_answer *a)
{
    switch (c->smtp.session.waiting) {
    case SMTP_WANT_RCPT:
        rcpt_answered(c, a);
        break;
    case SMTP_WANT_DELIVER:
        edge_delivered(c, a);
        break;
    default:
        auth_answered(c, a);
    }
    return work(c);
}

static void tls_started(struct conn *c)
{
    struct buf tls;
    buf_init(&tls, 256);
    tls_describe(c->stream.tls, &tls);
    c->smtp.peer.certificate = c->identity[0] != 0;
    smtp_tls_started(&c->smtp.session, buf_slice(&tls));
    buf_release(&tls);
    if (c->auth_known) /* RFC 3207 4.2 */
        conn_auth_cancel(c, true);
}

static void bye(struct conn *c, const char *why)
{
    if (strcmp(why, "timeout") == 0)
        smtp_bye(&c->smtp.session, "4.4.2", "Error: timeout exceeded", &c->out);
    else
        smtp_bye(&c->smtp.session, "4.3.2", "Error: server is shutting down", &c->out);
}

static void release(struct conn *c)
{
    atomic_fetch_sub(&c->edge->count.message_bytes, c->smtp.message_counted);
    content_end(c);
    buf_release(&c->smtp.actions);
    smtp_release(&c->smtp.session);
}

const struct conn_protocol conn_smtp = {
    .name = "smtp",
    .in_max = IN_MAX,
    .out_max = SMTP_OUT_MAX,
    .open = open_session,
    .work = work,
    .answer = answer,
    .tls_started = tls_started,
    .bye = bye,
    .release = release,
};
