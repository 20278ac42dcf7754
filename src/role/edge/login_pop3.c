/* login_pop3.c: drives the POP3 core until the login. */
#include "role/edge/login.h"

enum { IN_MAX = POP3_AUTH_LINE_MAX + 4096, OUT_MAX = 64 * 1024 };

static void open_session(struct conn *c)
{
    c->login.inner_fd = -1;
    pop3_open(&c->login.pop3, &c->settings->pop3[conn_login_config(c)], conn_secured(c),
              c->stream.tls != NULL, &c->out);
}

static enum conn_next act(struct conn *c, enum pop3_want want, const struct pop3_request *req);

static enum conn_next work(struct conn *c)
{
    struct pop3_request req;
    enum pop3_want want;
    do {
        struct slice in = buf_slice(&c->in);
        want = pop3_step(&c->login.pop3, &in, &c->out, &req);
        buf_consume(&c->in, buf_len(&c->in) - in.len);
        if (want == POP3_WANT_AUTH_CANCEL)
            conn_auth_cancel(c, false);
    } while (want == POP3_WANT_AUTH_CANCEL);
    return act(c, want, &req);
}

static enum conn_next act(struct conn *c, enum pop3_want want, const struct pop3_request *req)
{
    switch (want) {
    case POP3_WANT_INPUT:
        return CONN_INPUT;
    case POP3_WANT_FLUSH:
        return CONN_FLUSH;
    case POP3_WANT_AUTH_START:
        conn_auth_start(c, "pop3", req->mechanism, req->has_initial, req->initial);
        return CONN_ANSWER;
    case POP3_WANT_AUTH_STEP:
        conn_auth_step(c, req->initial);
        return CONN_ANSWER;
    case POP3_WANT_PASS:
        if (login_start_password(c, req->user, req->pass))
            return CONN_ANSWER;
        pop3_auth_refused(&c->login.pop3, POP3_REFUSE_WRONG, &c->out);
        return work(c);
    case POP3_WANT_STARTTLS:
        return CONN_STARTTLS;
    case POP3_WANT_ANSWER:
        return CONN_ANSWER;
    default: /* the core is never asked for mail here */
        c->end_reason = "goodbye";
        return CONN_CLOSE;
    }
}

static enum pop3_refusal refusal_of(const struct conn_answer *a)
{
    if (a->type != IPC_AUTH_RESULT)
        return POP3_REFUSE_UNAVAILABLE;
    switch (a->auth.outcome) {
    case AUTH_WRONG:
        return POP3_REFUSE_WRONG;
    case AUTH_MALFORMED:
        return POP3_REFUSE_MALFORMED;
    case AUTH_NO_MECHANISM:
        return POP3_REFUSE_NO_MECHANISM;
    case AUTH_THROTTLED:
        return POP3_REFUSE_THROTTLED;
    default:
        return POP3_REFUSE_UNAVAILABLE;
    }
}

static enum conn_next answer(struct conn *c, const struct conn_answer *a)
{
    struct pop3 *p = &c->login.pop3;
    if (c->login.handing_over) {
        bool limit;
        if (login_handed_over(c, a, &limit) == CONN_GONE)
            return CONN_GONE;
        pop3_auth_refused(p, limit ? POP3_REFUSE_IN_USE : POP3_REFUSE_UNAVAILABLE, &c->out);
        return work(c);
    }
    switch (login_auth_answered(c, a)) {
    case LOGIN_CHALLENGE:
        pop3_auth_challenge(p, a->auth.challenge, &c->out);
        return work(c);
    case LOGIN_REFUSED:
        pop3_auth_refused(p, refusal_of(a), &c->out);
        return work(c);
    case LOGIN_DONE:
        break;
    }
    return CONN_WRITTEN;
}

static enum conn_next written(struct conn *c)
{
    return login_hand_over(c, SLICE(""), SLICE(""));
}

static void tls_started(struct conn *c)
{
    c->login.pop3.config = &c->settings->pop3[conn_login_config(c)];
    pop3_tls_started(&c->login.pop3);
}

static void bye(struct conn *c, const char *why)
{
    pop3_bye(&c->login.pop3,
             strcmp(why, "timeout") == 0 ? "Disconnected for inactivity."
                                         : "[SYS/TEMP] Server is shutting down.",
             &c->out);
}

static void release(struct conn *c)
{
    pop3_release(&c->login.pop3);
}

const struct conn_protocol conn_pop3 = {
    .name = "pop3",
    .in_max = IN_MAX,
    .out_max = OUT_MAX,
    .open = open_session,
    .work = work,
    .answer = answer,
    .written = written,
    .tls_started = tls_started,
    .bye = bye,
    .release = release,
};
