/* login_imap.c: drives the IMAP core until the login. */
#include "role/edge/login.h"

static void open_session(struct conn *c)
{
    c->login.inner_fd = -1;
    imap_login_open(&c->login.imap, &c->settings->imap[conn_login_config(c)], conn_secured(c),
                    c->stream.tls != NULL, &c->out);
}

static enum conn_next act(struct conn *c, enum imap_login_want want,
                          const struct imap_login_request *req);

static enum conn_next work(struct conn *c)
{
    struct imap_login_request req;
    enum imap_login_want want;
    do {
        struct slice in = buf_slice(&c->in);
        want = imap_login_step(&c->login.imap, &in, &c->out, &req);
        buf_consume(&c->in, buf_len(&c->in) - in.len);
        if (want == IMAP_WANT_AUTH_CANCEL)
            conn_auth_cancel(c, false);
    } while (want == IMAP_WANT_AUTH_CANCEL);
    return act(c, want, &req);
}

static enum conn_next act(struct conn *c, enum imap_login_want want,
                          const struct imap_login_request *req)
{
    switch (want) {
    case IMAP_WANT_INPUT:
        return CONN_INPUT;
    case IMAP_WANT_AUTH_START:
        conn_auth_start(c, "imap", req->mechanism, req->has_initial, req->initial);
        return CONN_ANSWER;
    case IMAP_WANT_AUTH_STEP:
        conn_auth_step(c, req->initial);
        return CONN_ANSWER;
    case IMAP_WANT_PASS:
        if (login_start_password(c, req->user, req->password))
            return CONN_ANSWER;
        imap_login_refused(&c->login.imap, IMAP_REFUSE_WRONG, &c->out);
        return work(c);
    case IMAP_WANT_STARTTLS:
        return CONN_STARTTLS;
    case IMAP_WANT_ANSWER:
        return CONN_ANSWER;
    default: /* the core is never asked for more here */
        c->end_reason = "goodbye";
        return CONN_CLOSE;
    }
}

static enum imap_refusal refusal_of(const struct conn_answer *a)
{
    if (a->type != IPC_AUTH_RESULT)
        return IMAP_REFUSE_UNAVAILABLE;
    switch (a->auth.outcome) {
    case AUTH_WRONG:
        return IMAP_REFUSE_WRONG;
    case AUTH_MALFORMED:
        return IMAP_REFUSE_MALFORMED;
    case AUTH_NO_MECHANISM:
        return IMAP_REFUSE_NO_MECHANISM;
    case AUTH_THROTTLED:
        return IMAP_REFUSE_THROTTLED;
    default:
        return IMAP_REFUSE_UNAVAILABLE;
    }
}

static enum conn_next answer(struct conn *c, const struct conn_answer *a)
{
    struct imap_login *p = &c->login.imap;
    if (c->login.handing_over) {
        bool limit;
        if (login_handed_over(c, a, &limit) == CONN_GONE)
            return CONN_GONE;
        imap_login_refused(p, limit ? IMAP_REFUSE_LIMIT : IMAP_REFUSE_UNAVAILABLE, &c->out);
        return work(c);
    }
    switch (login_auth_answered(c, a)) {
    case LOGIN_CHALLENGE:
        imap_login_challenge(p, a->auth.challenge, &c->out);
        return work(c);
    case LOGIN_REFUSED:
        imap_login_refused(p, refusal_of(a), &c->out);
        return work(c);
    case LOGIN_DONE:
        break;
    }
    return CONN_WRITTEN;
}

static enum conn_next written(struct conn *c)
{
    return login_hand_over(c, imap_login_tag(&c->login.imap), imap_login_client_id(&c->login.imap));
}

static void tls_started(struct conn *c)
{
    c->login.imap.config = &c->settings->imap[conn_login_config(c)];
    imap_login_tls_started(&c->login.imap);
}

static void bye(struct conn *c, const char *why)
{
    imap_login_bye(&c->login.imap,
                   strcmp(why, "timeout") == 0 ? "Disconnected for inactivity."
                                               : "[UNAVAILABLE] Server is shutting down.",
                   &c->out);
}

static void release(struct conn *c)
{
    imap_login_release(&c->login.imap);
}

const struct conn_protocol conn_imap = {
    .name = "imap",
    .in_max = IMAP_LOGIN_IN_MAX,
    .out_max = IMAP_LOGIN_OUT_MAX,
    .open = open_session,
    .work = work,
    .answer = answer,
    .written = written,
    .tls_started = tls_started,
    .bye = bye,
    .release = release,
};
