/* handshake.c: which TLS a connection gets, and what is known once hands are shaken: who the client
 * is by its certificate. */
#include <stdio.h>

#include "role/edge/conn.h"

bool conn_tls_first(enum listen_service s)
{
    return s == LISTEN_SMTPS || s == LISTEN_SUBMISSIONS || s == LISTEN_POP3S || s == LISTEN_IMAPS;
}

/* Who it is by its certificate, where it was asked for one. */
static void take_certificate(struct conn *c)
{
    const struct conf *conf = c->settings->conf;
    const struct tls *tls = c->stream.tls;
    char field[32], digest[16];
    snprintf(field, sizeof field, "%.*s", SLICE_ARG(conf->ssl_cert_username_field));
    snprintf(digest, sizeof digest, "%.*s", SLICE_ARG(conf->smtpd_tls_fingerprint_digest));
    c->certificate_verified = tls_peer_verified(tls);
    if (!tls_peer_fingerprint(tls, digest, false, c->cert_print) ||
        !tls_peer_fingerprint(tls, digest, true, c->key_print)) {
        c->cert_print[0] = c->key_print[0] = 0;
        return;
    }
    if (!c->certificate_verified || !tls_peer_name(tls, field, c->identity, sizeof c->identity))
        c->identity[0] = 0;
    LOG(LOG_INFO,
        c->certificate_verified ? "tls.certificate.verified" : "tls.certificate.unverified",
        LOG_CTX(conn_ctx(c)), LOG_C("name", c->identity), LOG_C("fingerprint", c->cert_print),
        LOG_C("key", c->key_print));
}

enum edge_tls_kind conn_tls_kind(const struct conn *c)
{
    if (c->protocol != &conn_smtp)
        return EDGE_TLS_LOGIN;
    return conn_tls_first(c->service) ? EDGE_TLS_SMTPS : EDGE_TLS_SMTP;
}

static void log_tls(struct conn *c)
{
    bool quiet = c->protocol == &conn_smtp && c->settings->conf->smtpd_tls_loglevel == 0;
    struct buf text;
    buf_init(&text, 256);
    tls_describe(c->stream.tls, &text);
    LOG(quiet ? LOG_DEBUG : LOG_INFO, "tls.started", LOG_CTX(conn_ctx(c)),
        LOG_S("tls", buf_slice(&text)), LOG_C("sni", tls_asked_name(c->stream.tls)),
        LOG_C("certificate", tls_certificate_label(c->stream.tls)));
    buf_release(&text);
}

void conn_shook_hands(struct conn *c)
{
    log_tls(c);
    take_certificate(c);
}
