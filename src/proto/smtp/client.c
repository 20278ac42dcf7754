/* client.c: the client's main loop and the ends of a session. The phases are in client_ehlo.c,
 * client_auth.c, client_mail.c and client_body.c. */
#include "proto/smtp/client.h"

#include "proto/smtp/client_internal.h"
#include "proto/smtp/client_reply.h"

enum { SESSION_ARENA_MAX = 16 * 1024, MAIL_ARENA_MAX = 32 << 20 };

void smtp_client_init(struct smtp_client *c, const struct smtp_client_config *config)
{
    *c = (struct smtp_client){.config = config, .state = CLIENT_GREETING};
    buf_init(&c->out, SMTP_CLIENT_OUT_MAX);
    arena_init(&c->arena, MAIL_ARENA_MAX);
    arena_init(&c->session_arena, SESSION_ARENA_MAX);
}

void smtp_client_release(struct smtp_client *c)
{
    buf_release(&c->out);
    arena_release(&c->arena);
    arena_release(&c->session_arena);
}

/* ---- ends ---- */

static bool in_transaction(const struct smtp_client *c)
{
    return c->state >= CLIENT_MAIL && c->state <= CLIENT_EMPTIED;
}

static void end_session(struct smtp_client *c, bool remote, struct slice status, struct slice text)
{
    if (c->closing || c->state == CLIENT_CLOSED)
        return;
    c->failure = (struct smtp_client_failure){
        .remote = remote,
        .status = arena_dup(&c->session_arena, status),
        .text = arena_dup(&c->session_arena, slice_sub(text, 0, 2000))};
    if (in_transaction(c)) {
        smtp_client_decide(c, SMTP_DEFERRED, remote, status, text);
        c->state = CLIENT_DONE;
    }
    if (c->state == CLIENT_DONE)
        c->closing = true;
    else
        c->state = CLIENT_CLOSED;
}

void smtp_client_fail_remote(struct smtp_client *c, const struct smtp_reply *r)
{
    end_session(c, true, r->status, r->text);
}

void smtp_client_fail(struct smtp_client *c, const char *status, const char *text)
{
    end_session(c, false, slice_cstr(status), slice_cstr(text));
}

void smtp_client_lost(struct smtp_client *c, const char *status, const char *text)
{
    smtp_client_fail(c, status, text);
}

void smtp_client_next(struct smtp_client *c)
{
    if (c->state != CLIENT_DONE)
        return;
    c->mail = NULL;
    c->results = NULL;
    arena_clear(&c->arena);
    c->state = c->closing ? CLIENT_CLOSED : CLIENT_READY;
}

void smtp_client_quit(struct smtp_client *c)
{
    if (c->state != CLIENT_READY)
        return;
    buf_puts(&c->out, "QUIT\r\n");
    c->state = CLIENT_QUIT;
}

/* ---- the loop ---- */

static void on_reply(struct smtp_client *c, const struct smtp_reply *r, bool more_input)
{
    switch ((enum client_state)c->state) {
    case CLIENT_GREETING:
        smtp_client_on_greeting(c, r);
        return;
    case CLIENT_EHLO:
        smtp_client_on_ehlo(c, r);
        return;
    case CLIENT_HELO:
        smtp_client_on_helo(c, r);
        return;
    case CLIENT_STARTTLS:
        smtp_client_on_starttls(c, r, more_input);
        return;
    case CLIENT_AUTH:
        smtp_client_on_auth(c, r);
        return;
    case CLIENT_MAIL:
        smtp_client_on_step(c, r);
        return;
    case CLIENT_BODY: /* a verdict before the end: the server will not read on */
        if (r->code / 100 == 2)
            smtp_client_fail(c, "4.5.0", "the server answered before the message was sent");
        else
            smtp_client_on_verdict(c, r);
        smtp_client_fail_remote(c, r);
        return;
    case CLIENT_VERDICT:
    case CLIENT_EMPTIED:
        smtp_client_on_verdict(c, r);
        return;
    case CLIENT_QUIT:
        c->state = CLIENT_CLOSED;
        return;
    case CLIENT_HANDSHAKE:
    case CLIENT_READY:
    case CLIENT_DONE:
    case CLIENT_CLOSED:
        return; /* not reached: nothing is read in these */
    }
}

/* RFC 5321 3.8, 4.2.3: 421 may come at any time; the server closes. */
static void take_reply(struct smtp_client *c, const struct smtp_reply *r, bool more_input)
{
    if (r->code != 421)
        c->untouched = false;
    on_reply(c, r, more_input);
    if (r->code == 421)
        smtp_client_fail_remote(c, r);
}

static enum smtp_client_event event_of(const struct smtp_client *c)
{
    switch ((enum client_state)c->state) {
    case CLIENT_HANDSHAKE:
        return SMTP_CLIENT_STARTTLS;
    case CLIENT_READY:
        return SMTP_CLIENT_READY;
    case CLIENT_BODY:
        return SMTP_CLIENT_BODY;
    case CLIENT_DONE:
        return SMTP_CLIENT_DONE;
    case CLIENT_CLOSED:
        return SMTP_CLIENT_CLOSED;
    default:
        return SMTP_CLIENT_INPUT;
    }
}

static enum result read_one(struct smtp_client *c, struct buf *in)
{
    struct smtp_reply r;
    struct arena *a = in_transaction(c) ? &c->arena : &c->session_arena;
    enum result got =
        smtp_reply_read(c, in, a, c->state == CLIENT_EHLO ? smtp_client_hello_line : NULL, &r);
    if (got == OK)
        take_reply(c, &r, buf_len(in) > 0);
    else if (got == INVALID)
        smtp_client_fail(c, "4.5.0", "the server's reply is not SMTP");
    else if (got != BUSY)
        smtp_client_fail(c, "4.3.0", "out of memory");
    return got;
}

enum smtp_client_event smtp_client_run(struct smtp_client *c, struct buf *in)
{
    for (;;) {
        if (c->state == CLIENT_MAIL)
            smtp_client_send_steps(c);
        enum smtp_client_event e = event_of(c);
        if (e != SMTP_CLIENT_INPUT && !(e == SMTP_CLIENT_BODY && buf_len(in) > 0))
            return e;
        if (read_one(c, in) == BUSY)
            return e;
    }
}

bool smtp_client_untouched(const struct smtp_client *c)
{
    return c->untouched;
}

bool smtp_client_takes_dsn(const struct smtp_client *c)
{
    return c->offers & OFFER_DSN;
}

static enum smtp_client_wait step_waited_for(const struct smtp_client *c)
{
    return c->next_receive == 0               ? SMTP_CLIENT_WAIT_RSET
           : c->next_receive == 1             ? SMTP_CLIENT_WAIT_MAIL
           : c->next_receive < 2 + c->n_order ? SMTP_CLIENT_WAIT_RCPT
                                              : SMTP_CLIENT_WAIT_DATA;
}

enum smtp_client_wait smtp_client_waits(const struct smtp_client *c)
{
    switch ((enum client_state)c->state) {
    case CLIENT_STARTTLS:
    case CLIENT_HANDSHAKE:
        return SMTP_CLIENT_WAIT_STARTTLS;
    case CLIENT_MAIL:
        return step_waited_for(c);
    case CLIENT_BODY:
        return SMTP_CLIENT_WAIT_BODY;
    case CLIENT_VERDICT: /* what is still in out is the end of the message */
        return buf_len(&c->out) ? SMTP_CLIENT_WAIT_BODY : SMTP_CLIENT_WAIT_VERDICT;
    case CLIENT_EMPTIED:
        return SMTP_CLIENT_WAIT_VERDICT;
    case CLIENT_QUIT:
        return SMTP_CLIENT_WAIT_QUIT;
    default:
        return SMTP_CLIENT_WAIT_HELO;
    }
}

const char *smtp_client_stage(const struct smtp_client *c)
{
    static const char *const steps[] = {[SMTP_CLIENT_WAIT_RSET] = "RSET",
                                        [SMTP_CLIENT_WAIT_MAIL] = "MAIL FROM",
                                        [SMTP_CLIENT_WAIT_RCPT] = "RCPT TO",
                                        [SMTP_CLIENT_WAIT_DATA] = "DATA"};
    switch ((enum client_state)c->state) {
    case CLIENT_GREETING:
        return "greeting";
    case CLIENT_EHLO:
        return "EHLO";
    case CLIENT_HELO:
        return "HELO";
    case CLIENT_STARTTLS:
    case CLIENT_HANDSHAKE:
        return "STARTTLS";
    case CLIENT_AUTH:
        return "AUTH";
    case CLIENT_MAIL:
        return steps[step_waited_for(c)];
    case CLIENT_BODY:
        return "message";
    case CLIENT_VERDICT:
    case CLIENT_EMPTIED:
        return "end of DATA";
    case CLIENT_QUIT:
        return "QUIT";
    case CLIENT_READY:
    case CLIENT_DONE:
    case CLIENT_CLOSED:
        return "idle";
    }
    return "";
}
