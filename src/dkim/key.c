#include "dkim/key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "dkim/canon.h"
#include "mime/encoding.h"

enum { RSA_BITS_MIN = 1024, RSA_BITS_MAX = 4096, DER_MAX = 2048, ED25519_LEN = 32 };

struct dkim_key {
    enum dkim_algorithm algorithm;
    EVP_PKEY *private;
};

const char *dkim_algorithm_name(enum dkim_algorithm a)
{
    return a == DKIM_RSA ? "rsa-sha256" : "ed25519-sha256";
}

/* Takes the reference, also on failure. */
static enum result wrap(EVP_PKEY *private, enum dkim_algorithm a, struct dkim_key **ret)
{
    struct dkim_key *k = private ? malloc(sizeof *k) : NULL;
    if (!k) {
        EVP_PKEY_free(private);
        ERR_clear_error();
        return FAILED;
    }
    *k = (struct dkim_key){a, private};
    *ret = k;
    return OK;
}

enum result dkim_key_new(enum dkim_algorithm a, struct dkim_key **ret)
{
    return wrap(a == DKIM_RSA ? EVP_RSA_gen(DKIM_RSA_BITS)
                              : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
                a, ret);
}

/* A key behind a pass phrase is not for a server: nobody is there to type it. */
static int no_pass_phrase(char *out, int size, int writing, void *arg)
{
    (void)out, (void)size, (void)writing, (void)arg;
    return -1;
}

enum result dkim_key_read(struct slice pem, struct dkim_key **ret, struct error *err)
{
    BIO *bio = pem.len <= DKIM_PEM_MAX ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
    EVP_PKEY *private = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_pass_phrase, NULL) : NULL;
    BIO_free(bio);
    ERR_clear_error();
    if (!private)
        return error_set(err, INVALID,
                         "this is no private key in PEM form (or it has a pass phrase)");
    int type = EVP_PKEY_get_base_id(private), bits = EVP_PKEY_get_bits(private);
    if (type == EVP_PKEY_ED25519)
        return wrap(private, DKIM_ED25519, ret);
    if (type == EVP_PKEY_RSA && bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX)
        return wrap(private, DKIM_RSA, ret);
    EVP_PKEY_free(private);
    return error_set(err, INVALID, "the key is neither RSA of %d to %d bits nor Ed25519",
                     RSA_BITS_MIN, RSA_BITS_MAX);
}

void dkim_key_free(struct dkim_key *k)
{
    if (k)
        EVP_PKEY_free(k->private);
    free(k);
}

enum dkim_algorithm dkim_key_algorithm(const struct dkim_key *k)
{
    return k->algorithm;
}

enum result dkim_key_write(const struct dkim_key *k, struct buf *out)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *bytes = NULL;
    bool good =
        bio && PEM_write_bio_PKCS8PrivateKey(bio, k->private, NULL, NULL, 0, NULL, NULL) == 1;
    long n = good ? BIO_get_mem_data(bio, &bytes) : 0;
    if (n > 0)
        buf_append(out, slice_of(bytes, (size_t)n));
    BIO_free(bio);
    return n > 0 && buf_ok(out) ? OK : FAILED;
}

enum result dkim_key_record(const struct dkim_key *k, struct buf *out)
{
    unsigned char raw[ED25519_LEN], *der = NULL;
    size_t len = sizeof raw;
    bool rsa = k->algorithm == DKIM_RSA;
    if (rsa) {
        int n = i2d_PUBKEY(k->private, &der);
        len = n > 0 ? (size_t)n : 0;
    } else if (EVP_PKEY_get_raw_public_key(k->private, raw, &len) != 1) {
        len = 0;
    }
    buf_printf(out, "v=DKIM1; k=%s; p=", rsa ? "rsa" : "ed25519");
    base64_encode(slice_of(rsa ? der : raw, len), out);
    OPENSSL_free(der);
    return len && buf_ok(out) ? OK : FAILED;
}

enum result dkim_key_sign(const struct dkim_key *k, struct slice bytes, struct buf *out)
{
    bool rsa = k->algorithm == DKIM_RSA;
    unsigned char hash[DKIM_HASH_LEN], signature[RSA_BITS_MAX / 8];
    size_t len = sizeof signature;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool good =
        md && EVP_DigestSignInit(md, NULL, rsa ? EVP_sha256() : NULL, NULL, k->private) == 1;
    if (good && !rsa) {
        good = EVP_Digest(bytes.data, bytes.len, hash, NULL, EVP_sha256(), NULL) == 1;
        bytes = slice_of(hash, sizeof hash);
    }
    good = good &&
           EVP_DigestSign(md, signature, &len, (const unsigned char *)bytes.data, bytes.len) == 1;
    EVP_MD_CTX_free(md);
    ERR_clear_error();
    if (good)
        buf_append(out, slice_of(signature, len));
    return good && buf_ok(out) ? OK : FAILED;
}
