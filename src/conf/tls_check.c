/* tls_check.c: which values the settings of TLS take. */
#include "conf/fields.h"
#include "conf/network.h"
#include "conf/tls.h"
#include "conf/value.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static enum result check_level(struct slice text, struct error *why)
{
    return conf_one_of(text, why, WORDS("none", "may", "encrypt"));
}

static enum result check_client_level(struct slice text, struct error *why)
{
    return conf_one_of(
        text, why,
        WORDS("none", "may", "encrypt", "fingerprint", "dane", "dane-only", "verify", "secure"));
}

static enum result check_lmtp_level(struct slice text, struct error *why)
{
    return text.len ? check_client_level(text, why) : OK;
}

static enum result check_insecure_mx(struct slice text, struct error *why)
{
    return conf_one_of(text, why, WORDS("may", "encrypt", "dane"));
}

static enum result check_servername(struct slice text, struct error *why)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_alnum(text.data[i]) && !strchr(".-_", text.data[i]))
            return error_set(why, INVALID, "`%.*s` is no name of a host", SLICE_ARG(text));
    return OK;
}

static enum result check_ssl(struct slice text, struct error *why)
{
    return conf_one_of(text, why, WORDS("no", "yes", "required"));
}

static enum result check_grade(struct slice text, struct error *why)
{
    return conf_one_of(text, why, WORDS("high", "medium", "low", "export", "null"));
}

static enum result check_digest(struct slice text, struct error *why)
{
    return conf_one_of(text, why, WORDS("md5", "sha1", "sha224", "sha256", "sha384", "sha512"));
}

static enum result check_ssl_option(struct slice text, struct error *why)
{
    return conf_one_of(text, why, WORDS("no_ticket", "no_compression"));
}

static enum result check_field(struct slice text, struct error *why)
{
    return conf_one_of(text, why, WORDS("commonName", "emailAddress", "rfc822Name"));
}

static enum result check_mta_sts(struct slice text, struct error *why)
{
    return conf_one_of(text, why, WORDS("enforce", "testing", "no"));
}

static enum result check_protocols(struct slice text, struct error *why)
{
    unsigned ignored;
    return conf_tls_protocols(text, &ignored, why);
}

static enum result check_least(struct slice text, struct error *why)
{
    unsigned ignored;
    return conf_tls_least(text, &ignored, why);
}

static enum result only(struct slice text, const char *others, struct error *why)
{
    for (size_t i = 0; i < text.len; i++)
        if (!ascii_alnum(text.data[i]) && !strchr(others, text.data[i]))
            return error_set(why, INVALID, "`%.*s` is no cipher list: there is a `%c` in it",
                             SLICE_ARG(text), text.data[i]);
    return OK;
}

static enum result check_ciphers(struct slice text, struct error *why)
{
    return only(text, "-_+!@=.:, ", why);
}

static enum result check_excluded(struct slice text, struct error *why)
{
    return only(text, "-_+.:", why);
}

static enum result check_paths(struct slice item, struct error *why)
{
    static const char *const keys[] = {"cert", "key", "chain", "alt_cert", "alt_key"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        struct slice path = conf_field(item, keys[i]);
        if (path.len && path.data[0] != '/')
            return error_set(why, INVALID, "%s: `%.*s` must be a path that begins with /", keys[i],
                             SLICE_ARG(path));
    }
    bool pair = conf_field(item, "cert").len && conf_field(item, "key").len;
    if (pair != (conf_field(item, "chain").len == 0))
        return error_set(why, INVALID, "an item needs cert and key, or chain");
    if ((conf_field(item, "alt_cert").len == 0) != (conf_field(item, "alt_key").len == 0))
        return error_set(why, INVALID, "alt_cert and alt_key go together");
    return OK;
}

static enum result check_certificate(struct slice item, struct error *why)
{
    static const char *const keys[] = {"name",     "address", "cert", "key", "chain",
                                       "alt_cert", "alt_key", "for",  NULL};
    struct slice use = conf_field(item, "for"), address = conf_field(item, "address");
    enum result r = conf_fields_check(item, keys, why);
    if (r == OK && use.len && !slice_is(use, "smtp") && !slice_is(use, "login"))
        r = error_set(why, INVALID, "for: `%.*s` is neither smtp nor login", SLICE_ARG(use));
    if (r == OK && address.len)
        r = network_check(address, why);
    if (r == OK && !address.len && !conf_field(item, "name").len)
        r = error_set(why, INVALID, "an item needs a name or an address");
    return r == OK ? check_paths(item, why) : r;
}

static enum result check_names(struct slice spec, struct error *why)
{
    static const char *const types[] = {
        "hash:", "btree:", "lmdb:", "cdb:", "dbm:", "texthash:", "inline:{", "inline: {"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (slice_starts(spec, slice_cstr(types[i])))
            return OK;
    return error_set(why, INVALID,
                     "`%.*s`: the files that it names must be known before a client asks: use "
                     "hash, btree, lmdb, cdb, dbm, texthash or inline",
                     SLICE_ARG(spec));
}

static const struct {
    const char *name;
    enum result (*check)(struct slice text, struct error *why);
} checks[] = {
    {"smtpd_tls_security_level", check_level},
    {"smtp_tls_security_level", check_client_level},
    {"lmtp_tls_security_level", check_lmtp_level},
    {"smtp_tls_dane_insecure_mx_policy", check_insecure_mx},
    {"smtp_mta_sts", check_mta_sts},
    {"smtp_tls_servername", check_servername},
    {"lmtp_tls_servername", check_servername},
    {"smtp_tls_fingerprint_digest", check_digest},
    {"lmtp_tls_fingerprint_digest", check_digest},
    {"smtp_tls_CAfile", conf_check_path},
    {"smtp_tls_trust_anchor_file", conf_check_path},
    {"smtp_tls_CApath", conf_check_path},
    {"lmtp_tls_CAfile", conf_check_path},
    {"lmtp_tls_trust_anchor_file", conf_check_path},
    {"lmtp_tls_CApath", conf_check_path},
    {"smtp_tls_cert_file", conf_check_path},
    {"smtp_tls_key_file", conf_check_path},
    {"smtp_tls_eccert_file", conf_check_path},
    {"smtp_tls_eckey_file", conf_check_path},
    {"smtp_tls_chain_files", conf_check_path},
    {"lmtp_tls_cert_file", conf_check_path},
    {"lmtp_tls_key_file", conf_check_path},
    {"lmtp_tls_eccert_file", conf_check_path},
    {"lmtp_tls_eckey_file", conf_check_path},
    {"lmtp_tls_chain_files", conf_check_path},
    {"ssl", check_ssl},
    {"ssl_options", check_ssl_option},
    {"ssl_cert_username_field", check_field},
    {"smtpd_tls_fingerprint_digest", check_digest},
    {"smtpd_tls_cert_file", conf_check_path},
    {"smtpd_tls_key_file", conf_check_path},
    {"ssl_cert", conf_check_path},
    {"ssl_key", conf_check_path},
    {"smtpd_tls_CAfile", conf_check_path},
    {"smtpd_tls_CApath", conf_check_path},
    {"ssl_ca", conf_check_path},
    {"smtpd_tls_chain_files", conf_check_path},
    {"smtpd_tls_eccert_file", conf_check_path},
    {"smtpd_tls_eckey_file", conf_check_path},
    {"ssl_alt_cert", conf_check_path},
    {"ssl_alt_key", conf_check_path},
    {"tls_certificates", check_certificate},
    {"tls_server_sni_maps", check_names},
    {"ssl_min_protocol", check_least},
    {"smtpd_tls_protocols", check_protocols},
    {"smtpd_tls_ciphers", check_grade},
    {"smtpd_tls_exclude_ciphers", check_excluded},
    {"smtpd_tls_mandatory_protocols", check_protocols},
    {"smtpd_tls_mandatory_ciphers", check_grade},
    {"smtpd_tls_mandatory_exclude_ciphers", check_excluded},
    {"smtp_tls_protocols", check_protocols},
    {"smtp_tls_ciphers", check_grade},
    {"smtp_tls_exclude_ciphers", check_excluded},
    {"smtp_tls_mandatory_protocols", check_protocols},
    {"smtp_tls_mandatory_ciphers", check_grade},
    {"smtp_tls_mandatory_exclude_ciphers", check_excluded},
    {"lmtp_tls_protocols", check_protocols},
    {"lmtp_tls_ciphers", check_grade},
    {"lmtp_tls_exclude_ciphers", check_excluded},
    {"lmtp_tls_mandatory_protocols", check_protocols},
    {"lmtp_tls_mandatory_ciphers", check_grade},
    {"lmtp_tls_mandatory_exclude_ciphers", check_excluded},
    {"tls_high_cipherlist", check_ciphers},
    {"tls_medium_cipherlist", check_ciphers},
    {"tls_low_cipherlist", check_ciphers},
    {"tls_export_cipherlist", check_ciphers},
    {"tls_null_cipherlist", check_ciphers},
    {"tls_eecdh_auto_curves", check_ciphers},
    {"ssl_cipher_list", check_ciphers},
    {"ssl_cipher_suites", check_ciphers},
    {"ssl_curve_list", check_ciphers},
};

enum result conf_tls_check(const char *name, struct slice text, struct error *why)
{
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (strcmp(checks[i].name, name) == 0)
            return checks[i].check(text, why);
    return OK;
}
