#include "auth/offer.h"

#include "conf/fields.h"

static const struct slice_list *listed(const struct conf *c, bool smtp)
{
    return smtp && c->mech_list.n ? &c->mech_list : &c->auth_mechanisms;
}

static bool has_option(const struct slice_list *options, const char *name)
{
    for (size_t i = 0; i < options->n; i++)
        if (slice_is_nocase(options->items[i], name))
            return true;
    return false;
}

/* Each option forbids what has the property, or (mutual_auth) what has it not. */
bool offer_options_allow(const struct slice_list *options, const struct sasl_mechanism *m)
{
    static const struct {
        const char *name;
        unsigned property;
        bool wanted;
    } rules[] = {
        {"noplaintext", SASL_IS_PLAINTEXT, false}, {"noanonymous", SASL_IS_ANONYMOUS, false},
        {"noactive", SASL_IS_ACTIVE, false},       {"nodictionary", SASL_IS_DICTIONARY, false},
        {"mutual_auth", SASL_IS_MUTUAL, true},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (has_option(options, rules[i].name) &&
            ((m->properties & rules[i].property) != 0) != rules[i].wanted)
            return false;
    return !has_option(options, "forward_secrecy"); /* none of ours has it */
}

static bool link_allows(const struct conf *c, bool smtp, enum offer_link link,
                        const struct sasl_mechanism *m)
{
    bool tls = link >= OFFER_TLS;
    if ((m->properties & SASL_IS_BOUND) && !tls)
        return false;
    if ((m->properties & SASL_IS_CERTIFICATE) && link != OFFER_CERTIFICATE)
        return false;
    if ((m->properties & SASL_IS_PLAINTEXT) && link == OFFER_CLEAR &&
        (smtp ? c->smtpd_disable_plaintext_auth : c->disable_plaintext_auth))
        return false;
    if (!smtp)
        return (link != OFFER_CLEAR || !slice_is(c->ssl, "required")) &&
               (link == OFFER_CERTIFICATE || !c->auth_ssl_require_client_cert);
    if (!tls && c->smtpd_tls_auth_only)
        return false;
    return offer_options_allow(
        tls ? &c->smtpd_sasl_tls_security_options : &c->smtpd_sasl_security_options, m);
}

static bool has_file_passdb(const struct conf *c)
{
    for (size_t i = 0; i < c->passdb.n; i++)
        if (slice_is(conf_field(c->passdb.items[i], "driver"), "passwd-file"))
            return true;
    return false;
}

static bool secrets_allow(const struct conf *c, const struct sasl_mechanism *m)
{
    switch (m->secret) {
    case SASL_SECRET_CRAM_MD5:
    case SASL_SECRET_SCRAM_SHA_1:
    case SASL_SECRET_SCRAM_SHA_256:
        return c->users_file.len > 0 || has_file_passdb(c);
    case SASL_SECRET_TOKEN:
        return c->oauth2_keys.n && c->oauth2_audience.n;
    default:
        return true;
    }
}

static bool allowed(const struct conf *c, bool smtp, enum offer_link link,
                    const struct sasl_mechanism *m)
{
    return m && link_allows(c, smtp, link, m) && secrets_allow(c, m);
}

bool offer_has(const struct conf *c, bool smtp, enum offer_link link,
               const struct sasl_mechanism *m)
{
    const struct slice_list *l = listed(c, smtp);
    for (size_t i = 0; m && i < l->n; i++)
        if (slice_is_nocase(l->items[i], m->name))
            return allowed(c, smtp, link, m);
    return false;
}

bool offer_has_bound(const struct conf *c, bool smtp, enum offer_link link)
{
    for (size_t i = 0; sasl_mechanisms[i]; i++)
        if ((sasl_mechanisms[i]->properties & SASL_IS_BOUND) &&
            offer_has(c, smtp, link, sasl_mechanisms[i]))
            return true;
    return false;
}

void offer_list(const struct conf *c, bool smtp, enum offer_link link, struct buf *out)
{
    const struct slice_list *l = listed(c, smtp);
    size_t before = buf_len(out);
    for (size_t i = 0; i < l->n; i++) {
        const struct sasl_mechanism *m = sasl_find(l->items[i]);
        if (!allowed(c, smtp, link, m))
            continue;
        if (buf_len(out) > before)
            buf_putc(out, ' ');
        buf_puts(out, m->name);
    }
}
