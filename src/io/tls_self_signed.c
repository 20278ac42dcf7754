/* tls_self_signed.c: the certificate of a server that has none configured: it encrypts, and proves
 * nothing. */
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "io/tls_context.h"

enum { COMMON_NAME_MAX = 64 }; /* X.520 ub-common-name */

static bool set_names(X509 *x, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(x);
    const char *common = strlen(name) <= COMMON_NAME_MAX ? name : "postrider";
    char alternative[300];
    if (X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)common, -1,
                                   -1, 0) != 1 ||
        X509_set_issuer_name(x, subject) != 1)
        return false;
    /* The text is parsed: a comma would begin another entry. */
    if (strchr(name, ',') || strlen(name) > 253)
        return true;
    snprintf(alternative, sizeof alternative, "DNS:%s", name);
    X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alternative);
    bool ok = san && X509_add_ext(x, san, -1) == 1;
    X509_EXTENSION_free(san);
    return ok;
}

static bool set_serial(X509 *x)
{
    unsigned char bytes[16];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    bytes[0] &= 0x7f;
    BIGNUM *n = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool ok = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
    BN_free(n);
    return ok;
}

static bool build(X509 *x, EVP_PKEY *key, const char *name, unsigned days)
{
    return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
           X509_gmtime_adj(X509_getm_notBefore(x), -3600) &&
           X509_gmtime_adj(X509_getm_notAfter(x), (long)days * 86400) && set_names(x, name) &&
           X509_set_pubkey(x, key) == 1 && X509_sign(x, key, EVP_sha256()) > 0;
}

static bool take_pem(BIO *bio, struct buf *out)
{
    char *data = NULL;
    long n = BIO_get_mem_data(bio, &data);
    if (n > 0)
        buf_append(out, slice_of(data, (size_t)n));
    return n > 0 && buf_ok(out);
}

enum result tls_self_signed(const char *name, unsigned days, struct buf *cert_pem,
                            struct buf *key_pem, struct error *err)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    BIO *cert_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());
    bool ok = key && x && cert_bio && key_bio && build(x, key, name, days) &&
              PEM_write_bio_X509(cert_bio, x) == 1 &&
              PEM_write_bio_PKCS8PrivateKey(key_bio, key, NULL, NULL, 0, NULL, NULL) == 1 &&
              take_pem(cert_bio, cert_pem) && take_pem(key_bio, key_pem);
    BIO_free(cert_bio);
    BIO_free(key_bio);
    X509_free(x);
    EVP_PKEY_free(key);
    return ok ? OK : tls_error(err, "making a self-signed certificate");
}
