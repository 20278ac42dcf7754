/* plain.c: PLAIN (RFC 4616): one response, [authzid] NUL authcid NUL passwd. */
#include "sasl/sasl.h"

/* RFC 4422 3: a mechanism where the client speaks first begins with an empty challenge, when the
 * command brought no initial response. */
static enum sasl_step start(struct sasl *s)
{
    return sasl_challenge(s, "");
}

static enum sasl_step respond(struct sasl *s, struct slice response)
{
    struct slice rest = response;
    struct slice authzid = slice_split(&rest, '\0');
    struct slice authcid = slice_split(&rest, '\0');
    /* Two NULs at least; a third would be in the password, where sasl_copy finds it. */
    if (!rest.data || authcid.len == 0 || rest.len == 0)
        return SASL_MALFORMED;
    if (!sasl_copy(s->authzid, sizeof s->authzid, authzid) ||
        !sasl_copy(s->login, sizeof s->login, authcid) ||
        !sasl_copy(s->password, sizeof s->password, rest))
        return SASL_MALFORMED;
    return SASL_CHECK_PASSWORD;
}

const struct sasl_mechanism sasl_plain = {.name = "PLAIN",
                                          .properties = SASL_IS_PLAINTEXT | SASL_IS_ACTIVE |
                                                        SASL_IS_DICTIONARY,
                                          .start = start,
                                          .respond = respond};
