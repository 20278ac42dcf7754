/* smtp.c: drives the SMTP core of a connection: its requests become messages to auth and mailbox,
 * their answers its replies. */
#include <stdlib.h>

#include "role/edge/check.h"
#include "role/edge/content.h"
#include "role/edge/deliver.h"
#include "role/edge/peer_name.h"

enum { IN_MAX = 64 * 1024 };

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
        .secured = c->loopback,
        .certificate = c->identity[0] != 0,
        .no_auth = conf_network_match(c->settings->conf->smtpd_sasl_exceptions_networks,
                                      slice_cstr(c->ip), &entry),
    };
    if (c->ip[0])
        c->peer_name = peer_name_start(c->edge, c);
    struct buf tls;
    buf_init(&tls, 256);
    if (c->stream.tls)
        tls_describe(c->stream.tls, &tls);
    smtp_open(&c->smtp.session, config, &c->smtp.peer, buf_slice(&tls), &c->out);
    buf_release(&tls);
}

/* ---- what is said of refusals ---- */

/* A refusal that the core gave on its own. */
static void log_core_refusal(struct conn *c)
{
    struct slice text = smtp_take_refusal(&c->smtp.session);
    if (text.len)
        LOG(LOG_INFO, "smtp.refused", LOG_CTX(conn_ctx(c)), LOG_C("service", smtp_service_name(c)),
            LOG_S("helo", slice_cstr(c->smtp.session.helo)), LOG_S("reply", text));
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

static void ask_flush(struct conn *c)
{
    struct ipc_message m = {.type = IPC_FLUSH_SITE};
    m.FLUSH_SITE.conn = c->id;
    m.FLUSH_SITE.domain = slice_cstr(c->smtp.session.pending);
    LOG(LOG_INFO, "smtp.etrn", LOG_CTX(conn_ctx(c)), LOG_S("domain", m.FLUSH_SITE.domain));
    conn_request(c, ROLE_MAILBOX, &m);
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
    case SMTP_WANT_POLICY:
        return check_ask(c);
    case SMTP_WANT_PAUSE:
        return CONN_PAUSE;
    case SMTP_WANT_ETRN:
        ask_flush(c);
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
    case SMTP_WANT_POLICY:
        check_answered(c, a);
        break;
    case SMTP_WANT_DELIVER:
        edge_delivered(c, a);
        break;
    case SMTP_WANT_ETRN:
        smtp_etrn_answered(&c->smtp.session, a->type == IPC_FLUSH_SITE_RESULT && a->flushed,
                           &c->out);
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

/* Whoever waited for it goes on; a name that is too slow is none. */
static enum conn_next named(struct conn *c, bool patient)
{
    if (!check_named(c)) {
        if (patient)
            return CONN_NAME;
        peer_name_give_up(c->peer_name);
    }
    return check_ask(c);
}

static int64_t patience_ms(const struct conn *c)
{
    if (c->next == CONN_NAME)
        return check_name_patience(c);
    if (c->next == CONN_PAUSE)
        return (int64_t)c->smtp.session.config->error_pause * 1000;
    return c->settings->conf->smtpd_timeout * 1000;
}

static void release(struct conn *c)
{
    atomic_fetch_sub(&c->edge->count.message_bytes, c->smtp.message_counted);
    content_end(c);
    smtp_release(&c->smtp.session);
}

const struct conn_protocol conn_smtp = {
    .name = "smtp",
    .in_max = IN_MAX,
    .out_max = SMTP_OUT_MAX,
    .open = open_session,
    .work = work,
    .answer = answer,
    .named = named,
    .patience_ms = patience_ms,
    .tls_started = tls_started,
    .bye = bye,
    .release = release,
};
