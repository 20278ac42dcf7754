/* cmd_vrfy.c: the questions: VRFY, EXPN, ETRN, HELP; and commands of other protocols. */
#include "proto/smtp/command.h"

/* RFC 5321 3.5.3: 252 says that it may exist; which addresses do is told at RCPT. */
void cmd_vrfy(struct smtp_session *s, struct slice args)
{
    if (!s->config->vrfy)
        smtp_reply(s, "502 5.5.1 VRFY command is disabled");
    else if (args.len == 0)
        smtp_reply(s, "501 5.5.4 Syntax: VRFY address");
    else
        smtp_reply(s, "252 2.0.0 Cannot VRFY user, but will accept the message and try to deliver");
}

void cmd_expn(struct smtp_session *s, struct slice args)
{
    (void)args;
    smtp_reply(s, "502 5.5.1 EXPN command is disabled");
}

/* RFC 1985 5.2: mail here is sent when it is due; no client may hurry it. */
void cmd_etrn(struct smtp_session *s, struct slice args)
{
    if (args.len == 0)
        smtp_reply(s, "501 5.5.4 Syntax: ETRN domain");
    else
        smtp_reply(s, "459 4.7.0 <%.*s>: service unavailable", SLICE_ARG(args));
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
    smtp_reply(s, "521 5.5.1 Error: this is not HTTP");
}
