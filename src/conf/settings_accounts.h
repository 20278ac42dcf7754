/* settings_accounts.h: Who may log in, and how that is proven. Rows as in settings.h. */
#ifndef CONF_SETTINGS_ACCOUNTS_H
#define CONF_SETTINGS_ACCOUNTS_H

/* clang-format off */
#define CONF_SETTINGS_ACCOUNTS(X) \
    X(TEXT, users_file, "/etc/postrider/users", 0, 0, "postrider", "Accounts and password hashes, in Dovecot's passwd-file format. Written by `postrider user`. Empty: none.") \
    X(TEXT, pam_service, "", 0, 0, "postrider", "PAM service that checks system accounts, such as \"dovecot\" or \"smtp\". Empty: PAM is not asked.") \
    X(MAPS, passdb, "", 0, 0, "dovecot", "Where passwords are, asked in this order after users_file and pam_service: {driver=passwd-file, path=/etc/users}, {driver=pam, service=dovecot}, {driver=shadow}, {driver=static, fields={password=x}}, {driver=sql, config=/path}, {driver=ldap, config=/path}.") \
    X(MAPS, userdb, "", 0, 0, "dovecot", "Where accounts are, asked after users_file: {driver=passwd}, {driver=passwd-file, path=/etc/users}, {driver=static, fields={allow_all_users=yes}}, {driver=sql, config=/path}, {driver=ldap, config=/path}, {driver=prefetch}. Empty: those of passdb.") \
    X(TEXT, auth_username_format, "", 0, 0, "dovecot", "What is made of a login name before it is looked up: %u all of it, %n without the domain, %d the domain; %Lu in lower case. Empty: %u.") \
    X(TEXT, smtpd_sasl_local_domain, "", 0, 0, "postfix", "The realm that a saslauthd is asked with for a login name without a domain. Own accounts are looked up as they are given: see auth_default_realm.") \
    X(TEXT, auth_default_realm, "", 0, 0, "dovecot", "Domain that is appended to a login name without one.") \
    X(LIST, auth_realms, "", 0, 0, "dovecot", "The only domains that login names may have. Empty: any.") \
    X(LIST, login_trusted_networks, "", 0, 0, "dovecot", "POP3 and IMAP clients (CIDR) whose connections count as secured without TLS.") \
    X(NUMBER, first_valid_uid, "500", 0, 4294967295, "dovecot", "System accounts with a smaller user number can't log in; they get mail.") \
    X(NUMBER, last_valid_uid, "0", 0, 4294967295, "dovecot", "System accounts with a larger user number can't log in; 0: no limit.") \
    X(TEXT, ssl, "yes", 0, 0, "dovecot", "no, yes or required: TLS on POP3 and IMAP. required: no login without it (loopback and login_trusted_networks count as secured).") \
    X(TEXT, ssl_min_protocol, "TLSv1.2", 0, 0, "dovecot", "Least version of TLS for POP3 and IMAP: TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3; ANY: whatever OpenSSL takes; LATEST: the newest.") \
    X(TEXT, ssl_cipher_list, "", 0, 0, "dovecot", "OpenSSL's cipher list for TLS 1.2 and older on POP3 and IMAP. Empty: OpenSSL's own.") \
    X(BOOL, smtpd_sasl_auth_enable, "no", 0, 0, "postfix", "Offer AUTH on smtp:// too (submission always does).") \
    X(BOOL, broken_sasl_auth_clients, "no", 0, 0, "postfix", "Announce AUTH= as well, for old clients such as Outlook Express.") \
    X(BOOL, disable_plaintext_auth, "yes", 0, 0, "dovecot", "No passwords in clear without TLS; loopback counts as secured.") \
    X(BOOL, smtpd_disable_plaintext_auth, "$disable_plaintext_auth", 0, 0, "postrider", "The same for SMTP.") \
    X(NUMBER, mail_max_userip_connections, "10", 0, 1000000, "dovecot", "Most POP3 (and as many IMAP) connections of one user from one address; 0: no limit.") \
    X(LIST, auth_mechanisms, "plain login", 0, 0, "dovecot", "SASL mechanisms to offer, each where it can be: plain, login, cram-md5, scram-sha-1, scram-sha-256 and their -plus, external, oauthbearer, xoauth2, anonymous.") \
    X(LIST, mech_list, "", 0, 0, "cyrus", "The mechanisms of SMTP, as Cyrus' smtpd.conf has it. Empty: auth_mechanisms.") \
    X(LIST, smtpd_sasl_security_options, "noanonymous", 0, 0, "postfix", "Which mechanisms SMTP offers without TLS: noanonymous, noplaintext, noactive, nodictionary, mutual_auth, forward_secrecy.") \
    X(LIST, smtpd_sasl_tls_security_options, "$smtpd_sasl_security_options", 0, 0, "postfix", "The same under TLS.") \
    X(TEXT, smtpd_sasl_type, "cyrus", 0, 0, "postfix", "dovecot: without accounts of our own, a running Dovecot is asked about passwords at smtpd_sasl_path. cyrus: see pwcheck_method.") \
    X(TEXT, smtpd_sasl_path, "smtpd", 0, 0, "postfix", "Socket of Dovecot's authentication service; one without / in front is below /var/spool/postfix.") \
    X(LIST, smtpd_sasl_exceptions_networks, "", 0, 0, "postfix", "Clients (CIDR) to which SMTP does not offer AUTH.") \
    X(BOOL, smtpd_sasl_authenticated_header, "no", 0, 0, "postfix", "Name the authenticated user in the Received header.") \
    X(LIST, oauth2_keys, "", 0, 0, "postrider", "Files of the keys that sign bearer tokens (OAUTHBEARER, XOAUTH2): PEM of public keys or certificates (RS256, ES256, EdDSA), or hs256:/path of a shared secret. Needs oauth2_audience.") \
    X(LIST, oauth2_audience, "", 0, 0, "postrider", "A bearer token must be meant for one of these (aud).") \
    X(LIST, oauth2_issuers, "", 0, 0, "postrider", "Who must have issued a bearer token (iss). Empty: whoever has the key.") \
    X(TEXT, oauth2_username_attribute, "email", 0, 0, "dovecot", "The claim of a bearer token that names the user.") \
    X(BOOL, smtpd_tls_ask_ccert, "no", 0, 0, "postfix", "Ask SMTP clients for a certificate under TLS; EXTERNAL is offered to those whose is verified by smtpd_tls_CAfile.") \
    X(BOOL, smtpd_tls_req_ccert, "no", 0, 0, "postfix", "Refuse the TLS handshake of SMTP clients without a verified certificate.") \
    X(TEXT, smtpd_tls_CAfile, "", 0, 0, "postfix", "PEM certificates of those who vouch for SMTP clients' certificates.") \
    X(TEXT, smtpd_tls_CApath, "", 0, 0, "postfix", "A folder of more of them, as c_rehash(1) names them.") \
    X(BOOL, ssl_verify_client_cert, "no", 0, 0, "dovecot", "Ask POP3 and IMAP clients for a certificate, verified by ssl_ca.") \
    X(TEXT, ssl_ca, "", 0, 0, "dovecot", "As smtpd_tls_CAfile, for POP3 and IMAP; a leading < is allowed.") \
    X(TEXT, ssl_cert_username_field, "commonName", 0, 0, "dovecot", "What of a client's certificate names the account for EXTERNAL: commonName, emailAddress or rfc822Name.") \
    X(TEXT, auth_anonymous_username, "anonymous", 0, 0, "dovecot", "The account of ANONYMOUS, where that mechanism is listed.") \
    X(LIST, pwcheck_method, "", 0, 0, "cyrus", "How Cyrus SASL checks passwords: saslauthd asks an existing saslauthd where there are no accounts of our own; auxprop is not served.") \
    X(TEXT, saslauthd_path, "/run/saslauthd/mux", 0, 0, "cyrus", "Socket of saslauthd, with or without the last /mux.") \
    X(TEXT, login_greeting, "Postrider ready.", 0, 0, "dovecot", "Greeting of POP3 and IMAP.") \
    X(SECONDS, auth_failure_delay, "2s", 0, 60, "dovecot", "A failed login is answered no sooner; grows with the failures of an address.") \
    X(SECONDS, auth_cache_ttl, "60s", 0, DAY_S, "dovecot", "How long a right password is remembered (as a keyed digest); 0: not at all.")
/* clang-format on */

#endif
