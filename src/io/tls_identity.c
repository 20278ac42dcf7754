/* tls_identity.c: certificate chains with their keys, from PEM. */
#include "io/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

struct tls_identity *tls_identity_ref(struct tls_identity *i)
{
    atomic_fetch_add(&i->refs, 1);
    return i;
}

void tls_identity_unref(struct tls_identity *i)
{
    if (!i || atomic_fetch_sub(&i->refs, 1) != 1)
        return;
    for (size_t n = 0; n < i->n; n++) {
        EVP_PKEY_free(i->pairs[n].key);
        X509_free(i->pairs[n].cert);
        sk_X509_pop_free(i->pairs[n].chain, X509_free);
    }
    free(i);
}

static struct tls_identity *identity_new(void)
{
    struct tls_identity *i = calloc(1, sizeof *i);
    if (i)
        atomic_init(&i->refs, 1);
    return i;
}

/* Takes the certificate: the pair's own, or one of its chain. */
static bool push_cert(struct tls_identity *i, X509 *x)
{
    size_t at = i->n - 1;
    if (!i->pairs[at].cert) {
        i->pairs[at].cert = x;
        return true;
    }
    if (!i->pairs[at].chain)
        i->pairs[at].chain = sk_X509_new_null();
    if (i->pairs[at].chain && sk_X509_push(i->pairs[at].chain, x) > 0)
        return true;
    X509_free(x);
    return false;
}

static enum result check_pairs(struct tls_identity *i, struct tls_identity **ret, struct error *err)
{
    enum result r = i->n ? OK : error_set(err, FAILED, "there is no key before a certificate");
    for (size_t n = 0; n < i->n && r == OK; n++) {
        if (!i->pairs[n].cert)
            r = error_set(err, FAILED, "there is no certificate");
        else if (X509_check_private_key(i->pairs[n].cert, i->pairs[n].key) != 1)
            r = tls_error(err, "the key is not that of the certificate");
    }
    ERR_clear_error();
    if (r == OK)
        *ret = i;
    else
        tls_identity_unref(i);
    return r;
}

enum result tls_identity_pair(struct slice cert_pem, struct slice key_pem,
                              struct tls_identity **ret, struct error *err)
{
    ERR_clear_error();
    BIO *key = tls_bio(key_pem), *certs = tls_bio(cert_pem);
    struct tls_identity *i = identity_new();
    bool ok = i && key && certs;
    if (ok)
        i->pairs[i->n++].key = PEM_read_bio_PrivateKey(key, NULL, tls_no_pass_phrase, NULL);
    bool has_key = ok && i->pairs[0].key;
    for (X509 *x; has_key && ok && (x = PEM_read_bio_X509(certs, NULL, tls_no_pass_phrase, NULL));)
        ok = push_cert(i, x);
    BIO_free(key);
    BIO_free(certs);
    if (has_key && ok)
        return check_pairs(i, ret, err);
    tls_identity_unref(i);
    return tls_error(err, "reading the certificate's key");
}

static bool is_key(const char *name)
{
    struct slice n = slice_cstr(name), end = SLICE("PRIVATE KEY");
    return n.len >= end.len && slice_eq(slice_from(n, n.len - end.len), end);
}

/* One PEM block. FAILED: it is not understood. */
static enum result take_block(struct tls_identity *i, const char *name, const unsigned char *der,
                              long len)
{
    const unsigned char *at = der;
    if (is_key(name)) {
        if (i->n == TLS_IDENTITY_PAIRS)
            return LIMIT;
        EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, len);
        if (key)
            i->pairs[i->n++].key = key;
        return key ? OK : FAILED;
    }
    if (strcmp(name, PEM_STRING_X509) != 0 && strcmp(name, PEM_STRING_X509_OLD) != 0)
        return OK; /* "EC PARAMETERS" and the like */
    X509 *x = i->n ? d2i_X509(NULL, &at, len) : NULL;
    return x && push_cert(i, x) ? OK : FAILED;
}

enum result tls_identity_chain(struct slice pem, struct tls_identity **ret, struct error *err)
{
    ERR_clear_error();
    BIO *bio = tls_bio(pem);
    struct tls_identity *i = identity_new();
    enum result r = bio && i ? OK : FAILED;
    char *name, *header;
    unsigned char *der;
    long len;
    while (r == OK && PEM_read_bio(bio, &name, &header, &der, &len) == 1) {
        r = take_block(i, name, der, len);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(der, (size_t)len);
    }
    BIO_free(bio);
    if (r == OK)
        return check_pairs(i, ret, err);
    tls_identity_unref(i);
    if (r == LIMIT)
        return error_set(err, LIMIT, "more than %d keys", TLS_IDENTITY_PAIRS);
    return tls_error(err, "a key or certificate is broken, or a certificate has no key before it");
}

bool tls_identity_is_taken(void)
{
    unsigned long code = ERR_peek_last_error();
    return ERR_GET_LIB(code) == ERR_LIB_SSL &&
           ERR_GET_REASON(code) == SSL_R_NOT_REPLACING_CERTIFICATE;
}

enum result tls_identity_use(struct tls_context *c, const struct tls_identity *id,
                             struct error *err)
{
    for (size_t i = 0; i < id->n; i++)
        if (SSL_CTX_use_cert_and_key(c->ctx, id->pairs[i].cert, id->pairs[i].key,
                                     id->pairs[i].chain, 0) != 1 &&
            !tls_identity_is_taken())
            return tls_error(err, "using the certificate");
    ERR_clear_error();
    return OK;
}

enum result tls_client_identity(struct tls_context *c, const struct tls_identity *identity,
                                struct error *err)
{
    ERR_clear_error();
    return tls_identity_use(c, identity, err);
}
