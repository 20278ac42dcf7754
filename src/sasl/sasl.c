#include "sasl/sasl.h"

const struct sasl_mechanism *const sasl_mechanisms[] = {&sasl_plain, &sasl_login, NULL};

const struct sasl_mechanism *sasl_find(struct slice name)
{
    for (size_t i = 0; sasl_mechanisms[i]; i++)
        if (slice_is_nocase(name, sasl_mechanisms[i]->name))
            return sasl_mechanisms[i];
    return NULL;
}

enum sasl_step sasl_begin(struct sasl *s, const struct sasl_mechanism *m, bool has_initial,
                          struct slice initial)
{
    *s = (struct sasl){.mechanism = m};
    enum sasl_step step = m->start(s);
    return has_initial && step == SASL_CHALLENGE ? sasl_respond(s, initial) : step;
}

enum sasl_step sasl_respond(struct sasl *s, struct slice response)
{
    if (response.len > SASL_RESPONSE_MAX)
        return SASL_MALFORMED;
    return s->mechanism->respond(s, response);
}

enum sasl_step sasl_secret(struct sasl *s, struct slice secret)
{
    return s->mechanism->take_secret ? s->mechanism->take_secret(s, secret) : SASL_WRONG;
}

void sasl_end(struct sasl *s)
{
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
