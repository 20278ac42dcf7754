/* parameters_lmtp.h: Postfix 3.7's parameters of the LMTP client. Rows as in parameters.c. */
#ifndef CONF_POSTFIX_PARAMETERS_LMTP_H
#define CONF_POSTFIX_PARAMETERS_LMTP_H

/* clang-format off */
#define POSTFIX_PARAMETERS_LMTP(X) \
    X("lmtp_address_preference", "any", UNSERVED, "") \
    X("lmtp_address_verify_target", "rcpt", UNSERVED, "") \
    X("lmtp_assume_final", "no", UNSERVED, "") \
    X("lmtp_balance_inet_protocols", "yes", UNSERVED, "") \
    X("lmtp_bind_address", "", UNSERVED, "") \
    X("lmtp_bind_address6", "", UNSERVED, "") \
    X("lmtp_bind_address_enforce", "no", UNSERVED, "") \
    X("lmtp_body_checks", "", UNSERVED, "") \
    X("lmtp_cname_overrides_servername", "no", UNSERVED, "") \
    X("lmtp_connect_timeout", "0s", UNSERVED, "") \
    X("lmtp_connection_cache_destinations", "", UNSERVED, "") \
    X("lmtp_connection_cache_on_demand", "yes", UNSERVED, "") \
    X("lmtp_connection_cache_time_limit", "2s", UNSERVED, "") \
    X("lmtp_connection_reuse_count_limit", "0", UNSERVED, "") \
    X("lmtp_connection_reuse_time_limit", "300s", UNSERVED, "") \
    X("lmtp_data_done_timeout", "600s", UNSERVED, "") \
    X("lmtp_data_init_timeout", "120s", UNSERVED, "") \
    X("lmtp_data_xfer_timeout", "180s", UNSERVED, "") \
    X("lmtp_defer_if_no_mx_address_found", "no", UNSERVED, "") \
    X("lmtp_delivery_status_filter", "$default_delivery_status_filter", UNSERVED, "") \
    X("lmtp_discard_lhlo_keyword_address_maps", "", UNSERVED, "") \
    X("lmtp_discard_lhlo_keywords", "", UNSERVED, "") \
    X("lmtp_dns_reply_filter", "", UNSERVED, "") \
    X("lmtp_dns_resolver_options", "", UNSERVED, "") \
    X("lmtp_dns_support_level", "", UNSERVED, "") \
    X("lmtp_enforce_tls", "no", UNSERVED, "") \
    X("lmtp_fallback_relay", "", UNSERVED, "") \
    X("lmtp_generic_maps", "", UNSERVED, "") \
    X("lmtp_header_checks", "", UNSERVED, "") \
    X("lmtp_host_lookup", "dns", UNSERVED, "") \
    X("lmtp_lhlo_name", "$myhostname", UNSERVED, "") \
    X("lmtp_lhlo_timeout", "300s", UNSERVED, "") \
    X("lmtp_line_length_limit", "998", UNSERVED, "") \
    X("lmtp_mail_timeout", "300s", UNSERVED, "") \
    X("lmtp_mime_header_checks", "", UNSERVED, "") \
    X("lmtp_min_data_rate", "500", UNSERVED, "") \
    X("lmtp_mx_address_limit", "5", UNSERVED, "") \
    X("lmtp_mx_session_limit", "2", UNSERVED, "") \
    X("lmtp_nested_header_checks", "", UNSERVED, "") \
    X("lmtp_per_request_deadline", "${lmtp_per_record_deadline?{$lmtp_per_record_deadline}:{no}}", UNSERVED, "") \
    X("lmtp_pix_workaround_delay_time", "10s", UNSERVED, "") \
    X("lmtp_pix_workaround_maps", "", UNSERVED, "") \
    X("lmtp_pix_workaround_threshold_time", "500s", UNSERVED, "") \
    X("lmtp_pix_workarounds", "disable_esmtp,delay_dotcrlf", UNSERVED, "") \
    X("lmtp_quit_timeout", "300s", UNSERVED, "") \
    X("lmtp_quote_rfc821_envelope", "yes", UNSERVED, "") \
    X("lmtp_randomize_addresses", "yes", UNSERVED, "") \
    X("lmtp_rcpt_timeout", "300s", UNSERVED, "") \
    X("lmtp_reply_filter", "", UNSERVED, "") \
    X("lmtp_rset_timeout", "20s", UNSERVED, "") \
    X("lmtp_sasl_auth_cache_name", "", UNSERVED, "") \
    X("lmtp_sasl_auth_cache_time", "90d", UNSERVED, "") \
    X("lmtp_sasl_auth_enable", "no", UNSERVED, "") \
    X("lmtp_sasl_auth_soft_bounce", "yes", UNSERVED, "") \
    X("lmtp_sasl_mechanism_filter", "", UNSERVED, "") \
    X("lmtp_sasl_password_maps", "", UNSERVED, "") \
    X("lmtp_sasl_path", "", UNSERVED, "") \
    X("lmtp_sasl_security_options", "noplaintext, noanonymous", UNSERVED, "") \
    X("lmtp_sasl_tls_security_options", "$lmtp_sasl_security_options", UNSERVED, "") \
    X("lmtp_sasl_tls_verified_security_options", "$lmtp_sasl_tls_security_options", UNSERVED, "") \
    X("lmtp_sasl_type", "cyrus", UNSERVED, "") \
    X("lmtp_send_dummy_mail_auth", "no", UNSERVED, "") \
    X("lmtp_send_xforward_command", "no", UNSERVED, "") \
    X("lmtp_sender_dependent_authentication", "no", UNSERVED, "") \
    X("lmtp_skip_5xx_greeting", "yes", UNSERVED, "") \
    X("lmtp_skip_quit_response", "no", UNSERVED, "") \
    X("lmtp_starttls_timeout", "300s", UNSERVED, "") \
    X("lmtp_tcp_port", "24", UNSERVED, "") \
    X("lmtp_tls_CAfile", "", UNSERVED, "") \
    X("lmtp_tls_CApath", "", UNSERVED, "") \
    X("lmtp_tls_block_early_mail_reply", "no", UNSERVED, "") \
    X("lmtp_tls_cert_file", "", UNSERVED, "") \
    X("lmtp_tls_chain_files", "", UNSERVED, "") \
    X("lmtp_tls_ciphers", "medium", UNSERVED, "") \
    X("lmtp_tls_connection_reuse", "no", UNSERVED, "") \
    X("lmtp_tls_dcert_file", "", UNSERVED, "") \
    X("lmtp_tls_dkey_file", "$lmtp_tls_dcert_file", UNSERVED, "") \
    X("lmtp_tls_eccert_file", "", UNSERVED, "") \
    X("lmtp_tls_eckey_file", "$lmtp_tls_eccert_file", UNSERVED, "") \
    X("lmtp_tls_enforce_peername", "yes", UNSERVED, "") \
    X("lmtp_tls_exclude_ciphers", "", UNSERVED, "") \
    X("lmtp_tls_fingerprint_cert_match", "", UNSERVED, "") \
    X("lmtp_tls_fingerprint_digest", "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", UNSERVED, "") \
    X("lmtp_tls_force_insecure_host_tlsa_lookup", "no", UNSERVED, "") \
    X("lmtp_tls_key_file", "$lmtp_tls_cert_file", UNSERVED, "") \
    X("lmtp_tls_loglevel", "0", UNSERVED, "") \
    X("lmtp_tls_mandatory_ciphers", "medium", UNSERVED, "") \
    X("lmtp_tls_mandatory_exclude_ciphers", "", UNSERVED, "") \
    X("lmtp_tls_mandatory_protocols", ">=TLSv1", UNSERVED, "") \
    X("lmtp_tls_note_starttls_offer", "no", UNSERVED, "") \
    X("lmtp_tls_per_site", "", UNSERVED, "") \
    X("lmtp_tls_policy_maps", "", UNSERVED, "") \
    X("lmtp_tls_protocols", ">=TLSv1", UNSERVED, "") \
    X("lmtp_tls_scert_verifydepth", "9", UNSERVED, "") \
    X("lmtp_tls_secure_cert_match", "nexthop", UNSERVED, "") \
    X("lmtp_tls_security_level", "", UNSERVED, "") \
    X("lmtp_tls_servername", "", UNSERVED, "") \
    X("lmtp_tls_session_cache_database", "", UNSERVED, "") \
    X("lmtp_tls_session_cache_timeout", "3600s", UNSERVED, "") \
    X("lmtp_tls_trust_anchor_file", "", UNSERVED, "") \
    X("lmtp_tls_verify_cert_match", "hostname", UNSERVED, "") \
    X("lmtp_tls_wrappermode", "no", UNSERVED, "") \
    X("lmtp_use_tls", "no", UNSERVED, "") \
    X("lmtp_xforward_timeout", "300s", UNSERVED, "")
/* clang-format on */

#endif
