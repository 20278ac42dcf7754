/* client_auth.c: AUTH towards a relayhost (RFC 4954): the frame of the exchange; the mechanisms are
 * the caller's. */
#include "mime/encoding.h"
#include "proto/smtp/client_internal.h"

enum { RESPONSE_MAX = 64 * 1024, ROUNDS_MAX = 8 };

static void put_base64(struct smtp_client *c, struct slice bytes)
{
    base64_encode(bytes, &c->out);
    buf_puts(&c->out, "\r\n");
}

static void begin(struct smtp_client *c)
{
    const struct smtp_client_sasl *sasl = c->config->sasl;
    const char *why = "no memory";
    bool initial = false;
    struct buf response;
    buf_init(&response, RESPONSE_MAX);
    const char *name =
        sasl->start(sasl->arg, slice_cstr(c->mechanisms), c->tls, &response, &initial, &why);
    if (!name || !buf_ok(&response)) {
        smtp_client_fail(c, "4.7.0", why);
    } else {
        c->auth_rounds = 0;
        c->state = CLIENT_AUTH;
        buf_printf(&c->out, "AUTH %s%s", name, initial ? " " : "\r\n");
        if (initial && buf_len(&response) == 0)
            buf_puts(&c->out, "=\r\n"); /* RFC 4954 4: an empty one */
        else if (initial)
            put_base64(c, buf_slice(&response));
    }
    buf_release(&response);
}

/* Without its password a server would refuse the mail for good (RFC 4954 6: 530), though the fault
 * is the administrator's to mend. One that offers no AUTH at all may know us by our address. */
void smtp_client_log_in(struct smtp_client *c)
{
    if (!c->config->sasl || !(c->offers & OFFER_AUTH))
        c->state = CLIENT_READY;
    else
        begin(c);
}

/* ---- the exchange ---- */

/* "334 BASE64" */
static void answer_challenge(struct smtp_client *c, const struct smtp_reply *r)
{
    const struct smtp_client_sasl *sasl = c->config->sasl;
    const char *why = "no memory";
    struct buf challenge, response;
    buf_init(&challenge, SMTP_REPLY_TEXT_MAX);
    buf_init(&response, RESPONSE_MAX);
    struct slice decoded = SLICE_NONE;
    if (base64_decode(slice_trim(slice_from(r->text, 4)), &challenge) == OK)
        decoded = buf_len(&challenge) ? buf_slice(&challenge) : SLICE("");
    if (sasl->respond(sasl->arg, decoded, &response, &why) == OK && buf_ok(&response))
        put_base64(c, buf_slice(&response));
    else
        smtp_client_fail(c, "4.7.0", why);
    buf_release(&response);
    buf_release(&challenge);
}

/* A refusal is temporary for the mail: a wrong password is the administrator's to mend. */
void smtp_client_on_auth(struct smtp_client *c, const struct smtp_reply *r)
{
    const struct smtp_client_sasl *sasl = c->config->sasl;
    const char *why = "";
    if (r->code == 334 && c->auth_rounds++ < ROUNDS_MAX)
        answer_challenge(c, r);
    else if (r->code == 334)
        smtp_client_fail(c, "4.7.0", "the server asks for more than its AUTH mechanism has");
    else if (r->code / 100 != 2)
        smtp_client_fail_remote(c, r);
    else if (sasl->finish(sasl->arg, &why) == OK)
        c->state = CLIENT_READY;
    else
        smtp_client_fail(c, "4.7.0", why);
}
