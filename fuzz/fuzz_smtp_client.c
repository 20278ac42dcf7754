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

static void cram_md5(const struct smtp_client_config *c, struct slice challenge, struct buf *out)
{
    buf_printf(out, "%.*s%zu", SLICE_ARG(c->password), challenge.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned how = size ? data[0] : 0;
    struct smtp_client_config config = {.helo_name = SLICE("me"),
                                        .tls = how % 3,
                                        .user = how & 4 ? SLICE("u") : SLICE(""),
                                        .password = SLICE("p"),
                                        .auth_clear = how & 8 ? 7 : 0,
                                        .auth_tls = 7,
                                        .cram_md5 = cram_md5};
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
