/* settings_routing.h: Where mail goes: domains, address maps, next hops, the queue. Rows as in
 * settings.h. */
#ifndef CONF_SETTINGS_ROUTING_H
#define CONF_SETTINGS_ROUTING_H

/* clang-format off */
#define CONF_SETTINGS_ROUTING(X) \
    X(TEXT, myorigin, "$myhostname", 0, 0, "postfix", "Domain that completes addresses without one.") \
    X(LIST, mydestination, "$myhostname, localhost.$mydomain, localhost", 0, 0, "postfix", "Domains whose mail is delivered here.") \
    X(LIST, inet_interfaces, "all", 0, 0, "postfix", "Addresses of this host that take mail: all, loopback-only, names or addresses. Mail to user@[address] of one of them is local.") \
    X(MAPS, local_recipient_maps, "unix:passwd.byname, $alias_maps", 0, 0, "postfix", "What lists the users of mydestination. unix:passwd.byname: the accounts, of whatever kind. Empty: every user is accepted, and unknown ones are returned later.") \
    X(MAPS, virtual_alias_maps, "", 0, 0, "postfix", "Tables \"address target, target\" (virtual(5)), for all domains.") \
    X(MAPS, virtual_alias_domains, "$virtual_alias_maps", 0, 0, "postfix", "Domains whose addresses are all in virtual_alias_maps.") \
    X(MAPS, virtual_mailbox_maps, "", 0, 0, "postfix", "Tables of the addresses of virtual_mailbox_domains. Empty: the accounts are.") \
    X(MAPS, virtual_mailbox_domains, "$virtual_mailbox_maps", 0, 0, "postfix", "Domains whose mail is delivered here, to accounts named by the whole address.") \
    X(MAPS, relay_domains, "", 0, 0, "postfix", "Domains for which mail is taken from everybody and passed on.") \
    X(MAPS, fast_flush_domains, "$relay_domains", 0, 0, "postfix", "Domains whose waiting mail ETRN sends at once; for others it is refused.") \
    X(MAPS, relay_recipient_maps, "", 0, 0, "postfix", "Tables of the addresses of relay_domains. Empty: all are accepted.") \
    X(MAPS, canonical_maps, "", 0, 0, "postfix", "Tables that replace addresses on arrival (canonical(5)).") \
    X(LIST, canonical_classes, "envelope_sender, envelope_recipient, header_sender, header_recipient", 0, 0, "postfix", "What canonical_maps is for.") \
    X(MAPS, sender_canonical_maps, "", 0, 0, "postfix", "The same for sender addresses, before canonical_maps.") \
    X(LIST, sender_canonical_classes, "envelope_sender, header_sender", 0, 0, "postfix", "What sender_canonical_maps is for.") \
    X(MAPS, recipient_canonical_maps, "", 0, 0, "postfix", "The same for recipient addresses, before canonical_maps.") \
    X(LIST, recipient_canonical_classes, "envelope_recipient, header_recipient", 0, 0, "postfix", "What recipient_canonical_maps is for.") \
    X(LIST, masquerade_domains, "", 0, 0, "postfix", "Domains whose subdomains are cut off in addresses; !domain: not there.") \
    X(LIST, masquerade_exceptions, "", 0, 0, "postfix", "User names that masquerade_domains leaves alone.") \
    X(LIST, masquerade_classes, "envelope_sender, header_sender, header_recipient", 0, 0, "postfix", "What masquerade_domains is for.") \
    X(TEXT, always_bcc, "", 0, 0, "postfix", "Address that gets a copy of every message.") \
    X(MAPS, sender_bcc_maps, "", 0, 0, "postfix", "Tables \"sender address\": who gets a copy of a sender's messages.") \
    X(MAPS, recipient_bcc_maps, "", 0, 0, "postfix", "Tables \"recipient address\": who gets a copy of a recipient's messages.") \
    X(MAPS, relocated_maps, "", 0, 0, "postfix", "Tables of users that have moved: mail to them is refused with their new address.") \
    X(MAPS, transport_maps, "", 0, 0, "postfix", "Tables \"address or domain transport:nexthop\" (transport(5)).") \
    X(MAPS, sender_dependent_relayhost_maps, "", 0, 0, "postfix", "Tables \"sender nexthop\": a relayhost by sender.") \
    X(MAPS, sender_dependent_default_transport_maps, "", 0, 0, "postfix", "Tables \"sender transport:nexthop\": a default_transport by sender.") \
    X(TEXT, default_transport, "smtp", 0, 0, "postfix", "transport:nexthop of mail to domains that are none of ours.") \
    X(TEXT, relay_transport, "relay", 0, 0, "postfix", "transport:nexthop of mail to relay_domains.") \
    X(TEXT, local_transport, "local:$myhostname", 0, 0, "postfix", "transport:nexthop of mail to mydestination.") \
    X(TEXT, virtual_transport, "virtual", 0, 0, "postfix", "transport:nexthop of mail to virtual_mailbox_domains.") \
    X(TEXT, mailbox_transport, "", 0, 0, "postfix", "transport:nexthop of mail to local users once aliases are expanded. Empty: their mailboxes here.") \
    X(TEXT, mailbox_command, "", 0, 0, "postfix", "Command line that gets the mail of local accounts, run as the system user of the account's name; where there is none the mail is tried again later. After mailbox_transport. Empty: their mailboxes here.") \
    X(MAPS, mailbox_command_maps, "", 0, 0, "postfix", "Tables \"user command line\": the same for single accounts; before mailbox_command.") \
    X(MAPS, mailbox_transport_maps, "", 0, 0, "postfix", "Tables \"user transport:nexthop\": the same for single users; before mailbox_transport.") \
    X(MAPS, fallback_transport_maps, "", 0, 0, "postfix", "Tables \"user transport:nexthop\": fallback_transport for single names; before it.") \
    X(TEXT, fallback_transport, "", 0, 0, "postfix", "transport:nexthop of mail to local users that nobody knows.") \
    X(LIST, propagate_unmatched_extensions, "canonical, virtual", 0, 0, "postfix", "Tables whose result gets the +detail that the key lacked: canonical, virtual, alias, forward, include, generic.") \
    X(NUMBER, virtual_alias_expansion_limit, "1000", 1, 10000, "postfix", "Most addresses that virtual_alias_maps may make of one.") \
    X(NUMBER, virtual_alias_recursion_limit, "1000", 1, 1000, "postfix", "How deeply virtual_alias_maps may be nested.") \
    X(NUMBER, virtual_alias_address_length_limit, "1000", 1, 10000, "postfix", "Longest address in virtual_alias_maps.") \
    X(BOOL, swap_bangpath, "yes", 0, 0, "postfix", "site!user means user@site.") \
    X(BOOL, allow_percent_hack, "yes", 0, 0, "postfix", "user%domain means user@domain.") \
    X(BOOL, append_at_myorigin, "yes", 0, 0, "postfix", "Complete user to user@$myorigin.") \
    X(BOOL, append_dot_mydomain, "no", 0, 0, "postfix", "Complete user@host to user@host.$mydomain.") \
    X(BOOL, resolve_dequoted_address, "yes", 0, 0, "postfix", "Look into quoted local parts for further domains.") \
    X(TEXT, empty_address_recipient, "MAILER-DAEMON", 0, 0, "postfix", "Who gets mail that is addressed to <>.") \
    X(TEXT, relayhost, "", 0, 0, "postfix", "Next hop for all foreign mail: host, host:port, [host] or [host]:port; brackets switch the MX lookup off.") \
    X(LIST, transport_services, "smtp=smtp relay=smtp lmtp=lmtp local=local virtual=virtual error=error retry=error discard=discard", 0, 0, "postrider", "The transports that there are, each name=kind: smtp, lmtp, local, virtual, mailbox (local or virtual, as the domain is), error, discard or pipe. Settings of one alone are those of the service \"name/unix\".") \
    X(MAPS, pipe_transports, "", 0, 0, "postrider", "Transports of kind pipe: {name=maildrop, flags=DRhu, user=vmail, argv={/usr/bin/maildrop -d $${recipient}}}: pipe(8)'s attributes.") \
    X(TEXT, recipient_delimiter, "+", 0, 0, "postfix", "Separates user and detail in user+detail. Empty: none.") \
    X(LIST, transport_sockets, "/run/dovecot/, /var/run/dovecot/, /run/cyrus/, /var/run/cyrus/, /var/lib/cyrus/, /var/imap/socket/", 0, 0, "postrider", "Unix sockets (or folders/ of them) that lmtp:unix:/path in transport_maps may name. Those in settings such as virtual_transport and those below queue_directory need no entry.") \
    X(NUMBER, lmtp_tcp_port, "24", 1, 65535, "postfix", "Port of LMTP servers where none is given.") \
    X(TEXT, lmtp_tls_security_level, "", 0, 0, "postfix", "As smtp_tls_security_level, towards LMTP servers. Empty: none.") \
    X(SECONDS, delay_warning_time, "0", 0, NO_MAX, "postfix", "A sender is told once that mail is still waiting after this time; 0: not.") \
    X(TEXT, smtp_tls_security_level, "may", 0, 0, "postfix", "TLS towards other servers: none; may, where they have it; encrypt, always, whoever it is; fingerprint, verify or secure: with one of the certificates of smtp_tls_fingerprint_cert_match, or a trusted one with a name of smtp_tls_verify_cert_match or smtp_tls_secure_cert_match; dane: as the signed TLSA records of a host in DNS say, and like may where it has none; dane-only: not without them. What can't be had is deferred.") \
    X(TEXT, smtp_mta_sts, "enforce", 0, 0, "postrider", "MTA-STS, the policies of domains about TLS towards their mail hosts: enforce: they are obeyed where neither smtp_tls_policy_maps nor DANE says what to do; testing: as if all of them were in mode testing; no: they are not looked for.") \
    X(BOOL, tls_report, "yes", 0, 0, "postrider", "Once a day, tell the domains that ask for it in DNS (RFC 8460) how mail to them went under TLS.") \
    X(TEXT, tls_report_contact, "postmaster@$mydomain", 0, 0, "postrider", "Address in these reports; also their sender.") \
    X(TEXT, tls_report_organization, "$mydomain", 0, 0, "postrider", "Name of who reports.") \
    X(SECONDS, smtp_connect_timeout, "30s", 1, DAY_S, "postfix", "Longest wait for a connection to another server.") \
    X(SECONDS, smtp_helo_timeout, "300s", 1, DAY_S, "postfix", "Longest wait for another server's greeting and its replies to EHLO and AUTH. Each time-out counts from the last byte.") \
    X(SECONDS, smtp_mail_timeout, "300s", 1, DAY_S, "postfix", "Longest wait for a reply to MAIL FROM.") \
    X(SECONDS, smtp_rcpt_timeout, "300s", 1, DAY_S, "postfix", "Longest wait for a reply to RCPT TO.") \
    X(SECONDS, smtp_data_init_timeout, "120s", 1, DAY_S, "postfix", "Longest wait for a reply to DATA.") \
    X(SECONDS, smtp_data_xfer_timeout, "180s", 1, DAY_S, "postfix", "Longest wait for another server that takes nothing of a message.") \
    X(SECONDS, smtp_data_done_timeout, "600s", 1, DAY_S, "postfix", "Longest wait for the reply to the end of a message.") \
    X(SECONDS, smtp_rset_timeout, "20s", 1, DAY_S, "postfix", "Longest wait for a reply to RSET.") \
    X(SECONDS, smtp_starttls_timeout, "300s", 1, DAY_S, "postfix", "Longest wait for a reply to STARTTLS, and then for the whole handshake.") \
    X(SECONDS, smtp_quit_timeout, "300s", 1, DAY_S, "postfix", "Longest wait for a reply to QUIT, where smtp_skip_quit_response says no.") \
    X(BOOL, smtp_skip_quit_response, "yes", 0, 0, "postfix", "QUIT ends a connection at once; else its reply is waited for.") \
    X(TEXT, smtp_fallback_relay, "", 0, 0, "postfix", "Next hops, as in a transport table, for mail whose own can't be found or reached: by commas. Not for domains whose MX hosts we are among.") \
    X(TEXT, smtp_address_preference, "any", 0, 0, "postfix", "Which addresses of a mail host are tried first: ipv4, ipv6 or any (by chance).") \
    X(BOOL, smtp_balance_inet_protocols, "yes", 0, 0, "postfix", "IPv4 and IPv6 addresses of a mail host take turns.") \
    X(BOOL, smtp_randomize_addresses, "yes", 0, 0, "postfix", "Mail hosts of equal preference are tried in random order; else as DNS tells them.") \
    X(NUMBER, smtp_mx_address_limit, "5", 0, 20, "postfix", "Most addresses of a next hop's mail hosts that are tried; 0: 20.") \
    X(SECONDS, smtp_connection_cache_time_limit, "2s", 0, DAY_S, "postfix", "A connection to another server is kept open so long for the next message; 0: not.") \
    X(SECONDS, smtp_connection_reuse_time_limit, "300s", 0, DAY_S, "postfix", "A connection takes further messages so long.") \
    X(NUMBER, smtp_connection_reuse_count_limit, "0", 0, 1000000, "postfix", "Most messages of one connection; 0: any number.") \
    X(SECONDS, lmtp_lhlo_timeout, "300s", 1, DAY_S, "postfix", "As smtp_helo_timeout, for LMTP.") \
    X(SECONDS, lmtp_mail_timeout, "300s", 1, DAY_S, "postfix", "As smtp_mail_timeout, for LMTP.") \
    X(SECONDS, lmtp_rcpt_timeout, "300s", 1, DAY_S, "postfix", "As smtp_rcpt_timeout, for LMTP.") \
    X(SECONDS, lmtp_data_init_timeout, "120s", 1, DAY_S, "postfix", "As smtp_data_init_timeout, for LMTP.") \
    X(SECONDS, lmtp_data_xfer_timeout, "180s", 1, DAY_S, "postfix", "As smtp_data_xfer_timeout, for LMTP.") \
    X(SECONDS, lmtp_data_done_timeout, "600s", 1, DAY_S, "postfix", "As smtp_data_done_timeout, for LMTP.") \
    X(SECONDS, lmtp_rset_timeout, "20s", 1, DAY_S, "postfix", "As smtp_rset_timeout, for LMTP.") \
    X(SECONDS, lmtp_starttls_timeout, "300s", 1, DAY_S, "postfix", "As smtp_starttls_timeout, for LMTP.") \
    X(SECONDS, lmtp_quit_timeout, "300s", 1, DAY_S, "postfix", "As smtp_quit_timeout, for LMTP.") \
    X(BOOL, lmtp_skip_quit_response, "no", 0, 0, "postfix", "As smtp_skip_quit_response, for LMTP.") \
    X(TEXT, lmtp_fallback_relay, "", 0, 0, "postfix", "As smtp_fallback_relay, for LMTP.") \
    X(TEXT, lmtp_address_preference, "any", 0, 0, "postfix", "As smtp_address_preference, for LMTP.") \
    X(BOOL, lmtp_balance_inet_protocols, "yes", 0, 0, "postfix", "As smtp_balance_inet_protocols, for LMTP.") \
    X(BOOL, lmtp_randomize_addresses, "yes", 0, 0, "postfix", "As smtp_randomize_addresses, for LMTP.") \
    X(NUMBER, lmtp_mx_address_limit, "5", 0, 20, "postfix", "As smtp_mx_address_limit, for LMTP.") \
    X(SECONDS, lmtp_connection_cache_time_limit, "2s", 0, DAY_S, "postfix", "As smtp_connection_cache_time_limit, for LMTP.") \
    X(SECONDS, lmtp_connection_reuse_time_limit, "300s", 0, DAY_S, "postfix", "As smtp_connection_reuse_time_limit, for LMTP.") \
    X(NUMBER, lmtp_connection_reuse_count_limit, "0", 0, 1000000, "postfix", "As smtp_connection_reuse_count_limit, for LMTP.") \
    X(TEXT, smtp_helo_name, "$myhostname", 0, 0, "postfix", "Name in our EHLO.") \
    X(NUMBER, smtp_port, "25", 1, 65535, "postrider", "Port of other servers where none is given.") \
    X(TEXT, smtp_dns_resolver, "", 0, 0, "postrider", "host:port of the resolver to ask. Empty: the system's.") \
    X(TEXT, smtp_dns_support_level, "", 0, 0, "postfix", "dnssec: answers are validated, from the keys in smtp_dnssec_trust_anchor_file, and mail to hosts whose answers are bogus is deferred; dane and dane-only need it. enabled, or empty: not.") \
    X(TEXT, smtp_dnssec_trust_anchor_file, "/usr/share/dns/root.key", 0, 0, "postrider", "Trust anchors of DNSSEC: DS or DNSKEY records, one a line. The default is that of the package dns-root-data.") \
    X(BOOL, smtp_sasl_auth_enable, "yes", 0, 0, "postfix", "Log in to the next hops that smtp_sasl_password_maps has a password for.") \
    X(MAPS, smtp_sasl_password_maps, "", 0, 0, "postfix", "Tables \"nexthop user:password\": credentials for relayhost and the next hops of transport_maps, by the next hop as it is written there ([mail.isp.test]:587), its bare name, or the host's name.") \
    X(BOOL, smtp_sender_dependent_authentication, "no", 0, 0, "postfix", "Look for the sender's address in smtp_sasl_password_maps first. Mail of different senders then takes different connections.") \
    X(LIST, smtp_sasl_security_options, "noplaintext, noanonymous", 0, 0, "postfix", "Which mechanisms may be used to log in to another server without TLS: noplaintext, noanonymous, noactive, nodictionary, mutual_auth. A server on this host counts as one under TLS.") \
    X(LIST, smtp_sasl_tls_security_options, "noanonymous", 0, 0, "postfix", "The same under TLS.") \
    X(LIST, smtp_sasl_mechanism_filter, "", 0, 0, "postfix", "The mechanisms to use of plain, login, cram-md5, scram-sha-1, scram-sha-256, their -plus, xoauth2 and oauthbearer; !name: not that one; static:all: all others. Empty: all, but xoauth2 and oauthbearer, for which the password must be a token.") \
    X(LIST, smtp_sasl_tls_verified_security_options, "$smtp_sasl_tls_security_options", 0, 0, "postfix", "The same under TLS with a server whose certificate is verified (smtp_tls_security_level).") \
    X(MAPS, smtp_generic_maps, "", 0, 0, "postfix", "Tables that replace addresses of mail that leaves by SMTP, in the envelope and the header (generic(5)).") \
    X(MAPS, smtp_header_checks, "", 0, 0, "postfix", "As header_checks, for mail that leaves by SMTP: IGNORE, STRIP, PREPEND, REPLACE, INFO, WARN.") \
    X(MAPS, smtp_mime_header_checks, "", 0, 0, "postfix", "The same for the fields of MIME and the headers of parts.") \
    X(MAPS, smtp_nested_header_checks, "", 0, 0, "postfix", "The same for the headers of messages within the message.") \
    X(MAPS, smtp_body_checks, "", 0, 0, "postfix", "The same for each line of the body.") \
    X(NUMBER, default_destination_concurrency_limit, "20", 1, 10000, "postfix", "Most deliveries at a time to one destination.") \
    X(NUMBER, initial_destination_concurrency, "5", 1, 10000, "postfix", "Deliveries at a time that a destination begins with.") \
    X(TEXT, default_destination_concurrency_positive_feedback, "1", 0, 0, "postfix", "How much more at a time a destination gets after each attempt that reached it: a number from 0 to 1, a fraction, 1/concurrency or 1/sqrt_concurrency.") \
    X(TEXT, default_destination_concurrency_negative_feedback, "1", 0, 0, "postfix", "How much less after each attempt that reached nobody there.") \
    X(NUMBER, default_destination_concurrency_failed_cohort_limit, "1", 0, 10000, "postfix", "A destination that nobody could be reached at, as often as it has deliveries at a time, times this number, is left alone for minimal_backoff_time; what waits for it is put off with the reason. 0: never.") \
    X(SECONDS, default_destination_rate_delay, "0s", 0, DAY_S, "postfix", "Pause between deliveries to one destination; there is then one at a time. 0: none.") \
    X(SECONDS, default_transport_rate_delay, "0s", 0, DAY_S, "postfix", "The same for all destinations of a transport together.") \
    X(NUMBER, maxproc, "0", 0, 10000, "postfix", "Most deliveries at a time over one transport, as the column of that name in master.cf: for the services of transports (slow/unix). 0: any number.") \
    X(LIST, defer_transports, "", 0, 0, "postfix", "Transports whose mail waits until it is flushed.") \
    X(NUMBER, default_destination_recipient_limit, "50", 1, 10000, "postfix", "Most recipients of one outgoing transaction.") \
    X(SECONDS, minimal_backoff_time, "300s", 1, YEAR_S, "postfix", "First wait before a deferred message is tried again; doubles each time.") \
    X(SECONDS, maximal_backoff_time, "4000s", 1, YEAR_S, "postfix", "Longest wait between attempts.") \
    X(SECONDS, maximal_queue_lifetime, "5d", 0, YEAR_S, "postfix", "A message that could not be sent so long is returned.") \
    X(SECONDS, bounce_queue_lifetime, "5d", 0, YEAR_S, "postfix", "The same for bounces.")
/* clang-format on */

#endif
