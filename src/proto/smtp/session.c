/* session.c: the session's frame: lines and states in, replies out, answers back. */
#include "proto/smtp/command.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool smtp_is_lmtp(const struct smtp_session *s)
{
    return s->config->service == SMTP_SERVICE_LMTP;
}

static void greet(struct smtp_session *s)
{
    buf_printf(s->out, "220 %.*s\r\n", SLICE_ARG(s->config->banner));
}

void smtp_open(struct smtp_session *s, const struct smtp_config *config,
               const struct smtp_peer *peer, struct slice tls, struct buf *out)
{
    *s = (struct smtp_session){.config = config, .peer = peer, .state = STATE_COMMAND};
    buf_init(&s->scratch, 2 * SMTP_AUTH_LINE_MAX);
    if (tls.len)
        s->tls = strndup(tls.data, tls.len);
    s->out = out;
    smtp_ask_policy(s, SMTP_AT_CLIENT, greet);
    s->owed = s->want;
}

void smtp_wipe_scratch(struct smtp_session *s)
{
    if (s->scratch.mem)
        explicit_bzero(s->scratch.mem, s->scratch.size);
    buf_clear(&s->scratch);
}

void smtp_end_tx(struct smtp_session *s)
{
    struct smtp_tx *tx = s->tx;
    s->tx = NULL;
    if (!tx)
        return;
    buf_release(&tx->message);
    arena_release(&tx->arena);
    free(tx);
}

void smtp_release(struct smtp_session *s)
{
    smtp_end_tx(s);
    smtp_wipe_scratch(s);
    smtp_drop_pending(s);
    free(s->helo);
    free(s->tls);
    s->helo = s->tls = NULL;
}

/* ---- replies ---- */

void smtp_reply(struct smtp_session *s, const char *format, ...)
{
    struct buf line;
    buf_init(&line, 1024);
    va_list ap;
    va_start(ap, format);
    buf_vprintf(&line, format, ap);
    va_end(ap);
    if (!buf_ok(&line)) { /* a text with the client's own words in it, too long to repeat */
        buf_reset(&line);
        buf_puts(&line, "501 5.5.2 Error: too long");
    }
    struct slice text = buf_slice(&line);
    bool refusal = text.len && text.data[0] >= '4';
    s->replied = true;
    if (refusal && s->config->footer.len) {
        smtp_put_refusal(s, text, s->out);
    } else {
        buf_append(s->out, text);
        buf_append(s->out, SLICE("\r\n"));
    }
    if (refusal) {
        s->errors++;
        s->refused = true;
        snprintf(s->refusal, sizeof s->refusal, "%.*s", SLICE_ARG(text));
    }
    buf_release(&line);
}

struct slice smtp_take_refusal(struct smtp_session *s)
{
    if (!s->refused)
        return SLICE_NONE;
    s->refused = false;
    return slice_cstr(s->refusal);
}

void smtp_bye(struct smtp_session *s, const char *enhanced, const char *text, struct buf *out)
{
    s->closing = true;
    buf_printf(out, "421 %s %.*s %s\r\n", enhanced, SLICE_ARG(s->config->hostname), text);
}

/* ---- input ---- */

/* Cuts a line off the input, without its end. A lone LF ends a command as well: people type them.
 * False: not whole yet, or too long (*ret_too_long) and being skipped. */
static bool take_line(struct smtp_session *s, size_t max, struct slice *ret, bool *ret_too_long)
{
    struct slice in = *s->input;
    size_t end = slice_find(in, '\n');
    *ret_too_long = false;
    if (end == SIZE_MAX) {
        if (in.len >= max || s->skipping) {
            s->skipping = true;
            *s->input = SLICE_NONE;
        }
        return false;
    }
    *s->input = slice_from(in, end + 1);
    *ret_too_long = s->skipping || end + 1 > max;
    s->skipping = false;
    if (end && in.data[end - 1] == '\r')
        end--;
    *ret = slice_sub(in, 0, end);
    return !*ret_too_long;
}

/* RFC 4954 4: lines of AUTH may be longer than others. */
static size_t longest_line(const struct smtp_session *s)
{
    return s->state == STATE_AUTH || slice_starts_nocase(*s->input, SLICE("AUTH "))
               ? SMTP_AUTH_LINE_MAX
               : SMTP_LINE_MAX;
}

/* False: more input is needed. */
static bool step_line(struct smtp_session *s)
{
    struct slice line;
    bool too_long;
    if (take_line(s, longest_line(s), &line, &too_long)) {
        if (s->state == STATE_AUTH)
            smtp_auth_line(s, line);
        else
            smtp_run_command(s, line);
        return true;
    }
    if (!too_long)
        return false;
    if (s->state == STATE_AUTH)
        smtp_auth_line_too_long(s);
    else
        smtp_reply(s, "500 5.5.2 Error: line too long");
    return true;
}

static bool step_once(struct smtp_session *s)
{
    if (s->state == STATE_COMMAND || s->state == STATE_AUTH)
        return step_line(s);
    if (s->input->len == 0)
        return false;
    if (s->state == STATE_DATA)
        smtp_take_data(s);
    else
        smtp_take_chunk(s);
    return true;
}

void smtp_ask(struct smtp_session *s, enum smtp_want want)
{
    s->want = (uint8_t)want;
}

/* Does the driver owe an answer to this want? */
static bool wants_answer(enum smtp_want want)
{
    return want == SMTP_WANT_AUTH_START || want == SMTP_WANT_AUTH_STEP || want == SMTP_WANT_RCPT ||
           want == SMTP_WANT_DELIVER || want == SMTP_WANT_STARTTLS || want == SMTP_WANT_POLICY ||
           want == SMTP_WANT_ETRN;
}

static bool too_many_errors(const struct smtp_session *s)
{
    const struct smtp_config *c = s->config;
    uint32_t junk = c->junk_limit && s->junk > c->junk_limit ? s->junk - c->junk_limit : 0;
    return c->error_limit && s->errors + junk >= c->error_limit;
}

/* Postfix: a client that makes many errors is served slowly. */
static bool is_slow(struct smtp_session *s)
{
    const struct smtp_config *c = s->config;
    bool slow = s->replied && c->soft_error_limit && c->error_pause &&
                s->errors >= c->soft_error_limit && s->state != STATE_DATA;
    s->replied = false;
    return slow;
}

enum smtp_want smtp_step(struct smtp_session *s, struct slice *input, struct buf *out,
                         struct smtp_request *ret)
{
    if (s->waiting)
        return SMTP_WANT_ANSWER;
    s->out = out;
    s->input = input;
    s->request = ret;
    s->want = s->owed;
    s->owed = 0;
    while (!s->want) {
        if (!s->closing && s->state != STATE_DATA && too_many_errors(s))
            smtp_bye(s, "4.7.0", "Error: too many errors", out);
        if (s->closing)
            s->want = SMTP_WANT_CLOSE;
        else if (is_slow(s))
            s->want = SMTP_WANT_PAUSE;
        else if (buf_len(out) >= SMTP_OUT_SOFT)
            s->want = SMTP_WANT_FLUSH;
        else if (!step_once(s))
            s->want = SMTP_WANT_INPUT;
    }
    if (wants_answer(s->want))
        s->waiting = s->want;
    return s->want;
}

size_t smtp_message_bytes(const struct smtp_session *s)
{
    return s->tx ? s->tx->message.size : 0;
}

void smtp_refuse_message(struct smtp_session *s)
{
    if (s->tx) {
        s->tx->data.no_memory = true;
        buf_clear(&s->tx->message);
    }
}
