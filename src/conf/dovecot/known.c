/* known.c: what Dovecot knows and is not served here: told with its effect and what to do. What
 * would weaken security if it were ignored is an error, unless it is set to what holds anyway. */
#include "conf/dovecot/map.h"
#include "conf/table.h"

struct rule {
    const char *block; /* where it may stand: "" the root, "service", "plugin" …; "*" anywhere */
    const char *name;  /* a name, or a prefix when it ends with * */
    const char *harmless; /* NULL: a note; else an error, unless the value is this one */
    const char *text;
};

static const char own_roles[] = "processes and their limits are Postrider's own: remove it";
static const char own_store[] =
    "mail is kept in Postrider's own store: `postrider import` brings the old mail there";
static const char own_log[] = "the log is Postrider's own (see log_level): remove it";
static const char no_proxy[] = "logins are not passed on to other servers: remove it";
static const char no_quota[] =
    "of quota, limits in bytes and messages, for all or for single accounts, are served";
static const char no_plugin[] = "this plugin is not served: remove it";

static const struct rule rules[] = {
    /* What would weaken security. */
    {"*", "auth_policy_server_url", "",
     "no policy server is asked: remove it, and see auth_failure_delay"},
    {"*", "login_access_sockets", "",
     "no access service (tcpwrap) is asked: use a packet filter, and remove it"},
    {"*", "haproxy", "no", "the proxy protocol is not understood: let clients connect directly"},
    {"*", "login_proxy_check", "", "no access check of a proxy is made: remove it"},
    /* Settings of single names. */
    {"", "auth_cache_*", NULL,
     "right passwords are remembered for auth_cache_ttl, others not at all: remove it"},
    {"", "auth_master_user_separator", NULL, "master users are not served: they can't log in"},
    {"", "auth_username_chars", NULL,
     "names are checked by Postrider's own rule: no spaces, control characters, / and \\"},
    {"", "auth_username_translation", NULL, "names are taken as they are written: remove it"},
    {"", "auth_anonymous_username", NULL, "anonymous logins are not served: remove it"},
    {"", "auth_winbind*", NULL, "NTLM and winbind are not served: remove it"},
    {"", "auth_use_winbind", NULL, "NTLM and winbind are not served: remove it"},
    {"", "auth_krb5*", NULL, "GSSAPI is not served: remove it"},
    {"", "auth_gssapi*", NULL, "GSSAPI is not served: remove it"},
    {"", "auth_verbose*", NULL, own_log},
    {"", "auth_debug*", NULL, own_log},
    {"", "auth_worker*", NULL, own_roles},
    {"", "auth_*", NULL, "this part of authentication is not served: remove it"},
    {"", "ssl_dh*", NULL, "key exchange is by elliptic curves: remove it"},
    {"", "ssl_parameters_regenerate", NULL, "obsolete since Dovecot 2.3: remove it"},
    {"", "ssl_protocols", NULL, "obsolete since Dovecot 2.3: write ssl_min_protocol"},
    {"", "ssl_client_*", NULL, "it is of connections that Dovecot opens itself: remove it"},
    {"", "ssl_key_password", NULL,
     "keys with a pass phrase are not read: take it off with `openssl pkey`"},
    {"", "ssl_*", NULL, "this part of TLS is OpenSSL's own here: remove it"},
    {"", "mail_max_keyword_length", NULL, "keywords have at most 64 bytes"},
    {"", "mail_attachment_*", NULL, own_store},
    {"", "mail_access_groups", NULL, own_store},
    {"", "mail_privileged_group", NULL, own_store},
    {"", "mail_uid", NULL, own_store},
    {"", "mail_gid", NULL, own_store},
    {"", "mail_chroot", NULL, own_store},
    {"", "mail_plugin*", NULL, no_plugin},
    {"", "mail_debug", NULL, own_log},
    {"", "mail_log_*", NULL, own_log},
    {"", "mail_*", NULL, own_store},
    {"", "default_mail_env", NULL, own_store},
    {"", "mmap_disable", NULL, own_store},
    {"", "dotlock_use_excl", NULL, own_store},
    {"", "lock_method", NULL, own_store},
    {"", "maildir_*", NULL, own_store},
    {"", "mbox_*", NULL, own_store},
    {"", "mdbox_*", NULL, own_store},
    {"", "sdbox_*", NULL, own_store},
    {"", "dbox_*", NULL, own_store},
    {"", "first_valid_gid", NULL, "groups of accounts are not looked at: remove it"},
    {"", "last_valid_gid", NULL, "groups of accounts are not looked at: remove it"},
    {"", "valid_chroot_dirs", NULL, own_store},
    {"", "log_*", NULL, own_log},
    {"", "info_log_path", NULL, own_log},
    {"", "debug_log_path", NULL, own_log},
    {"", "syslog_facility", NULL, own_log},
    {"", "verbose_*", NULL, own_log},
    {"", "login_log_*", NULL, own_log},
    {"", "login_proxy_*", NULL, no_proxy},
    {"", "login_*", NULL, "the login processes are Postrider's own: remove it"},
    {"", "director_*", NULL, "obsolete since Dovecot 2.4: directors are not served"},
    {"", "doveadm_*", NULL, "`postrider doveadm` asks the server over its own socket: remove it"},
    {"", "dsync_*", NULL, "replication is not served: remove it"},
    {"", "replication_*", NULL, "replication is not served: remove it"},
    {"", "imapc_*", NULL, no_proxy},
    {"", "pop3c_*", NULL, no_proxy},
    {"", "imap_*", NULL, "this part of IMAP follows Postrider's own rule: remove it"},
    {"", "pop3_*", NULL, "this part of POP3 follows Postrider's own rule: remove it"},
    {"", "lmtp_*", NULL, "this part of LMTP follows Postrider's own rule: remove it"},
    {"", "lda_*", NULL, "mail is delivered by Postrider's own delivery: remove it"},
    {"", "submission_*", NULL,
     "submission is Postrider's own, not a proxy before another server: remove it"},
    {"", "deliver_*", NULL, "mail is delivered by Postrider's own delivery: remove it"},
    {"", "sendmail_path", NULL, "bounces go through Postrider's own queue: remove it"},
    {"", "rejection_*", NULL, "the words of bounces are Postrider's own: remove it"},
    {"", "hostname", NULL, "the name of this host is myhostname"},
    {"", "recipient_delimiter", NULL, "Postfix's recipient_delimiter counts: set it there"},
    {"", "quota_*", NULL, no_quota},
    {"", "state_dir", NULL, "files of a running server are in state_directory"},
    {"", "libexec_dir", NULL, own_roles},
    {"", "instance_name", NULL, own_roles},
    {"", "default_*", NULL, own_roles},
    {"", "service_*", NULL, own_roles},
    {"", "shutdown_clients", NULL, own_roles},
    {"", "import_environment", NULL, own_roles},
    {"", "config_cache_size", NULL, own_roles},
    {"", "stats_*", NULL, "figures are told by `postrider status`: remove it"},
    {"", "old_stats_*", NULL, "figures are told by `postrider status`: remove it"},
    {"", "metric*", NULL, "figures are told by `postrider status`: remove it"},
    {"", "dict_*", NULL, "dictionaries are not served: remove it"},
    {"", "event_exporter*", NULL, "figures are told by `postrider status`: remove it"},
    {"", "fts*", NULL, "searches read the messages themselves: remove it"},
    {"", "sieve*", NULL, "Sieve is not served yet: mail goes to INBOX"},
    {"", "managesieve*", NULL, "ManageSieve is not served yet"},
    {"", "acl*", NULL, "mailboxes are not shared between accounts: remove it"},
    {"", "haproxy_*", NULL, "the proxy protocol is not understood: let clients connect directly"},
    {"", "rawlog_dir", NULL, own_log},
    {"", "version_ignore", NULL, own_roles},
    {"", "max_mail_processes", NULL, own_roles},
    {"", "max_login_processes", NULL, own_roles},
    {"", "passdb_*", NULL, "write it in the passdb block that it is for"},
    {"", "userdb_*", NULL, "write it in the userdb block that it is for"},
    {"", "urlauth_*", NULL, "URLAUTH is not served: remove it"},
    {"", "imap_urlauth*", NULL, "URLAUTH is not served: remove it"},
    {"", "sql_*", NULL, "it stands for a database that no passdb or userdb asks: remove it"},
    {"", "ldap_*", NULL, "it stands for a directory that no passdb or userdb asks: remove it"},
    {"", "oauth2_*", NULL, "tokens are checked against Postrider's own list of keys"},
    {"", "passwd_file_path", NULL, "write it in the passdb block that it is for"},
    /* Within blocks. */
    {"service", "*", NULL, own_roles},
    {"listener", "*", NULL, own_roles},
    {"protocol", "mail_plugins", NULL, no_plugin},
    {"protocol", "*", NULL, "what holds for one protocol alone is not told apart: remove it"},
    {"plugin", "quota_warning*", NULL,
     "no program is started when a mailbox fills: ask `doveadm quota get` from time to time"},
    {"plugin", "quota_status_*", NULL,
     "no policy service is needed: mail for a full mailbox is refused when it comes"},
    {"plugin", "quota*", NULL, no_quota},
    {"plugin", "sieve*", NULL, "Sieve is not served yet: mail goes to INBOX"},
    {"plugin", "acl*", NULL, "mailboxes are not shared between accounts: remove it"},
    {"plugin", "*", NULL, no_plugin},
    {"namespace", "*", NULL, "this part of a namespace is not served: remove it"},
    {"mailbox", "*", NULL, "this part of a mailbox is not served: remove it"},
    {"auth", "socket", NULL, "accounts are asked in this process, not over sockets: remove it"},
    {"auth", "*", NULL, "this part of authentication is not served: remove it"},
    {"quota", "warning", NULL,
     "no program is started when a mailbox fills: ask `doveadm quota get` from time to time"},
    {"quota", "*", NULL, no_quota},
    /* Blocks of the root. */
    {"block", "dict", NULL, "dictionaries are not served: remove it"},
    {"block", "metric", NULL, "figures are told by `postrider status`: remove it"},
    {"block", "event_exporter", NULL, "figures are told by `postrider status`: remove it"},
    {"block", "fts", NULL, "searches read the messages themselves: remove it"},
    {"block", "sieve_script", NULL, "Sieve is not served yet: mail goes to INBOX"},
    {"block", "acl", NULL, "mailboxes are not shared between accounts: remove it"},
    {"block", "director", NULL, "obsolete since Dovecot 2.4: directors are not served"},
    {"block", "oauth2", NULL, "tokens are checked against Postrider's own list of keys"},
};

static bool rule_fits(const struct rule *r, const char *block, struct slice key)
{
    size_t n = strlen(r->name);
    if (strcmp(r->block, "*") != 0 && strcmp(r->block, block) != 0)
        return false;
    if (n && r->name[n - 1] == '*')
        return slice_starts(key, slice_sub(slice_cstr(r->name), 0, n - 1));
    return slice_is(key, r->name);
}

static const struct rule *find_rule(const char *block, struct slice key)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rule_fits(&rules[i], block, key))
            return &rules[i];
    return NULL;
}

/* A block of settings for some clients alone: it may be what forbids something to them. */
static void map_remote(struct map_dovecot *m, const struct dovecot_node *block)
{
    static const char *const strict[] = {"ssl", "disable_plaintext_auth", "auth_allow_cleartext",
                                         "auth_mechanisms", "login_access_sockets"};
    MAP_EACH(n, block)
    for (size_t i = 0; i < sizeof strict / sizeof *strict; i++)
        if (slice_is(n->key, strict[i]))
            map_error(m, n,
                      "%.*s for some clients alone (%.*s %.*s) is not served: set it for all, "
                      "or name networks that are secure in login_trusted_networks",
                      SLICE_ARG(n->key), SLICE_ARG(block->key), SLICE_ARG(block->value));
    map_note(m, block, "settings for some clients alone (%.*s %.*s) are not served: remove them",
             SLICE_ARG(block->key), SLICE_ARG(block->value));
}

static void map_unknown(struct map_dovecot *m, const struct dovecot_node *n)
{
    const char *near = n->block ? NULL : conf_suggest(n->key);
    if (near)
        map_error(m, n, "unknown setting `%.*s`: did you mean `%s`?", SLICE_ARG(n->key), near);
    else
        map_note(m, n,
                 "`%.*s` is no setting of Dovecot that is known here and has no effect: "
                 "remove it",
                 SLICE_ARG(n->key));
}

void map_not_served(struct map_dovecot *m, const char *block, const struct dovecot_node *n)
{
    if (slice_is(n->key, "remote") || slice_is(n->key, "remote_ip")) {
        map_remote(m, n);
        return;
    }
    const struct rule *r = find_rule(block, n->key);
    if (!r)
        map_unknown(m, n);
    else if (r->harmless && slice_is_nocase(n->value, r->harmless))
        return;
    else if (r->harmless)
        map_error(m, n, "%.*s: %s", SLICE_ARG(n->key), r->text);
    else
        map_note(m, n, "%.*s is not served: %s", SLICE_ARG(n->key), r->text);
}
