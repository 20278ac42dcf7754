/* parameters_lmtp.h: Postfix 3.7's parameters of the LMTP client. Rows as in parameters.c. */
#ifndef CONF_POSTFIX_PARAMETERS_LMTP_H
#define CONF_POSTFIX_PARAMETERS_LMTP_H

/* clang-format off */
#define POSTFIX_PARAMETERS_LMTP(X) \
    X("lmtp_address_preference", "any", READ, "") \
    X("lmtp_address_verify_target", "rcpt", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("lmtp_assume_final", "no", INNER, "of the LMTP client, which works as the SMTP client does") \
    X("lmtp_balance_inet_protocols", "yes", READ, "") \
    X("lmtp_bind_address", "", UNSERVED, "the system chooses the address of outgoing connections") \
    X("lmtp_bind_address6", "", UNSERVED, "the system chooses the address of outgoing connections") \
    X("lmtp_bind_address_enforce", "no", UNSERVED, "the system chooses the address of outgoing connections") \
    X("lmtp_body_checks", "", UNSERVED, "messages are not changed on their way out") \
    X("lmtp_cname_overrides_servername", "no", OBSOLETE, "it does nothing since Postfix 3.6 or before; remove it") \
    X("lmtp_connect_timeout", "0s", INNER, "of the LMTP client, which works as the SMTP client does") \
    X("lmtp_connection_cache_destinations", "", INNER, "connections are reused as Postrider sees fit") \
    X("lmtp_connection_cache_on_demand", "yes", INNER, "connections are reused as Postrider sees fit") \
    X("lmtp_connection_cache_time_limit", "2s", READ, "") \
    X("lmtp_connection_reuse_count_limit", "0", READ, "") \
    X("lmtp_connection_reuse_time_limit", "300s", READ, "") \
    X("lmtp_data_done_timeout", "600s", READ, "") \
    X("lmtp_data_init_timeout", "120s", READ, "") \
    X("lmtp_data_xfer_timeout", "180s", READ, "") \
    X("lmtp_defer_if_no_mx_address_found", "no", UNSERVED, "names are looked up in DNS") \
    X("lmtp_delivery_status_filter", "$default_delivery_status_filter", UNSERVED, "replies of delivery are told to the sender as they are") \
    X("lmtp_discard_lhlo_keyword_address_maps", "", UNSERVED, "what another server offers or answers is taken as it is") \
    X("lmtp_discard_lhlo_keywords", "", UNSERVED, "what another server offers or answers is taken as it is") \
    X("lmtp_dns_reply_filter", "", UNSERVED, "names are looked up in DNS") \
    X("lmtp_dns_resolver_options", "", UNSERVED, "names are looked up in DNS") \
    X("lmtp_dns_support_level", "", UNSERVED, "smtp_dns_support_level holds for LMTP too") \
    X("lmtp_enforce_tls", "no", READ, "") \
    X("lmtp_fallback_relay", "", READ, "") \
    X("lmtp_generic_maps", "", UNSERVED, "addresses are not changed on their way out") \
    X("lmtp_header_checks", "", UNSERVED, "messages are not changed on their way out") \
    X("lmtp_host_lookup", "dns", UNSERVED, "names are looked up in DNS") \
    X("lmtp_lhlo_name", "$myhostname", INNER, "of the LMTP client, which works as the SMTP client does") \
    X("lmtp_lhlo_timeout", "300s", READ, "") \
    X("lmtp_line_length_limit", "998", INNER, "of the LMTP client, which works as the SMTP client does") \
    X("lmtp_mail_timeout", "300s", READ, "") \
    X("lmtp_mime_header_checks", "", UNSERVED, "messages are not changed on their way out") \
    X("lmtp_min_data_rate", "500", UNSERVED, "a time-out is for silence, not for slowness") \
    X("lmtp_mx_address_limit", "5", READ, "") \
    X("lmtp_mx_session_limit", "2", UNSERVED, "every address of the limit above is tried") \
    X("lmtp_nested_header_checks", "", UNSERVED, "messages are not changed on their way out") \
    X("lmtp_per_request_deadline", "${lmtp_per_record_deadline?{$lmtp_per_record_deadline}:{no}}", UNSERVED, "a time-out is for silence, not for slowness") \
    X("lmtp_pix_workaround_delay_time", "10s", INNER, "a workaround for firewalls that are gone") \
    X("lmtp_pix_workaround_maps", "", INNER, "a workaround for firewalls that are gone") \
    X("lmtp_pix_workaround_threshold_time", "500s", INNER, "a workaround for firewalls that are gone") \
    X("lmtp_pix_workarounds", "disable_esmtp,delay_dotcrlf", INNER, "a workaround for firewalls that are gone") \
    X("lmtp_quit_timeout", "300s", READ, "") \
    X("lmtp_quote_rfc821_envelope", "yes", UNSERVED, "what another server offers or answers is taken as it is") \
    X("lmtp_randomize_addresses", "yes", READ, "") \
    X("lmtp_rcpt_timeout", "300s", READ, "") \
    X("lmtp_reply_filter", "", UNSERVED, "what another server offers or answers is taken as it is") \
    X("lmtp_rset_timeout", "20s", READ, "") \
    X("lmtp_sasl_auth_cache_name", "", INNER, "which SASL library the client uses, and its cache") \
    X("lmtp_sasl_auth_cache_time", "90d", INNER, "which SASL library the client uses, and its cache") \
    X("lmtp_sasl_auth_enable", "no", INNER, "of the LMTP client, which works as the SMTP client does") \
    X("lmtp_sasl_auth_soft_bounce", "yes", INNER, "which SASL library the client uses, and its cache") \
    X("lmtp_sasl_mechanism_filter", "", UNSERVED, "nobody logs in to LMTP servers") \
    X("lmtp_sasl_password_maps", "", INNER, "of the LMTP client, which works as the SMTP client does") \
    X("lmtp_sasl_path", "", INNER, "which SASL library the client uses, and its cache") \
    X("lmtp_sasl_security_options", "noplaintext, noanonymous", UNSERVED, "nobody logs in to LMTP servers") \
    X("lmtp_sasl_tls_security_options", "$lmtp_sasl_security_options", UNSERVED, "nobody logs in to LMTP servers") \
    X("lmtp_sasl_tls_verified_security_options", "$lmtp_sasl_tls_security_options", UNSERVED, "nobody logs in to LMTP servers") \
    X("lmtp_sasl_type", "cyrus", INNER, "which SASL library the client uses, and its cache") \
    X("lmtp_send_dummy_mail_auth", "no", INNER, "which SASL library the client uses, and its cache") \
    X("lmtp_send_xforward_command", "no", INNER, "of the LMTP client, which works as the SMTP client does") \
    X("lmtp_sender_dependent_authentication", "no", UNSERVED, "credentials are looked up for relayhost and the next hop only") \
    X("lmtp_skip_5xx_greeting", "yes", UNSERVED, "what another server offers or answers is taken as it is") \
    X("lmtp_skip_quit_response", "no", READ, "") \
    X("lmtp_starttls_timeout", "300s", READ, "") \
    X("lmtp_tcp_port", "24", READ, "") \
    X("lmtp_tls_CAfile", "", READ, "") \
    X("lmtp_tls_CApath", "", READ, "") \
    X("lmtp_tls_block_early_mail_reply", "no", INNER, "connections are reused as Postrider sees fit") \
    X("lmtp_tls_cert_file", "", READ, "") \
    X("lmtp_tls_chain_files", "", READ, "") \
    X("lmtp_tls_ciphers", "medium", READ, "") \
    X("lmtp_tls_connection_reuse", "no", INNER, "connections are reused as Postrider sees fit") \
    X("lmtp_tls_dcert_file", "", OBSOLETE, "DSA certificates are dead; use smtpd_tls_cert_file") \
    X("lmtp_tls_dkey_file", "$lmtp_tls_dcert_file", OBSOLETE, "DSA certificates are dead; use smtpd_tls_cert_file") \
    X("lmtp_tls_eccert_file", "", READ, "") \
    X("lmtp_tls_eckey_file", "$lmtp_tls_eccert_file", READ, "") \
    X("lmtp_tls_enforce_peername", "yes", OBSOLETE, "it does nothing since Postfix 3.6 or before; remove it") \
    X("lmtp_tls_exclude_ciphers", "", READ, "") \
    X("lmtp_tls_fingerprint_cert_match", "", READ, "") \
    X("lmtp_tls_fingerprint_digest", "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", READ, "") \
    X("lmtp_tls_force_insecure_host_tlsa_lookup", "no", UNSERVED, "TLSA records of hosts whose addresses are not signed are asked for at signed aliases alone") \
    X("lmtp_tls_key_file", "$lmtp_tls_cert_file", READ, "") \
    X("lmtp_tls_loglevel", "0", INNER, "TLS is logged with each connection") \
    X("lmtp_tls_mandatory_ciphers", "medium", READ, "") \
    X("lmtp_tls_mandatory_exclude_ciphers", "", READ, "") \
    X("lmtp_tls_mandatory_protocols", ">=TLSv1", READ, "") \
    X("lmtp_tls_note_starttls_offer", "no", INNER, "TLS is logged with each connection") \
    X("lmtp_tls_per_site", "", GUARD, "TLS would not be as strict towards the destinations in it; lmtp_tls_policy_maps has its place since Postfix 2.3 (MAY is may, MUST_NOPEERMATCH is encrypt, MUST is secure match=hostname)") \
    X("lmtp_tls_policy_maps", "", READ, "") \
    X("lmtp_tls_protocols", ">=TLSv1", READ, "") \
    X("lmtp_tls_scert_verifydepth", "9", READ, "") \
    X("lmtp_tls_secure_cert_match", "nexthop", READ, "") \
    X("lmtp_tls_security_level", "", READ, "") \
    X("lmtp_tls_servername", "", READ, "") \
    X("lmtp_tls_session_cache_database", "", INNER, "sessions are kept in memory, as long as lmtp_tls_session_cache_timeout says") \
    X("lmtp_tls_session_cache_timeout", "3600s", READ, "") \
    X("lmtp_tls_trust_anchor_file", "", READ, "") \
    X("lmtp_tls_verify_cert_match", "hostname", READ, "") \
    X("lmtp_tls_wrappermode", "no", UNSERVED, "a connection with TLS from its first byte is not made to other servers") \
    X("lmtp_use_tls", "no", READ, "") \
    X("lmtp_xforward_timeout", "300s", UNSERVED, "the client's name and address are not sent on (XFORWARD)")
/* clang-format on */

#endif
