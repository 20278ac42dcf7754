/* client_scram.c: the client's side of SCRAM (RFC 5802, RFC 7677) and its -PLUS (RFC 5929, RFC
 * 9266).
 *
 *     C: n,,n=user,r=CNONCE          S: r=CNONCE SNONCE,s=SALT,i=ITERATIONS
 *     C: c=biws,r=…,p=PROOF          S: v=SIGNATURE        C: (empty) */
#include "base/base64.h"
#include "sasl/client.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { WANT_FIRST, WANT_SIGNATURE, PROVEN, OVER };
enum { SALT_MAX = 256, MESSAGE_MAX = 4096 };

static enum result wrong(struct sasl_client *c, const char **why, const char *text)
{
    c->step = OVER;
    *why = text;
    return INVALID;
}

static const EVP_MD *digest_of(const struct sasl_client *c)
{
    return slice_starts(slice_cstr(c->mechanism->name), SLICE("SCRAM-SHA-256")) ? EVP_sha256()
                                                                                : EVP_sha1();
}

/* ---- the first message ---- */

static const char *const binding_names[SASL_BINDINGS] = {"tls-exporter", "tls-unique",
                                                         "tls-server-end-point"};

/* gs2-header. RFC 5802 6: "y" tells the server that we would have bound, had it said that it can:
 * one that did knows then of somebody in between. */
static void put_header(const struct sasl_client *c, struct buf *out)
{
    if (c->mechanism->bound)
        buf_printf(out, "p=%s,,", binding_names[c->login->binding]);
    else
        buf_puts(out, c->login->binding_len && !c->login->bound_offered ? "y,," : "n,,");
}

/* saslname (RFC 5802 5.1). */
static void put_name(struct slice name, struct buf *out)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] == ',')
            buf_puts(out, "=2C");
        else if (name.data[i] == '=')
            buf_puts(out, "=3D");
        else
            buf_putc(out, name.data[i]);
}

static enum result start(struct sasl_client *c, struct buf *out, const char **why)
{
    struct sasl for_nonce = {.mechanism = NULL};
    struct buf bare;
    memcpy(for_nonce.channel.nonce, c->login->nonce, sizeof c->login->nonce);
    if (!sasl_nonce(&for_nonce, c->nonce))
        return wrong(c, why, "no random bytes");
    buf_init(&bare, sizeof c->first - 1);
    buf_puts(&bare, "n=");
    put_name(c->login->user, &bare);
    buf_printf(&bare, ",r=%s", c->nonce);
    bool fits = buf_ok(&bare) && sasl_copy(c->first, sizeof c->first, buf_slice(&bare));
    buf_release(&bare);
    if (!fits)
        return wrong(c, why, "the user's name is too long");
    put_header(c, out);
    buf_puts(out, c->first);
    return OK;
}

/* ---- the proof ---- */

/* The value of the attribute `key=` that must come next; data NULL when it does not. */
static struct slice attribute(struct slice *rest, char key)
{
    struct slice field = slice_split(rest, ',');
    return field.len >= 2 && field.data[0] == key && field.data[1] == '=' ? slice_from(field, 2)
                                                                          : SLICE_NONE;
}

struct server_first {
    struct slice nonce;
    struct buf salt;
    uint64_t iterations;
};

/* s->salt is initialised whatever comes of it. */
static enum result read_first(struct sasl_client *c, struct slice text, struct server_first *s,
                              const char **why)
{
    struct slice rest = text; /* "m=", an extension that must be understood, is refused with it */
    s->nonce = attribute(&rest, 'r');
    struct slice salt = attribute(&rest, 's'), iterations = attribute(&rest, 'i');
    buf_init(&s->salt, SALT_MAX);
    if (!s->nonce.data || !salt.data || !iterations.data || base64_decode(salt, &s->salt) != OK ||
        buf_len(&s->salt) == 0)
        return wrong(c, why, "the server's first message is not r=NONCE,s=SALT,i=COUNT");
    if (!slice_starts(s->nonce, slice_cstr(c->nonce)) || s->nonce.len == strlen(c->nonce) ||
        s->nonce.len > SASL_NONCE_MAX * 4)
        return wrong(c, why, "the server's nonce is not made of ours");
    /* RFC 7677 4: a small count would give the password away to whoever asks for it. */
    if (slice_parse_u64(iterations, UINT64_MAX, &s->iterations) != OK ||
        s->iterations < SASL_ITERATIONS_LEAST || s->iterations > SASL_ITERATIONS_MOST)
        return wrong(c, why, "the server's iteration count is out of bounds");
    return OK;
}

/* "c=…,r=…": what the proof signs of the last message. */
static void put_without_proof(const struct sasl_client *c, struct slice nonce, struct buf *out)
{
    struct buf binding;
    buf_init(&binding, MESSAGE_MAX);
    put_header(c, &binding);
    if (c->mechanism->bound)
        buf_append(&binding, slice_of(c->login->binding_data, c->login->binding_len));
    buf_puts(out, "c=");
    base64_encode(buf_slice(&binding), out);
    buf_printf(out, ",r=%.*s", SLICE_ARG(nonce));
    buf_release(&binding);
}

static bool mac(const EVP_MD *md, const unsigned char *key, struct slice text, unsigned char *out)
{
    return HMAC(md, key, EVP_MD_get_size(md), (const unsigned char *)text.data, text.len, out,
                NULL) != NULL;
}

/* RFC 5802 3: the proof, and what the server must show for it. */
static bool prove(struct sasl_client *c, const struct server_first *s, struct slice message,
                  unsigned char proof[EVP_MAX_MD_SIZE])
{
    const EVP_MD *md = digest_of(c);
    unsigned char salted[EVP_MAX_MD_SIZE], key[EVP_MAX_MD_SIZE], stored[EVP_MAX_MD_SIZE],
        signature[EVP_MAX_MD_SIZE];
    int len = EVP_MD_get_size(md);
    struct slice password = c->login->prepared, salt = buf_slice(&s->salt);
    bool ok = PKCS5_PBKDF2_HMAC(password.len ? password.data : "", (int)password.len,
                                (const unsigned char *)salt.data, (int)salt.len, (int)s->iterations,
                                md, len, salted) == 1 &&
              mac(md, salted, SLICE("Client Key"), key) &&
              EVP_Digest(key, (size_t)len, stored, NULL, md, NULL) == 1 &&
              mac(md, stored, message, signature);
    for (int i = 0; ok && i < len; i++)
        proof[i] = key[i] ^ signature[i];
    ok = ok && mac(md, salted, SLICE("Server Key"), key) && mac(md, key, message, signature);
    if (ok)
        memcpy(c->server_signature, signature, (size_t)len);
    explicit_bzero(salted, sizeof salted);
    explicit_bzero(key, sizeof key);
    explicit_bzero(stored, sizeof stored);
    return ok;
}

static enum result answer_first(struct sasl_client *c, struct slice challenge,
                                const struct server_first *s, struct buf *out, const char **why)
{
    struct buf last, message;
    unsigned char proof[EVP_MAX_MD_SIZE];
    buf_init(&last, MESSAGE_MAX);
    buf_init(&message, 3 * MESSAGE_MAX);
    put_without_proof(c, s->nonce, &last);
    buf_printf(&message, "%s,%.*s,%.*s", c->first, SLICE_ARG(challenge),
               SLICE_ARG(buf_slice(&last)));
    bool ok = buf_ok(&last) && buf_ok(&message) && prove(c, s, buf_slice(&message), proof);
    if (ok) {
        buf_append(out, buf_slice(&last));
        buf_puts(out, ",p=");
        base64_encode(slice_of(proof, (size_t)EVP_MD_get_size(digest_of(c))), out);
        c->step = WANT_SIGNATURE;
    }
    buf_release(&last);
    buf_release(&message);
    return ok ? OK : wrong(c, why, "the proof can't be computed");
}

/* ---- the server's proof ---- */

static enum result check_signature(struct sasl_client *c, struct slice challenge, const char **why)
{
    struct buf signature;
    struct slice rest = challenge, text = attribute(&rest, 'v');
    size_t len = (size_t)EVP_MD_get_size(digest_of(c));
    buf_init(&signature, SASL_KEY_MAX);
    bool right = text.data && base64_decode(text, &signature) == OK && buf_len(&signature) == len &&
                 CRYPTO_memcmp(buf_slice(&signature).data, c->server_signature, len) == 0;
    buf_release(&signature);
    if (!right)
        return wrong(c, why,
                     slice_starts(challenge, SLICE("e="))
                         ? "the server refuses the proof"
                         : "the server does not know the password: it is another one");
    c->step = PROVEN;
    return OK;
}

static enum result respond(struct sasl_client *c, struct slice challenge, struct buf *out,
                           const char **why)
{
    struct server_first s;
    if (!challenge.data || slice_find(challenge, '\0') != SIZE_MAX ||
        challenge.len > SASL_CHALLENGE_MAX)
        return wrong(c, why, "the server's challenge is not base64, or no text");
    switch (c->step) {
    case WANT_FIRST:
        if (challenge.len == 0) /* it did not see the initial response */
            return start(c, out, why);
        enum result r = read_first(c, challenge, &s, why);
        if (r == OK)
            r = answer_first(c, challenge, &s, out, why);
        buf_release(&s.salt);
        return r;
    case WANT_SIGNATURE:
        return check_signature(c, challenge, why);
    default:
        return wrong(c, why, "the server asks for more than SCRAM has");
    }
}

static enum result finish(struct sasl_client *c, const char **why)
{
    return c->step == PROVEN
               ? OK
               : wrong(c, why, "the server has not proven that it knows the password");
}

#define SCRAM(variable, text, plus)                                                                \
    const struct sasl_client_mechanism variable = {                                                \
        .name = text, .bound = plus, .start = start, .respond = respond, .finish = finish}

SCRAM(sasl_client_scram_sha_1, "SCRAM-SHA-1", false);
SCRAM(sasl_client_scram_sha_1_plus, "SCRAM-SHA-1-PLUS", true);
SCRAM(sasl_client_scram_sha_256, "SCRAM-SHA-256", false);
SCRAM(sasl_client_scram_sha_256_plus, "SCRAM-SHA-256-PLUS", true);
