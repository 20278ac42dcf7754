#include "auth/jwt.h"

#include "auth/encode.h"
#include "base/json_read.h"

#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { RSA_BITS_MIN = 2048, SECRET_MIN = 32, SECRET_MAX = 1024, SIGNATURE_MAX = 1024 };
enum algorithm { RS256, ES256, EDDSA, HS256, ALGORITHMS };

struct key {
    enum algorithm algorithm;
    EVP_PKEY *public;
    unsigned char *secret;
    size_t secret_len;
};

struct jwt_keys {
    atomic_uint refs;
    struct key items[JWT_KEYS_MAX];
    size_t n;
};

enum result jwt_keys_new(struct jwt_keys **ret)
{
    struct jwt_keys *k = calloc(1, sizeof *k);
    if (!k)
        return FAILED;
    atomic_init(&k->refs, 1);
    *ret = k;
    return OK;
}

struct jwt_keys *jwt_keys_ref(struct jwt_keys *k)
{
    atomic_fetch_add(&k->refs, 1);
    return k;
}

void jwt_keys_unref(struct jwt_keys *k)
{
    if (!k || atomic_fetch_sub(&k->refs, 1) != 1)
        return;
    for (size_t i = 0; i < k->n; i++) {
        EVP_PKEY_free(k->items[i].public);
        if (k->items[i].secret)
            explicit_bzero(k->items[i].secret, k->items[i].secret_len);
        free(k->items[i].secret);
    }
    free(k);
}

size_t jwt_keys_count(const struct jwt_keys *k)
{
    return k->n;
}

static enum result add_secret(struct jwt_keys *k, struct slice bytes, struct error *err)
{
    while (bytes.len && (bytes.data[bytes.len - 1] == '\n' || bytes.data[bytes.len - 1] == '\r'))
        bytes.len--;
    if (bytes.len < SECRET_MIN || bytes.len > SECRET_MAX)
        return error_set(err, INVALID, "an HS256 key has %d to %d bytes (RFC 7518 3.2)", SECRET_MIN,
                         SECRET_MAX);
    struct key *key = &k->items[k->n];
    *key = (struct key){.algorithm = HS256, .secret = malloc(bytes.len), .secret_len = bytes.len};
    if (!key->secret)
        return error_set(err, FAILED, "no memory");
    memcpy(key->secret, bytes.data, bytes.len);
    k->n++;
    return OK;
}

/* The key's reference goes over. */
static enum result add_public(struct jwt_keys *k, EVP_PKEY *public, struct error *err)
{
    char curve[32] = "";
    size_t len;
    struct key key = {.algorithm = ALGORITHMS, .public = public};
    int type = EVP_PKEY_get_base_id(public);
    if (type == EVP_PKEY_RSA && EVP_PKEY_get_bits(public) >= RSA_BITS_MIN)
        key.algorithm = RS256;
    else if (type == EVP_PKEY_ED25519)
        key.algorithm = EDDSA;
    else if (type == EVP_PKEY_EC &&
             EVP_PKEY_get_group_name(public, curve, sizeof curve, &len) == 1 &&
             (strcmp(curve, "prime256v1") == 0 || strcmp(curve, "P-256") == 0))
        key.algorithm = ES256;
    if (key.algorithm == ALGORITHMS || k->n == JWT_KEYS_MAX) {
        EVP_PKEY_free(public);
        return error_set(err, INVALID,
                         k->n == JWT_KEYS_MAX ? "too many keys"
                                              : "the key is neither RSA (from 2048 bits) nor P-256 "
                                                "nor Ed25519");
    }
    k->items[k->n++] = key;
    return OK;
}

/* NULL: the block is neither. */
static EVP_PKEY *read_block(const char *name, const unsigned char *der, long len)
{
    if (strcmp(name, PEM_STRING_PUBLIC) == 0)
        return d2i_PUBKEY(NULL, &der, len);
    if (strcmp(name, PEM_STRING_X509) != 0)
        return NULL;
    X509 *x = d2i_X509(NULL, &der, len);
    EVP_PKEY *key = x ? X509_get_pubkey(x) : NULL;
    X509_free(x);
    return key;
}

static enum result add_pem(struct jwt_keys *k, struct slice pem, struct error *err)
{
    BIO *bio = BIO_new_mem_buf(pem.data, pem.len > INT_MAX ? INT_MAX : (int)pem.len);
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    long len = 0;
    size_t before = k->n;
    enum result r = OK;
    while (r == OK && bio && PEM_read_bio(bio, &name, &header, &der, &len) == 1) {
        EVP_PKEY *key = read_block(name, der, len);
        if (key)
            r = add_public(k, key, err);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(der);
    }
    BIO_free(bio);
    ERR_clear_error();
    if (r == OK && k->n == before)
        r = error_set(err, INVALID, "there is no PEM of a public key or certificate in it");
    return r;
}

enum result jwt_keys_add(struct jwt_keys *k, struct slice bytes, bool secret, struct error *err)
{
    if (k->n == JWT_KEYS_MAX)
        return error_set(err, LIMIT, "more than %d keys", JWT_KEYS_MAX);
    ERR_clear_error();
    return secret ? add_secret(k, bytes, err) : add_pem(k, bytes, err);
}

/* ---- signatures ---- */

/* RFC 7518 3.4: r and s, 32 bytes each, as OpenSSL wants them: DER, to be freed. 0: failed. */
static size_t ecdsa_der(struct slice raw, unsigned char **ret)
{
    if (raw.len != 64)
        return 0;
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn((const unsigned char *)raw.data, 32, NULL);
    BIGNUM *s = BN_bin2bn((const unsigned char *)raw.data + 32, 32, NULL);
    if (!sig || !r || !s || ECDSA_SIG_set0(sig, r, s) != 1) {
        BN_free(r);
        BN_free(s);
        ECDSA_SIG_free(sig);
        return 0;
    }
    int n = i2d_ECDSA_SIG(sig, ret);
    ECDSA_SIG_free(sig);
    return n > 0 ? (size_t)n : 0;
}

static bool verify_public(const struct key *key, struct slice text, struct slice signature)
{
    unsigned char *der = NULL;
    const unsigned char *sig = (const unsigned char *)signature.data;
    size_t sig_len = signature.len;
    if (key->algorithm == ES256) {
        sig_len = ecdsa_der(signature, &der);
        sig = der;
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const EVP_MD *md = key->algorithm == EDDSA ? NULL : EVP_sha256();
    bool ok = ctx && sig_len && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key->public) == 1 &&
              EVP_DigestVerify(ctx, sig, sig_len, (const unsigned char *)text.data, text.len) == 1;
    EVP_MD_CTX_free(ctx);
    OPENSSL_free(der);
    ERR_clear_error();
    return ok;
}

static bool verify_secret(const struct key *key, struct slice text, struct slice signature)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (!HMAC(EVP_sha256(), key->secret, (int)key->secret_len, (const unsigned char *)text.data,
              text.len, mac, &len))
        return false;
    return signature.len == len && CRYPTO_memcmp(mac, signature.data, len) == 0;
}

static bool verify(const struct jwt_keys *k, enum algorithm algorithm, struct slice text,
                   struct slice signature)
{
    for (size_t i = 0; i < k->n; i++) {
        const struct key *key = &k->items[i];
        if (key->algorithm == algorithm &&
            (algorithm == HS256 ? verify_secret(key, text, signature)
                                : verify_public(key, text, signature)))
            return true;
    }
    return false;
}

/* ---- the token ---- */

/* base64url without padding (RFC 7515 2). */
static bool decode(struct slice part, unsigned char *out, size_t max, size_t *ret_len)
{
    char text[JWT_MAX];
    if (part.len > sizeof text)
        return false;
    for (size_t i = 0; i < part.len; i++) {
        char c = part.data[i];
        if (c == '+' || c == '/' || c == '=')
            return false;
        text[i] = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    return base64_decode_lenient(slice_of(text, part.len), out, max, ret_len) == OK;
}

static const char *read_header(struct slice header, enum algorithm *ret)
{
    static const char *const names[] = {"RS256", "ES256", "EdDSA", "HS256"};
    struct json_value object, v;
    if (json_parse(header, &object) != OK || json_find(&object, "alg", &v) != OK)
        return "the token's header has no alg";
    /* RFC 7515 4.1.11: extensions that must be understood, and none is. */
    struct json_value crit;
    if (json_find(&object, "crit", &crit) != NOT_FOUND)
        return "the token's header has crit";
    for (int i = 0; i < ALGORITHMS; i++)
        if (json_is(&v, slice_cstr(names[i]))) {
            *ret = (enum algorithm)i;
            return NULL;
        }
    return "the token's algorithm is none of RS256, ES256, EdDSA and HS256";
}

static bool is_one_of(const struct json_value *v, struct slice_list list)
{
    for (size_t i = 0; i < list.n; i++)
        if (json_is(v, list.items[i]))
            return true;
    return false;
}

/* RFC 7519 4.1.3: a string, or an array of them. */
static bool audience_fits(const struct json_value *v, struct slice_list audience)
{
    struct json_value item;
    size_t at = 0;
    if (v->kind == JSON_STRING)
        return is_one_of(v, audience);
    while (json_next(v, &at, &item))
        if (is_one_of(&item, audience))
            return true;
    return false;
}

static const char *check_times(const struct json_value *claims, int64_t now)
{
    struct json_value v;
    int64_t when = 0;
    if (json_find(claims, "exp", &v) != OK || json_number(&v, &when) != OK)
        return "the token has no exp";
    if (when < now - JWT_LEEWAY_S)
        return "the token has expired";
    enum result r = json_find(claims, "nbf", &v);
    if (r == NOT_FOUND)
        return NULL;
    if (r != OK || json_number(&v, &when) != OK || when > now + JWT_LEEWAY_S)
        return "the token is not valid yet";
    return NULL;
}

const char *jwt_check_claims(const struct jwt_rules *rules, struct slice payload, int64_t now,
                             struct buf *user)
{
    struct json_value claims, v;
    char name[64];
    if (json_parse(payload, &claims) != OK || claims.kind != JSON_OBJECT)
        return "the token's payload is no JSON object";
    const char *why = check_times(&claims, now);
    if (why)
        return why;
    if (rules->issuers.n && (json_find(&claims, "iss", &v) != OK || !is_one_of(&v, rules->issuers)))
        return "the token's issuer is none of oauth2_issuers";
    if (json_find(&claims, "aud", &v) != OK || !audience_fits(&v, rules->audience))
        return "the token is for another audience (oauth2_audience)";
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(rules->username));
    if (json_find(&claims, name, &v) != OK || json_text(&v, user) != OK || buf_len(user) == 0)
        return "the token does not name a user (oauth2_username_attribute)";
    return NULL;
}

const char *jwt_check(const struct jwt_keys *k, const struct jwt_rules *rules, struct slice token,
                      int64_t now, struct buf *user)
{
    unsigned char header[1024], payload[JWT_MAX], signature[SIGNATURE_MAX];
    size_t header_len = 0, payload_len = 0, signature_len = 0;
    enum algorithm algorithm = ALGORITHMS;
    struct slice rest = token;
    struct slice first = slice_split(&rest, '.');
    struct slice second = slice_split(&rest, '.');
    if (token.len > JWT_MAX || !rest.data || !decode(first, header, sizeof header, &header_len) ||
        !decode(second, payload, sizeof payload, &payload_len) ||
        !decode(rest, signature, sizeof signature, &signature_len))
        return "it is no signed JSON Web Token";
    const char *why = read_header(slice_of(header, header_len), &algorithm);
    if (why)
        return why;
    if (!verify(k, algorithm, slice_sub(token, 0, first.len + 1 + second.len),
                slice_of(signature, signature_len)))
        return "the token's signature is by none of oauth2_keys";
    return jwt_check_claims(rules, slice_of(payload, payload_len), now, user);
}
