/* parameters_smtp.h: Postfix 3.7's parameters of the SMTP client. Rows as in parameters.c. */
#ifndef CONF_POSTFIX_PARAMETERS_SMTP_H
#define CONF_POSTFIX_PARAMETERS_SMTP_H

/* clang-format off */
#define POSTFIX_PARAMETERS_SMTP(X) \
    X("smtp_address_preference", "any", UNSERVED, "") \
    X("smtp_address_verify_target", "rcpt", UNSERVED, "") \
    X("smtp_always_send_ehlo", "yes", UNSERVED, "") \
    X("smtp_balance_inet_protocols", "yes", UNSERVED, "") \
    X("smtp_bind_address", "", UNSERVED, "") \
    X("smtp_bind_address6", "", UNSERVED, "") \
    X("smtp_bind_address_enforce", "no", UNSERVED, "") \
    X("smtp_body_checks", "", UNSERVED, "") \
    X("smtp_cname_overrides_servername", "no", UNSERVED, "") \
    X("smtp_connect_timeout", "30s", UNSERVED, "") \
    X("smtp_connection_cache_destinations", "", UNSERVED, "") \
    X("smtp_connection_cache_on_demand", "yes", UNSERVED, "") \
    X("smtp_connection_cache_time_limit", "2s", UNSERVED, "") \
    X("smtp_connection_reuse_count_limit", "0", UNSERVED, "") \
    X("smtp_connection_reuse_time_limit", "300s", UNSERVED, "") \
    X("smtp_data_done_timeout", "600s", UNSERVED, "") \
    X("smtp_data_init_timeout", "120s", UNSERVED, "") \
    X("smtp_data_xfer_timeout", "180s", UNSERVED, "") \
    X("smtp_defer_if_no_mx_address_found", "no", UNSERVED, "") \
    X("smtp_delivery_status_filter", "$default_delivery_status_filter", UNSERVED, "") \
    X("smtp_discard_ehlo_keyword_address_maps", "", UNSERVED, "") \
    X("smtp_discard_ehlo_keywords", "", UNSERVED, "") \
    X("smtp_dns_reply_filter", "", UNSERVED, "") \
    X("smtp_dns_resolver_options", "", UNSERVED, "") \
    X("smtp_dns_support_level", "", UNSERVED, "") \
    X("smtp_enforce_tls", "no", UNSERVED, "") \
    X("smtp_fallback_relay", "$fallback_relay", UNSERVED, "") \
    X("smtp_generic_maps", "", UNSERVED, "") \
    X("smtp_header_checks", "", UNSERVED, "") \
    X("smtp_helo_name", "$myhostname", UNSERVED, "") \
    X("smtp_helo_timeout", "300s", UNSERVED, "") \
    X("smtp_host_lookup", "dns", UNSERVED, "") \
    X("smtp_line_length_limit", "998", UNSERVED, "") \
    X("smtp_mail_timeout", "300s", UNSERVED, "") \
    X("smtp_mime_header_checks", "", UNSERVED, "") \
    X("smtp_min_data_rate", "500", UNSERVED, "") \
    X("smtp_mx_address_limit", "5", UNSERVED, "") \
    X("smtp_mx_session_limit", "2", UNSERVED, "") \
    X("smtp_nested_header_checks", "", UNSERVED, "") \
    X("smtp_never_send_ehlo", "no", UNSERVED, "") \
    X("smtp_per_request_deadline", "${smtp_per_record_deadline?{$smtp_per_record_deadline}:{no}}", UNSERVED, "") \
    X("smtp_pix_workaround_delay_time", "10s", UNSERVED, "") \
    X("smtp_pix_workaround_maps", "", UNSERVED, "") \
    X("smtp_pix_workaround_threshold_time", "500s", UNSERVED, "") \
    X("smtp_pix_workarounds", "disable_esmtp,delay_dotcrlf", UNSERVED, "") \
    X("smtp_quit_timeout", "300s", UNSERVED, "") \
    X("smtp_quote_rfc821_envelope", "yes", UNSERVED, "") \
    X("smtp_randomize_addresses", "yes", UNSERVED, "") \
    X("smtp_rcpt_timeout", "300s", UNSERVED, "") \
    X("smtp_reply_filter", "", UNSERVED, "") \
    X("smtp_rset_timeout", "20s", UNSERVED, "") \
    X("smtp_sasl_auth_cache_name", "", UNSERVED, "") \
    X("smtp_sasl_auth_cache_time", "90d", UNSERVED, "") \
    X("smtp_sasl_auth_enable", "no", UNSERVED, "") \
    X("smtp_sasl_auth_soft_bounce", "yes", UNSERVED, "") \
    X("smtp_sasl_mechanism_filter", "", UNSERVED, "") \
    X("smtp_sasl_password_maps", "", UNSERVED, "") \
    X("smtp_sasl_path", "", UNSERVED, "") \
    X("smtp_sasl_security_options", "noplaintext, noanonymous", UNSERVED, "") \
    X("smtp_sasl_tls_security_options", "$smtp_sasl_security_options", UNSERVED, "") \
    X("smtp_sasl_tls_verified_security_options", "$smtp_sasl_tls_security_options", UNSERVED, "") \
    X("smtp_sasl_type", "cyrus", UNSERVED, "") \
    X("smtp_send_dummy_mail_auth", "no", UNSERVED, "") \
    X("smtp_send_xforward_command", "no", UNSERVED, "") \
    X("smtp_sender_dependent_authentication", "no", UNSERVED, "") \
    X("smtp_skip_5xx_greeting", "yes", UNSERVED, "") \
    X("smtp_skip_quit_response", "yes", UNSERVED, "") \
    X("smtp_starttls_timeout", "300s", UNSERVED, "") \
    X("smtp_tcp_port", "smtp", UNSERVED, "") \
    X("smtp_tls_CAfile", "", UNSERVED, "") \
    X("smtp_tls_CApath", "", UNSERVED, "") \
    X("smtp_tls_block_early_mail_reply", "no", UNSERVED, "") \
    X("smtp_tls_cert_file", "", UNSERVED, "") \
    X("smtp_tls_chain_files", "", UNSERVED, "") \
    X("smtp_tls_ciphers", "medium", UNSERVED, "") \
    X("smtp_tls_connection_reuse", "no", UNSERVED, "") \
    X("smtp_tls_dane_insecure_mx_policy", "${{$smtp_tls_security_level} == {dane} ? {dane} : {may}}", UNSERVED, "") \
    X("smtp_tls_dcert_file", "", UNSERVED, "") \
    X("smtp_tls_dkey_file", "$smtp_tls_dcert_file", UNSERVED, "") \
    X("smtp_tls_eccert_file", "", UNSERVED, "") \
    X("smtp_tls_eckey_file", "$smtp_tls_eccert_file", UNSERVED, "") \
    X("smtp_tls_enforce_peername", "yes", UNSERVED, "") \
    X("smtp_tls_exclude_ciphers", "", UNSERVED, "") \
    X("smtp_tls_fingerprint_cert_match", "", UNSERVED, "") \
    X("smtp_tls_fingerprint_digest", "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", UNSERVED, "") \
    X("smtp_tls_force_insecure_host_tlsa_lookup", "no", UNSERVED, "") \
    X("smtp_tls_key_file", "$smtp_tls_cert_file", UNSERVED, "") \
    X("smtp_tls_loglevel", "0", UNSERVED, "") \
    X("smtp_tls_mandatory_ciphers", "medium", UNSERVED, "") \
    X("smtp_tls_mandatory_exclude_ciphers", "", UNSERVED, "") \
    X("smtp_tls_mandatory_protocols", ">=TLSv1", UNSERVED, "") \
    X("smtp_tls_note_starttls_offer", "no", UNSERVED, "") \
    X("smtp_tls_per_site", "", UNSERVED, "") \
    X("smtp_tls_policy_maps", "", UNSERVED, "") \
    X("smtp_tls_protocols", ">=TLSv1", UNSERVED, "") \
    X("smtp_tls_scert_verifydepth", "9", UNSERVED, "") \
    X("smtp_tls_secure_cert_match", "nexthop, dot-nexthop", UNSERVED, "") \
    X("smtp_tls_security_level", "", UNSERVED, "") \
    X("smtp_tls_servername", "", UNSERVED, "") \
    X("smtp_tls_session_cache_database", "", UNSERVED, "") \
    X("smtp_tls_session_cache_timeout", "3600s", UNSERVED, "") \
    X("smtp_tls_trust_anchor_file", "", UNSERVED, "") \
    X("smtp_tls_verify_cert_match", "hostname", UNSERVED, "") \
    X("smtp_tls_wrappermode", "no", UNSERVED, "") \
    X("smtp_use_tls", "no", UNSERVED, "") \
    X("smtp_xforward_timeout", "300s", UNSERVED, "")
/* clang-format on */

#endif
