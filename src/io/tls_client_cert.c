/* tls_client_cert.c: certificates of clients: who may vouch for them, and the name that one proves.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "io/tls_context.h"
#include "io/tls_internal.h"

/* The names go to the client, which picks its certificate by them; ctx NULL: they do not. */
static bool add_authority(SSL_CTX *ctx, X509_STORE *store, X509 *ca)
{
    return X509_STORE_add_cert(store, ca) == 1 && (!ctx || SSL_CTX_add_client_CA(ctx, ca) == 1);
}

/* Certificates and revocation lists. */
static enum result read_authorities(SSL_CTX *ctx, X509_STORE *store, struct slice pem,
                                    unsigned *ret_n, unsigned *ret_lists, struct error *err)
{
    BIO *bio = tls_bio(pem);
    STACK_OF(X509_INFO) *all =
        bio ? PEM_X509_INFO_read_bio(bio, NULL, tls_no_pass_phrase, NULL) : NULL;
    bool ok = all != NULL;
    unsigned n = 0, lists = 0;
    for (int i = 0; ok && i < sk_X509_INFO_num(all); i++) {
        const X509_INFO *one = sk_X509_INFO_value(all, i);
        ok = (!one->x509 || add_authority(ctx, store, one->x509)) &&
             (!one->crl || X509_STORE_add_crl(store, one->crl) == 1);
        n += one->x509 != NULL;
        lists += one->crl != NULL;
    }
    sk_X509_INFO_pop_free(all, X509_INFO_free);
    BIO_free(bio);
    *ret_n = n;
    *ret_lists = lists;
    if (ok && n + lists == 0)
        return error_set(err, INVALID, "there is no certificate in PEM form");
    return ok ? OK : tls_error(err, "reading the certificates of authorities");
}

/* A certificate that is not required does not end the handshake; tls_peer_verified looks at the
 * verdict. */
int tls_take_any(int verified, X509_STORE_CTX *ctx)
{
    (void)verified;
    (void)ctx;
    return 1;
}

enum result tls_server_ask(struct tls_context *c, const struct tls_client_rules *rules,
                           struct error *err)
{
    ERR_clear_error();
    X509_STORE *store = X509_STORE_new();
    if (!store)
        return tls_error(err, "asking for client certificates");
    unsigned n = 0, lists = 0;
    enum result r = OK;
    if (rules->ca_pem.len)
        r = read_authorities(c->ctx, store, rules->ca_pem, &n, &lists, err);
    if (r == OK && rules->ca_pem.len && n == 0)
        r = error_set(err, INVALID, "there is no certificate of an authority");
    if (r == OK && rules->crl)
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    if (r == OK && SSL_CTX_set1_verify_cert_store(c->ctx, store) != 1)
        r = tls_error(err, "asking for client certificates");
    X509_STORE_free(store);
    if (r != OK)
        return r;
    if (rules->depth >= 0)
        SSL_CTX_set_verify_depth(c->ctx, rules->depth);
    SSL_CTX_set_verify(c->ctx,
                       SSL_VERIFY_PEER | (rules->required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                       rules->required ? NULL : tls_take_any);
    return OK;
}

enum result tls_add_authorities(struct tls_context *c, struct slice pem, unsigned *ret_n,
                                struct error *err)
{
    X509_STORE *store = NULL;
    unsigned lists = 0;
    ERR_clear_error();
    if (SSL_CTX_get0_verify_cert_store(c->ctx, &store) != 1)
        return tls_error(err, "taking certificates of authorities");
    return read_authorities(NULL, store ? store : SSL_CTX_get_cert_store(c->ctx), pem, ret_n,
                            &lists, err);
}

bool tls_peer_verified(const struct tls *t)
{
    return SSL_get0_peer_certificate(tls_ssl(t)) && SSL_get_verify_result(tls_ssl(t)) == X509_V_OK;
}

/* TLS_README: of the whole certificate, or of the SubjectPublicKeyInfo. */
static bool digest_of(X509 *x, const EVP_MD *md, bool key, unsigned char *out, unsigned *ret_n)
{
    unsigned char *der = NULL;
    if (!key)
        return X509_digest(x, md, out, ret_n) == 1;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);
    bool ok = len > 0 && EVP_Digest(der, (size_t)len, out, ret_n, md, NULL) == 1;
    OPENSSL_free(der);
    return ok;
}

bool tls_peer_fingerprint(const struct tls *t, const char *digest, bool key,
                          char out[TLS_FINGERPRINT_MAX])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    X509 *x = SSL_get0_peer_certificate(tls_ssl(t));
    const EVP_MD *md = x ? EVP_get_digestbyname(digest) : NULL;
    bool ok = md && digest_of(x, md, key, bytes, &n) && 3 * n <= TLS_FINGERPRINT_MAX;
    for (unsigned i = 0; ok && i < n; i++)
        snprintf(out + 3 * i, 4, "%02X%s", bytes[i], i + 1 < n ? ":" : "");
    ERR_clear_error();
    return ok;
}

static bool copy_string(const ASN1_STRING *s, char *out, size_t size)
{
    unsigned char *utf8 = NULL;
    int n = s ? ASN1_STRING_to_UTF8(&utf8, s) : -1;
    bool fits = n > 0 && (size_t)n < size && !memchr(utf8, 0, (size_t)n);
    if (fits) {
        memcpy(out, utf8, (size_t)n);
        out[n] = 0;
    }
    OPENSSL_free(utf8);
    return fits;
}

/* Two names would be a choice that nobody made. */
static bool of_subject(X509 *x, int nid, char *out, size_t size)
{
    X509_NAME *name = X509_get_subject_name(x);
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    if (at < 0 || X509_NAME_get_index_by_NID(name, nid, at) >= 0)
        return false;
    return copy_string(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)), out, size);
}

static bool of_alternatives(X509 *x, char *out, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    const ASN1_STRING *found = NULL;
    unsigned n = 0;
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);
        if (g->type != GEN_EMAIL)
            continue;
        found = g->d.rfc822Name;
        n++;
    }
    bool ok = n == 1 && copy_string(found, out, size);
    GENERAL_NAMES_free(names);
    return ok;
}

bool tls_peer_name(const struct tls *t, const char *field, char *out, size_t size)
{
    X509 *x = SSL_get0_peer_certificate(tls_ssl(t));
    if (!tls_peer_verified(t))
        return false;
    bool ok;
    if (strcmp(field, "rfc822Name") == 0)
        ok = of_alternatives(x, out, size);
    else
        ok = of_subject(
            x, strcmp(field, "emailAddress") == 0 ? NID_pkcs9_emailAddress : NID_commonName, out,
            size);
    ERR_clear_error();
    return ok;
}
