/* scram.c: SCRAM-SHA-1, SCRAM-SHA-256 (RFC 5802, RFC 7677) and their -PLUS, which bind the login to
 * the TLS channel (RFC 5929, RFC 9266).
 *
 *     C: n,,n=user,r=CNONCE          S: r=CNONCE SNONCE,s=SALT,i=ITERATIONS
 *     C: c=biws,r=…,p=PROOF          S: v=SIGNATURE        C: (empty)
 *
 * An account that is not there goes through the same steps with a made-up secret. */
#include "base/base64.h"
#include "sasl/sasl.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { WANT_FIRST, WANT_FINAL, WANT_EMPTY, OVER };
enum { FIRST_MAX = 2048, CLIENT_NONCE_MAX = 512 };

struct scram {
    char first[FIRST_MAX]; /* the client's first message: the GS2 header, then the bare message */
    size_t header_len, first_len;
    struct slice binding_type; /* in `first`; "": the client does not bind */
    char nonce[CLIENT_NONCE_MAX + SASL_NONCE_MAX + 1]; /* both parts */
    char server_first[SASL_CHALLENGE_MAX], last[SASL_KEY_MAX * 2];
    struct sasl_secret secret;
};

static const EVP_MD *digest_of(const struct sasl *s)
{
    return s->mechanism->secret == SASL_SECRET_SCRAM_SHA_1 ? EVP_sha1() : EVP_sha256();
}

static enum sasl_step start(struct sasl *s)
{
    if (!sasl_own(s, sizeof(struct scram)))
        return sasl_wrong(s, "no memory");
    s->state = WANT_FIRST;
    return sasl_challenge(s, "");
}

/* saslname (RFC 5802 5.1): "," as =2C, "=" as =3D. */
static bool take_name(struct slice text, char field[SASL_NAME_MAX + 1])
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '=') {
            struct slice code = slice_sub(text, i + 1, 2);
            if (!slice_is(code, "2C") && !slice_is(code, "3D"))
                return false;
            c = slice_is(code, "2C") ? ',' : '=';
            i += 2;
        }
        if (c == '\0' || n == SASL_NAME_MAX)
            return false;
        field[n++] = c;
    }
    field[n] = '\0';
    return true;
}

/* The value of the attribute `key=` that must come next; data NULL when it does not. */
static struct slice attribute(struct slice *rest, char key)
{
    struct slice field = slice_split(rest, ',');
    return field.len >= 2 && field.data[0] == key && field.data[1] == '=' ? slice_from(field, 2)
                                                                          : SLICE_NONE;
}

static const char *const binding_names[SASL_BINDINGS] = {"tls-exporter", "tls-unique",
                                                         "tls-server-end-point"};

static struct slice binding_data(const struct sasl *s, struct slice type)
{
    for (int i = 0; i < SASL_BINDINGS; i++)
        if (slice_is(type, binding_names[i]))
            return slice_of(s->channel.bindings[i].data, s->channel.bindings[i].len);
    return SLICE_NONE;
}

/* gs2-cbind-flag. RFC 5802 6: "y" says that the client could bind and was told that we can't; when
 * we did announce it, somebody in between has cut it out. */
static enum sasl_step take_binding_flag(struct sasl *s, struct slice flag)
{
    struct scram *c = s->own;
    bool plus = s->mechanism->properties & SASL_IS_BOUND;
    bool binds = slice_starts(flag, SLICE("p="));
    if (!binds && !slice_is(flag, "n") && !slice_is(flag, "y"))
        return sasl_malformed(s, "no channel binding flag");
    if (binds != plus)
        return sasl_malformed(s, plus ? "the client does not bind to the channel"
                                      : "channel binding belongs to the -PLUS mechanism");
    if (slice_is(flag, "y") && s->channel.bound_offered)
        return sasl_wrong(s, "the client was kept from channel binding: a downgrade attack");
    c->binding_type = binds ? slice_from(flag, 2) : SLICE("");
    if (binds && binding_data(s, c->binding_type).len == 0)
        return sasl_wrong(s, "no such channel binding on this connection");
    return SASL_CHALLENGE;
}

static bool printable(struct slice nonce)
{
    for (size_t i = 0; i < nonce.len; i++)
        if (nonce.data[i] <= ' ' || nonce.data[i] > '~')
            return false;
    return nonce.len > 0;
}

static enum sasl_step take_bare(struct sasl *s, struct slice bare)
{
    struct scram *c = s->own;
    struct slice rest = bare;
    char mine[SASL_NONCE_MAX + 1];
    /* "m=": an extension that must be understood, and none is. */
    struct slice name = attribute(&rest, 'n');
    struct slice nonce = attribute(&rest, 'r');
    if (!name.data || !printable(nonce) || nonce.len > CLIENT_NONCE_MAX)
        return sasl_malformed(s, "the first message is not n=NAME,r=NONCE");
    if (!take_name(name, s->login) || !s->login[0])
        return sasl_malformed(s, "the name is empty, too long or badly quoted");
    if (!sasl_nonce(s, mine))
        return sasl_wrong(s, "no random bytes");
    memcpy(c->nonce, nonce.data, nonce.len);
    memcpy(c->nonce + nonce.len, mine, strlen(mine) + 1);
    return SASL_NEED_SECRET;
}

static enum sasl_step take_first(struct sasl *s, struct slice response)
{
    struct scram *c = s->own;
    if (response.len > sizeof c->first || slice_find(response, '\0') != SIZE_MAX)
        return sasl_malformed(s, "the first message is too long or holds NUL");
    if (response.len)
        memcpy(c->first, response.data, response.len);
    c->first_len = response.len;
    struct slice rest = slice_of(c->first, c->first_len);
    struct slice flag = slice_split(&rest, ',');
    enum sasl_step step = take_binding_flag(s, flag);
    if (step != SASL_CHALLENGE)
        return step;
    struct slice authzid = slice_split(&rest, ',');
    if (!rest.data || (authzid.len && (!slice_starts(authzid, SLICE("a=")) || authzid.len == 2 ||
                                       !take_name(slice_from(authzid, 2), s->authzid))))
        return sasl_malformed(s, "the GS2 header is broken");
    c->header_len = c->first_len - rest.len;
    return take_bare(s, rest);
}

static enum sasl_step take_secret(struct sasl *s, const struct sasl_secret *secret)
{
    struct scram *c = s->own;
    struct buf out;
    c->secret = *secret;
    buf_init(&out, sizeof c->server_first - 1);
    buf_printf(&out, "r=%s,s=", c->nonce);
    base64_encode(slice_of(secret->salt, secret->salt_len), &out);
    buf_printf(&out, ",i=%u", secret->iterations);
    bool ok = buf_ok(&out) && sasl_copy(c->server_first, sizeof c->server_first, buf_slice(&out));
    buf_release(&out);
    if (!ok)
        return sasl_wrong(s, "no memory");
    s->state = WANT_FINAL;
    return sasl_challenge(s, c->server_first);
}

/* c=: the GS2 header as it came, and the channel's data where it binds. */
static bool binding_fits(const struct sasl *s, struct slice given)
{
    const struct scram *c = s->own;
    struct buf want, have;
    buf_init(&want, FIRST_MAX + SASL_KEY_MAX);
    buf_init(&have, FIRST_MAX + SASL_KEY_MAX);
    buf_append(&want, slice_of(c->first, c->header_len));
    if (c->binding_type.len)
        buf_append(&want, binding_data(s, c->binding_type));
    bool fits = base64_decode(given, &have) == OK && buf_ok(&want) &&
                slice_eq(buf_slice(&want), buf_slice(&have));
    buf_release(&want);
    buf_release(&have);
    return fits;
}

static bool mac(const struct sasl *s, const unsigned char *key, struct slice text,
                unsigned char out[EVP_MAX_MD_SIZE])
{
    const struct scram *c = s->own;
    return HMAC(digest_of(s), key, (int)c->secret.key_len, (const unsigned char *)text.data,
                text.len, out, NULL) != NULL;
}

/* RFC 5802 3: ClientKey = ClientProof XOR ClientSignature; its hash is the stored key. */
static bool proof_fits(const struct sasl *s, struct slice message, const unsigned char *proof)
{
    const struct scram *c = s->own;
    unsigned char key[EVP_MAX_MD_SIZE], hash[EVP_MAX_MD_SIZE];
    if (!mac(s, c->secret.stored_key, message, key))
        return false;
    for (size_t i = 0; i < c->secret.key_len; i++)
        key[i] ^= proof[i];
    bool fits = EVP_Digest(key, c->secret.key_len, hash, NULL, digest_of(s), NULL) == 1 &&
                CRYPTO_memcmp(hash, c->secret.stored_key, c->secret.key_len) == 0;
    explicit_bzero(key, sizeof key);
    return fits && c->secret.real;
}

static bool sign(struct sasl *s, struct slice message)
{
    struct scram *c = s->own;
    unsigned char signature[EVP_MAX_MD_SIZE];
    struct buf out;
    if (!mac(s, c->secret.server_key, message, signature))
        return false;
    buf_init(&out, sizeof c->last - 1);
    buf_puts(&out, "v=");
    base64_encode(slice_of(signature, c->secret.key_len), &out);
    bool ok = buf_ok(&out) && sasl_copy(c->last, sizeof c->last, buf_slice(&out));
    buf_release(&out);
    return ok;
}

static enum sasl_step check_proof(struct sasl *s, struct slice without_proof,
                                  const unsigned char *proof)
{
    struct scram *c = s->own;
    struct buf message;
    buf_init(&message, FIRST_MAX + SASL_CHALLENGE_MAX + SASL_RESPONSE_MAX + 2);
    buf_append(&message, slice_of(c->first + c->header_len, c->first_len - c->header_len));
    buf_putc(&message, ',');
    buf_puts(&message, c->server_first);
    buf_putc(&message, ',');
    buf_append(&message, without_proof);
    bool right = buf_ok(&message) && proof_fits(s, buf_slice(&message), proof) &&
                 sign(s, buf_slice(&message));
    buf_release(&message);
    s->state = right ? WANT_EMPTY : OVER;
    return right ? sasl_challenge(s, c->last) : sasl_wrong(s, "wrong password");
}

static enum sasl_step take_final(struct sasl *s, struct slice response)
{
    struct scram *c = s->own;
    struct buf proof;
    struct slice rest = response;
    size_t last = slice_rfind(response, ',');
    s->state = OVER;
    struct slice binding = attribute(&rest, 'c');
    struct slice nonce = attribute(&rest, 'r');
    struct slice tail = slice_from(response, last == SIZE_MAX ? response.len : last + 1);
    if (!binding.data || !nonce.data || !rest.data || !slice_starts(tail, SLICE("p=")))
        return sasl_malformed(s, "the last message is not c=…,r=…,p=…");
    if (!binding_fits(s, binding))
        return sasl_wrong(s, "the channel binding is not this connection's");
    if (!slice_is(nonce, c->nonce))
        return sasl_wrong(s, "the nonce is not this exchange's");
    buf_init(&proof, SASL_KEY_MAX);
    enum sasl_step step;
    if (base64_decode(slice_from(tail, 2), &proof) != OK || buf_len(&proof) != c->secret.key_len)
        step = sasl_malformed(s, "the proof is no proof");
    else
        step = check_proof(s, slice_sub(response, 0, last),
                           (const unsigned char *)buf_slice(&proof).data);
    buf_release(&proof);
    return step;
}

static enum sasl_step respond(struct sasl *s, struct slice response)
{
    switch (s->state) {
    case WANT_FIRST:
        s->state = OVER;
        return take_first(s, response);
    case WANT_FINAL:
        return take_final(s, response);
    case WANT_EMPTY:
        s->state = OVER;
        return response.len == 0 ? SASL_RIGHT : sasl_malformed(s, "more than was asked for");
    default:
        return sasl_malformed(s, "one response too many");
    }
}

#define SCRAM(variable, text, kind, bound)                                                         \
    const struct sasl_mechanism variable = {.name = text,                                          \
                                            .properties =                                          \
                                                SASL_IS_DICTIONARY | SASL_IS_MUTUAL | (bound),     \
                                            .secret = kind,                                        \
                                            .start = start,                                        \
                                            .respond = respond,                                    \
                                            .take_secret = take_secret}

SCRAM(sasl_scram_sha_1, "SCRAM-SHA-1", SASL_SECRET_SCRAM_SHA_1, 0);
SCRAM(sasl_scram_sha_1_plus, "SCRAM-SHA-1-PLUS", SASL_SECRET_SCRAM_SHA_1, SASL_IS_BOUND);
SCRAM(sasl_scram_sha_256, "SCRAM-SHA-256", SASL_SECRET_SCRAM_SHA_256, 0);
SCRAM(sasl_scram_sha_256_plus, "SCRAM-SHA-256-PLUS", SASL_SECRET_SCRAM_SHA_256, SASL_IS_BOUND);
