#include "auth/scram.h"

#include "auth/encode.h"
#include "base/base64.h"
#include "auth/mac.h"
#include "auth/password.h"

#include <gsasl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

enum { NEW_SALT_LEN = 16 };

enum result scram_parse(struct slice text, const char *digest, struct scram_verifier *ret,
                        struct error *err)
{
    struct scram_verifier v = {.digest = digest};
    const EVP_MD *md = EVP_get_digestbyname(digest);
    size_t want = md ? (size_t)EVP_MD_get_size(md) : 0;
    size_t stored_len = 0, server_len = 0;
    uint64_t iterations = 0;
    struct slice rest = text;
    bool ok =
        slice_parse_u64(slice_split(&rest, ','), SCRAM_ITERATIONS_MAX, &iterations) == OK &&
        iterations > 0 &&
        base64_decode_lenient(slice_split(&rest, ','), v.salt, sizeof v.salt, &v.salt_len) == OK &&
        base64_decode_lenient(slice_split(&rest, ','), v.stored_key, SCRAM_KEY_MAX, &stored_len) ==
            OK &&
        base64_decode_lenient(rest, v.server_key, SCRAM_KEY_MAX, &server_len) == OK;
    if (!ok || v.salt_len == 0 || want == 0 || stored_len != want || server_len != want)
        return error_set(err, INVALID, "a SCRAM verifier is not ITERATIONS,SALT,KEY,KEY");
    v.iterations = (unsigned)iterations;
    v.key_len = want;
    *ret = v;
    return OK;
}

void scram_format(const struct scram_verifier *v, struct buf *out)
{
    buf_put_u64(out, v->iterations);
    buf_putc(out, ',');
    base64_encode(slice_of(v->salt, v->salt_len), out);
    buf_putc(out, ',');
    base64_encode(slice_of(v->stored_key, v->key_len), out);
    buf_putc(out, ',');
    base64_encode(slice_of(v->server_key, v->key_len), out);
}

/* What can't be prepared is taken as it is, so that a password which PLAIN takes is taken here too.
 */
char *scram_prepare(struct slice password)
{
    char *prepared = NULL;
    char *text = strndup(password.data ? password.data : "", password.len);
    if (!text)
        return NULL;
    if (gsasl_saslprep(text, GSASL_ALLOW_UNASSIGNED, &prepared, NULL) != GSASL_OK || !prepared)
        return text;
    explicit_bzero(text, password.len);
    free(text);
    return prepared;
}

static bool derive_keys(struct scram_verifier *v, const EVP_MD *md, const char *prepared)
{
    unsigned char salted[SCRAM_KEY_MAX], client[SCRAM_KEY_MAX];
    int len = EVP_MD_get_size(md);
    bool ok = PKCS5_PBKDF2_HMAC(prepared, (int)strlen(prepared), v->salt, (int)v->salt_len,
                                (int)v->iterations, md, len, salted) &&
              HMAC(md, salted, len, (const unsigned char *)"Client Key", 10, client, NULL) &&
              EVP_Digest(client, (size_t)len, v->stored_key, NULL, md, NULL) &&
              HMAC(md, salted, len, (const unsigned char *)"Server Key", 10, v->server_key, NULL);
    v->key_len = (size_t)len;
    explicit_bzero(salted, sizeof salted);
    explicit_bzero(client, sizeof client);
    return ok;
}

enum result scram_derive(struct scram_verifier *v, struct slice password, struct error *err)
{
    const EVP_MD *md = EVP_get_digestbyname(v->digest);
    char *prepared = scram_prepare(password);
    if (!prepared)
        return error_set(err, FAILED, "out of memory");
    bool ok = md && derive_keys(v, md, prepared);
    explicit_bzero(prepared, strlen(prepared));
    free(prepared);
    return ok ? OK : error_set(err, FAILED, "deriving SCRAM keys failed");
}

enum result scram_verify(const struct scram_verifier *v, struct slice password, struct error *err)
{
    struct scram_verifier mine = *v;
    enum result r = scram_derive(&mine, password, err);
    if (r == OK && CRYPTO_memcmp(mine.stored_key, v->stored_key, v->key_len) != 0)
        r = DENIED;
    explicit_bzero(&mine, sizeof mine);
    return r;
}

enum result password_scram_sha256(struct slice password, struct buf *out, struct error *err)
{
    struct scram_verifier v = {
        .digest = "SHA256", .iterations = SCRAM_ITERATIONS, .salt_len = NEW_SALT_LEN};
    if (password.len == 0 || password.len > PASSWORD_MAX || slice_find(password, '\0') != SIZE_MAX)
        return error_set(err, INVALID, "the password is empty, too long or holds a NUL byte");
    if (random_bytes(v.salt, v.salt_len) != OK)
        return error_set(err, FAILED, "no random bytes");
    enum result r = scram_derive(&v, password, err);
    if (r == OK) {
        scram_format(&v, out);
        if (!buf_ok(out))
            r = error_set(err, LIMIT, "no room for the verifier");
    }
    explicit_bzero(&v, sizeof v);
    return r;
}
