/* fuzz_smtp_client.c: a hostile server's replies against the SMTP client core. The first byte
 * chooses how the client is set up, the rest arrives in pieces. */
#include <stdint.h>
#include <stdlib.h>

#include "proto/smtp/client.h"

static const struct smtp_client_rcpt rcpts[] = {
    {SLICE("a@far.test"), SLICE("NEVER"), SLICE("rfc822;a")}, {SLICE("b@far.test"), {0}, {0}}};

static bool advance(struct smtp_client *c, struct buf *in, const struct smtp_client_mail *m,
                    struct slice *body)
{
    switch (smtp_client_run(c, in)) {
    case SMTP_CLIENT_INPUT:
        buf_reset(&c->out);
        return false;
    case SMTP_CLIENT_STARTTLS:
        if (buf_len(in))
            abort(); /* what came in clear must not be there under TLS */
        smtp_client_tls_done(c);
        return true;
    case SMTP_CLIENT_READY:
        *body = SLICE("Subject: x\r\n\r\n.\r\nbare\n.\rend");
        if (c->transactions > 3)
            smtp_client_quit(c);
        else if (smtp_client_send(c, m) != OK)
            abort();
        return true;
    case SMTP_CLIENT_BODY:
        if (smtp_client_body(c, body) == INVALID)
            abort();
        return true;
    case SMTP_CLIENT_DONE:
        for (size_t i = 0; i < m->n_rcpts; i++)
            if (c->results[i].outcome == SMTP_PENDING)
                abort(); /* everybody has a verdict */
        smtp_client_next(c);
        return true;
    case SMTP_CLIENT_CLOSED:
        buf_reset(in);
        return false;
    }
    return false;
}

static const char *start(void *arg, struct slice offered, bool tls, struct buf *initial,
                         bool *ret_initial, const char **why)
{
    (void)arg;
    buf_puts(initial, "p");
    *ret_initial = tls;
    *why = "none";
    return slice_search(offered, SLICE("PLAIN")) != SIZE_MAX ? "PLAIN" : NULL;
}

static enum result respond(void *arg, struct slice challenge, struct buf *out, const char **why)
{
    (void)arg;
    *why = "no base64";
    buf_append(out, challenge);
    return challenge.data ? OK : INVALID;
}

static enum result finish(void *arg, const char **why)
{
    (void)arg;
    *why = "";
    return OK;
}

static const struct smtp_client_sasl sasl = {NULL, start, respond, finish};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned how = size ? data[0] : 0;
    struct smtp_client_config config = {
        .helo_name = SLICE("me"), .tls = how % 3, .sasl = how & 4 ? &sasl : NULL};
    struct smtp_client_mail mail = {.sender = SLICE("me@x"),
                                    .rcpts = rcpts,
                                    .n_rcpts = 2,
                                    .size = 40,
                                    .eightbit = how & 16,
                                    .smtputf8 = how & 32};
    struct smtp_client c;
    struct slice body = SLICE_NONE;
    struct buf in;
    buf_init(&in, 64 * 1024);
    smtp_client_init(&c, &config);
    for (size_t at = 1, piece = how & 64 ? 7 : 4096; at < size; at += piece) {
        buf_append(&in, slice_of(data + at, size - at < piece ? size - at : piece));
        while (advance(&c, &in, &mail, &body))
            ;
    }
    smtp_client_lost(&c, "4.4.2", "gone");
    while (advance(&c, &in, &mail, &body))
        ;
    smtp_client_release(&c);
    buf_release(&in);
    return 0;
}
