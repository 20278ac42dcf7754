/* cmd_auth.c: USER, PASS (RFC 1939 7) and AUTH (RFC 5034). */
#include "mime/encoding.h"
#include "proto/pop3/core.h"

enum { AUTH_FAILURES_DEFAULT = 6, MECHANISM_MAX = 20 }; /* RFC 4422 3.1: at most 20 characters */

static const char PLAINTEXT_REFUSED[] =
    "[AUTH] Plaintext authentication disallowed on non-secure (SSL/TLS) connections.";

enum pop3_want pop3_cmd_user(struct pop3 *p, struct slice args, struct buf *out,
                             struct pop3_request *ret)
{
    (void)ret;
    if (args.len == 0)
        return pop3_bad(p, "USER needs a name.", out);
    if (!p->secured && !p->config->plaintext_clear) {
        pop3_err(out, PLAINTEXT_REFUSED);
        return POP3_WANT_INPUT;
    }
    /* The name is neither confirmed nor denied: RFC 1939 13. */
    buf_reset(&p->user);
    buf_append(&p->user, args);
    pop3_ok(out, "");
    return POP3_WANT_INPUT;
}

enum pop3_want pop3_cmd_pass(struct pop3 *p, struct slice args, struct buf *out,
                             struct pop3_request *ret)
{
    if (buf_len(&p->user) == 0)
        return pop3_bad(p, "No username given.", out);
    /* RFC 1939 7: spaces belong to the password. */
    buf_append(&p->scratch, args);
    ret->user = buf_slice(&p->user);
    ret->pass = buf_slice(&p->scratch);
    return POP3_WANT_PASS;
}

/* Is the mechanism one of the words? */
static bool listed(struct slice words, struct slice mechanism)
{
    while (words.len)
        if (slice_eq_nocase(slice_split(&words, ' '), mechanism))
            return true;
    return false;
}

static void list_mechanisms(const struct pop3 *p, struct buf *out)
{
    struct slice words = p->secured ? p->config->mechanisms : p->config->mechanisms_clear;
    pop3_ok(out, "");
    while (words.len) {
        buf_append(out, slice_split(&words, ' '));
        buf_puts(out, "\r\n");
    }
    buf_puts(out, ".\r\n");
}

/* Raw bytes of a base64 text into p->scratch, behind what is there. */
static bool undo_base64(struct pop3 *p, struct slice text, struct slice *ret)
{
    size_t before = buf_len(&p->scratch);
    if (base64_decode(text, &p->scratch) != OK)
        return false;
    *ret = slice_from(buf_slice(&p->scratch), before);
    return true;
}

/* RFC 5034 4: "=" is an initial response of no bytes. */
static bool take_initial(struct pop3 *p, struct slice text, struct pop3_request *ret)
{
    if (text.len == 0)
        return true;
    ret->has_initial = true;
    ret->initial = SLICE("");
    return slice_is(text, "=") || undo_base64(p, text, &ret->initial);
}

static struct slice upper_mechanism(struct pop3 *p, struct slice mechanism)
{
    for (size_t i = 0; i < mechanism.len; i++)
        buf_putc(&p->scratch, ascii_upper(mechanism.data[i]));
    return buf_slice(&p->scratch);
}

enum pop3_want pop3_cmd_auth(struct pop3 *p, struct slice args, struct buf *out,
                             struct pop3_request *ret)
{
    struct slice mechanism = slice_split(&args, ' ');
    size_t room;
    if (mechanism.len == 0) {
        list_mechanisms(p, out);
        return POP3_WANT_INPUT;
    }
    if (mechanism.len > MECHANISM_MAX || !listed(p->config->mechanisms, mechanism))
        return pop3_bad(p, "Unsupported authentication mechanism.", out);
    if (!p->secured && !listed(p->config->mechanisms_clear, mechanism)) {
        pop3_err(out, PLAINTEXT_REFUSED);
        return POP3_WANT_INPUT;
    }
    /* One allocation, so that the request's slices stay where they are. */
    if (!buf_reserve(&p->scratch, mechanism.len + args.len, &room)) {
        pop3_err(out, "[SYS/TEMP] Out of memory.");
        return POP3_WANT_INPUT;
    }
    size_t name_len = mechanism.len;
    upper_mechanism(p, mechanism);
    if (!take_initial(p, args, ret)) {
        pop3_wipe(&p->scratch);
        return pop3_bad(p, "Invalid base64 data in initial response.", out);
    }
    ret->mechanism = slice_sub(buf_slice(&p->scratch), 0, name_len);
    return POP3_WANT_AUTH_START;
}

enum pop3_want pop3_auth_break(struct pop3 *p, const char *text, struct buf *out)
{
    p->auth = LINE_COMMAND;
    pop3_err(out, text);
    return POP3_WANT_AUTH_CANCEL;
}

enum pop3_want pop3_auth_response(struct pop3 *p, struct slice line, struct buf *out,
                                  struct pop3_request *ret)
{
    /* RFC 5034 4: "*" cancels. */
    if (slice_is(line, "*"))
        return pop3_auth_break(p, "Authentication cancelled.", out);
    ret->has_initial = true;
    ret->initial = SLICE("");
    if (line.len && !undo_base64(p, line, &ret->initial)) {
        pop3_wipe(&p->scratch);
        return pop3_auth_break(p, "Invalid base64 data in continued response.", out);
    }
    p->auth = LINE_COMMAND;
    return POP3_WANT_AUTH_STEP;
}

/* ---- answers ---- */

void pop3_auth_challenge(struct pop3 *p, struct slice challenge, struct buf *out)
{
    p->waiting = 0;
    p->auth = LINE_AUTH_RESPONSE;
    buf_puts(out, "+ ");
    base64_encode(challenge, out);
    buf_puts(out, "\r\n");
    pop3_wipe(&p->scratch);
}

void pop3_auth_refused(struct pop3 *p, enum pop3_refusal why, struct buf *out)
{
    /* RFC 3206 and RFC 2449 8.1: the codes tell a client whether to ask for another password. */
    static const char *const texts[] = {
        [POP3_REFUSE_WRONG] = "[AUTH] Authentication failed.",
        [POP3_REFUSE_MALFORMED] = "Invalid authentication data.",
        [POP3_REFUSE_NO_MECHANISM] = "Unsupported authentication mechanism.",
        [POP3_REFUSE_THROTTLED] = "[SYS/TEMP] Too many failed logins, try again later.",
        [POP3_REFUSE_UNAVAILABLE] = "[SYS/TEMP] Temporary authentication failure.",
        [POP3_REFUSE_IN_USE] = "[IN-USE] Too many sessions of this user."};
    unsigned max =
        p->config->max_auth_failures ? p->config->max_auth_failures : AUTH_FAILURES_DEFAULT;
    pop3_wipe(&p->scratch);
    pop3_wipe(&p->user);
    /* PASS has no mechanism's syntax; what none can carry, as an empty password, is wrong. */
    if (why == POP3_REFUSE_MALFORMED && p->waiting == POP3_WANT_PASS)
        why = POP3_REFUSE_WRONG;
    p->waiting = 0;
    p->auth = LINE_COMMAND;
    pop3_err(out, texts[why]);
    if (++p->auth_failures >= max)
        p->state = POP3_ENDED;
}

void pop3_auth_done(struct pop3 *p)
{
    pop3_wipe(&p->scratch);
    pop3_wipe(&p->user);
    p->waiting = 0;
    p->auth = LINE_COMMAND;
    p->state = POP3_HANDED_OVER;
}
