#include "conf/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/dkim.h"
#include "conf/source.h"

struct looking {
    const struct conf *conf;
    struct conf_errors *errors;
};

static void tell(struct looking *l, const char *setting, const char *path, int why)
{
    const char *source = conf_source(l->conf, setting);
    bool postfix = l->conf->postfix_config.len && strncmp(setting, "smtpd_tls_", 10) == 0;
    bool authority = strstr(setting, "_tls_CA") || strcmp(setting, "ssl_ca") == 0;
    bool outgoing = strncmp(setting, "smtp_", 5) == 0 || strncmp(setting, "lmtp_", 5) == 0;
    if (strcmp(setting, "smtp_dnssec_trust_anchor_file") == 0 && why != EACCES)
        conf_warn(
            l->errors, source, 0,
            "%s: %s: %s; mail at TLS level dane waits: install dns-root-data, or name another "
            "file with the root's key",
            setting, path, strerror(why));
    else if (why == EACCES && geteuid() != 0)
        conf_note(l->errors, source, 0, "%s: %s can't be looked at by you", setting, path);
    else if (authority)
        conf_warn(l->errors, source, 0, "%s: %s: %s; no %s's certificate is verified by it",
                  setting, path, strerror(why), outgoing ? "server" : "client");
    else if (postfix)
        conf_warn(l->errors, source, 0, "%s: %s: %s; SMTP will not offer TLS with it", setting,
                  path, strerror(why));
    else
        conf_error(l->errors, source, 0, "%s: %s: %s; make the file, or remove the setting",
                   setting, path, strerror(why));
}

struct slice conf_path(struct slice value)
{
    return slice_trim(slice_from(value, slice_starts(value, SLICE("<"))));
}

static void look(struct looking *l, const char *setting, struct slice path)
{
    char name[4096];
    path = conf_path(path);
    if (path.len == 0 || path.data[0] != '/' || path.len >= sizeof name)
        return;
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(path));
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        tell(l, setting, name, errno);
    else
        close(fd);
}

static void look_at_list(struct looking *l, const char *setting, struct slice_list paths)
{
    for (size_t i = 0; i < paths.n; i++)
        look(l, setting, paths.items[i]);
}

static void look_at_dkim(struct looking *l)
{
    for (size_t i = 0; i < l->conf->dkim_keys.n; i++) {
        struct slice domain, selector, path;
        if (conf_dkim_key(l->conf->dkim_keys.items[i], &domain, &selector, &path, NULL) == OK)
            look(l, "dkim_keys", path);
    }
}

static void look_at_tokens(struct looking *l)
{
    for (size_t i = 0; i < l->conf->oauth2_keys.n; i++) {
        struct slice item = l->conf->oauth2_keys.items[i];
        look(l, "oauth2_keys", slice_from(item, slice_starts(item, SLICE("hs256:")) ? 6 : 0));
    }
}

enum result conf_paths_check(const struct conf *c, struct conf_errors *errors)
{
    const struct {
        const char *setting;
        struct slice path;
    } files[] = {
        {"smtpd_tls_cert_file", c->smtpd_tls_cert_file},
        {"smtpd_tls_key_file", c->smtpd_tls_key_file},
        {"smtpd_tls_eccert_file", c->smtpd_tls_eccert_file},
        {"smtpd_tls_eckey_file", c->smtpd_tls_eckey_file},
        {"smtpd_tls_CAfile", c->smtpd_tls_CAfile},
        {"smtpd_tls_CApath", c->smtpd_tls_CApath},
        {"smtp_tls_CAfile", c->smtp_tls_CAfile},
        {"smtp_tls_CApath", c->smtp_tls_CApath},
        {"lmtp_tls_CAfile", c->lmtp_tls_CAfile},
        {"lmtp_tls_CApath", c->lmtp_tls_CApath},
        {"smtp_tls_cert_file", c->smtp_tls_cert_file},
        {"smtp_tls_key_file", c->smtp_tls_key_file},
        {"smtp_tls_eccert_file", c->smtp_tls_eccert_file},
        {"smtp_tls_eckey_file", c->smtp_tls_eckey_file},
        {"lmtp_tls_cert_file", c->lmtp_tls_cert_file},
        {"lmtp_tls_key_file", c->lmtp_tls_key_file},
        {"lmtp_tls_eccert_file", c->lmtp_tls_eccert_file},
        {"lmtp_tls_eckey_file", c->lmtp_tls_eckey_file},
        {"ssl_cert", c->ssl_cert},
        {"ssl_key", c->ssl_key},
        {"ssl_alt_cert", c->ssl_alt_cert},
        {"ssl_alt_key", c->ssl_alt_key},
        {"ssl_ca", c->ssl_ca},
    };
    struct looking l = {c, errors};
    unsigned before = errors->count;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (!conf_source_is_default(conf_source(c, files[i].setting)))
            look(&l, files[i].setting, files[i].path);
    if (slice_is_nocase(c->smtp_dns_support_level, "dnssec"))
        look(&l, "smtp_dnssec_trust_anchor_file", c->smtp_dnssec_trust_anchor_file);
    look_at_list(&l, "smtpd_tls_chain_files", c->smtpd_tls_chain_files);
    look_at_list(&l, "smtp_tls_chain_files", c->smtp_tls_chain_files);
    look_at_list(&l, "smtp_tls_trust_anchor_file", c->smtp_tls_trust_anchor_file);
    look_at_list(&l, "lmtp_tls_chain_files", c->lmtp_tls_chain_files);
    look_at_list(&l, "lmtp_tls_trust_anchor_file", c->lmtp_tls_trust_anchor_file);
    look_at_dkim(&l);
    look_at_tokens(&l);
    return errors->count == before ? OK : INVALID;
}
