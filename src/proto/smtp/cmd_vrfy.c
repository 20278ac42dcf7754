/* cmd_vrfy.c: the questions: VRFY, EXPN, ETRN, HELP; and commands of other protocols. */
#include "proto/smtp/command.h"

#include "mime/address.h"

static void finish_vrfy(struct smtp_session *s)
{
    smtp_reply(s, "252 2.0.0 %s", s->pending);
    smtp_drop_pending(s);
}

/* RFC 6531 3.7.4.2: the one parameter. */
static bool vrfy_ends(const struct cursor *c)
{
    return cursor_at_end(c) || slice_is_nocase(slice_trim(c->rest), "SMTPUTF8");
}

/* RFC 5321 3.5.3: 252 says that it may exist: whoever may not send there does not hear even that.
 */
void cmd_vrfy(struct smtp_session *s, struct slice args)
{
    struct cursor c = cursor_of(args);
    struct address address;
    unsigned options = ADDRESS_UTF8 | ADDRESS_NO_DOMAIN | ADDRESS_FINAL_DOT |
                       (s->config->strict_envelopes ? 0 : ADDRESS_BARE);
    if (!s->config->vrfy)
        smtp_reply(s, "502 5.5.1 VRFY command is disabled");
    else if (args.len == 0)
        smtp_reply(s, "501 5.5.4 Syntax: VRFY address [SMTPUTF8]");
    else if (address_parse_path(&c, options, &address) != OK || !vrfy_ends(&c))
        smtp_reply(s, "501 5.1.3 Bad recipient address syntax");
    else if (smtp_set_pending(s, slice_sub(args, 0, args.len - c.rest.len)))
        smtp_ask_policy(s, SMTP_AT_RCPT, finish_vrfy);
}

void cmd_expn(struct smtp_session *s, struct slice args)
{
    (void)args;
    smtp_reply(s, "502 5.5.1 EXPN command is disabled");
}

/* Where nobody decides about it, no client may hurry mail. */
static void finish_etrn(struct smtp_session *s)
{
    if (s->config->asks & 1u << SMTP_AT_ETRN) {
        smtp_ask(s, SMTP_WANT_ETRN);
        return;
    }
    smtp_reply(s, "459 <%s>: service unavailable", s->pending);
    smtp_drop_pending(s);
}

/* RFC 1985 5.2 */
void smtp_etrn_answered(struct smtp_session *s, bool done, struct buf *out)
{
    s->waiting = 0;
    s->out = out;
    smtp_drop_pending(s);
    smtp_reply(s, "%s", done ? "250 Queuing started" : "458 Unable to queue messages");
}

void cmd_etrn(struct smtp_session *s, struct slice args)
{
    /* RFC 1985 5.3: "@domain" asks for subdomains too, "#name" for a queue. */
    bool marked = args.len && (args.data[0] == '@' || args.data[0] == '#');
    struct slice domain = slice_from(args, marked);
    if (args.len == 0 || slice_find(args, ' ') != SIZE_MAX)
        smtp_reply(s, "500 Syntax: ETRN domain");
    else if (!domain_valid(domain, true) && !domain_is_literal(domain))
        smtp_reply(s, "501 Error: invalid parameter syntax");
    else if (smtp_set_pending(s, domain))
        smtp_ask_policy(s, SMTP_AT_ETRN, finish_etrn);
}

void cmd_help(struct smtp_session *s, struct slice args)
{
    (void)args;
    smtp_reply(s, "214 2.0.0 Postrider speaks RFC 5321; EHLO lists its extensions");
}

/* Somebody's browser was made to speak to us: hear no more of it. */
void cmd_foreign(struct smtp_session *s, struct slice args)
{
    (void)args;
    s->closing = true;
    smtp_reply(s, "221 2.7.0 Error: this is not a command of SMTP. Goodbye");
}
