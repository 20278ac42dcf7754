#include "sasl/sasl.h"

#include "base/base64.h"

#include <openssl/rand.h>
#include <stdlib.h>

const struct sasl_mechanism *const sasl_mechanisms[] = {&sasl_external,
                                                        &sasl_scram_sha_256_plus,
                                                        &sasl_scram_sha_1_plus,
                                                        &sasl_scram_sha_256,
                                                        &sasl_scram_sha_1,
                                                        &sasl_cram_md5,
                                                        &sasl_oauthbearer,
                                                        &sasl_xoauth2,
                                                        &sasl_plain,
                                                        &sasl_login,
                                                        &sasl_anonymous,
                                                        NULL};

const struct sasl_mechanism *sasl_find(struct slice name)
{
    for (size_t i = 0; sasl_mechanisms[i]; i++)
        if (slice_is_nocase(name, sasl_mechanisms[i]->name))
            return sasl_mechanisms[i];
    return NULL;
}

enum sasl_step sasl_begin(struct sasl *s, const struct sasl_mechanism *m, bool has_initial,
                          struct slice initial, const struct sasl_channel *channel)
{
    *s = (struct sasl){.mechanism = m};
    if (channel)
        s->channel = *channel;
    if (has_initial && m->server_first)
        return sasl_malformed(s, "the mechanism takes no initial response");
    enum sasl_step step = m->start(s);
    return has_initial && step == SASL_CHALLENGE ? sasl_respond(s, initial) : step;
}

enum sasl_step sasl_respond(struct sasl *s, struct slice response)
{
    if (response.len > SASL_RESPONSE_MAX)
        return sasl_malformed(s, "the response is too long");
    return s->mechanism->respond(s, response);
}

enum sasl_step sasl_secret(struct sasl *s, const struct sasl_secret *secret)
{
    return s->mechanism->take_secret ? s->mechanism->take_secret(s, secret) : SASL_WRONG;
}

struct slice sasl_token(const struct sasl *s)
{
    return s->mechanism->token_checked ? slice_cstr(s->own) : SLICE_NONE;
}

enum sasl_step sasl_token_checked(struct sasl *s, struct slice login, const char *why)
{
    bool right = login.len && sasl_copy(s->login, sizeof s->login, login);
    s->why = right ? NULL : why ? why : "the token's user can't be a name";
    return s->mechanism->token_checked ? s->mechanism->token_checked(s, right) : SASL_WRONG;
}

void sasl_end(struct sasl *s)
{
    if (s->own) {
        explicit_bzero(s->own, s->own_size);
        free(s->own);
    }
    explicit_bzero(s, sizeof *s);
}

bool sasl_copy(char *field, size_t size, struct slice text)
{
    if (text.len >= size || slice_find(text, '\0') != SIZE_MAX)
        return false;
    if (text.len)
        memcpy(field, text.data, text.len);
    field[text.len] = '\0';
    return true;
}

enum sasl_step sasl_challenge(struct sasl *s, const char *text)
{
    s->challenge = slice_cstr(text);
    return SASL_CHALLENGE;
}

enum sasl_step sasl_wrong(struct sasl *s, const char *why)
{
    s->why = why;
    return SASL_WRONG;
}

enum sasl_step sasl_malformed(struct sasl *s, const char *why)
{
    s->why = why;
    return SASL_MALFORMED;
}

void *sasl_own(struct sasl *s, size_t size)
{
    if (s->own) {
        explicit_bzero(s->own, s->own_size);
        free(s->own);
    }
    s->own = calloc(1, size);
    s->own_size = s->own ? size : 0;
    return s->own;
}

bool sasl_nonce(const struct sasl *s, char out[SASL_NONCE_MAX + 1])
{
    unsigned char bytes[18];
    struct buf text;
    if (s->channel.nonce[0]) {
        memcpy(out, s->channel.nonce, SASL_NONCE_MAX + 1);
        return true;
    }
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    buf_init(&text, SASL_NONCE_MAX);
    base64_encode(slice_of(bytes, sizeof bytes), &text);
    bool ok = buf_ok(&text) && sasl_copy(out, SASL_NONCE_MAX + 1, buf_slice(&text));
    buf_release(&text);
    return ok;
}
