/* settings.h: every parameter, declared once. The configuration's struct, its parser, its defaults,
 * `config show` and postrider.conf(5) come from this list. Names are Postfix's where Postfix has
 * the thing, then Dovecot's, else ours.
 *
 * X(kind, name, default, min, max, origin, text). Kinds: BOOL yes/no; NUMBER (0 may mean "no
 * limit": text says so); SECONDS (Postfix's time: 30s 5m 1h 2d; default unit seconds); TEXT; LIST
 * (comma or white space); MAPS (a list of lookup tables or restrictions: what stands in { } is one
 * item). min and max apply to NUMBER and SECONDS. Defaults are written as in the
 * file, and may use $name. origin: "postfix", "dovecot", "postrider". */
#ifndef CONF_SETTINGS_H
#define CONF_SETTINGS_H

#include "conf/settings_accounts.h"
#include "conf/settings_delivery.h"
#include "conf/settings_policy.h"
#include "conf/settings_routing.h"
#include "conf/settings_tls.h"

#define DAY_S 86400
#define YEAR_S (366 * DAY_S)
#define NO_MAX INT64_MAX

/* clang-format off */
#define CONF_SETTINGS_SERVER(X) \
    X(LIST, listen, "smtp://:25, submission://:587, submissions://:465, pop3://:110, pop3s://:995, imap://:143, imaps://:993", 0, 0, "postrider", \
      "Where to listen: smtp, smtps, submission, submissions, lmtp, pop3, pop3s, imap, imaps, each ://address:port (no address: all), lmtp:/path of a Unix socket, saslauthd:/path (answers programs of this host as saslauthd does, usually /run/saslauthd/mux), dovecot-auth:/path or ://address:port (Dovecot's authentication protocol, for Postfix and Exim). A #name behind it names the listener, for settings of its own: \"name/setting = value\".") \
    X(LIST, listen_if_free, "", 0, 0, "postrider", "Listeners, written as in listen, that are left to another program that has them: Postrider starts without them and says so. Where Cyrus SASL's file says pwcheck_method: saslauthd and passdb or pam_service tell accounts, saslauthd's socket; of Dovecot's service auth, its sockets for other programs.") \
    X(MAPS, socket_access, "", 0, 0, "dovecot", "Who may use a Unix socket of listen or listen_if_free: {path=/run/x, mode=0660, user=postfix, group=postfix}; mode 0600 and root where one is not told. Without such an entry: whoever may enter its folder.") \
    X(TEXT, postfix_config, "", 0, 0, "postrider", "Folder of Postfix's main.cf and master.cf to run on: what stands there holds where this file says nothing, and Postfix's defaults hold.") \
    X(TEXT, dovecot_config, "", 0, 0, "postrider", "Dovecot's configuration file to run on, in the same way.") \
    X(TEXT, sasl_config, "", 0, 0, "postrider", "Cyrus SASL's smtpd.conf to take mechanisms and the way to check passwords from.") \
    X(TEXT, state_directory, "/var/lib/postrider", 0, 0, "postrider", "Folder of the store, the queue, the control socket and the certificate made at first start.") \
    X(TEXT, auth_user, "postrider-auth", 0, 0, "postrider", "User (name or number) of the auth role when started as root.") \
    X(TEXT, edge_user, "postrider-edge", 0, 0, "postrider", "User of the edge role.") \
    X(TEXT, mailbox_user, "postrider", 0, 0, "postrider", "User of the mailbox role; owns the store.") \
    X(TEXT, relay_user, "postrider-relay", 0, 0, "postrider", "User of the relay role.") \
    X(LIST, authorized_submit_users, "static:anyone", 0, 0, "postfix", "Users of this machine (names, !names, static:anyone) that may send with sendmail(1); root always may.") \
    X(LIST, authorized_mailq_users, "static:anyone", 0, 0, "postfix", "Users of this machine that may see the queue with mailq(1) or postqueue(1).") \
    X(LIST, authorized_flush_users, "static:anyone", 0, 0, "postfix", "Users of this machine that may have the queue tried again with postqueue -f, -i or -s.") \
    X(TEXT, log_level, "info", 0, 0, "postrider", "error, warning, info or debug.") \
    X(TEXT, myhostname, "", 0, 0, "postfix", "The name of this host in greetings and headers. Empty: the system's host name; $mydomain is appended where it has no dot.") \
    X(TEXT, mydomain, "", 0, 0, "postfix", "The local domain. Empty: $myhostname without its first label.") \
    X(TEXT, mail_name, "Postrider", 0, 0, "postfix", "The name of the mail system in Received fields, in reports and, as $mail_name, in smtpd_banner. Main.cf's default is Postfix.") \
    X(TEXT, inet_protocols, "all", 0, 0, "postfix", "all, ipv4 or ipv6 (or \"ipv4, ipv6\").") \
    X(NUMBER, message_size_limit, "10240000", 0, NO_MAX, "postfix", "Largest message in bytes; 0: no limit.") \
    X(TEXT, smtpd_banner, "$myhostname ESMTP Postrider", 0, 0, "postfix", "Text behind 220 in the SMTP greeting.") \
    X(SECONDS, smtpd_timeout, "300s", 1, DAY_S, "postfix", "Longest silence of an SMTP client.") \
    X(TEXT, smtpd_tls_cert_file, "", 0, 0, "postfix", "PEM certificate chain. Empty: ssl_cert, else a self-signed one made at first start.") \
    X(TEXT, smtpd_tls_key_file, "$smtpd_tls_cert_file", 0, 0, "postfix", "PEM private key.") \
    X(TEXT, smtpd_tls_security_level, "may", 0, 0, "postfix", "none, may or encrypt: STARTTLS for SMTP.") \
    X(BOOL, smtpd_tls_auth_only, "no", 0, 0, "postfix", "Offer AUTH on smtp:// and submission:// under TLS only, loopback included.") \
    X(TEXT, ssl_cert, "", 0, 0, "dovecot", "As smtpd_tls_cert_file; a leading < is allowed.") \
    X(TEXT, ssl_key, "", 0, 0, "dovecot", "As smtpd_tls_key_file.") \
    X(NUMBER, reserve_disk_bytes, "104857600", 0, NO_MAX, "postrider", "Free disk space kept for reading and deleting; new mail gets 452 within it.") \
    X(NUMBER, client_limit, "10000", 1, 1000000, "postrider", "Most connections at a time, all protocols together.")
/* clang-format on */

#define CONF_SETTINGS(X)                                                                           \
    CONF_SETTINGS_SERVER(X)                                                                        \
    CONF_SETTINGS_POLICY(X)                                                                        \
    CONF_SETTINGS_ROUTING(X)                                                                       \
    CONF_SETTINGS_DELIVERY(X)                                                                      \
    CONF_SETTINGS_ACCOUNTS(X)                                                                      \
    CONF_SETTINGS_TLS(X)

#endif
