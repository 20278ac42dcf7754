#include "auth/password_make.h"

#include <crypt.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "auth/password.h"
#include "auth/scram.h"
#include "base/base64.h"

enum { SALT_LEN = 8, SCRAM_SALT_LEN = 16, PBKDF2_ROUNDS = 5000, PBKDF2_LEN = 20 };

enum maker { MAKE_PLAIN, MAKE_CRYPT, MAKE_DIGEST, MAKE_SALTED, MAKE_SCRAM, MAKE_PBKDF2 };

static const struct {
    const char *name;
    enum maker maker;
    const char *detail; /* crypt(3)'s prefix, or OpenSSL's name of the digest */
    bool hex;
} makers[] = {
    {"SHA1", MAKE_DIGEST, "SHA1", false},
    {"SSHA512", MAKE_SALTED, "SHA512", false},
    {"SCRAM-SHA-256", MAKE_SCRAM, "SHA256", false},
    {"BLF-CRYPT", MAKE_CRYPT, "$2y$", false},
    {"PLAIN", MAKE_PLAIN, NULL, false},
    {"SHA512", MAKE_DIGEST, "SHA512", false},
    {"SHA", MAKE_DIGEST, "SHA1", false},
    {"DES-CRYPT", MAKE_CRYPT, "", false},
    {"CRYPT", MAKE_CRYPT, "$2y$", false},
    {"SSHA", MAKE_SALTED, "SHA1", false},
    {"MD5-CRYPT", MAKE_CRYPT, "$1$", false},
    {"PLAIN-MD5", MAKE_DIGEST, "MD5", true},
    {"SCRAM-SHA-1", MAKE_SCRAM, "SHA1", false},
    {"SHA512-CRYPT", MAKE_CRYPT, "$6$", false},
    {"CLEAR", MAKE_PLAIN, NULL, false},
    {"CLEARTEXT", MAKE_PLAIN, NULL, false},
    {"SSHA256", MAKE_SALTED, "SHA256", false},
    {"MD5", MAKE_CRYPT, "$1$", false},
    {"PBKDF2", MAKE_PBKDF2, "SHA1", false},
    {"SHA256", MAKE_DIGEST, "SHA256", false},
    {"SHA256-CRYPT", MAKE_CRYPT, "$5$", false},
    {"SMD5", MAKE_SALTED, "MD5", false},
    {"LDAP-MD5", MAKE_DIGEST, "MD5", false},
    {"YESCRYPT", MAKE_CRYPT, "$y$", false},
};
enum { MAKERS = sizeof makers / sizeof *makers };

const char *password_scheme_name(size_t i)
{
    return i < MAKERS ? makers[i].name : NULL;
}

static enum result make_crypt(const char *prefix, struct slice password, unsigned rounds,
                              struct buf *out)
{
    struct crypt_data data = {0};
    char phrase[PASSWORD_MAX + 1], setting[CRYPT_GENSALT_OUTPUT_SIZE];
    memcpy(phrase, password.data, password.len);
    phrase[password.len] = '\0';
    const char *hash = NULL;
    if (crypt_gensalt_rn(prefix, rounds, NULL, 0, setting, sizeof setting))
        hash = crypt_r(phrase, setting, &data);
    bool ok = hash && hash[0] != '*';
    if (ok)
        buf_puts(out, hash);
    explicit_bzero(phrase, sizeof phrase);
    explicit_bzero(&data, sizeof data);
    return ok ? OK : FAILED;
}

static enum result make_digest(const char *name, struct slice password, bool salted, bool hex,
                               struct buf *out)
{
    unsigned char data[EVP_MAX_MD_SIZE + SALT_LEN];
    unsigned len = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char salt[SALT_LEN];
    bool ok = ctx && RAND_bytes(salt, sizeof salt) == 1 &&
              EVP_DigestInit_ex(ctx, EVP_get_digestbyname(name), NULL) == 1 &&
              EVP_DigestUpdate(ctx, password.data, password.len) == 1 &&
              (!salted || EVP_DigestUpdate(ctx, salt, sizeof salt) == 1) &&
              EVP_DigestFinal_ex(ctx, data, &len) == 1;
    EVP_MD_CTX_free(ctx);
    if (!ok)
        return FAILED;
    if (salted) {
        memcpy(data + len, salt, sizeof salt);
        len += sizeof salt;
    }
    for (unsigned i = 0; hex && i < len; i++)
        buf_printf(out, "%02x", data[i]);
    if (!hex)
        base64_encode(slice_of(data, len), out);
    return OK;
}

static enum result make_scram(const char *digest, struct slice password, unsigned rounds,
                              struct buf *out, struct error *err)
{
    struct scram_verifier v = {.digest = digest,
                               .iterations = rounds ? rounds : SCRAM_ITERATIONS,
                               .salt_len = SCRAM_SALT_LEN};
    if (RAND_bytes(v.salt, SCRAM_SALT_LEN) != 1)
        return FAILED;
    enum result r = scram_derive(&v, password, err);
    if (r == OK)
        scram_format(&v, out);
    explicit_bzero(&v, sizeof v);
    return r;
}

/* "$1$SALT$ROUNDS$HEX". */
static enum result make_pbkdf2(struct slice password, unsigned rounds, struct buf *out)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./";
    unsigned char salt[SCRAM_SALT_LEN], key[PBKDF2_LEN];
    rounds = rounds ? rounds : PBKDF2_ROUNDS;
    if (RAND_bytes(salt, sizeof salt) != 1)
        return FAILED;
    for (size_t i = 0; i < sizeof salt; i++)
        salt[i] = (unsigned char)letters[salt[i] % 64];
    if (PKCS5_PBKDF2_HMAC(password.data, (int)password.len, salt, sizeof salt, (int)rounds,
                          EVP_sha1(), sizeof key, key) != 1)
        return FAILED;
    buf_printf(out, "$1$%.*s$%u$", (int)sizeof salt, (const char *)salt, rounds);
    for (size_t i = 0; i < sizeof key; i++)
        buf_printf(out, "%02x", key[i]);
    return OK;
}

static enum result make(size_t i, struct slice password, unsigned rounds, struct buf *out,
                        struct error *err)
{
    switch (makers[i].maker) {
    case MAKE_PLAIN:
        buf_append(out, password);
        return OK;
    case MAKE_CRYPT:
        return make_crypt(makers[i].detail, password, rounds, out);
    case MAKE_DIGEST:
    case MAKE_SALTED:
        return make_digest(makers[i].detail, password, makers[i].maker == MAKE_SALTED,
                           makers[i].hex, out);
    case MAKE_SCRAM:
        return make_scram(makers[i].detail, password, rounds, out, err);
    case MAKE_PBKDF2:
        return make_pbkdf2(password, rounds, out);
    }
    return FAILED;
}

enum result password_make(struct slice scheme, struct slice password, unsigned rounds,
                          struct buf *out, struct error *err)
{
    if (password.len == 0 || memchr(password.data, 0, password.len))
        return error_set(err, INVALID, "the password is empty or holds NUL");
    if (password.len > PASSWORD_MAX)
        return error_set(err, LIMIT, "the password is too long");
    for (size_t i = 0; i < MAKERS; i++) {
        if (!slice_is_nocase(scheme, makers[i].name))
            continue;
        buf_printf(out, "{%s}", makers[i].name);
        enum result r = make(i, password, rounds, out, err);
        return r == FAILED ? error_set(err, FAILED, "the library can't make it") : r;
    }
    return error_set(err, NOT_FOUND, "Unknown scheme: %.*s", SLICE_ARG(scheme));
}
