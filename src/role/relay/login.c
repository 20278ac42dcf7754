/* login.c: a login to another server: which mechanism of those that it offers, and the exchange. */
#include "auth/offer.h"
#include "role/relay/passwords.h"

/* ---- which mechanism ---- */

/* The first item that speaks of it decides: "plain", "!plain", "static:rest". */
static bool filter_allows(struct slice_list filter, const char *mechanism)
{
    for (size_t i = 0; i < filter.n; i++) {
        struct slice item = filter.items[i];
        bool negated = item.len && item.data[0] == '!';
        struct slice name = slice_from(item, negated);
        if (slice_is_nocase(name, mechanism) || slice_starts(name, SLICE("static:")))
            return !negated;
    }
    return filter.n == 0;
}

static bool filter_names(struct slice_list filter, const char *mechanism)
{
    for (size_t i = 0; i < filter.n; i++)
        if (slice_is_nocase(filter.items[i], mechanism))
            return true;
    return false;
}

static const struct slice_list *options_of(const struct relay_login *l, bool tls)
{
    const struct conf *c = l->conf;
    if (tls && l->verified)
        return &c->smtp_sasl_tls_verified_security_options;
    return tls || l->loopback ? &c->smtp_sasl_tls_security_options : &c->smtp_sasl_security_options;
}

/* A token is no password: what takes one is used only where the filter names it. */
static bool settings_allow(const struct relay_login *l, const char *name, bool tls)
{
    const struct sasl_mechanism *m = sasl_find(slice_cstr(name));
    bool token = m && m->secret == SASL_SECRET_TOKEN;
    return m && offer_options_allow(options_of(l, tls), m) &&
           filter_allows(l->conf->smtp_sasl_mechanism_filter, name) &&
           (!token || filter_names(l->conf->smtp_sasl_mechanism_filter, name));
}

static bool has_word(struct slice words, const char *name)
{
    while (words.data)
        if (slice_is_nocase(slice_split(&words, ' '), name))
            return true;
    return false;
}

/* The best first: those that prove both sides, then under TLS the simplest, in clear the one that
 * hides the password. */
static const char *const under_tls[] = {"SCRAM-SHA-256-PLUS",
                                        "SCRAM-SHA-1-PLUS",
                                        "SCRAM-SHA-256",
                                        "SCRAM-SHA-1",
                                        "OAUTHBEARER",
                                        "XOAUTH2",
                                        "PLAIN",
                                        "LOGIN",
                                        "CRAM-MD5"};
static const char *const in_clear[] = {"SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "OAUTHBEARER",
                                       "XOAUTH2",       "PLAIN",       "LOGIN"};
enum {
    UNDER_TLS = sizeof under_tls / sizeof *under_tls,
    IN_CLEAR = sizeof in_clear / sizeof *in_clear
};

static const char *choose(const struct relay_login *l, struct slice offered, bool tls)
{
    const char *const *order = tls ? under_tls : in_clear;
    for (size_t i = 0; i < (tls ? UNDER_TLS : IN_CLEAR); i++) {
        const struct sasl_client_mechanism *m = sasl_client_find(slice_cstr(order[i]));
        if (m && has_word(offered, m->name) && (!m->bound || l->data.binding_len) &&
            settings_allow(l, m->name, tls))
            return m->name;
    }
    return NULL;
}

static const char *why_none(const struct relay_login *l, struct slice offered, bool tls)
{
    bool known = false;
    for (size_t i = 0; i < UNDER_TLS; i++)
        known = known || has_word(offered, under_tls[i]);
    if (!known)
        return "the server offers no AUTH mechanism that is known here";
    if (!tls && choose(l, offered, true))
        return "the password is not sent without TLS, which was not offered";
    return "the server offers no mechanism that the settings allow (smtp_sasl_security_options, "
           "smtp_sasl_mechanism_filter)";
}

/* ---- the exchange ---- */

/* RFC 9266 3: tls-exporter; before TLS 1.3, where it may lack, tls-unique. */
static void take_binding(struct relay_login *l, struct slice offered)
{
    static const enum tls_binding kinds[] = {TLS_BINDING_EXPORTER, TLS_BINDING_UNIQUE};
    static const enum sasl_binding names[] = {SASL_TLS_EXPORTER, SASL_TLS_UNIQUE};
    l->data.binding_len = 0;
    l->data.bound_offered =
        has_word(offered, "SCRAM-SHA-256-PLUS") || has_word(offered, "SCRAM-SHA-1-PLUS");
    for (size_t i = 0; l->tls && i < 2 && l->data.binding_len == 0; i++) {
        l->data.binding = names[i];
        l->data.binding_len = tls_binding(l->tls, kinds[i], l->data.binding_data);
    }
}

static const char *start(void *arg, struct slice offered, bool tls, struct buf *initial,
                         bool *ret_initial, const char **why)
{
    struct relay_login *l = arg;
    take_binding(l, offered);
    const char *name = choose(l, offered, tls);
    if (!name) {
        *why = why_none(l, offered, tls);
        return NULL;
    }
    const struct sasl_client_mechanism *m = sasl_client_find(slice_cstr(name));
    return sasl_client_start(&l->exchange, m, &l->data, initial, ret_initial, why) == OK ? name
                                                                                         : NULL;
}

static enum result respond(void *arg, struct slice challenge, struct buf *out, const char **why)
{
    struct relay_login *l = arg;
    return sasl_client_respond(&l->exchange, challenge, out, why);
}

static enum result finish(void *arg, const char **why)
{
    struct relay_login *l = arg;
    return sasl_client_finish(&l->exchange, why);
}

struct smtp_client_sasl relay_login_sasl(struct relay_login *l)
{
    return (struct smtp_client_sasl){
        .arg = l, .start = start, .respond = respond, .finish = finish};
}

void relay_login_wipe(struct relay_login *l)
{
    sasl_client_end(&l->exchange);
    explicit_bzero(&l->data, sizeof l->data);
}
