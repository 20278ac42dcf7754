/* cmd_starttls.c: STARTTLS (RFC 3207). */
#include "proto/smtp/command.h"

#include <stdlib.h>

void cmd_starttls(struct smtp_session *s, struct slice args)
{
    (void)args;
    if (s->tls) {
        smtp_reply(s, "554 5.5.1 Error: TLS already active");
    } else if (!s->config->starttls) {
        smtp_reply(s, "502 5.5.1 Error: command not implemented");
    } else if (s->input->len > 0) {
        /* Commands sent in clear behind STARTTLS would be taken as if TLS protected them: whoever
         * sits between could put his own there (CVE-2011-0411). No honest client sends any. */
        smtp_reply(s, "554 5.5.1 Error: commands sent in clear behind STARTTLS");
        s->closing = true;
    } else {
        smtp_reply(s, "220 2.0.0 Ready to start TLS");
        smtp_ask(s, SMTP_WANT_STARTTLS);
    }
}

void smtp_tls_started(struct smtp_session *s, struct slice tls)
{
    s->waiting = 0;
    /* RFC 3207 4.2: as if the connection were new. A login does not come before STARTTLS in any
     * sane client; it is forgotten with the rest. */
    smtp_end_tx(s);
    free(s->helo);
    free(s->tls);
    s->helo = NULL;
    s->tls = tls.len ? strndup(tls.data, tls.len) : strdup("TLS");
    s->esmtp = s->authenticated = false;
}
