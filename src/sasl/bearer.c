/* bearer.c: OAUTHBEARER (RFC 7628) and XOAUTH2 (Google's older form): the client's one response
 * holds a bearer token, which the driver checks. On failure both send a JSON text with the status;
 * the client answers with a dummy (%x01) or nothing, and then the exchange ends wrong. */
#include "sasl/sasl.h"

enum { WANT_TOKEN, CHECKING, WANT_DUMMY, OVER };

#define KVSEP '\1'

static enum sasl_step start(struct sasl *s)
{
    return sasl_challenge(s, "");
}

static enum sasl_step keep_token(struct sasl *s, struct slice authorization)
{
    struct slice scheme = slice_split(&authorization, ' ');
    struct slice token = slice_trim(authorization);
    if (!slice_is_nocase(scheme, "Bearer") || token.len == 0 || slice_find(token, '\0') != SIZE_MAX)
        return sasl_malformed(s, "the authorization is not Bearer TOKEN");
    char *own = sasl_own(s, token.len + 1);
    if (!own)
        return sasl_wrong(s, "no memory");
    memcpy(own, token.data, token.len);
    s->state = CHECKING;
    return SASL_CHECK_TOKEN;
}

/* key=value pairs, each with %x01 behind; the last %x01 of all is lost with the split. */
static enum sasl_step take_pairs(struct sasl *s, struct slice rest, const char *user_key)
{
    struct slice authorization = SLICE_NONE;
    while (rest.len) {
        struct slice value = slice_split(&rest, KVSEP);
        if (value.len == 0)
            break;
        struct slice key = slice_split(&value, '=');
        if (!value.data)
            return sasl_malformed(s, "a pair has no =");
        if (slice_is(key, "auth"))
            authorization = value;
        else if (user_key && slice_is(key, user_key) &&
                 !sasl_copy(s->authzid, sizeof s->authzid, value))
            return sasl_malformed(s, "the user's name is too long");
    }
    return keep_token(s, authorization);
}

/* RFC 7628 3.1: a GS2 header, then the pairs. */
static enum sasl_step take_oauthbearer(struct sasl *s, struct slice response)
{
    struct slice rest = response;
    struct slice header = slice_split(&rest, KVSEP);
    struct slice flag = slice_split(&header, ',');
    struct slice authzid = slice_split(&header, ',');
    if (!rest.data || !header.data || header.len || (!slice_is(flag, "n") && !slice_is(flag, "y")))
        return sasl_malformed(s, "the GS2 header is broken");
    if (authzid.len && (!slice_starts(authzid, SLICE("a=")) ||
                        !sasl_copy(s->authzid, sizeof s->authzid, slice_from(authzid, 2))))
        return sasl_malformed(s, "the authorization identity is broken");
    return take_pairs(s, rest, NULL);
}

static enum sasl_step take_response(struct sasl *s, struct slice response)
{
    return s->mechanism == &sasl_oauthbearer ? take_oauthbearer(s, response)
                                             : take_pairs(s, response, "user");
}

static enum sasl_step respond(struct sasl *s, struct slice response)
{
    switch (s->state) {
    case WANT_TOKEN:
        s->state = OVER;
        return take_response(s, response);
    case WANT_DUMMY:
        s->state = OVER;
        return sasl_wrong(s, s->why);
    default:
        return sasl_malformed(s, "one response too many");
    }
}

static enum sasl_step token_checked(struct sasl *s, bool right)
{
    s->state = right ? OVER : WANT_DUMMY;
    if (right)
        return SASL_RIGHT;
    return sasl_challenge(s, s->mechanism == &sasl_oauthbearer
                                 ? "{\"status\":\"invalid_token\"}"
                                 : "{\"status\":\"401\",\"schemes\":\"bearer\"}");
}

#define BEARER(variable, text)                                                                     \
    const struct sasl_mechanism variable = {.name = text,                                          \
                                            .properties = SASL_IS_PLAINTEXT | SASL_IS_ACTIVE,      \
                                            .secret = SASL_SECRET_TOKEN,                           \
                                            .start = start,                                        \
                                            .respond = respond,                                    \
                                            .token_checked = token_checked}

BEARER(sasl_oauthbearer, "OAUTHBEARER");
BEARER(sasl_xoauth2, "XOAUTH2");
