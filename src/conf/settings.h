/* settings.h: every parameter, declared once. The configuration's struct, its parser, its defaults,
 * `config show` and postrider.conf(5) come from this list. Names are Postfix's where Postfix has
 * the thing, then Dovecot's, else ours.
 *
 * X(kind, name, default, min, max, origin, text). Kinds: BOOL yes/no; NUMBER (0 may mean "no
 * limit": text says so); SECONDS (Postfix's time: 30s 5m 1h 2d; default unit seconds); TEXT; LIST
 * (comma or white space). min and max apply to NUMBER and SECONDS. Defaults are written as in the
 * file, and may use $name. origin: "postfix", "dovecot", "postrider". */
#ifndef CONF_SETTINGS_H
#define CONF_SETTINGS_H

#define DAY_S 86400
#define YEAR_S (366 * DAY_S)
#define NO_MAX INT64_MAX

/* clang-format off */
#define CONF_SETTINGS(X)                                                                                                          \
    X(LIST, listen, "smtp://:25, submission://:587, submissions://:465, pop3://:110, pop3s://:995, imap://:143, imaps://:993", 0, 0, "postrider", \
      "Where to listen: smtp, submission, submissions, lmtp, pop3, pop3s, imap, imaps, each ://address:port (no address: all), or lmtp:/path of a Unix socket.") \
    X(TEXT, state_directory, "/var/lib/postrider", 0, 0, "postrider", "Folder of the store, the queue, the control socket and the certificate made at first start.") \
    X(TEXT, users_file, "/etc/postrider/users", 0, 0, "postrider", "Accounts and password hashes, in Dovecot's passwd-file format. Written by `postrider user`. Empty: none.") \
    X(TEXT, pam_service, "", 0, 0, "postrider", "PAM service that checks system accounts, such as \"dovecot\" or \"smtp\". Empty: PAM is not asked.") \
    X(TEXT, auth_user, "postrider-auth", 0, 0, "postrider", "User (name or number) of the auth role when started as root.") \
    X(TEXT, edge_user, "postrider-edge", 0, 0, "postrider", "User of the edge role.") \
    X(TEXT, mailbox_user, "postrider", 0, 0, "postrider", "User of the mailbox role; owns the store.") \
    X(TEXT, relay_user, "postrider-relay", 0, 0, "postrider", "User of the relay role.") \
    X(TEXT, log_level, "info", 0, 0, "postrider", "error, warning, info or debug.") \
    X(TEXT, myhostname, "", 0, 0, "postfix", "The name of this host in greetings and headers. Empty: the system's host name; $mydomain is appended where it has no dot.") \
    X(TEXT, mydomain, "", 0, 0, "postfix", "The local domain. Empty: $myhostname without its first label.") \
    X(TEXT, myorigin, "$myhostname", 0, 0, "postfix", "Domain that completes addresses without one.") \
    X(LIST, mydestination, "$myhostname, localhost.$mydomain, localhost", 0, 0, "postfix", "Domains whose mail is delivered here.") \
    X(LIST, mynetworks, "", 0, 0, "postfix", "Clients (CIDR) that may relay without proving who they are. Empty: none, not even loopback.") \
    X(TEXT, inet_protocols, "all", 0, 0, "postfix", "all, ipv4 or ipv6 (or \"ipv4, ipv6\").") \
    X(TEXT, relayhost, "", 0, 0, "postfix", "Next hop for all foreign mail: host, host:port, [host] or [host]:port; brackets switch the MX lookup off.") \
    X(NUMBER, message_size_limit, "10240000", 0, NO_MAX, "postfix", "Largest message in bytes; 0: no limit.") \
    X(TEXT, smtpd_banner, "$myhostname ESMTP Postrider", 0, 0, "postfix", "Text behind 220 in the SMTP greeting.") \
    X(BOOL, smtpd_helo_required, "no", 0, 0, "postfix", "Refuse MAIL before EHLO or HELO.") \
    X(NUMBER, smtpd_recipient_limit, "1000", 1, 100000, "postfix", "Most recipients of one message.") \
    X(SECONDS, smtpd_timeout, "300s", 1, DAY_S, "postfix", "Longest silence of an SMTP client.") \
    X(NUMBER, smtpd_hard_error_limit, "20", 1, 100000, "postfix", "Most errors of one SMTP session before it is closed with 421.") \
    X(NUMBER, smtpd_client_connection_count_limit, "50", 0, 1000000, "postfix", "Most SMTP connections at a time from one address; 0: no limit.") \
    X(NUMBER, smtpd_client_connection_rate_limit, "0", 0, 1000000, "postfix", "Most new SMTP connections a minute from one address; 0: no limit.") \
    X(TEXT, smtpd_tls_cert_file, "", 0, 0, "postfix", "PEM certificate chain. Empty: ssl_cert, else a self-signed one made at first start.") \
    X(TEXT, smtpd_tls_key_file, "$smtpd_tls_cert_file", 0, 0, "postfix", "PEM private key.") \
    X(TEXT, smtpd_tls_security_level, "may", 0, 0, "postfix", "none, may or encrypt: STARTTLS for SMTP.") \
    X(BOOL, smtpd_tls_auth_only, "no", 0, 0, "postfix", "Offer AUTH on smtp:// and submission:// under TLS only, loopback included.") \
    X(BOOL, smtpd_sasl_auth_enable, "no", 0, 0, "postfix", "Offer AUTH on smtp:// too (submission always does).") \
    X(BOOL, broken_sasl_auth_clients, "no", 0, 0, "postfix", "Announce AUTH= as well, for old clients such as Outlook Express.") \
    X(BOOL, smtpd_reject_bare_newline, "yes", 0, 0, "postrider", "Refuse messages with a lone CR or LF; no: turn a lone LF into CRLF as Postfix does. Only CRLF.CRLF ends a message either way.") \
    X(BOOL, smtpd_sender_login_check, "yes", 0, 0, "postrider", "An authenticated user may send only as an address that is theirs.") \
    X(BOOL, disable_vrfy_command, "yes", 0, 0, "postfix", "Refuse VRFY.") \
    X(NUMBER, hopcount_limit, "50", 1, 1000, "postfix", "A message with more Received headers is refused as a loop.") \
    X(LIST, alias_maps, "", 0, 0, "postfix", "Text files \"name: target, target\" of aliases for local recipients; \"@domain: target\" catches all.") \
    X(TEXT, recipient_delimiter, "+", 0, 0, "postfix", "Separates user and detail in user+detail. Empty: none.") \
    X(TEXT, smtp_tls_security_level, "may", 0, 0, "postfix", "none, may or encrypt: TLS towards other servers.") \
    X(SECONDS, smtp_connect_timeout, "30s", 1, DAY_S, "postfix", "Longest wait for a connection to another server.") \
    X(SECONDS, smtp_helo_timeout, "300s", 1, DAY_S, "postfix", "Longest wait for a reply of another server.") \
    X(TEXT, smtp_helo_name, "$myhostname", 0, 0, "postfix", "Name in our EHLO.") \
    X(NUMBER, smtp_port, "25", 1, 65535, "postrider", "Port of other servers where none is given.") \
    X(TEXT, smtp_dns_resolver, "", 0, 0, "postrider", "host:port of the resolver to ask. Empty: the system's.") \
    X(TEXT, smtp_sasl_password_maps, "", 0, 0, "postfix", "Text file \"host user:password\": credentials for relayhost.") \
    X(NUMBER, default_destination_concurrency_limit, "20", 1, 10000, "postfix", "Most deliveries at a time to one destination.") \
    X(NUMBER, default_destination_recipient_limit, "50", 1, 10000, "postfix", "Most recipients of one outgoing transaction.") \
    X(SECONDS, minimal_backoff_time, "300s", 1, YEAR_S, "postfix", "First wait before a deferred message is tried again; doubles each time.") \
    X(SECONDS, maximal_backoff_time, "4000s", 1, YEAR_S, "postfix", "Longest wait between attempts.") \
    X(SECONDS, maximal_queue_lifetime, "5d", 0, YEAR_S, "postfix", "A message that could not be sent so long is returned.") \
    X(SECONDS, bounce_queue_lifetime, "5d", 0, YEAR_S, "postfix", "The same for bounces.") \
    X(BOOL, disable_plaintext_auth, "yes", 0, 0, "dovecot", "No passwords in clear without TLS; loopback counts as secured.") \
    X(NUMBER, mail_max_userip_connections, "10", 0, 1000000, "dovecot", "Most POP3 (and as many IMAP) connections of one user from one address; 0: no limit.") \
    X(TEXT, ssl_cert, "", 0, 0, "dovecot", "As smtpd_tls_cert_file; a leading < is allowed.") \
    X(TEXT, ssl_key, "", 0, 0, "dovecot", "As smtpd_tls_key_file.") \
    X(LIST, auth_mechanisms, "plain login", 0, 0, "dovecot", "SASL mechanisms to offer: plain, login.") \
    X(TEXT, login_greeting, "Postrider ready.", 0, 0, "dovecot", "Greeting of POP3 and IMAP.") \
    X(SECONDS, auth_failure_delay, "2s", 0, 60, "dovecot", "A failed login is answered no sooner; grows with the failures of an address.") \
    X(SECONDS, auth_cache_ttl, "60s", 0, DAY_S, "dovecot", "How long a right password is remembered (as a keyed digest); 0: not at all.") \
    X(NUMBER, mailbox_quota, "0", 0, NO_MAX, "postrider", "Most bytes of mail of one account; 0: no limit.") \
    X(NUMBER, reserve_disk_bytes, "104857600", 0, NO_MAX, "postrider", "Free disk space kept for reading and deleting; new mail gets 452 within it.") \
    X(NUMBER, client_limit, "10000", 1, 1000000, "postrider", "Most connections at a time, all protocols together.")
/* clang-format on */

#endif
