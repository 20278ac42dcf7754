/* settings_accounts.h: Who may log in, and how that is proven. Rows as in settings.h. */
#ifndef CONF_SETTINGS_ACCOUNTS_H
#define CONF_SETTINGS_ACCOUNTS_H

/* clang-format off */
#define CONF_SETTINGS_ACCOUNTS(X) \
    X(TEXT, users_file, "/etc/postrider/users", 0, 0, "postrider", "Accounts and password hashes, in Dovecot's passwd-file format. Written by `postrider user`. Empty: none.") \
    X(TEXT, pam_service, "", 0, 0, "postrider", "PAM service that checks system accounts, such as \"dovecot\" or \"smtp\". Empty: PAM is not asked.") \
    X(BOOL, smtpd_sasl_auth_enable, "no", 0, 0, "postfix", "Offer AUTH on smtp:// too (submission always does).") \
    X(BOOL, broken_sasl_auth_clients, "no", 0, 0, "postfix", "Announce AUTH= as well, for old clients such as Outlook Express.") \
    X(BOOL, disable_plaintext_auth, "yes", 0, 0, "dovecot", "No passwords in clear without TLS; loopback counts as secured.") \
    X(NUMBER, mail_max_userip_connections, "10", 0, 1000000, "dovecot", "Most POP3 (and as many IMAP) connections of one user from one address; 0: no limit.") \
    X(LIST, auth_mechanisms, "plain login", 0, 0, "dovecot", "SASL mechanisms to offer: plain, login.") \
    X(TEXT, login_greeting, "Postrider ready.", 0, 0, "dovecot", "Greeting of POP3 and IMAP.") \
    X(SECONDS, auth_failure_delay, "2s", 0, 60, "dovecot", "A failed login is answered no sooner; grows with the failures of an address.") \
    X(SECONDS, auth_cache_ttl, "60s", 0, DAY_S, "dovecot", "How long a right password is remembered (as a keyed digest); 0: not at all.")
/* clang-format on */

#endif
