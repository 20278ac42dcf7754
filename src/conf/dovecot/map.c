/* map.c: walks the tree of dovecot.conf: what is one setting there and one here, and what each
 * subject takes. */
#include "conf/dovecot/map.h"

#include "conf/fields.h"
#include "conf/lines.h"

/* Dovecot 2.3's default of ssl_cipher_list. */
#define DOVECOT_CIPHERS                                                                            \
    "ALL:!kRSA:!SRP:!kDHd:!DSS:!aNULL:!eNULL:!EXPORT:!DES:!3DES:!MD5:!PSK:!RC4:!ADH:!LOW@STRENGTH"

const struct dovecot_default dovecot_defaults[] = {
    {"users_file", ""},
    {"login_greeting", "Dovecot ready."},
    {"auth_mechanisms", "plain"},
    {"ssl_cipher_list", DOVECOT_CIPHERS},
    {"ssl_prefer_server_ciphers", "no"},
    {"ssl_require_crl", "yes"},
    {"quota_full_tempfail", "no"},
    {"imap_quota", "no"},
    {"quota_grace", "10%"},
    {NULL, NULL},
};

void map_set(struct map_dovecot *m, const struct dovecot_node *n, const char *name,
             struct slice value)
{
    m->sink->set(m->sink->arg, name, arena_dup(m->arena, value), n->file, n->line);
}

void map_note(struct map_dovecot *m, const struct dovecot_node *n, const char *format, ...)
{
    struct buf text;
    va_list ap;
    buf_init(&text, 4096);
    va_start(ap, format);
    buf_vprintf(&text, format, ap);
    va_end(ap);
    struct slice copy = arena_dup(m->arena, buf_slice(&text));
    buf_release(&text);
    if (copy.data)
        m->sink->note(m->sink->arg, n->file, n->line, copy.data);
}

void map_error(struct map_dovecot *m, const struct dovecot_node *n, const char *format, ...)
{
    struct buf text;
    va_list ap;
    buf_init(&text, 4096);
    va_start(ap, format);
    buf_vprintf(&text, format, ap);
    va_end(ap);
    conf_error(m->errors, n->file, n->line, "%.*s", SLICE_ARG(buf_slice(&text)));
    buf_release(&text);
}

struct slice map_value(struct map_dovecot *m, const struct dovecot_node *n)
{
    struct buf text;
    struct error why = {""};
    if (!n->from_file)
        return n->value;
    buf_init(&text, DOVECOT_FILE_MAX + 8192);
    enum result r = m->source->read(m->source->arg, n->value.data, &text, &why);
    struct slice value = SLICE("");
    if (r == OK)
        value = arena_dup(m->arena, slice_trim(buf_slice(&text)));
    else
        map_error(m, n, "%s", why.text);
    buf_release(&text);
    return value;
}

void map_field(struct map_dovecot *m, const struct dovecot_node *n, struct buf *item,
               const char *key, struct slice value)
{
    if (conf_field_put(item, key, value) != OK)
        map_error(m, n, "%s: a line break, or braces that don't match, can't be taken over", key);
}

bool map_yes(struct map_dovecot *m, const struct dovecot_node *n, bool fallback)
{
    if (slice_is_nocase(n->value, "yes") || slice_is_nocase(n->value, "y") ||
        slice_is(n->value, "1"))
        return true;
    if (slice_is_nocase(n->value, "no") || slice_is_nocase(n->value, "n") ||
        slice_is(n->value, "0"))
        return false;
    map_error(m, n, "%.*s: `%.*s` is neither yes nor no", SLICE_ARG(n->key), SLICE_ARG(n->value));
    return fallback;
}

/* ---- settings with a meaning of their own ---- */

static struct slice yes_no(bool yes)
{
    return yes ? SLICE("yes") : SLICE("no");
}

static void map_allow_cleartext(struct map_dovecot *m, const struct dovecot_node *n)
{
    map_set(m, n, "disable_plaintext_auth", yes_no(!map_yes(m, n, false)));
}

static void map_disable_plaintext(struct map_dovecot *m, const struct dovecot_node *n)
{
    map_set(m, n, "disable_plaintext_auth", yes_no(map_yes(m, n, true)));
}

/* ssl = required means disable_plaintext_auth = yes too, whatever that says. */
static void map_ssl(struct map_dovecot *m, const struct dovecot_node *n)
{
    if (slice_is(n->value, "required"))
        map_set(m, n, "disable_plaintext_auth", SLICE("yes"));
    map_set(m, n, "ssl", n->value);
}

/* 1.x: the other way round. */
static void map_ssl_disable(struct map_dovecot *m, const struct dovecot_node *n)
{
    map_set(m, n, "ssl", yes_no(!map_yes(m, n, false)));
    map_note(m, n, "ssl_disable is of Dovecot 1: write ssl = %s",
             map_yes(m, n, false) ? "no" : "yes");
}

static void map_seconds(struct map_dovecot *m, const struct dovecot_node *n)
{
    int64_t seconds;
    if (dovecot_seconds(n->value, &seconds) != OK) {
        map_error(m, n, "%.*s: `%.*s` is no time", SLICE_ARG(n->key), SLICE_ARG(n->value));
        return;
    }
    const char *text = arena_printf(m->arena, "%llds", (long long)seconds);
    if (text)
        map_set(m, n, arena_dup(m->arena, n->key).data, slice_cstr(text));
}

/* Our own name for the same thing. */
static const struct {
    const char *theirs, *ours;
} same[] = {
    {"login_greeting", "login_greeting"},
    {"auth_mechanisms", "auth_mechanisms"},
    {"mail_max_userip_connections", "mail_max_userip_connections"},
    {"auth_username_format", "auth_username_format"},
    {"auth_default_realm", "auth_default_realm"},
    {"auth_realms", "auth_realms"},
    {"login_trusted_networks", "login_trusted_networks"},
    {"first_valid_uid", "first_valid_uid"},
    {"last_valid_uid", "last_valid_uid"},
    {"ssl_min_protocol", "ssl_min_protocol"},
    {"ssl_cipher_list", "ssl_cipher_list"},
    {"ssl_cipher_suites", "ssl_cipher_suites"},
    {"ssl_curve_list", "ssl_curve_list"},
    {"ssl_prefer_server_ciphers", "ssl_prefer_server_ciphers"},
    {"ssl_verify_client_cert", "ssl_verify_client_cert"},
    {"ssl_request_client_cert", "ssl_verify_client_cert"},
    {"ssl_server_request_client_cert", "ssl_verify_client_cert"},
    {"ssl_require_crl", "ssl_require_crl"},
    {"ssl_server_require_crl", "ssl_require_crl"},
    {"ssl_cert_username_field", "ssl_cert_username_field"},
    {"ssl_server_cert_username_field", "ssl_cert_username_field"},
    {"auth_ssl_require_client_cert", "auth_ssl_require_client_cert"},
    {"auth_ssl_username_from_cert", "auth_ssl_username_from_cert"},
    {"postmaster_address", "postmaster_address"},
    {"mail_location", "mail_location"},
    {"mail_home", "mail_home"},
    {"mail_path", "mail_path"},
    {"mail_driver", "mail_driver"},
    {"mail_inbox_path", "mail_inbox_path"},
};

static const struct {
    const char *key;
    map_dovecot_fn *run;
} special[] = {
    {"disable_plaintext_auth", map_disable_plaintext},
    {"auth_allow_cleartext", map_allow_cleartext},
    {"ssl", map_ssl},
    {"ssl_disable", map_ssl_disable},
    {"auth_failure_delay", map_seconds},
    {"ssl_options", map_ssl_options},
    {"ssl_server_prefer_ciphers", map_prefer_ciphers},
};

/* The subjects read these themselves. */
static const char *const elsewhere[] = {
    "quota_storage_size",
    "quota_message_count",
    "quota_storage_grace",
    "quota_mail_size",
    "quota_exceeded_message",
    "quota_full_tempfail",
    "protocols",
    "listen",
    "ssl_listen",
    "imap_listen",
    "imaps_listen",
    "pop3_listen",
    "pop3s_listen",
    "base_dir",
    "auth_passdb",
    "auth_userdb",
    "mail_plugins",
    "auth",
    "login",
    "dovecot_config_version",
    "dovecot_storage_version",
    "mail_plugin_dir",
};

/* Does a passdb or userdb ask such a database? Then its settings are taken there. */
static bool asked(const struct dovecot_node *in, const char *driver)
{
    MAP_EACH(n, in)
    if (n->block && (slice_is(n->key, "passdb") || slice_is(n->key, "userdb"))) {
        const struct dovecot_node *d = dovecot_find(n, "driver");
        if (slice_is(n->value, driver) || (d && slice_is(d->value, driver)))
            return true;
    }
    return false;
}

static bool read_elsewhere(const struct map_dovecot *m, struct slice key)
{
    if ((slice_starts(key, SLICE("sql")) && asked(m->root, "sql")) ||
        (slice_starts(key, SLICE("ldap_")) && asked(m->root, "ldap")))
        return true;
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        if (slice_is(key, elsewhere[i]))
            return true;
    return false;
}

/* Of several lines with one name the last one counts. */
static bool overridden(const struct dovecot_node *n)
{
    for (const struct dovecot_node *later = n->next; later; later = later->next)
        if (!later->block && slice_eq(later->key, n->key))
            return true;
    return false;
}

static bool map_same(struct map_dovecot *m, const struct dovecot_node *n)
{
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (slice_is(n->key, same[i].theirs)) {
            map_set(m, n, same[i].ours, map_value(m, n));
            return true;
        }
    return false;
}

static void map_setting(struct map_dovecot *m, const struct dovecot_node *n)
{
    if (read_elsewhere(m, n->key) || overridden(n))
        return;
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (slice_is(n->key, special[i].key)) {
            special[i].run(m, n);
            return;
        }
    if (!map_tls_file(m, n) && !map_same(m, n))
        map_not_served(m, "", n);
}

/* protocol imap { … }: what is set for one protocol alone. */
static void map_protocol(struct map_dovecot *m, const struct dovecot_node *block)
{
    bool login = slice_is(block->value, "imap") || slice_is(block->value, "pop3");
    MAP_EACH(n, block)
    {
        if (n->block)
            map_not_served(m, "protocol", n);
        else if (login && slice_is(n->key, "mail_max_userip_connections"))
            map_set(m, n, "mail_max_userip_connections", n->value);
        else if (login && slice_is(n->key, "login_greeting"))
            map_set(m, n, "login_greeting", n->value);
        else if (!slice_is(n->key, "listen") && !slice_is(n->key, "ssl_listen") &&
                 !slice_is(n->key, "mail_plugins"))
            map_not_served(m, "protocol", n);
    }
}

/* auth default { … } of Dovecot 1, and blocks of 2.4's lists. */
static void map_auth_block(struct map_dovecot *m, const struct dovecot_node *block)
{
    MAP_EACH(n, block)
    {
        if (n->block && !slice_is(n->key, "passdb") && !slice_is(n->key, "userdb") &&
            !(slice_is(n->key, "socket") && slice_is(n->value, "listen")))
            map_not_served(m, "auth", n);
        else if (!n->block && slice_is(n->key, "mechanisms"))
            map_set(m, n, "auth_mechanisms", n->value);
        else if (!n->block && slice_is(n->key, "username_format"))
            map_set(m, n, "auth_username_format", n->value);
        else if (!n->block && slice_is(n->key, "default_realm"))
            map_set(m, n, "auth_default_realm", n->value);
        else if (!n->block)
            map_not_served(m, "auth", n);
    }
}

static bool is_any(struct slice key, const char *const *words)
{
    for (; *words; words++)
        if (slice_is(key, *words))
            return true;
    return false;
}

static void map_block(struct map_dovecot *m, const struct dovecot_node *n)
{
    static const char *const subjects[] = {"passdb",       "userdb", "namespace", "mailbox",
                                           "plugin",       "quota",  "service",   "protocols",
                                           "mail_plugins", "sqlite", "mysql",     "pgsql",
                                           "local_name",   "local",  NULL};
    if (slice_is(n->key, "protocol"))
        map_protocol(m, n);
    else if (slice_is(n->key, "auth"))
        map_auth_block(m, n);
    else if (!is_any(n->key, subjects))
        map_not_served(m, "block", n);
}

static void map_tree(struct map_dovecot *m)
{
    MAP_EACH(n, m->root)
    {
        if (n->block)
            map_block(m, n);
        else
            map_setting(m, n);
    }
    map_listeners(m);
    map_sockets(m);
    map_databases(m);
    map_places(m);
    map_mail(m);
}

enum result dovecot_read(const struct dovecot_source *source, const char *path, struct arena *a,
                         const struct dovecot_sink *sink, struct conf_errors *errors)
{
    struct map_dovecot m = {source, sink, a, errors, NULL};
    struct dovecot_node *root;
    unsigned before = errors->count;
    enum result r = dovecot_tree(source, path, a, errors, &root);
    if (r != OK)
        return r;
    m.root = root;
    map_tree(&m);
    if (arena_failed(a))
        return FAILED;
    return errors->count > before ? INVALID : OK;
}
