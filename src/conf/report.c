/* report.c: see report.h. */
#include "conf/report.h"

#include "conf/postfix/parameters.h"
#include "conf/table.h"

enum { CHAIN_FILES_MAX = 8 /* role/certificates.h opens as many */ };

void conf_report_repeated(struct conf_scope *s, struct conf_errors *errors)
{
    struct conf_assignments *own = &s->layers[CONF_LAYER_OWN];
    for (size_t i = 0; i < own->n; i++)
        for (size_t j = 0; j < i; j++) {
            struct conf_assignment *a = &own->items[i], *b = &own->items[j];
            if (!a->line || !slice_eq(a->name, b->name) || !slice_eq(a->service, b->service))
                continue;
            conf_error(errors, a->file, a->line,
                       "`%.*s` is set already in line %u: remove one of them", SLICE_ARG(a->name),
                       b->line);
            break;
        }
}

/* A name that is no setting is Postfix's way to make a variable of one's own; unless nothing refers
 * to it, when it is a slip. */
static void report_own(struct conf_assignment *a, struct conf_errors *errors)
{
    const char *near = conf_suggest(a->name), *other = conf_served_by(a->name);
    if (a->used)
        return;
    if (other)
        conf_error(errors, a->file, a->line,
                   "`%.*s` is a parameter of %s that is not served yet: remove it",
                   SLICE_ARG(a->name), other);
    else if (near)
        conf_error(errors, a->file, a->line, "unknown parameter `%.*s`: did you mean `%s`?",
                   SLICE_ARG(a->name), near);
    else
        conf_error(errors, a->file, a->line,
                   "unknown parameter `%.*s`: remove it (`postrider config show` lists those "
                   "that there are)",
                   SLICE_ARG(a->name));
}

void conf_report_unknown(struct conf_scope *s, struct conf_errors *errors)
{
    for (size_t i = 0; i < s->layers[CONF_LAYER_OWN].n; i++) {
        struct conf_assignment *a = &s->layers[CONF_LAYER_OWN].items[i];
        if (conf_find(a->name) < CONF_SETTING_COUNT)
            continue; /* given twice: that is told */
        /* Over main.cf, Postfix's parameters may be set here too: postfix_report looks at them. */
        if (!s->postfix || !postfix_parameter_find(a->name))
            report_own(a, errors);
    }
}

struct combinations {
    struct conf_scope *scope;
    const char *file;
    struct conf_errors *errors;
};

static void contradiction(const struct combinations *c, const char *setting, const char *text)
{
    const struct conf_assignment *a = conf_scope_assignment(c->scope, slice_cstr(setting));
    conf_error(c->errors, a ? a->file : c->file, a ? a->line : 0, "%s", text);
}

/* Our own `listen` takes the place of all that the old stack's files would open. */
static void report_listen(const struct combinations *k, const struct conf *c)
{
    const struct conf_assignment *a = conf_scope_assignment(k->scope, SLICE("listen"));
    bool mail = false;
    if (!a || (c->postfix_config.len == 0 && c->dovecot_config.len == 0))
        return;
    for (size_t i = 0; i < c->listen.n; i++)
        mail |= !slice_starts(c->listen.items[i], SLICE("saslauthd:")) &&
                !slice_starts(c->listen.items[i], SLICE("dovecot-auth:"));
    if (!mail && a->grammar == CONF_OWN)
        conf_warn(k->errors, a->file, a->line,
                  "listen replaces the services of master.cf and dovecot.conf: none for mail is "
                  "left; a socket beside them belongs into listen_if_free");
}

/* Of what relay shows. */
static void report_client_certificates(const struct combinations *k, const struct conf *c)
{
    const struct {
        struct slice cert, key;
        const char *setting, *text;
    } keys[] = {
        {c->smtp_tls_cert_file, c->smtp_tls_key_file, "smtp_tls_key_file",
         "smtp_tls_key_file is set but smtp_tls_cert_file is not"},
        {c->smtp_tls_eccert_file, c->smtp_tls_eckey_file, "smtp_tls_eckey_file",
         "smtp_tls_eckey_file is set but smtp_tls_eccert_file is not"},
        {c->lmtp_tls_cert_file, c->lmtp_tls_key_file, "lmtp_tls_key_file",
         "lmtp_tls_key_file is set but lmtp_tls_cert_file is not"},
        {c->lmtp_tls_eccert_file, c->lmtp_tls_eckey_file, "lmtp_tls_eckey_file",
         "lmtp_tls_eckey_file is set but lmtp_tls_eccert_file is not"},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].cert.len == 0 && keys[i].key.len)
            contradiction(k, keys[i].setting, keys[i].text);
}

/* Postfix would go on at level may, with a warning for each message. */
static void report_dane(const struct combinations *k, const struct conf *c)
{
    const struct {
        const char *setting;
        struct slice level;
    } levels[] = {{"smtp_tls_security_level", c->smtp_tls_security_level},
                  {"lmtp_tls_security_level", c->lmtp_tls_security_level}};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (slice_starts_nocase(levels[i].level, SLICE("dane")) &&
            !slice_is_nocase(c->smtp_dns_support_level, "dnssec"))
            contradiction(k, levels[i].setting,
                          "TLS level dane needs smtp_dns_support_level = dnssec");
}

void conf_report_combinations(struct conf_scope *s, const struct conf *c, const char *file,
                              struct conf_errors *errors)
{
    const struct combinations k = {s, file, errors};
    if (c->minimal_backoff_time > c->maximal_backoff_time)
        contradiction(&k, "minimal_backoff_time",
                      "minimal_backoff_time is longer than maximal_backoff_time");
    if (slice_find(c->myhostname, '.') == SIZE_MAX && c->myhostname.len && !s->postfix)
        contradiction(&k, "myhostname",
                      "myhostname has no domain: write the full name of this host");
    report_listen(&k, c);
    report_dane(&k, c);
    report_client_certificates(&k, c);
    if (c->smtpd_tls_chain_files.n > CHAIN_FILES_MAX)
        contradiction(&k, "smtpd_tls_chain_files", "smtpd_tls_chain_files: more than 8 files");
    if (c->smtpd_tls_cert_file.len == 0 && c->smtpd_tls_key_file.len)
        contradiction(&k, "smtpd_tls_key_file",
                      "smtpd_tls_key_file is set but smtpd_tls_cert_file is not");
    const struct conf_assignment *required = conf_scope_assignment(s, SLICE("smtpd_tls_req_ccert"));
    if (required && c->smtpd_tls_req_ccert && s->postfix &&
        !slice_is(c->smtpd_tls_security_level, "encrypt"))
        conf_warn(errors, required->file, required->line,
                  "smtpd_tls_req_ccert: where TLS is optional, clients are asked for a certificate "
                  "and need none: set smtpd_tls_security_level = encrypt");
    if (c->smtpd_tls_eccert_file.len == 0 && c->smtpd_tls_eckey_file.len)
        contradiction(&k, "smtpd_tls_eckey_file",
                      "smtpd_tls_eckey_file is set but smtpd_tls_eccert_file is not");
    if ((c->ssl_alt_cert.len == 0) != (c->ssl_alt_key.len == 0))
        contradiction(&k, c->ssl_alt_cert.len ? "ssl_alt_cert" : "ssl_alt_key",
                      "ssl_alt_cert and ssl_alt_key must be set both");
    if ((c->ssl_cert.len == 0) != (c->ssl_key.len == 0))
        contradiction(&k, c->ssl_cert.len ? "ssl_cert" : "ssl_key",
                      "ssl_cert and ssl_key must be set both");
}
