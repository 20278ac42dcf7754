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
    X(NUMBER, hopcount_limit, "50", 1, 1000, "postfix", "A message with more Received headers is refused as a loop.") \
    X(BOOL, smtpd_delay_reject, "yes", 0, 0, "postfix", "Look at the client, helo and sender lists at RCPT only, so that the log has the recipient.") \
    X(MAPS, smtpd_client_restrictions, "", 0, 0, "postfix", "Restrictions about the client. The words of all these lists are those of Postfix's postconf(5); one that is not served stops the start with a proposal.") \
    X(MAPS, smtpd_helo_restrictions, "", 0, 0, "postfix", "Restrictions about the name of EHLO or HELO.") \
    X(MAPS, smtpd_sender_restrictions, "", 0, 0, "postfix", "Restrictions about the sender.") \
    X(MAPS, smtpd_relay_restrictions, "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination", 0, 0, "postfix", "Who may send to domains that are not this host's. This or the next must hold reject_unauth_destination (or a word as strict).") \
    X(MAPS, smtpd_recipient_restrictions, "", 0, 0, "postfix", "Restrictions about the recipient.") \
    X(MAPS, smtpd_data_restrictions, "", 0, 0, "postfix", "Restrictions at DATA.") \
    X(MAPS, smtpd_end_of_data_restrictions, "", 0, 0, "postfix", "Restrictions once the message is whole.") \
    X(MAPS, smtpd_etrn_restrictions, "", 0, 0, "postfix", "Restrictions about ETRN.") \
    X(LIST, smtpd_restriction_classes, "", 0, 0, "postfix", "Lists of restrictions of one's own: names, each defined as a parameter of that name.") \
    X(BOOL, smtpd_relay_before_recipient_restrictions, "yes", 0, 0, "postfix", "Look at smtpd_relay_restrictions before smtpd_recipient_restrictions.") \
    X(BOOL, smtpd_reject_unlisted_recipient, "yes", 0, 0, "postfix", "Refuse recipients of our domains whom nobody knows.") \
    X(BOOL, smtpd_reject_unlisted_sender, "no", 0, 0, "postfix", "Refuse senders of our domains whom nobody knows.") \
    X(MAPS, smtpd_sender_login_maps, "", 0, 0, "postfix", "Which logins own a sender address: for reject_sender_login_mismatch and its kin.") \
    X(MAPS, relay_clientcerts, "", 0, 0, "postfix", "Fingerprints of client certificates for permit_tls_clientcerts.") \
    X(LIST, permit_mx_backup_networks, "", 0, 0, "postfix", "Where the primary exchangers must be for permit_mx_backup. Empty: anywhere.") \
    X(LIST, proxy_interfaces, "", 0, 0, "postfix", "Addresses of this host behind a proxy or translator.") \
    X(LIST, parent_domain_matches_subdomains, "debug_peer_list, fast_flush_domains, mynetworks, permit_mx_backup_networks, qmqpd_authorized_clients, relay_domains, smtpd_access_maps", 0, 0, "postfix", "Lists and tables where example.org matches sub.example.org too; elsewhere .example.org does.") \
    X(TEXT, smtpd_null_access_lookup_key, "<>", 0, 0, "postfix", "Key of the null sender in access tables.") \
    X(MAPS, rbl_reply_maps, "", 0, 0, "postfix", "Reply templates by the domain of the list in DNS.") \
    X(TEXT, default_rbl_reply, "$$rbl_code Service unavailable; $$rbl_class [$$rbl_what] blocked using $$rbl_domain$${rbl_reason?; $$rbl_reason}", 0, 0, "postfix", "Reply template for clients that a list in DNS holds (in this file $ is written $$).") \
    X(TEXT, reject_tempfail_action, "defer_if_permit", 0, 0, "postfix", "defer or defer_if_permit: when a restriction can't be told for now.") \
    X(TEXT, unknown_address_tempfail_action, "$reject_tempfail_action", 0, 0, "postfix", "The same for reject_unknown_sender_domain and reject_unknown_recipient_domain.") \
    X(TEXT, unknown_helo_hostname_tempfail_action, "$reject_tempfail_action", 0, 0, "postfix", "The same for reject_unknown_helo_hostname.") \
    X(NUMBER, access_map_reject_code, "554", 400, 599, "postfix", "Reply code of REJECT in access tables.") \
    X(NUMBER, access_map_defer_code, "450", 400, 499, "postfix", "Reply code of DEFER in access tables.") \
    X(NUMBER, reject_code, "554", 400, 599, "postfix", "Reply code of reject.") \
    X(NUMBER, defer_code, "450", 400, 499, "postfix", "Reply code of defer.") \
    X(NUMBER, invalid_hostname_reject_code, "501", 400, 599, "postfix", "Reply code of reject_invalid_helo_hostname.") \
    X(NUMBER, maps_rbl_reject_code, "554", 400, 599, "postfix", "Reply code ($rbl_code) of reject_rbl_client and its kin.") \
    X(NUMBER, multi_recipient_bounce_reject_code, "550", 400, 599, "postfix", "Reply code of reject_multi_recipient_bounce.") \
    X(NUMBER, non_fqdn_reject_code, "504", 400, 599, "postfix", "Reply code of reject_non_fqdn_sender and its kin.") \
    X(NUMBER, plaintext_reject_code, "450", 400, 599, "postfix", "Reply code of reject_plaintext_session.") \
    X(NUMBER, relay_domains_reject_code, "554", 500, 599, "postfix", "Reply code of reject_unauth_destination.") \
    X(NUMBER, unknown_address_reject_code, "450", 400, 599, "postfix", "Reply code of reject_unknown_sender_domain and reject_unknown_recipient_domain.") \
    X(NUMBER, unknown_client_reject_code, "450", 400, 599, "postfix", "Reply code of reject_unknown_client_hostname and reject_unknown_reverse_client_hostname.") \
    X(NUMBER, unknown_hostname_reject_code, "450", 400, 599, "postfix", "Reply code of reject_unknown_helo_hostname.") \
    X(NUMBER, unknown_local_recipient_reject_code, "550", 400, 599, "postfix", "Reply code for unknown recipients of mydestination.") \
    X(NUMBER, unknown_relay_recipient_reject_code, "550", 400, 599, "postfix", "The same for relay_domains.") \
    X(NUMBER, unknown_virtual_alias_reject_code, "550", 400, 599, "postfix", "The same for virtual_alias_domains.") \
    X(NUMBER, unknown_virtual_mailbox_reject_code, "550", 400, 599, "postfix", "The same for virtual_mailbox_domains.") \
    X(BOOL, show_user_unknown_table_name, "yes", 0, 0, "postfix", "Tell the client in which table a recipient is unknown.") \
    X(BOOL, soft_bounce, "no", 0, 0, "postfix", "Answer 4xx wherever 5xx would be due (for trials).") \
    X(NUMBER, smtpd_soft_error_limit, "10", 1, 100000, "postfix", "After so many errors of a session each answer is followed by smtpd_error_sleep_time.") \
    X(SECONDS, smtpd_error_sleep_time, "1s", 0, 60, "postfix", "The pause for clients that make many errors.") \
    X(NUMBER, smtpd_junk_command_limit, "100", 1, 100000, "postfix", "NOOP, VRFY, ETRN and RSET beyond so many between messages count as errors.") \
    X(NUMBER, smtpd_recipient_overshoot_limit, "1000", 1, 100000, "postfix", "Recipients beyond smtpd_recipient_limit that are refused without counting as errors.") \
    X(LIST, smtpd_noop_commands, "", 0, 0, "postfix", "Commands that are answered like NOOP.") \
    X(LIST, smtpd_forbidden_commands, "CONNECT GET POST", 0, 0, "postfix", "Commands after which the connection is closed.") \
    X(LIST, smtpd_discard_ehlo_keywords, "", 0, 0, "postfix", "EHLO keywords that are not offered.") \
    X(TEXT, smtpd_reject_footer, "", 0, 0, "postfix", "Template that follows each 4xx and 5xx reply (in this file $ is written $$).") \
    X(BOOL, strict_rfc821_envelopes, "no", 0, 0, "postfix", "Take addresses of MAIL and RCPT in <> only.") \
    X(TEXT, smtpd_forbid_bare_newline, "", 0, 0, "postfix", "reject: refuse messages with a lone LF; no, yes, normalize: take it for CRLF (only CRLF.CRLF ends a message either way). Empty: as smtpd_reject_bare_newline says.") \
    X(LIST, smtpd_client_event_limit_exceptions, "$mynetworks", 0, 0, "postfix", "Clients (CIDR) without limits of connections.") \
    X(BOOL, smtpd_peername_lookup, "yes", 0, 0, "postfix", "Look the client's name up in DNS.")
/* clang-format on */

#endif
