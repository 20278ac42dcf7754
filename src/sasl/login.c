/* login.c: LOGIN (draft-murchison-sasl-login): the server asks for name and password in turn. An
 * initial response is the name. */
#include "sasl/sasl.h"

enum { WANT_NAME, WANT_PASSWORD, DONE };

static enum sasl_step start(struct sasl *s)
{
    s->state = WANT_NAME;
    return sasl_challenge(s, "Username:");
}

static enum sasl_step take_name(struct sasl *s, struct slice response)
{
    if (response.len == 0 || !sasl_copy(s->login, sizeof s->login, response))
        return SASL_MALFORMED;
    s->state = WANT_PASSWORD;
    return sasl_challenge(s, "Password:");
}

static enum sasl_step take_password(struct sasl *s, struct slice response)
{
    if (!sasl_copy(s->password, sizeof s->password, response))
        return SASL_MALFORMED;
    s->state = DONE;
    return SASL_CHECK_PASSWORD;
}

static enum sasl_step respond(struct sasl *s, struct slice response)
{
    switch (s->state) {
    case WANT_NAME:
        return take_name(s, response);
    case WANT_PASSWORD:
        return take_password(s, response);
    default:
        return SASL_MALFORMED;
    }
}

const struct sasl_mechanism sasl_login = {.name = "LOGIN",
                                          .properties = SASL_IS_PLAINTEXT | SASL_IS_ACTIVE |
                                                        SASL_IS_DICTIONARY,
                                          .start = start,
                                          .respond = respond};
