/* policy.c: the stages at which somebody else is asked whether the session may go on (Postfix's
 * smtpd_*_restrictions outside of RCPT): a command stops before it takes effect, and is resumed or
 * dropped by the answer. */
#include "proto/smtp/command.h"

#include <stdio.h>
#include <stdlib.h>

void smtp_ask_policy(struct smtp_session *s, enum smtp_stage stage, smtp_resume_fn *resume)
{
    if (!(s->config->asks & 1u << stage)) {
        resume(s);
        return;
    }
    s->stage = (uint8_t)stage;
    s->resume = resume;
    smtp_ask(s, SMTP_WANT_POLICY);
}

bool smtp_set_pending(struct smtp_session *s, struct slice text)
{
    free(s->pending);
    s->pending = strndup(text.data ? text.data : "", text.len);
    if (!s->pending)
        smtp_reply(s, "451 4.3.0 Error: out of memory");
    return s->pending != NULL;
}

void smtp_drop_pending(struct smtp_session *s)
{
    free(s->pending);
    s->pending = NULL;
}

/* What the refused command leaves behind. */
static void drop(struct smtp_session *s)
{
    smtp_drop_pending(s);
    switch ((enum smtp_stage)s->stage) {
    case SMTP_AT_CLIENT:
        s->denied = true;
        break;
    case SMTP_AT_MAIL:
    case SMTP_AT_END:
        smtp_end_tx(s);
        break;
    case SMTP_AT_DATA:
        if (s->chunk_left > 0) /* BDAT: its bytes follow all the same */
            s->state = STATE_CHUNK;
        s->chunk_refused = true;
        break;
    default:
        break;
    }
}

/* RFC 2033 4.2: LMTP answers once for each recipient that was accepted. */
static unsigned replies_due(const struct smtp_session *s)
{
    return s->stage == SMTP_AT_END && smtp_is_lmtp(s) ? s->tx->n_rcpts : 1;
}

void smtp_policy_answered(struct smtp_session *s, unsigned code, struct slice enhanced,
                          struct slice text, struct buf *out)
{
    s->waiting = 0;
    s->out = out;
    s->want = 0;
    if (code >= 200 && code < 300) {
        s->resume(s);
        s->owed = s->want;
        return;
    }
    if (code < 400 || code > 599)
        code = 451;
    for (unsigned i = replies_due(s); i > 0; i--)
        smtp_reply(s, "%u %.*s%s%.*s", code, SLICE_ARG(enhanced), enhanced.len ? " " : "",
                   SLICE_ARG(text));
    s->refused = false; /* the driver knows more about it than we do, and logs it */
    drop(s);
    if (code == 421 || code == 521)
        s->closing = true;
}

const char *smtp_denied(struct smtp_session *s)
{
    const struct smtp_peer *p = s->peer;
    struct slice name = p->name.len ? p->name : SLICE("unknown");
    snprintf(s->refusal, sizeof s->refusal, "503 5.7.0 Error: access denied for %.*s[%.*s]",
             SLICE_ARG(name), SLICE_ARG(p->ip));
    return s->refusal;
}
