#include "conf/value.h"

#include "conf/dkim.h"
#include "conf/feedback.h"
#include "conf/items.h"
#include "conf/network.h"
#include "conf/quota.h"
#include "conf/tls.h"
#include "conf/users.h"

static enum result parse_bool(struct slice text, bool *ret, struct error *why)
{
    bool yes = slice_is_nocase(text, "yes");
    if (!yes && !slice_is_nocase(text, "no"))
        return error_set(why, INVALID, "`%.*s` is neither yes nor no", SLICE_ARG(text));
    *ret = yes;
    return OK;
}

static enum result check_range(const struct conf_setting *s, uint64_t n, int64_t *ret,
                               struct error *why)
{
    if (n > (uint64_t)s->max || (int64_t)n < s->min)
        return error_set(why, INVALID, "%llu is outside of %lld to %lld", (unsigned long long)n,
                         (long long)s->min, (long long)s->max);
    *ret = (int64_t)n;
    return OK;
}

static enum result parse_number(const struct conf_setting *s, struct slice text, int64_t *ret,
                                struct error *why)
{
    uint64_t n;
    if (slice_parse_u64(text, INT64_MAX, &n) != OK)
        return error_set(why, INVALID, "`%.*s` is not a whole number", SLICE_ARG(text));
    return check_range(s, n, ret, why);
}

/* Postfix's time: a number and s, m, h, d or w; seconds without a unit. */
static enum result parse_seconds(const struct conf_setting *s, struct slice text, int64_t *ret,
                                 struct error *why)
{
    static const struct {
        char unit;
        uint64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}};
    uint64_t n, factor = 1;
    struct slice digits = text;
    char last = text.len ? ascii_lower(text.data[text.len - 1]) : 0;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (last == units[i].unit) {
            factor = units[i].seconds;
            digits = slice_sub(text, 0, text.len - 1);
        }
    if (slice_parse_u64(digits, INT64_MAX / (7 * 86400), &n) != OK)
        return error_set(why, INVALID, "`%.*s` is no time: write a number and s, m, h, d or w",
                         SLICE_ARG(text));
    return check_range(s, n * factor, ret, why);
}

static bool separates(char c)
{
    return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static enum result parse_list(struct slice text, struct arena *a, struct slice_list *ret,
                              struct error *why)
{
    struct slice_list list = {arena_alloc_n(a, text.len / 2 + 1, sizeof *list.items), 0};
    if (!list.items)
        return error_set(why, FAILED, "the list is too long");
    for (size_t at = 0; at < text.len;) {
        size_t from = at;
        while (at < text.len && !separates(text.data[at]))
            at++;
        if (at > from)
            list.items[list.n++] = arena_dup(a, slice_sub(text, from, at - from));
        while (at < text.len && separates(text.data[at]))
            at++;
    }
    *ret = list;
    return arena_failed(a) ? error_set(why, FAILED, "the list is too long") : OK;
}

/* As a list, but what stands in braces is kept together: "inline:{a = b, c = d}, static:x". */
enum result conf_parse_maps(struct slice text, struct arena *a, struct slice_list *ret,
                            struct error *why)
{
    struct slice_list list = {arena_alloc_n(a, text.len / 2 + 1, sizeof *list.items), 0};
    if (!list.items)
        return error_set(why, FAILED, "the list is too long");
    size_t depth = 0, from = 0;
    for (size_t at = 0; at <= text.len; at++) {
        if (at < text.len && text.data[at] == '{')
            depth++;
        else if (at < text.len && text.data[at] == '}' && depth-- == 0)
            return error_set(why, INVALID, "a } without a { before it");
        if (at < text.len && (depth || !separates(text.data[at])))
            continue;
        if (at > from)
            list.items[list.n++] = arena_dup(a, slice_sub(text, from, at - from));
        from = at + 1;
    }
    if (depth)
        return error_set(why, INVALID, "a { is not closed with }");
    *ret = list;
    return arena_failed(a) ? error_set(why, FAILED, "the list is too long") : OK;
}

/* ---- what a setting takes beyond its kind ---- */

enum result conf_one_of(struct slice text, struct error *why, const char *const *words)
{
    struct buf all;
    for (const char *const *w = words; *w; w++)
        if (slice_is(text, *w))
            return OK;
    buf_init(&all, 160);
    for (const char *const *w = words; *w; w++)
        buf_printf(&all, "%s%s", w == words ? "" : w[1] ? ", " : " or ", *w);
    error_set(why, INVALID, "`%.*s` is not one of: %.*s", SLICE_ARG(text),
              SLICE_ARG(buf_slice(&all)));
    buf_release(&all);
    return INVALID;
}
#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static enum result check_log_level(struct slice text, struct error *why)
{
    return conf_one_of(text, why, WORDS("error", "warning", "info", "debug"));
}

static enum result check_protocol(struct slice text, struct error *why)
{
    struct slice rest = text;
    while (rest.data) {
        enum result r =
            conf_one_of(slice_trim(slice_split(&rest, ',')), why, WORDS("all", "ipv4", "ipv6"));
        if (r != OK)
            return r;
    }
    return OK;
}

static enum result check_mechanism(struct slice text, struct error *why)
{
    static const char *const known[] = {"plain",
                                        "login",
                                        "cram-md5",
                                        "scram-sha-1",
                                        "scram-sha-1-plus",
                                        "scram-sha-256",
                                        "scram-sha-256-plus",
                                        "external",
                                        "oauthbearer",
                                        "xoauth2",
                                        "anonymous"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (slice_is_nocase(text, known[i]))
            return OK;
    return error_set(why, INVALID,
                     "mechanism `%.*s` is not served; see auth_mechanisms in postrider.conf(5)",
                     SLICE_ARG(text));
}

static enum result check_security_option(struct slice text, struct error *why)
{
    return conf_one_of(text, why,
                       WORDS("noanonymous", "noplaintext", "noactive", "nodictionary",
                             "mutual_auth", "forward_secrecy"));
}

static enum result check_sasl_type(struct slice text, struct error *why)
{
    return conf_one_of(text, why, WORDS("cyrus", "dovecot"));
}

static enum result check_delimiter(struct slice text, struct error *why)
{
    if (text.len > 1)
        return error_set(why, INVALID, "`%.*s` must be one character", SLICE_ARG(text));
    return OK;
}

enum result conf_check_path(struct slice text, struct error *why)
{
    if (text.len && text.data[0] == '<')
        text = slice_trim(slice_from(text, 1));
    if (text.len && text.data[0] != '/')
        return error_set(why, INVALID, "`%.*s` must be a path that begins with /", SLICE_ARG(text));
    return OK;
}

static enum result check_url(struct slice text, struct error *why)
{
    struct listen_url url;
    if (listen_parse(text, &url) != OK)
        return error_set(why, INVALID,
                         "`%.*s` is no listener: write service://address:port with smtp, "
                         "smtps, submission, submissions, lmtp, pop3, pop3s, imap or imaps, or "
                         "lmtp:/path, saslauthd:/path or dovecot-auth:/path",
                         SLICE_ARG(text));
    return OK;
}

static enum result check_network(struct slice text, struct error *why)
{
    return network_check(text, why);
}

static enum result check_resolver(struct slice text, struct error *why)
{
    uint64_t port;
    size_t at = slice_rfind(text, ':');
    if (text.len && (at == SIZE_MAX || at == 0 ||
                     slice_parse_u64(slice_from(text, at + 1), 65535, &port) != OK))
        return error_set(why, INVALID, "`%.*s` must be address:port", SLICE_ARG(text));
    return OK;
}

static enum result check_hop(struct slice text, struct error *why)
{
    bool brackets = text.len && text.data[0] == '[';
    size_t end = brackets ? slice_find(text, ']') : slice_find(text, ':');
    struct slice host = slice_sub(text, brackets, end - brackets);
    struct slice rest = end == SIZE_MAX ? SLICE_NONE : slice_from(text, end + brackets);
    uint64_t port;
    if (host.len == 0 || (brackets && end == SIZE_MAX) ||
        (rest.len && (rest.data[0] != ':' ||
                      slice_parse_u64(slice_from(rest, 1), 65535, &port) != OK || port == 0)))
        return error_set(why, INVALID, "`%.*s` must be host, host:port, [host] or [host]:port",
                         SLICE_ARG(text));
    return OK;
}

/* One, or several to be tried in turn. */
static enum result check_relayhost(struct slice text, struct error *why)
{
    while (text.len) {
        size_t n = 0;
        while (n < text.len && text.data[n] != ',' && text.data[n] != ' ' && text.data[n] != '\t')
            n++;
        enum result r = n ? check_hop(slice_sub(text, 0, n), why) : OK;
        if (r != OK)
            return r;
        text = slice_from(text, n + 1);
    }
    return OK;
}

static enum result check_dkim_key(struct slice text, struct error *why)
{
    struct slice domain, selector, path;
    return conf_dkim_key(text, &domain, &selector, &path, why);
}

/* "disabled" would look names up by the system's libraries alone. */
static enum result check_dns_support(struct slice text, struct error *why)
{
    return text.len ? conf_one_of(text, why, WORDS("enabled", "dnssec")) : OK;
}

static enum result check_preference(struct slice text, struct error *why)
{
    if (slice_is_nocase(text, "any") || slice_is_nocase(text, "ipv4") ||
        slice_is_nocase(text, "ipv6"))
        return OK;
    return error_set(why, INVALID, "`%.*s` is none of any, ipv4 and ipv6", SLICE_ARG(text));
}

static enum result check_override(struct slice text, struct error *why)
{
    return conf_one_of(text, why,
                       WORDS("no_address_mappings", "no_unknown_recipient_checks",
                             "no_header_body_checks", "no_milters"));
}

/* It goes into a header field as it stands. */
static enum result check_contact(struct slice text, struct error *why)
{
    size_t at = slice_find(text, '@');
    bool plain = at != SIZE_MAX && at > 0 && at + 1 < text.len;
    for (size_t i = 0; i < text.len && plain; i++)
        plain = ascii_alnum(text.data[i]) || strchr("@.-_+=", text.data[i]);
    return plain ? OK : error_set(why, INVALID, "`%.*s` is no plain mail address", SLICE_ARG(text));
}

static const struct {
    const char *name;
    enum result (*check)(struct slice text, struct error *why); /* of TEXT, or of each in a LIST */
} checks[] = {
    {"listen", check_url},
    {"listen_if_free", check_url},
    {"socket_access", conf_check_socket_access},
    {"namespace", conf_check_namespace},
    {"mailbox", conf_check_mailbox},
    {"pipe_transports", conf_check_pipe},
    {"smtp_sasl_security_options", check_security_option},
    {"smtp_sasl_tls_security_options", check_security_option},
    {"default_destination_concurrency_positive_feedback", conf_check_feedback},
    {"default_destination_concurrency_negative_feedback", conf_check_feedback},
    {"smtp_address_preference", check_preference},
    {"lmtp_address_preference", check_preference},
    {"smtp_sasl_tls_verified_security_options", check_security_option},
    {"receive_override_options", check_override},
    {"quota_rule", conf_check_quota_rule},
    {"quota_grace", conf_check_quota_grace},
    {"postfix_config", conf_check_path},
    {"dovecot_config", conf_check_path},
    {"sasl_config", conf_check_path},
    {"state_directory", conf_check_path},
    {"users_file", conf_check_path},
    {"log_level", check_log_level},
    {"mynetworks", check_network},
    {"smtpd_client_event_limit_exceptions", check_network},
    {"permit_mx_backup_networks", check_network},
    {"proxy_interfaces", check_network},
    {"authorized_submit_users", conf_users_check},
    {"authorized_mailq_users", conf_users_check},
    {"authorized_flush_users", conf_users_check},
    {"inet_protocols", check_protocol},
    {"relayhost", check_relayhost},
    {"tls_report_contact", check_contact},
    {"smtp_dns_resolver", check_resolver},
    {"smtp_dns_support_level", check_dns_support},
    {"smtp_dnssec_trust_anchor_file", conf_check_path},
    {"dkim_keys", check_dkim_key},
    {"recipient_delimiter", check_delimiter},
    {"auth_mechanisms", check_mechanism},
    {"mech_list", check_mechanism},
    {"smtpd_sasl_type", check_sasl_type},
    {"smtpd_sasl_exceptions_networks", check_network},
    {"login_trusted_networks", check_network},
    {"smtpd_sasl_security_options", check_security_option},
    {"smtpd_sasl_tls_security_options", check_security_option},
};

static enum result check_text(const struct conf_setting *s, struct slice text, struct error *why)
{
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (strcmp(checks[i].name, s->name) == 0)
            return checks[i].check(text, why);
    return conf_tls_check(s->name, text, why);
}

static enum result set_list(const struct conf_setting *s, struct slice text, struct arena *a,
                            struct slice_list *ret, struct error *why)
{
    enum result r =
        s->kind == CONF_MAPS ? conf_parse_maps(text, a, ret, why) : parse_list(text, a, ret, why);
    for (size_t i = 0; r == OK && i < ret->n; i++)
        r = check_text(s, ret->items[i], why);
    return r;
}

enum result conf_set_value(struct conf *c, const struct conf_setting *s, struct slice text,
                           struct arena *a, struct error *why)
{
    void *at = (char *)c + s->offset;
    switch (s->kind) {
    case CONF_BOOL:
        return parse_bool(text, at, why);
    case CONF_NUMBER:
        return parse_number(s, text, at, why);
    case CONF_SECONDS:
        return parse_seconds(s, text, at, why);
    case CONF_LIST:
    case CONF_MAPS:
        return set_list(s, text, a, at, why);
    case CONF_TEXT:
        *(struct slice *)at = arena_dup(a, text);
        return arena_failed(a) ? error_set(why, FAILED, "no memory") : check_text(s, text, why);
    }
    return FAILED;
}
