/* cmd_ehlo.c: EHLO, HELO and LHLO: who the client says it is, and what we can. */
#include "proto/smtp/command.h"

#include <stdlib.h>

/* What may stand in a Received field and in a log line: visible and not too long. More is not asked
 * of a name that proves nothing anyway (RFC 5321 4.1.4). */
static bool name_fits(struct slice name)
{
    if (name.len == 0 || name.len > SMTP_HELO_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.data[i];
        if (c <= ' ' || c == 0x7f || strchr("()<>\\\"", c))
            return false;
    }
    return true;
}

/* The name, when it will do; a reply has been written otherwise. */
static bool take_name(struct smtp_session *s, struct slice args, const char *verb)
{
    if (args.len == 0) {
        smtp_reply(s, "501 Syntax: %s hostname", verb);
        return false;
    }
    if (!name_fits(args)) {
        smtp_reply(s, "501 5.5.4 Error: invalid host name");
        return false;
    }
    char *copy = strndup(args.data, args.len);
    if (!copy) {
        smtp_reply(s, "451 4.3.0 Error: out of memory");
        return false;
    }
    free(s->helo);
    s->helo = copy;
    /* RFC 5321 4.1.4: EHLO and HELO reset as RSET does. */
    smtp_end_tx(s);
    return true;
}

void cmd_helo(struct smtp_session *s, struct slice args)
{
    if (!take_name(s, args, "HELO"))
        return;
    s->esmtp = false;
    smtp_reply(s, "250 %.*s", SLICE_ARG(s->config->hostname));
}

static void put_auth(struct smtp_session *s, struct buf *out)
{
    const struct smtp_config *c = s->config;
    struct slice mechanisms = smtp_mechanisms(s);
    if (mechanisms.len == 0)
        return;
    buf_printf(out, "250-AUTH %.*s\r\n", SLICE_ARG(mechanisms));
    if (c->auth_equals)
        buf_printf(out, "250-AUTH=%.*s\r\n", SLICE_ARG(mechanisms));
}

void cmd_ehlo(struct smtp_session *s, struct slice args)
{
    const struct smtp_config *c = s->config;
    struct buf *out = s->out;
    if (!take_name(s, args, smtp_is_lmtp(s) ? "LHLO" : "EHLO"))
        return;
    s->esmtp = true;
    buf_printf(out, "250-%.*s\r\n250-PIPELINING\r\n", SLICE_ARG(c->hostname));
    buf_printf(out, "250-SIZE %llu\r\n", (unsigned long long)c->size_limit);
    if (c->vrfy)
        buf_puts(out, "250-VRFY\r\n");
    if (!smtp_is_lmtp(s))
        buf_puts(out, "250-ETRN\r\n");
    if (c->starttls && !s->tls)
        buf_puts(out, "250-STARTTLS\r\n");
    put_auth(s, out);
    buf_puts(out, "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n"
                  "250 CHUNKING\r\n");
}
