/* client_auth.c: AUTH PLAIN and LOGIN towards a relayhost (RFC 4954, RFC 4616). */
#include "mime/encoding.h"
#include "proto/smtp/client_internal.h"

enum { CREDENTIAL_MAX = 2048 };

static void put_base64(struct smtp_client *c, struct slice bytes)
{
    base64_encode(bytes, &c->out);
    buf_puts(&c->out, "\r\n");
}

static void put_plain(struct smtp_client *c)
{
    struct buf message;
    buf_init(&message, CREDENTIAL_MAX);
    buf_putc(&message, 0);
    buf_append(&message, c->config->user);
    buf_putc(&message, 0);
    buf_append(&message, c->config->password);
    put_base64(c, buf_slice(&message));
    buf_release(&message);
}

void smtp_client_start_auth(struct smtp_client *c)
{
    if (!c->tls && !c->config->plaintext_auth) {
        smtp_client_fail(c, "4.7.0", "the password is not sent without TLS, which was not offered");
        return;
    }
    c->auth_step = 0;
    c->state = CLIENT_AUTH;
    if (c->offers & OFFER_AUTH_PLAIN) {
        buf_puts(&c->out, "AUTH PLAIN ");
        put_plain(c);
    } else {
        buf_puts(&c->out, "AUTH LOGIN\r\n");
    }
}

static void answer_challenge(struct smtp_client *c)
{
    if (c->offers & OFFER_AUTH_PLAIN)
        put_plain(c); /* a server that did not see the initial response */
    else
        put_base64(c, c->auth_step == 0 ? c->config->user : c->config->password);
    c->auth_step++;
}

/* A refusal is temporary for the mail: a wrong password is the administrator's to mend. */
void smtp_client_on_auth(struct smtp_client *c, const struct smtp_reply *r)
{
    unsigned most = c->offers & OFFER_AUTH_PLAIN ? 1 : 2;
    if (r->code == 334 && c->auth_step < most)
        answer_challenge(c);
    else if (r->code == 334)
        smtp_client_fail(c, "4.7.0", "the server asks for more than its AUTH mechanism has");
    else if (r->code / 100 == 2)
        c->state = CLIENT_READY;
    else
        smtp_client_fail_remote(c, r);
}
