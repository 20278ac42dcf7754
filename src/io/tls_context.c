/* tls_context.c: what TLS connections of one kind share: certificate, key, rules. */
#include "io/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

enum result tls_error(struct error *err, const char *what)
{
    char text[160] = "no reason given";
    unsigned long code = ERR_get_error();
    if (code)
        ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return error_set(err, FAILED, "%s: %s", what, text);
}

struct tls_context *tls_context_ref(struct tls_context *c)
{
    atomic_fetch_add(&c->refs, 1);
    return c;
}

void tls_context_unref(struct tls_context *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    SSL_CTX_free(c->ctx);
    for (unsigned i = 0; i < TLS_TRUSTS; i++) {
        X509_STORE_free(c->trust[i]);
        sk_X509_NAME_pop_free(c->names[i], X509_NAME_free);
    }
    free(c);
}

/* A context with the rules that hold for both sides. */
static enum result context_new(bool server, struct tls_context **ret, struct error *err)
{
    ERR_clear_error();
    struct tls_context *c = calloc(1, sizeof *c);
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    if (!c || !ctx || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1) {
        free(c);
        SSL_CTX_free(ctx);
        return tls_error(err, "making a TLS context");
    }
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    /* An idle connection gives its record buffers back (RELEASE_BUFFERS), and nothing is read ahead
     * of the record that is wanted, so that readiness events and SSL_pending tell the truth. */
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(ctx, 0);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    *c = (struct tls_context){.ctx = ctx, .refs = 1, .server = server};
    *ret = c;
    return OK;
}

/* A key with a pass phrase is refused; OpenSSL would ask for it on the terminal. */
static int no_pass_phrase(char *into, int size, int writing, void *arg)
{
    (void)into;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static enum result use_chain(SSL_CTX *ctx, struct slice pem, struct error *err)
{
    BIO *bio = BIO_new_mem_buf(pem.data, pem.len > INT_MAX ? INT_MAX : (int)pem.len);
    X509 *cert = bio ? PEM_read_bio_X509_AUX(bio, NULL, no_pass_phrase, NULL) : NULL;
    bool ok = cert && SSL_CTX_use_certificate(ctx, cert) == 1;
    X509_free(cert);
    for (X509 *more; ok && (more = PEM_read_bio_X509(bio, NULL, no_pass_phrase, NULL));)
        if (SSL_CTX_add0_chain_cert(ctx, more) != 1) {
            X509_free(more);
            ok = false;
        }
    BIO_free(bio);
    if (!ok)
        return tls_error(err, "reading the certificate");
    ERR_clear_error(); /* the end of the file is an error to PEM_read_bio_X509 */
    return OK;
}

static enum result use_key(SSL_CTX *ctx, struct slice pem, struct error *err)
{
    BIO *bio = BIO_new_mem_buf(pem.data, pem.len > INT_MAX ? INT_MAX : (int)pem.len);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL) : NULL;
    bool ok = key && SSL_CTX_use_PrivateKey(ctx, key) == 1 && SSL_CTX_check_private_key(ctx) == 1;
    EVP_PKEY_free(key);
    BIO_free(bio);
    return ok ? OK : tls_error(err, "reading the certificate's key");
}

enum result tls_server_new(struct slice cert_pem, struct slice key_pem, struct tls_context **ret,
                           struct error *err)
{
    struct tls_context *c;
    enum result r = context_new(true, &c, err);
    if (r != OK)
        return r;
    r = use_chain(c->ctx, cert_pem, err);
    if (r == OK)
        r = use_key(c->ctx, key_pem, err);
    if (r != OK) {
        tls_context_unref(c);
        return r;
    }
    /* Session tickets under keys of this context's own, so that they die with the process; one a
     * handshake is what mail clients use. */
    SSL_CTX_set_session_id_context(c->ctx, (const unsigned char *)"postrider", 9);
    SSL_CTX_set_num_tickets(c->ctx, 1);
    SSL_CTX_set_options(c->ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    *ret = c;
    return OK;
}

enum result tls_client_new(bool verify, struct tls_context **ret, struct error *err)
{
    struct tls_context *c;
    enum result r = context_new(false, &c, err);
    if (r != OK)
        return r;
    c->verify = verify;
    SSL_CTX_set_verify(c->ctx, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    if (verify && SSL_CTX_set_default_verify_paths(c->ctx) != 1) {
        tls_context_unref(c);
        return tls_error(err, "reading the system's certificates");
    }
    *ret = c;
    return OK;
}
