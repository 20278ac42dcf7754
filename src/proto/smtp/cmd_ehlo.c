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
        if (c < ' ' || c == 0x7f)
            return false;
    }
    return true;
}

/* What Postfix takes, but makes harmless. */
static void neuter(char *name)
{
    for (char *p = name; *p; p++)
        if (strchr("<>()\\\";@", *p))
            *p = '?';
}

/* The name, when it will do, waits for the policy; a reply has been written otherwise. */
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
    /* RFC 5321 4.1.4: EHLO and HELO reset as RSET does. */
    smtp_end_tx(s);
    if (!smtp_set_pending(s, args))
        return false;
    neuter(s->pending);
    return true;
}

static void keep_name(struct smtp_session *s, bool esmtp)
{
    free(s->helo);
    s->helo = s->pending;
    s->pending = NULL;
    s->esmtp = esmtp;
    s->replied = true;
}

static void finish_helo(struct smtp_session *s)
{
    keep_name(s, false);
    smtp_reply(s, "250 %.*s", SLICE_ARG(s->config->hostname));
}

void cmd_helo(struct smtp_session *s, struct slice args)
{
    if (!take_name(s, args, "HELO"))
        return;
    smtp_ask_policy(s, SMTP_AT_HELO, finish_helo);
}

bool smtp_discards(const struct smtp_session *s, const char *keyword)
{
    for (size_t i = 0; i < s->config->discarded_keywords.n; i++)
        if (slice_is_nocase(s->config->discarded_keywords.items[i], keyword))
            return true;
    return false;
}

static void put_auth(struct smtp_session *s, struct buf *lines)
{
    struct slice mechanisms = smtp_mechanisms(s);
    if (mechanisms.len == 0 || smtp_discards(s, "AUTH"))
        return;
    buf_printf(lines, "AUTH %.*s\n", SLICE_ARG(mechanisms));
    if (s->config->auth_equals)
        buf_printf(lines, "AUTH=%.*s\n", SLICE_ARG(mechanisms));
}

static void put(struct smtp_session *s, const char *keyword, bool served, struct buf *lines)
{
    if (served && !smtp_discards(s, keyword))
        buf_printf(lines, "%s\n", keyword);
}

static void put_keywords(struct smtp_session *s, struct buf *lines)
{
    const struct smtp_config *c = s->config;
    put(s, "PIPELINING", true, lines);
    if (!smtp_discards(s, "SIZE"))
        buf_printf(lines, "SIZE %llu\n", (unsigned long long)c->size_limit);
    put(s, "VRFY", c->vrfy, lines);
    put(s, "ETRN", !smtp_is_lmtp(s), lines);
    put(s, "STARTTLS", c->starttls && !s->tls, lines);
    put_auth(s, lines);
    put(s, "ENHANCEDSTATUSCODES", true, lines);
    put(s, "8BITMIME", true, lines);
    put(s, "DSN", true, lines);
    put(s, "SMTPUTF8", true, lines);
    put(s, "CHUNKING", true, lines);
    put(s, "REQUIRETLS", s->tls != NULL, lines); /* RFC 8689 2 */
}

static void finish_ehlo(struct smtp_session *s)
{
    struct buf lines;
    keep_name(s, true);
    buf_init(&lines, 4096);
    buf_printf(&lines, "%.*s\n", SLICE_ARG(s->config->hostname));
    put_keywords(s, &lines);
    struct slice rest = buf_slice(&lines);
    while (rest.len) {
        struct slice line = slice_split(&rest, '\n');
        buf_printf(s->out, "250%c%.*s\r\n", rest.len ? '-' : ' ', SLICE_ARG(line));
    }
    buf_release(&lines);
}

void cmd_ehlo(struct smtp_session *s, struct slice args)
{
    if (take_name(s, args, smtp_is_lmtp(s) ? "LHLO" : "EHLO"))
        smtp_ask_policy(s, SMTP_AT_HELO, finish_ehlo);
}
