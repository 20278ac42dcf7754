/* settings_policy.h: What is refused, and whom: restrictions, address classes of clients and
 * senders. Rows as in settings.h. */
#ifndef CONF_SETTINGS_POLICY_H
#define CONF_SETTINGS_POLICY_H

/* clang-format off */
#define CONF_SETTINGS_POLICY(X) \
    X(LIST, mynetworks, "", 0, 0, "postfix", "Clients (CIDR) that may relay without proving who they are. Empty: none, not even loopback.") \
    X(BOOL, smtpd_helo_required, "no", 0, 0, "postfix", "Refuse MAIL before EHLO or HELO.") \
    X(NUMBER, smtpd_recipient_limit, "1000", 1, 100000, "postfix", "Most recipients of one message.") \
    X(NUMBER, smtpd_hard_error_limit, "20", 1, 100000, "postfix", "Most errors of one SMTP session before it is closed with 421.") \
    X(NUMBER, smtpd_client_connection_count_limit, "50", 0, 1000000, "postfix", "Most SMTP connections at a time from one address; 0: no limit.") \
    X(NUMBER, smtpd_client_connection_rate_limit, "0", 0, 1000000, "postfix", "Most new SMTP connections a minute from one address; 0: no limit.") \
    X(BOOL, smtpd_reject_bare_newline, "yes", 0, 0, "postrider", "Refuse messages with a lone CR or LF; no: turn a lone LF into CRLF as Postfix does. Only CRLF.CRLF ends a message either way.") \
    X(BOOL, smtpd_sender_login_check, "yes", 0, 0, "postrider", "An authenticated user may send only as an address that is theirs.") \
    X(BOOL, disable_vrfy_command, "yes", 0, 0, "postfix", "Refuse VRFY.") \
    X(NUMBER, hopcount_limit, "50", 1, 1000, "postfix", "A message with more Received headers is refused as a loop.")
/* clang-format on */

#endif
