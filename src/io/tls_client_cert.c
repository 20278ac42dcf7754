/* tls_client_cert.c: certificates of clients: who may vouch for them, and the name that one proves.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <limits.h>

#include "io/tls_context.h"
#include "io/tls_internal.h"

/* The names go to the client, which picks its certificate by them. */
static bool add_ca(struct tls_context *c, unsigned kind, X509 *ca)
{
    X509_NAME *name = X509_NAME_dup(X509_get_subject_name(ca));
    if (X509_STORE_add_cert(c->trust[kind], ca) == 1 && name &&
        sk_X509_NAME_push(c->names[kind], name) > 0)
        return true;
    X509_NAME_free(name);
    return false;
}

enum result tls_server_trust(struct tls_context *c, unsigned kind, struct slice ca_pem,
                             struct error *err)
{
    BIO *bio = BIO_new_mem_buf(ca_pem.data, ca_pem.len > INT_MAX ? INT_MAX : (int)ca_pem.len);
    unsigned n = 0;
    ERR_clear_error();
    c->trust[kind] = X509_STORE_new();
    c->names[kind] = sk_X509_NAME_new_null();
    bool ok = bio && c->trust[kind] && c->names[kind];
    for (X509 *ca; ok && (ca = PEM_read_bio_X509(bio, NULL, NULL, NULL)); n++) {
        ok = add_ca(c, kind, ca);
        X509_free(ca);
    }
    BIO_free(bio);
    if (ok && n) {
        ERR_clear_error();
        return OK;
    }
    X509_STORE_free(c->trust[kind]);
    c->trust[kind] = NULL;
    return tls_error(err, "reading the certificates of authorities");
}

/* A certificate that is not required does not end the handshake; tls_peer_name looks at the
 * verdict. */
static int take_any(int verified, X509_STORE_CTX *ctx)
{
    (void)verified;
    (void)ctx;
    return 1;
}

bool tls_ask_certificate(struct tls *t, unsigned kind, bool required)
{
    const struct tls_context *c = tls_context_of(t);
    SSL *ssl = tls_ssl(t);
    if (!c->trust[kind] || SSL_set1_verify_cert_store(ssl, c->trust[kind]) != 1)
        return false;
    /* A session of one kind may not be resumed as the other: its verdict is by other authorities.
     */
    const unsigned char id[] = {'k', (unsigned char)('0' + kind), required ? 'r' : 'a'};
    STACK_OF(X509_NAME) *names = SSL_dup_CA_list(c->names[kind]);
    if (SSL_set_session_id_context(ssl, id, sizeof id) != 1)
        return false;
    if (names)
        SSL_set_client_CA_list(ssl, names);
    SSL_set_verify(ssl, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                   required ? NULL : take_any);
    return true;
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
    if (!x || SSL_get_verify_result(tls_ssl(t)) != X509_V_OK)
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
