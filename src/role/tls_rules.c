/* tls_rules.c: see tls_rules.h. */
#include "role/tls_rules.h"

#include "conf/tls.h"

_Static_assert((int)CONF_TLS_1_0 == TLS_VERSION_1_0 && (int)CONF_TLS_1_1 == TLS_VERSION_1_1 &&
                   (int)CONF_TLS_1_2 == TLS_VERSION_1_2 && (int)CONF_TLS_1_3 == TLS_VERSION_1_3,
               "the bits of conf/tls.h are those of io/tls.h");

enum { CIPHERS_MAX = 16384, CURVES_MAX = 4096 };

/* What a grade means (postconf(5) smtpd_tls_ciphers). */
static struct slice cipher_list(const struct conf *c, struct slice grade)
{
    if (slice_is(grade, "high"))
        return c->tls_high_cipherlist;
    if (slice_is(grade, "low"))
        return c->tls_low_cipherlist;
    if (slice_is(grade, "export"))
        return c->tls_export_cipherlist;
    return slice_is(grade, "null") ? c->tls_null_cipherlist : c->tls_medium_cipherlist;
}

static void exclude(struct slice_list names, struct buf *out)
{
    for (size_t i = 0; i < names.n; i++)
        for (struct slice rest = names.items[i]; rest.data;) {
            struct slice name = slice_split(&rest, ':');
            if (name.len)
                buf_printf(out, ":!%.*s", SLICE_ARG(name));
        }
}

/* NULL would be OpenSSL's own list, without what the settings exclude: so it is an error. */
static enum result keep(struct arena *a, struct buf *b, const char *setting, const char **ret,
                        struct error *err)
{
    enum result r = OK;
    if (!buf_ok(b))
        r = error_set(err, LIMIT, "%s: the list is too long", setting);
    else if (!(*ret = arena_dup(a, buf_slice(b)).data))
        r = error_set(err, FAILED, "no memory");
    buf_release(b);
    return r;
}

/* Names with ':' between, as OpenSSL wants them. */
static enum result with_colons(struct slice names, struct arena *a, const char *setting,
                               const char **ret, struct error *err)
{
    struct buf b;
    buf_init(&b, CURVES_MAX);
    for (size_t i = 0; i < names.len; i++) {
        bool space = names.data[i] == ' ' || names.data[i] == ',' || names.data[i] == '\t';
        buf_putc(&b, space ? ':' : names.data[i]);
    }
    return keep(a, &b, setting, ret, err);
}

/* Postfix's settings of one side. */
struct side {
    const char *setting;
    struct slice protocols, grade;
    struct slice_list excluded, more_excluded;
    const char *always_excluded; /* or NULL */
};

static enum result take_side(const struct conf *c, const struct side *s, struct arena *a,
                             struct tls_rules *ret, struct error *err)
{
    struct buf ciphers;
    *ret = (struct tls_rules){.setting = s->setting};
    /* It was checked when it was read; else the default, which is safe. */
    if (conf_tls_protocols(s->protocols, &ret->versions, NULL) != OK)
        ret->versions = 0;
    enum result r =
        with_colons(c->tls_eecdh_auto_curves, a, "tls_eecdh_auto_curves", &ret->curves, err);
    if (r != OK)
        return r;
    buf_init(&ciphers, CIPHERS_MAX);
    buf_append(&ciphers, cipher_list(c, s->grade));
    exclude(s->excluded, &ciphers);
    exclude(s->more_excluded, &ciphers);
    if (s->always_excluded)
        buf_printf(&ciphers, ":!%s", s->always_excluded);
    return keep(a, &ciphers, s->setting, &ret->ciphers, err);
}

enum result tls_rules_smtpd(const struct conf *c, bool mandatory, struct arena *a,
                            struct tls_rules *ret, struct error *err)
{
    const struct side may = {"smtpd_tls_ciphers",
                             c->smtpd_tls_protocols,
                             c->smtpd_tls_ciphers,
                             c->smtpd_tls_exclude_ciphers,
                             {NULL, 0},
                             NULL};
    const struct side must = {
        "smtpd_tls_mandatory_ciphers",          c->smtpd_tls_mandatory_protocols,
        c->smtpd_tls_mandatory_ciphers,         c->smtpd_tls_exclude_ciphers,
        c->smtpd_tls_mandatory_exclude_ciphers, NULL};
    enum result r = take_side(c, mandatory ? &must : &may, a, ret, err);
    ret->server_order = c->tls_preempt_cipherlist;
    return r;
}

void tls_policy_settings(const struct conf *c, bool lmtp, struct tls_policy_settings *ret)
{
    *ret = (struct tls_policy_settings){
        .level = c->smtp_tls_security_level,
        .protocols = {c->smtp_tls_protocols, c->smtp_tls_mandatory_protocols},
        .ciphers = {c->smtp_tls_ciphers, c->smtp_tls_mandatory_ciphers},
        .exclude = c->smtp_tls_exclude_ciphers,
        .mandatory_exclude = c->smtp_tls_mandatory_exclude_ciphers,
        .verify_match = c->smtp_tls_verify_cert_match,
        .secure_match = c->smtp_tls_secure_cert_match,
        .fingerprint_match = c->smtp_tls_fingerprint_cert_match,
        .servername = c->smtp_tls_servername,
        .insecure_mx = c->smtp_tls_dane_insecure_mx_policy};
    if (lmtp)
        *ret = (struct tls_policy_settings){
            .level = c->lmtp_tls_security_level,
            .protocols = {c->lmtp_tls_protocols, c->lmtp_tls_mandatory_protocols},
            .ciphers = {c->lmtp_tls_ciphers, c->lmtp_tls_mandatory_ciphers},
            .exclude = c->lmtp_tls_exclude_ciphers,
            .mandatory_exclude = c->lmtp_tls_mandatory_exclude_ciphers,
            .verify_match = c->lmtp_tls_verify_cert_match,
            .secure_match = c->lmtp_tls_secure_cert_match,
            .fingerprint_match = c->lmtp_tls_fingerprint_cert_match,
            .servername = c->lmtp_tls_servername,
            .insecure_mx = c->smtp_tls_dane_insecure_mx_policy};
}

enum result tls_rules_client(const struct conf *c, bool lmtp, const struct tls_policy *p,
                             struct arena *a, struct tls_rules *ret, struct error *err)
{
    struct tls_policy_settings s;
    const struct slice_list none = {NULL, 0};
    bool mandatory = p->level > TLS_LEVEL_MAY;
    tls_policy_settings(c, lmtp, &s);
    const struct side side = {
        .setting = lmtp ? "TLS towards LMTP servers" : "TLS towards other servers",
        .protocols = p->protocols.data ? p->protocols : s.protocols[mandatory],
        .grade = p->ciphers.data ? p->ciphers : s.ciphers[mandatory],
        .excluded = p->own_exclude ? p->exclude : s.exclude,
        .more_excluded = p->own_exclude || !mandatory ? none : s.mandatory_exclude,
        /* TLS_README: what is required encrypts, and who must be known shows a certificate. */
        .always_excluded = p->level > TLS_LEVEL_ENCRYPT ? "aNULL"
                           : mandatory                  ? "eNULL"
                                                        : NULL};
    return take_side(c, &side, a, ret, err);
}

static bool has_option(const struct conf *c, const char *name)
{
    for (size_t i = 0; i < c->ssl_options.n; i++)
        if (slice_is(c->ssl_options.items[i], name))
            return true;
    return false;
}

enum result tls_rules_login(const struct conf *c, struct arena *a, struct tls_rules *ret,
                            struct error *err)
{
    *ret = (struct tls_rules){.setting = "ssl_cipher_list",
                              .ciphers = c->ssl_cipher_list.data,
                              .suites = c->ssl_cipher_suites.data,
                              .server_order = c->ssl_prefer_server_ciphers,
                              .no_tickets = has_option(c, "no_ticket")};
    if (conf_tls_least(c->ssl_min_protocol, &ret->versions, NULL) != OK)
        ret->versions = 0;
    return with_colons(c->ssl_curve_list, a, "ssl_curve_list", &ret->curves, err);
}
