/* tls.c: one TLS connection over OpenSSL. The error queue is a thread's and OpenSSL looks at all of
 * it: it is emptied before each call. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <arpa/inet.h>
#include <stdlib.h>

#include "io/io.h"
#include "io/tls_context.h"
#include "io/tls_internal.h"
#include "io/tls_sessions.h"

struct tls {
    SSL *ssl;
    struct tls_context *context;
    bool established;
    bool broken;       /* no close notify any more */
    char *session_key; /* NULL: its sessions are not kept */
    bool drained; /* what was read of the socket ends in the middle of a record, or is used up */
};

/* Server name indication takes names only (RFC 6066 section 3). */
static bool is_address(const char *name)
{
    unsigned char raw[16];
    return inet_pton(AF_INET, name, raw) == 1 || inet_pton(AF_INET6, name, raw) == 1;
}

enum result tls_open(struct tls_context *c, int fd, const char *peer_name, struct tls **ret,
                     struct error *err)
{
    ERR_clear_error();
    SSL *ssl = SSL_new(c->ctx);
    struct tls *t = calloc(1, sizeof *t);
    bool named = !c->server && peer_name && *peer_name && !is_address(peer_name);
    if (!ssl || !t || SSL_set_fd(ssl, fd) != 1 ||
        (named && SSL_set_tlsext_host_name(ssl, peer_name) != 1)) {
        SSL_free(ssl);
        free(t);
        return tls_error(err, "starting TLS");
    }
    if (c->server)
        SSL_set_accept_state(ssl);
    else
        SSL_set_connect_state(ssl);
    if (!c->server)
        SSL_set_app_data(ssl, t); /* a server's has the label of its certificate there */
    *t = (struct tls){.ssl = ssl, .context = tls_context_ref(c)};
    *ret = t;
    return OK;
}

/* ---- sessions that are resumed ---- */

/* 1: the reference was taken. */
static int new_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls *t = SSL_get_app_data(ssl);
    return t->session_key &&
           tls_sessions_put(t->context->sessions, slice_cstr(t->session_key), session);
}

enum result tls_client_resume(struct tls_context *c, int64_t lifetime_s, struct error *err)
{
    c->sessions = tls_sessions_new(lifetime_s);
    if (!c->sessions)
        return error_set(err, FAILED, "no memory");
    SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(c->ctx, new_session);
    return OK;
}

void tls_resume(struct tls *t, struct slice key)
{
    if (!t->context->sessions || t->session_key || key.len > TLS_SESSION_KEY_MAX)
        return;
    t->session_key = strndup(key.data, key.len);
    SSL_SESSION *session = t->session_key ? tls_sessions_take(t->context->sessions, key) : NULL;
    if (session && SSL_set_session(t->ssl, session) != 1)
        ERR_clear_error(); /* then it is a full handshake */
    SSL_SESSION_free(session);
}

bool tls_resumed(const struct tls *t)
{
    return SSL_session_reused(t->ssl);
}

/* What an OpenSSL call that did not succeed means. */
static enum result outcome(struct tls *t, int returned, unsigned *wants)
{
    switch (SSL_get_error(t->ssl, returned)) {
    case SSL_ERROR_WANT_READ:
        t->drained = true;
        *wants = IO_READ;
        return BUSY;
    case SSL_ERROR_WANT_WRITE:
        *wants = IO_WRITE;
        return BUSY;
    case SSL_ERROR_ZERO_RETURN:
        return CLOSED;
    default:
        t->broken = true;
        return FAILED;
    }
}

enum result tls_handshake(struct tls *t, unsigned *wants, struct error *err)
{
    ERR_clear_error();
    t->drained = false;
    int n = SSL_do_handshake(t->ssl);
    if (n == 1) {
        t->established = true;
        return OK;
    }
    enum result r = outcome(t, n, wants);
    if (r == BUSY)
        return BUSY;
    if (r == CLOSED || ERR_peek_error() == 0)
        return error_set(err, FAILED, "TLS handshake: connection closed");
    return tls_error(err, "TLS handshake");
}

enum result tls_read(struct tls *t, char *into, size_t size, size_t *ret_n, unsigned *wants)
{
    size_t n = 0;
    ERR_clear_error();
    t->drained = false;
    int ok = SSL_read_ex(t->ssl, into, size, &n);
    if (ok == 1) {
        *ret_n = n;
        return OK;
    }
    enum result r = outcome(t, ok, wants);
    /* Peers that close without a close notify are many; what was sent in whole records counts. */
    if (r == FAILED && (SSL_get_shutdown(t->ssl) & SSL_RECEIVED_SHUTDOWN || ERR_peek_error() == 0 ||
                        ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING))
        return CLOSED;
    return r;
}

enum result tls_write(struct tls *t, struct slice bytes, size_t *ret_n, unsigned *wants)
{
    size_t n = 0;
    ERR_clear_error();
    int ok = SSL_write_ex(t->ssl, bytes.data, bytes.len, &n);
    if (ok == 1) {
        *ret_n = n;
        return OK;
    }
    enum result r = outcome(t, ok, wants);
    return r == FAILED && ERR_peek_error() == 0 ? CLOSED : r;
}

const struct tls_context *tls_context_of(const struct tls *t)
{
    return t->context;
}

SSL *tls_ssl(const struct tls *t)
{
    return t->ssl;
}

bool tls_pending(const struct tls *t)
{
    return !t->drained && SSL_has_pending(t->ssl);
}

void tls_describe(const struct tls *t, struct buf *out)
{
    buf_printf(out, "%s %s", SSL_get_version(t->ssl), SSL_get_cipher_name(t->ssl));
}

void tls_close(struct tls *t)
{
    ERR_clear_error();
    if (t->established && !t->broken)
        SSL_shutdown(t->ssl);
    ERR_clear_error();
    SSL_free(t->ssl);
    free(t->session_key);
    tls_context_unref(t->context);
    free(t);
}
