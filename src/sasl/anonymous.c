/* anonymous.c: ANONYMOUS (RFC 4505): whoever it is gets one account. What the client says of itself
 * proves nothing and is not kept. */
#include "sasl/sasl.h"

static enum sasl_step start(struct sasl *s)
{
    return sasl_challenge(s, "");
}

static enum sasl_step respond(struct sasl *s, struct slice response)
{
    if (response.len > SASL_NAME_MAX)
        return sasl_malformed(s, "the trace is too long");
    if (!s->channel.anonymous[0])
        return sasl_wrong(s, "there is no anonymous account");
    (void)!sasl_copy(s->login, sizeof s->login, slice_cstr(s->channel.anonymous));
    return SASL_RIGHT;
}

const struct sasl_mechanism sasl_anonymous = {.name = "ANONYMOUS",
                                              .properties = SASL_IS_ANONYMOUS | SASL_IS_ACTIVE,
                                              .secret = SASL_SECRET_NO_PASSWORD,
                                              .start = start,
                                              .respond = respond};
