/* cmd_auth.c: AUTH (RFC 4954). What the mechanisms say is the driver's affair: here are only the
 * lines, the base64 and the replies. */
#include "proto/smtp/command.h"

#include "mime/encoding.h"

struct slice smtp_mechanisms(const struct smtp_session *s)
{
    const struct smtp_config *c = s->config;
    if (s->peer->no_auth)
        return SLICE("");
    if (!s->tls)
        return s->peer->secured ? c->mechanisms : c->mechanisms_clear;
    if (s->peer->certificate && c->mechanisms_certificate.data)
        return c->mechanisms_certificate;
    return c->mechanisms_tls.data ? c->mechanisms_tls : c->mechanisms;
}

bool smtp_auth_offered(const struct smtp_session *s)
{
    return smtp_mechanisms(s).len > 0;
}

/* The mechanism's name in upper case, into the scratch: RFC 4422 3.1, at most 20 characters. */
static bool put_mechanism(struct smtp_session *s, struct slice name)
{
    if (name.len == 0 || name.len > 20)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_upper(name.data[i]);
        if (!ascii_alnum(c) && c != '-' && c != '_')
            return false;
        buf_putc(&s->scratch, c);
    }
    return true;
}

/* Is it one of the words? */
static bool listed(struct slice words, struct slice mechanism)
{
    struct slice rest = words;
    while (rest.data)
        if (slice_eq_nocase(slice_split(&rest, ' '), mechanism))
            return true;
    return false;
}

static struct slice under_tls(const struct smtp_config *c)
{
    return c->mechanisms_tls.data ? c->mechanisms_tls : c->mechanisms;
}

static const char encryption_required[] =
    "538 5.7.11 Encryption required for requested authentication mechanism";

/* Asks with the mechanism and the initial response of `text` (data == NULL: none). */
static void start(struct smtp_session *s, struct slice mechanism, struct slice text)
{
    struct smtp_request *req = s->request;
    smtp_wipe_scratch(s);
    if (!put_mechanism(s, mechanism)) {
        smtp_reply(s, "501 5.5.4 Syntax: AUTH mechanism");
        return;
    }
    if (!listed(smtp_mechanisms(s), mechanism)) {
        bool later = !s->tls && listed(under_tls(s->config), mechanism);
        smtp_reply(s, "%s",
                   later ? encryption_required : "504 5.5.4 Unrecognized authentication mechanism");
        return;
    }
    /* RFC 4954 4: "=" is an initial response of no bytes. */
    bool empty = slice_is(text, "=");
    if (text.data && !empty && base64_decode(text, &s->scratch) != OK) {
        smtp_reply(s, "501 5.5.2 Error: cannot decode base64");
        return;
    }
    struct slice all = buf_slice(&s->scratch);
    req->mechanism = slice_sub(all, 0, mechanism.len);
    req->has_initial = text.data != NULL;
    req->initial = slice_from(all, mechanism.len);
    s->auth_under_way = true;
    smtp_ask(s, SMTP_WANT_AUTH_START);
}

void cmd_auth(struct smtp_session *s, struct slice args)
{
    struct slice mechanism = slice_split(&args, ' ');
    struct slice initial = args.data ? slice_trim(args) : SLICE_NONE;
    if (s->peer->no_auth || (s->config->mechanisms.len == 0 && under_tls(s->config).len == 0))
        smtp_reply(s, "503 5.5.1 Error: authentication not enabled");
    else if (s->authenticated)
        smtp_reply(s, "503 5.5.1 Error: already authenticated");
    else if (!smtp_auth_offered(s))
        smtp_reply(s, "%s", encryption_required);
    else if (mechanism.len == 0 || slice_find(initial, ' ') != SIZE_MAX)
        smtp_reply(s, "501 5.5.4 Syntax: AUTH mechanism");
    else
        start(s, mechanism, initial);
}

/* The client's next response. */
void smtp_auth_line(struct smtp_session *s, struct slice line)
{
    s->state = STATE_COMMAND;
    smtp_wipe_scratch(s);
    bool cancelled = slice_is(line, "*"); /* RFC 4954 4 */
    if (!cancelled && base64_decode(line, &s->scratch) == OK) {
        s->request->initial = buf_slice(&s->scratch);
        smtp_ask(s, SMTP_WANT_AUTH_STEP);
        return;
    }
    if (cancelled)
        smtp_reply(s, "501 5.7.0 Authentication aborted");
    else
        smtp_reply(s, "501 5.5.2 Error: cannot decode base64");
    s->auth_under_way = false;
    smtp_wipe_scratch(s);
    smtp_ask(s, SMTP_WANT_AUTH_CANCEL);
}

void smtp_auth_line_too_long(struct smtp_session *s)
{
    s->state = STATE_COMMAND;
    s->auth_under_way = false;
    smtp_reply(s, "500 5.5.6 Authentication exchange line is too long");
    smtp_ask(s, SMTP_WANT_AUTH_CANCEL);
}

void smtp_auth_challenge(struct smtp_session *s, struct slice challenge, struct buf *out)
{
    s->waiting = 0;
    s->state = STATE_AUTH;
    smtp_wipe_scratch(s);
    buf_puts(out, "334 ");
    base64_encode(challenge, out);
    buf_puts(out, "\r\n");
}

static void end_exchange(struct smtp_session *s, struct buf *out)
{
    s->waiting = 0;
    s->out = out;
    s->state = STATE_COMMAND;
    s->auth_under_way = false;
    smtp_wipe_scratch(s);
}

void smtp_auth_done(struct smtp_session *s, struct buf *out)
{
    end_exchange(s, out);
    s->authenticated = true;
    smtp_reply(s, "235 2.7.0 Authentication successful");
}

void smtp_auth_refused(struct smtp_session *s, enum smtp_auth_refusal why, struct buf *out)
{
    static const char *const replies[] = {
        [SMTP_AUTH_WRONG] = "535 5.7.8 Error: authentication failed",
        [SMTP_AUTH_MALFORMED] = "501 5.5.2 Error: authentication failed: malformed response",
        [SMTP_AUTH_NO_MECHANISM] = "504 5.5.4 Unrecognized authentication mechanism",
        [SMTP_AUTH_THROTTLED] = "454 4.7.0 Too many failed logins, try again later",
        [SMTP_AUTH_UNAVAILABLE] = "454 4.7.0 Temporary authentication failure",
    };
    end_exchange(s, out);
    smtp_reply(s, "%s", replies[why]);
    s->refused = false; /* the driver logs it with the reason */
}
