/* cmd_rset.c: RSET, NOOP and QUIT. */
#include "proto/smtp/command.h"

/* RFC 5321 4.1.1.5 */
void cmd_rset(struct smtp_session *s, struct slice args)
{
    (void)args;
    smtp_end_tx(s);
    smtp_reply(s, "250 2.0.0 Ok");
}

void cmd_noop(struct smtp_session *s, struct slice args)
{
    (void)args; /* RFC 5321 4.1.1.9: a parameter is ignored */
    smtp_reply(s, "250 2.0.0 Ok");
}

void cmd_quit(struct smtp_session *s, struct slice args)
{
    (void)args;
    smtp_end_tx(s);
    s->closing = true;
    smtp_reply(s, "221 2.0.0 Bye");
}
