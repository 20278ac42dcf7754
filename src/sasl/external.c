/* external.c: EXTERNAL (RFC 4422 appendix A): the client's certificate, which TLS has verified,
 * says who it is; the response is the authorization identity, or empty. */
#include "sasl/sasl.h"

static enum sasl_step start(struct sasl *s)
{
    return sasl_challenge(s, "");
}

static enum sasl_step respond(struct sasl *s, struct slice response)
{
    if (!sasl_copy(s->authzid, sizeof s->authzid, response))
        return sasl_malformed(s, "the authorization identity is too long or holds NUL");
    if (!s->channel.identity[0])
        return sasl_wrong(s, "no verified client certificate with a name");
    (void)!sasl_copy(s->login, sizeof s->login, slice_cstr(s->channel.identity));
    return SASL_RIGHT;
}

const struct sasl_mechanism sasl_external = {.name = "EXTERNAL",
                                             .properties = SASL_IS_CERTIFICATE | SASL_IS_ACTIVE,
                                             .secret = SASL_SECRET_NO_PASSWORD,
                                             .start = start,
                                             .respond = respond};
