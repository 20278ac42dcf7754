/* cram_md5.c: CRAM-MD5 (RFC 2195): the server's challenge <random.time@host>, then "login digest"
 * with the HMAC-MD5 of the challenge under the password. */
#include "sasl/md5.h"
#include "sasl/sasl.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <time.h>

struct cram {
    char challenge[SASL_NONCE_MAX + SASL_NAME_MAX + 40];
    char digest[2 * MD5_LEN];
};

static enum sasl_step start(struct sasl *s)
{
    struct cram *c = sasl_own(s, sizeof *c);
    char nonce[SASL_NONCE_MAX + 1];
    if (!c || !sasl_nonce(s, nonce))
        return sasl_wrong(s, "no memory or no random bytes");
    if (s->channel.nonce[0])
        snprintf(c->challenge, sizeof c->challenge, "%s", nonce);
    else
        snprintf(c->challenge, sizeof c->challenge, "<%s.%lld@%s>", nonce, (long long)time(NULL),
                 s->channel.host);
    return sasl_challenge(s, c->challenge);
}

/* The digest stands behind the last space: names may hold some. */
static enum sasl_step respond(struct sasl *s, struct slice response)
{
    struct cram *c = s->own;
    size_t space = slice_rfind(response, ' ');
    struct slice digest = slice_from(response, space == SIZE_MAX ? response.len : space + 1);
    if (s->state != 0)
        return sasl_malformed(s, "one response too many");
    s->state = 1;
    if (space == SIZE_MAX || space == 0 || digest.len != sizeof c->digest ||
        !sasl_copy(s->login, sizeof s->login, slice_sub(response, 0, space)))
        return sasl_malformed(s, "the response is not NAME SP DIGEST");
    for (size_t i = 0; i < sizeof c->digest; i++)
        c->digest[i] = ascii_lower(digest.data[i]);
    return SASL_NEED_SECRET;
}

static enum sasl_step take_secret(struct sasl *s, const struct sasl_secret *secret)
{
    static const char hex[] = "0123456789abcdef";
    struct cram *c = s->own;
    struct hmac_md5_state k;
    unsigned char mac[MD5_LEN];
    char want[2 * MD5_LEN];
    memcpy(k.inner, secret->inner, sizeof k.inner);
    memcpy(k.outer, secret->outer, sizeof k.outer);
    hmac_md5(&k, slice_cstr(c->challenge), mac);
    for (size_t i = 0; i < MD5_LEN; i++) {
        want[2 * i] = hex[mac[i] >> 4];
        want[2 * i + 1] = hex[mac[i] & 15];
    }
    bool same = CRYPTO_memcmp(want, c->digest, sizeof want) == 0;
    explicit_bzero(&k, sizeof k);
    explicit_bzero(want, sizeof want);
    return same && secret->real ? SASL_RIGHT : sasl_wrong(s, "wrong password");
}

const struct sasl_mechanism sasl_cram_md5 = {.name = "CRAM-MD5",
                                             .properties = SASL_IS_ACTIVE | SASL_IS_DICTIONARY,
                                             .secret = SASL_SECRET_CRAM_MD5,
                                             .server_first = true,
                                             .start = start,
                                             .respond = respond,
                                             .take_secret = take_secret};
