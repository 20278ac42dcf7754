/* parameters_smtp.h: Postfix 3.7's parameters of the SMTP client. Rows as in parameters.c. */
#ifndef CONF_POSTFIX_PARAMETERS_SMTP_H
#define CONF_POSTFIX_PARAMETERS_SMTP_H

/* clang-format off */
#define POSTFIX_PARAMETERS_SMTP(X) \
    X("smtp_address_preference", "any", READ, "") \
    X("smtp_address_verify_target", "rcpt", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("smtp_always_send_ehlo", "yes", UNSERVED, "Postrider sends EHLO first and HELO when it is refused") \
    X("smtp_balance_inet_protocols", "yes", READ, "") \
    X("smtp_bind_address", "", UNSERVED, "the system chooses the address of outgoing connections") \
    X("smtp_bind_address6", "", UNSERVED, "the system chooses the address of outgoing connections") \
    X("smtp_bind_address_enforce", "no", UNSERVED, "the system chooses the address of outgoing connections") \
    X("smtp_body_checks", "", READ, "") \
    X("smtp_cname_overrides_servername", "no", OBSOLETE, "it does nothing since Postfix 3.6 or before; remove it") \
    X("smtp_connect_timeout", "30s", READ, "") \
    X("smtp_connection_cache_destinations", "", INNER, "connections are reused as Postrider sees fit") \
    X("smtp_connection_cache_on_demand", "yes", INNER, "connections are reused as Postrider sees fit") \
    X("smtp_connection_cache_time_limit", "2s", READ, "") \
    X("smtp_connection_reuse_count_limit", "0", READ, "") \
    X("smtp_connection_reuse_time_limit", "300s", READ, "") \
    X("smtp_data_done_timeout", "600s", READ, "") \
    X("smtp_data_init_timeout", "120s", READ, "") \
    X("smtp_data_xfer_timeout", "180s", READ, "") \
    X("smtp_defer_if_no_mx_address_found", "no", UNSERVED, "names are looked up in DNS") \
    X("smtp_delivery_status_filter", "$default_delivery_status_filter", UNSERVED, "replies of delivery are told to the sender as they are") \
    X("smtp_discard_ehlo_keyword_address_maps", "", UNSERVED, "what another server offers or answers is taken as it is") \
    X("smtp_discard_ehlo_keywords", "", UNSERVED, "what another server offers or answers is taken as it is") \
    X("smtp_dns_reply_filter", "", UNSERVED, "names are looked up in DNS") \
    X("smtp_dns_resolver_options", "", UNSERVED, "names are looked up in DNS") \
    X("smtp_dns_support_level", "", READ, "") \
    X("smtp_enforce_tls", "no", READ, "") \
    X("smtp_fallback_relay", "$fallback_relay", READ, "") \
    X("smtp_generic_maps", "", READ, "") \
    X("smtp_header_checks", "", READ, "") \
    X("smtp_helo_name", "$myhostname", READ, "") \
    X("smtp_helo_timeout", "300s", READ, "") \
    X("smtp_host_lookup", "dns", UNSERVED, "names are looked up in DNS") \
    X("smtp_line_length_limit", "998", UNSERVED, "long lines are not broken") \
    X("smtp_mail_timeout", "300s", READ, "") \
    X("smtp_mime_header_checks", "", READ, "") \
    X("smtp_min_data_rate", "500", UNSERVED, "a time-out is for silence, not for slowness") \
    X("smtp_mx_address_limit", "5", READ, "") \
    X("smtp_mx_session_limit", "2", UNSERVED, "every address of the limit above is tried") \
    X("smtp_nested_header_checks", "", READ, "") \
    X("smtp_never_send_ehlo", "no", UNSERVED, "Postrider sends EHLO first and HELO when it is refused") \
    X("smtp_per_request_deadline", "${smtp_per_record_deadline?{$smtp_per_record_deadline}:{no}}", UNSERVED, "a time-out is for silence, not for slowness") \
    X("smtp_pix_workaround_delay_time", "10s", INNER, "a workaround for firewalls that are gone") \
    X("smtp_pix_workaround_maps", "", INNER, "a workaround for firewalls that are gone") \
    X("smtp_pix_workaround_threshold_time", "500s", INNER, "a workaround for firewalls that are gone") \
    X("smtp_pix_workarounds", "disable_esmtp,delay_dotcrlf", INNER, "a workaround for firewalls that are gone") \
    X("smtp_quit_timeout", "300s", READ, "") \
    X("smtp_quote_rfc821_envelope", "yes", UNSERVED, "what another server offers or answers is taken as it is") \
    X("smtp_randomize_addresses", "yes", READ, "") \
    X("smtp_rcpt_timeout", "300s", READ, "") \
    X("smtp_reply_filter", "", UNSERVED, "what another server offers or answers is taken as it is") \
    X("smtp_rset_timeout", "20s", READ, "") \
    X("smtp_sasl_auth_cache_name", "", INNER, "which SASL library the client uses, and its cache") \
    X("smtp_sasl_auth_cache_time", "90d", INNER, "which SASL library the client uses, and its cache") \
    X("smtp_sasl_auth_enable", "no", READ, "") \
    X("smtp_sasl_auth_soft_bounce", "yes", INNER, "which SASL library the client uses, and its cache") \
    X("smtp_sasl_mechanism_filter", "", READ, "") \
    X("smtp_sasl_password_maps", "", READ, "") \
    X("smtp_sasl_path", "", INNER, "which SASL library the client uses, and its cache") \
    X("smtp_sasl_security_options", "noplaintext, noanonymous", READ, "") \
    X("smtp_sasl_tls_security_options", "$smtp_sasl_security_options", READ, "") \
    X("smtp_sasl_tls_verified_security_options", "$smtp_sasl_tls_security_options", READ, "") \
    X("smtp_sasl_type", "cyrus", INNER, "which SASL library the client uses, and its cache") \
    X("smtp_send_dummy_mail_auth", "no", INNER, "which SASL library the client uses, and its cache") \
    X("smtp_send_xforward_command", "no", UNSERVED, "the client's name and address are not sent on (XFORWARD)") \
    X("smtp_sender_dependent_authentication", "no", READ, "") \
    X("smtp_skip_5xx_greeting", "yes", UNSERVED, "what another server offers or answers is taken as it is") \
    X("smtp_skip_quit_response", "yes", READ, "") \
    X("smtp_starttls_timeout", "300s", READ, "") \
    X("smtp_tcp_port", "smtp", READ, "") \
    X("smtp_tls_CAfile", "", READ, "") \
    X("smtp_tls_CApath", "", READ, "") \
    X("smtp_tls_block_early_mail_reply", "no", INNER, "connections are reused as Postrider sees fit") \
    X("smtp_tls_cert_file", "", READ, "") \
    X("smtp_tls_chain_files", "", READ, "") \
    X("smtp_tls_ciphers", "medium", READ, "") \
    X("smtp_tls_connection_reuse", "no", INNER, "connections are reused as Postrider sees fit") \
    X("smtp_tls_dane_insecure_mx_policy", "${{$smtp_tls_security_level} == {dane} ? {dane} : {may}}", READ, "") \
    X("smtp_tls_dcert_file", "", OBSOLETE, "DSA certificates are dead; use smtpd_tls_cert_file") \
    X("smtp_tls_dkey_file", "$smtp_tls_dcert_file", OBSOLETE, "DSA certificates are dead; use smtpd_tls_cert_file") \
    X("smtp_tls_eccert_file", "", READ, "") \
    X("smtp_tls_eckey_file", "$smtp_tls_eccert_file", READ, "") \
    X("smtp_tls_enforce_peername", "yes", OBSOLETE, "it does nothing since Postfix 3.6 or before; remove it") \
    X("smtp_tls_exclude_ciphers", "", READ, "") \
    X("smtp_tls_fingerprint_cert_match", "", READ, "") \
    X("smtp_tls_fingerprint_digest", "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", READ, "") \
    X("smtp_tls_force_insecure_host_tlsa_lookup", "no", UNSERVED, "TLSA records of hosts whose addresses are not signed are asked for at signed aliases alone") \
    X("smtp_tls_key_file", "$smtp_tls_cert_file", READ, "") \
    X("smtp_tls_loglevel", "0", INNER, "TLS is logged with each connection") \
    X("smtp_tls_mandatory_ciphers", "medium", READ, "") \
    X("smtp_tls_mandatory_exclude_ciphers", "", READ, "") \
    X("smtp_tls_mandatory_protocols", ">=TLSv1", READ, "") \
    X("smtp_tls_note_starttls_offer", "no", INNER, "TLS is logged with each connection") \
    X("smtp_tls_per_site", "", GUARD, "TLS would not be as strict towards the destinations in it; smtp_tls_policy_maps has its place since Postfix 2.3 (MAY is may, MUST_NOPEERMATCH is encrypt, MUST is secure match=hostname)") \
    X("smtp_tls_policy_maps", "", READ, "") \
    X("smtp_tls_protocols", ">=TLSv1", READ, "") \
    X("smtp_tls_scert_verifydepth", "9", READ, "") \
    X("smtp_tls_secure_cert_match", "nexthop, dot-nexthop", READ, "") \
    X("smtp_tls_security_level", "", READ, "") \
    X("smtp_tls_servername", "", READ, "") \
    X("smtp_tls_session_cache_database", "", INNER, "sessions are kept in memory, as long as smtp_tls_session_cache_timeout says") \
    X("smtp_tls_session_cache_timeout", "3600s", READ, "") \
    X("smtp_tls_trust_anchor_file", "", READ, "") \
    X("smtp_tls_verify_cert_match", "hostname", READ, "") \
    X("smtp_tls_wrappermode", "no", UNSERVED, "a connection with TLS from its first byte is not made to other servers") \
    X("smtp_use_tls", "no", READ, "") \
    X("smtp_xforward_timeout", "300s", UNSERVED, "the client's name and address are not sent on (XFORWARD)")
/* clang-format on */

#endif
