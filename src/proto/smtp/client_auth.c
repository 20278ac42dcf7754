/* client_auth.c: AUTH PLAIN, LOGIN and CRAM-MD5 towards a relayhost (RFC 4954, 4616, 2195). */
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

/* ---- which mechanism ---- */

/* Of what the server offers; the settings allow some. */
static unsigned offered(const struct smtp_client *c)
{
    unsigned m = 0;
    if (c->offers & OFFER_AUTH_PLAIN)
        m |= SMTP_CLIENT_PLAIN;
    if (c->offers & OFFER_AUTH_LOGIN)
        m |= SMTP_CLIENT_LOGIN;
    if ((c->offers & OFFER_AUTH_CRAM_MD5) && c->config->cram_md5)
        m |= SMTP_CLIENT_CRAM_MD5;
    return m;
}

/* Under TLS the simplest is the surest: a server may offer CRAM-MD5 without having the secrets for
 * it. In clear the password should not be seen. */
static unsigned choose(unsigned usable, bool tls)
{
    static const unsigned order[2][3] = {
        {SMTP_CLIENT_CRAM_MD5, SMTP_CLIENT_PLAIN, SMTP_CLIENT_LOGIN},
        {SMTP_CLIENT_PLAIN, SMTP_CLIENT_LOGIN, SMTP_CLIENT_CRAM_MD5}};
    for (size_t i = 0; i < 3; i++)
        if (usable & order[tls][i])
            return order[tls][i];
    return 0;
}

static void begin(struct smtp_client *c, unsigned mechanism)
{
    c->auth_step = 0;
    c->auth_mechanism = mechanism;
    c->state = CLIENT_AUTH;
    if (mechanism == SMTP_CLIENT_PLAIN) {
        buf_puts(&c->out, "AUTH PLAIN ");
        put_plain(c);
    } else {
        buf_puts(&c->out, mechanism == SMTP_CLIENT_LOGIN ? "AUTH LOGIN\r\n" : "AUTH CRAM-MD5\r\n");
    }
}

/* Without its password a server would refuse the mail for good (RFC 4954 6: 530), though the fault
 * is the administrator's to mend. One that offers no AUTH at all may know us by our address. */
void smtp_client_log_in(struct smtp_client *c)
{
    unsigned there = offered(c);
    unsigned mechanism =
        choose(there & (c->tls ? c->config->auth_tls : c->config->auth_clear), c->tls);
    if (c->config->user.len == 0 || !(c->offers & OFFER_AUTH))
        c->state = CLIENT_READY;
    else if (mechanism)
        begin(c, mechanism);
    else if (!c->tls && (there & c->config->auth_tls))
        smtp_client_fail(c, "4.7.0", "the password is not sent without TLS, which was not offered");
    else
        smtp_client_fail(c, "4.7.0",
                         there ? "the server offers no mechanism that the settings allow "
                                 "(smtp_sasl_security_options, smtp_sasl_mechanism_filter)"
                               : "the server offers no AUTH mechanism of PLAIN, LOGIN, CRAM-MD5");
}

/* ---- the exchange ---- */

/* "334 BASE64": the response to it is "user digest". */
static void answer_cram_md5(struct smtp_client *c, const struct smtp_reply *r)
{
    struct buf challenge, response;
    buf_init(&challenge, CREDENTIAL_MAX);
    buf_init(&response, CREDENTIAL_MAX);
    if (base64_decode(slice_trim(slice_from(r->text, 4)), &challenge) == OK) {
        buf_append(&response, c->config->user);
        buf_putc(&response, ' ');
        c->config->cram_md5(c->config, buf_slice(&challenge), &response);
        put_base64(c, buf_slice(&response));
    } else {
        smtp_client_fail(c, "4.7.0", "the server's CRAM-MD5 challenge is not base64");
    }
    buf_release(&response);
    buf_release(&challenge);
}

static void answer_challenge(struct smtp_client *c, const struct smtp_reply *r)
{
    if (c->auth_mechanism == SMTP_CLIENT_CRAM_MD5)
        answer_cram_md5(c, r);
    else if (c->auth_mechanism == SMTP_CLIENT_PLAIN)
        put_plain(c); /* a server that did not see the initial response */
    else
        put_base64(c, c->auth_step == 0 ? c->config->user : c->config->password);
    c->auth_step++;
}

/* A refusal is temporary for the mail: a wrong password is the administrator's to mend. */
void smtp_client_on_auth(struct smtp_client *c, const struct smtp_reply *r)
{
    unsigned most = c->auth_mechanism == SMTP_CLIENT_LOGIN ? 2 : 1;
    if (r->code == 334 && c->auth_step < most)
        answer_challenge(c, r);
    else if (r->code == 334)
        smtp_client_fail(c, "4.7.0", "the server asks for more than its AUTH mechanism has");
    else if (r->code / 100 == 2)
        c->state = CLIENT_READY;
    else
        smtp_client_fail_remote(c, r);
}
