/* cmd_capa.c: CAPA (RFC 2449) and STLS (RFC 2595). */
#include "proto/pop3/core.h"

static void put_login(const struct pop3 *p, struct buf *out)
{
    struct slice mechanisms = p->secured ? p->config->mechanisms : p->config->mechanisms_clear;
    if (p->config->stls && !p->tls)
        buf_puts(out, "STLS\r\n");
    if (p->secured || p->config->plaintext_clear)
        buf_puts(out, "USER\r\n");
    if (mechanisms.len)
        buf_printf(out, "SASL %.*s\r\n", SLICE_ARG(mechanisms));
}

enum pop3_want pop3_cmd_capa(struct pop3 *p, struct slice args, struct buf *out,
                             struct pop3_request *ret)
{
    (void)ret;
    if (args.len)
        return pop3_bad(p, "CAPA takes no argument.", out);
    pop3_ok(out, "");
    buf_puts(out, "CAPA\r\nTOP\r\nUIDL\r\nRESP-CODES\r\nPIPELINING\r\nAUTH-RESP-CODE\r\n");
    if (p->state == POP3_AUTHORIZATION)
        put_login(p, out);
    buf_puts(out, "IMPLEMENTATION Postrider\r\n.\r\n");
    return POP3_WANT_INPUT;
}

enum pop3_want pop3_cmd_stls(struct pop3 *p, struct slice args, struct buf *out,
                             struct pop3_request *ret)
{
    (void)ret;
    if (args.len)
        return pop3_bad(p, "STLS takes no argument.", out);
    if (p->tls)
        return pop3_bad(p, "TLS is already active.", out);
    if (!p->config->stls)
        return pop3_bad(p, "TLS is not available.", out);
    pop3_ok(out, "Begin TLS negotiation now.");
    return POP3_WANT_STARTTLS;
}

void pop3_tls_started(struct pop3 *p)
{
    p->waiting = 0;
    p->tls = p->secured = true;
    /* RFC 2595 4: what was learned in clear does not count. */
    pop3_wipe(&p->user);
}
