/* login_dovecot.c: serves Dovecot's authentication protocol: a neighbouring Postfix or Exim logs
 * its clients in by our accounts. Whoever may connect to the socket is believed what it says of its
 * client: the address, for the throttling of failures. */
#include "role/edge/login.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <unistd.h>

static void open_session(struct conn *c)
{
    unsigned char bytes[16] = {0};
    char cookie[2 * sizeof bytes + 1];
    /* It only tells connections apart for masters, which there are none of here. */
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        memcpy(bytes, &c->id, sizeof c->id);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(cookie + 2 * i, 3, "%02x", bytes[i]);
    dovecot_open(&c->dovecot.core, buf_slice(&c->settings->dovecot), (uint64_t)getpid(),
                 c->id & 0x7fffffff, cookie, &c->out);
}

static void start(struct conn *c, const struct dovecot_request *req)
{
    struct dovecot_slot *slot = &c->dovecot.core.slots[req->slot];
    slot->serial = log_id_new();
    struct ipc_AUTH_START s = {
        .conn = slot->serial,
        .service = SLICE("dovecot-auth"),
        .client_ip = req->client_ip.len <= 45 ? req->client_ip : SLICE(""),
        .listener = SLICE("dovecot-auth"),
        .link = OFFER_LOCAL,
        .mechanism = req->mechanism,
        /* Exim writes resp= also where its client sent none. */
        .has_initial = req->response.len > 0,
        .initial = req->response,
    };
    conn_auth_start_as(c, &s);
}

static enum conn_next work(struct conn *c)
{
    struct dovecot_request req;
    enum dovecot_want want;
    do {
        struct slice in = buf_slice(&c->in);
        want = dovecot_step(&c->dovecot.core, &in, &c->out, &req);
        buf_consume(&c->in, buf_len(&c->in) - in.len);
        if (want == DOVECOT_WANT_CANCEL)
            conn_auth_cancel_as(c, c->dovecot.core.slots[req.slot].serial, true);
    } while (want == DOVECOT_WANT_CANCEL);
    switch (want) {
    case DOVECOT_WANT_INPUT:
        return CONN_INPUT;
    case DOVECOT_WANT_START:
        start(c, &req);
        return CONN_ANSWER;
    case DOVECOT_WANT_STEP:
        conn_auth_step_as(c, c->dovecot.core.slots[req.slot].serial, req.response);
        return CONN_ANSWER;
    case DOVECOT_WANT_ANSWER:
        return CONN_ANSWER;
    default:
        c->end_reason = "broken protocol";
        return CONN_CLOSE;
    }
}

static const char *reason_of(const struct conn_answer *a)
{
    if (a->type == IPC_AUTH_RESULT && a->auth.outcome == AUTH_NO_MECHANISM)
        return "Unsupported authentication mechanism";
    return a->type == IPC_AUTH_RESULT && a->auth.outcome == AUTH_MALFORMED
               ? "Invalid authentication data"
               : "";
}

static bool is_temporary(const struct conn_answer *a)
{
    return a->type != IPC_AUTH_RESULT || a->auth.outcome == AUTH_THROTTLED ||
           a->auth.outcome == AUTH_UNAVAILABLE;
}

static enum conn_next answer(struct conn *c, const struct conn_answer *a)
{
    struct dovecot_auth *d = &c->dovecot.core;
    bool answered = a->type == IPC_AUTH_RESULT;
    if (answered && a->auth.outcome == AUTH_CHALLENGE) {
        dovecot_challenge(d, a->auth.challenge, &c->out);
        return work(c);
    }
    conn_log_auth(c, a);
    conn_auth_cancel_as(c, d->slots[d->slot].serial, true);
    if (answered && a->auth.outcome == AUTH_OK)
        dovecot_right(d, a->auth.account, &c->out);
    else
        dovecot_refused(d, is_temporary(a), reason_of(a), &c->out);
    return work(c);
}

static void nothing(struct conn *c)
{
    (void)c;
}

static void bye(struct conn *c, const char *why)
{
    (void)c;
    (void)why;
}

static void release(struct conn *c)
{
    for (unsigned i = 0; i < DOVECOT_SLOTS; i++)
        if (c->dovecot.core.slots[i].used)
            conn_auth_cancel_as(c, c->dovecot.core.slots[i].serial, true);
    dovecot_release(&c->dovecot.core);
}

const struct conn_protocol conn_dovecot = {
    .name = "dovecot-auth",
    .in_max = DOVECOT_IN_MAX,
    .out_max = DOVECOT_OUT_MAX,
    .open = open_session,
    .work = work,
    .answer = answer,
    .tls_started = nothing,
    .bye = bye,
    .release = release,
};
