/* fuzz_sasl.c: SASL exchanges with any responses. The first byte picks the mechanism and whether an
 * initial response comes; lines are responses. */
#include "sasl/sasl.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct sasl *s, enum sasl_step step)
{
    if (step == SASL_CHALLENGE && s->challenge.len > SASL_CHALLENGE_MAX)
        abort();
    if (step == SASL_CHECK_TOKEN && sasl_token(s).len == 0)
        abort();
    if (step != SASL_CHECK_PASSWORD && step != SASL_NEED_SECRET && step != SASL_RIGHT)
        return;
    bool token = s->mechanism->secret == SASL_SECRET_TOKEN;
    if ((!token && !s->login[0]) || strnlen(s->login, sizeof s->login) == sizeof s->login ||
        strnlen(s->password, sizeof s->password) == sizeof s->password)
        abort();
}

/* What the driver would do; the secret is nobody's, so that nothing of SCRAM or CRAM-MD5 is right.
 */
static enum sasl_step drive(struct sasl *s, enum sasl_step step)
{
    static const struct sasl_secret secret = {.iterations = 4096, .salt_len = 16, .key_len = 20};
    check(s, step);
    if (step == SASL_NEED_SECRET)
        step = sasl_secret(s, &secret);
    else if (step == SASL_CHECK_TOKEN)
        step = sasl_token_checked(s, sasl_token(s).len % 2 ? SLICE("") : SLICE("u"), "odd");
    check(s, step);
    if (step == SASL_RIGHT && s->mechanism->take_secret)
        abort();
    return step;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sasl s;
    struct sasl_channel ch = {
        .host = "h.test", .identity = "cert", .anonymous = "anon", .nonce = "N"};
    size_t n = 0;
    if (size == 0)
        return 0;
    ch.bindings[SASL_TLS_UNIQUE].len = 12;
    ch.bound_offered = data[0] & 2;
    while (sasl_mechanisms[n])
        n++;
    struct slice rest = slice_of(data + 1, size - 1);
    bool initial = data[0] & 1;
    struct slice first = initial ? slice_split(&rest, '\n') : SLICE_NONE;
    enum sasl_step step = sasl_begin(&s, sasl_mechanisms[(data[0] >> 2) % n], initial, first, &ch);
    step = drive(&s, step);
    while (step == SASL_CHALLENGE && rest.data)
        step = drive(&s, sasl_respond(&s, slice_split(&rest, '\n')));
    sasl_end(&s);
    return 0;
}
