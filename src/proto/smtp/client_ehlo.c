/* client_ehlo.c: from the greeting to a session that is ready: EHLO or HELO, STARTTLS. */
#include <stdio.h>

#include "proto/smtp/client_internal.h"

static void say_hello(struct smtp_client *c, const char *verb, enum client_state state)
{
    c->offers = 0;
    c->mechanisms[0] = 0;
    c->size_limit = 0;
    buf_printf(&c->out, "%s %.*s\r\n", verb, SLICE_ARG(c->config->helo_name));
    c->state = state;
}

void smtp_client_on_greeting(struct smtp_client *c, const struct smtp_reply *r)
{
    if (r->code / 100 == 2)
        say_hello(c, c->config->lmtp ? "LHLO" : "EHLO", CLIENT_EHLO);
    else
        smtp_client_fail_remote(c, r);
}

/* ---- what the server offers ---- */

static void take_mechanisms(struct smtp_client *c, struct slice rest)
{
    c->offers |= OFFER_AUTH;
    while (rest.data) {
        struct slice word = slice_split(&rest, ' ');
        size_t n = strlen(c->mechanisms);
        if (word.len && n + word.len + 2 < sizeof c->mechanisms)
            snprintf(c->mechanisms + n, sizeof c->mechanisms - n, "%s%.*s", n ? " " : "",
                     SLICE_ARG(word));
    }
}

static void take_size(struct smtp_client *c, struct slice rest)
{
    uint64_t n;
    c->offers |= OFFER_SIZE;
    if (slice_parse_u64(slice_trim(rest), UINT64_MAX, &n) == OK)
        c->size_limit = n; /* RFC 1870 4: 0 or nothing is no limit */
}

void smtp_client_hello_line(struct smtp_client *c, unsigned code, unsigned line, struct slice text)
{
    static const struct {
        const char *keyword;
        unsigned offer;
    } plain[] = {{"PIPELINING", OFFER_PIPELINING}, {"8BITMIME", OFFER_8BITMIME},
                 {"SMTPUTF8", OFFER_SMTPUTF8},     {"DSN", OFFER_DSN},
                 {"REQUIRETLS", OFFER_REQUIRETLS}, {"STARTTLS", OFFER_STARTTLS}};
    if (code / 100 != 2 || line == 0)
        return;
    struct slice rest = slice_trim(text), keyword = slice_split(&rest, ' ');
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (slice_is_nocase(keyword, plain[i].keyword))
            c->offers |= plain[i].offer;
    if (slice_is_nocase(keyword, "SIZE"))
        take_size(c, rest);
    else if (slice_is_nocase(keyword, "AUTH"))
        take_mechanisms(c, rest);
    else if (slice_starts_nocase(keyword, SLICE("AUTH="))) /* before RFC 2554 */
        take_mechanisms(c, slice_from(slice_trim(text), 5));
}

/* ---- what to do with it ---- */

/* RFC 8689 4.2.1 */
static void refuse_server(struct smtp_client *c)
{
    smtp_client_fail(c, "5.7.30", "the message needs REQUIRETLS, which the server does not offer");
    c->failure.final = true;
}

static void after_hello(struct smtp_client *c)
{
    if (c->config->tls == SMTP_TLS_ENCRYPT && !c->tls)
        smtp_client_fail(c, "4.7.4", "TLS is required, but was not offered by the server");
    else if (c->config->require_tls && !(c->offers & OFFER_REQUIRETLS))
        refuse_server(c);
    else
        smtp_client_log_in(c);
}

void smtp_client_on_ehlo(struct smtp_client *c, const struct smtp_reply *r)
{
    if (r->code / 100 == 5 && !c->tls && !c->config->lmtp) {
        say_hello(c, "HELO", CLIENT_HELO); /* RFC 5321 3.2 */
    } else if (r->code / 100 != 2) {
        smtp_client_fail_remote(c, r);
    } else if (c->config->tls != SMTP_TLS_NONE && !c->tls && (c->offers & OFFER_STARTTLS)) {
        buf_puts(&c->out, "STARTTLS\r\n");
        c->state = CLIENT_STARTTLS;
    } else {
        after_hello(c);
    }
}

void smtp_client_on_helo(struct smtp_client *c, const struct smtp_reply *r)
{
    c->offers = 0;
    if (r->code / 100 == 2)
        after_hello(c);
    else
        smtp_client_fail_remote(c, r);
}

void smtp_client_on_starttls(struct smtp_client *c, const struct smtp_reply *r, bool more_input)
{
    if (r->code != 220) {
        if (c->config->tls == SMTP_TLS_ENCRYPT || c->config->sasl)
            smtp_client_fail_remote(c, r); /* servers offer AUTH under TLS, or not at all */
        else
            after_hello(c); /* opportunistic: RFC 7435 */
    } else if (more_input) {
        /* RFC 3207 4.2: what came in clear must not be taken for what came under TLS. */
        smtp_client_fail(c, "4.7.0", "the server sent more than its answer to STARTTLS");
    } else {
        c->state = CLIENT_HANDSHAKE;
    }
}

void smtp_client_tls_done(struct smtp_client *c)
{
    if (c->state != CLIENT_HANDSHAKE)
        return;
    c->tls = true;
    say_hello(c, c->config->lmtp ? "LHLO" : "EHLO",
              CLIENT_EHLO); /* RFC 3207 4.2: what was learned in clear is forgotten */
}
