/* parameters_smtpd.h: Postfix 3.7's parameters of the SMTP server. Rows as in parameters.c. */
#ifndef CONF_POSTFIX_PARAMETERS_SMTPD_H
#define CONF_POSTFIX_PARAMETERS_SMTPD_H

/* clang-format off */
#define POSTFIX_PARAMETERS_SMTPD(X) \
    X("smtpd_authorized_verp_clients", "$authorized_verp_clients", UNSERVED, "") \
    X("smtpd_authorized_xclient_hosts", "", UNSERVED, "") \
    X("smtpd_authorized_xforward_hosts", "", UNSERVED, "") \
    X("smtpd_banner", "$myhostname ESMTP $mail_name", UNSERVED, "") \
    X("smtpd_client_auth_rate_limit", "0", UNSERVED, "") \
    X("smtpd_client_connection_count_limit", "50", UNSERVED, "") \
    X("smtpd_client_connection_rate_limit", "0", UNSERVED, "") \
    X("smtpd_client_event_limit_exceptions", "${smtpd_client_connection_limit_exceptions:$mynetworks}", UNSERVED, "") \
    X("smtpd_client_message_rate_limit", "0", UNSERVED, "") \
    X("smtpd_client_new_tls_session_rate_limit", "0", UNSERVED, "") \
    X("smtpd_client_port_logging", "no", UNSERVED, "") \
    X("smtpd_client_recipient_rate_limit", "0", UNSERVED, "") \
    X("smtpd_client_restrictions", "", UNSERVED, "") \
    X("smtpd_command_filter", "", UNSERVED, "") \
    X("smtpd_data_restrictions", "", UNSERVED, "") \
    X("smtpd_delay_open_until_valid_rcpt", "yes", UNSERVED, "") \
    X("smtpd_delay_reject", "yes", UNSERVED, "") \
    X("smtpd_discard_ehlo_keyword_address_maps", "", UNSERVED, "") \
    X("smtpd_discard_ehlo_keywords", "", UNSERVED, "") \
    X("smtpd_dns_reply_filter", "", UNSERVED, "") \
    X("smtpd_end_of_data_restrictions", "", UNSERVED, "") \
    X("smtpd_enforce_tls", "no", UNSERVED, "") \
    X("smtpd_error_sleep_time", "1s", UNSERVED, "") \
    X("smtpd_etrn_restrictions", "", UNSERVED, "") \
    X("smtpd_expansion_filter", "\\t\\40!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\\\]^_`abcdefghijklmnopqrstuvwxyz{|}~", UNSERVED, "") \
    X("smtpd_forbid_bare_newline", "no", UNSERVED, "") \
    X("smtpd_forbid_bare_newline_exclusions", "$mynetworks", UNSERVED, "") \
    X("smtpd_forbid_bare_newline_reject_code", "550", UNSERVED, "") \
    X("smtpd_forbid_unauth_pipelining", "no", UNSERVED, "") \
    X("smtpd_forbidden_commands", "CONNECT GET POST regexp:{{/^[^A-Z]/ Bogus}}", UNSERVED, "") \
    X("smtpd_hard_error_limit", "${stress?{1}:{20}}", UNSERVED, "") \
    X("smtpd_helo_required", "no", UNSERVED, "") \
    X("smtpd_helo_restrictions", "", UNSERVED, "") \
    X("smtpd_history_flush_threshold", "100", UNSERVED, "") \
    X("smtpd_junk_command_limit", "${stress?{1}:{100}}", UNSERVED, "") \
    X("smtpd_log_access_permit_actions", "", UNSERVED, "") \
    X("smtpd_milter_maps", "", UNSERVED, "") \
    X("smtpd_milters", "", UNSERVED, "") \
    X("smtpd_min_data_rate", "500", UNSERVED, "") \
    X("smtpd_noop_commands", "", UNSERVED, "") \
    X("smtpd_null_access_lookup_key", "<>", UNSERVED, "") \
    X("smtpd_peername_lookup", "yes", UNSERVED, "") \
    X("smtpd_per_request_deadline", "${smtpd_per_record_deadline?{$smtpd_per_record_deadline}:{${stress?{yes}:{no}}}}", UNSERVED, "") \
    X("smtpd_policy_service_default_action", "451 4.3.5 Server configuration problem", UNSERVED, "") \
    X("smtpd_policy_service_max_idle", "300s", UNSERVED, "") \
    X("smtpd_policy_service_max_ttl", "1000s", UNSERVED, "") \
    X("smtpd_policy_service_policy_context", "", UNSERVED, "") \
    X("smtpd_policy_service_request_limit", "0", UNSERVED, "") \
    X("smtpd_policy_service_retry_delay", "1s", UNSERVED, "") \
    X("smtpd_policy_service_timeout", "100s", UNSERVED, "") \
    X("smtpd_policy_service_try_limit", "2", UNSERVED, "") \
    X("smtpd_proxy_ehlo", "$myhostname", UNSERVED, "") \
    X("smtpd_proxy_filter", "", UNSERVED, "") \
    X("smtpd_proxy_options", "", UNSERVED, "") \
    X("smtpd_proxy_timeout", "100s", UNSERVED, "") \
    X("smtpd_recipient_limit", "1000", UNSERVED, "") \
    X("smtpd_recipient_overshoot_limit", "1000", UNSERVED, "") \
    X("smtpd_recipient_restrictions", "", UNSERVED, "") \
    X("smtpd_reject_footer", "", UNSERVED, "") \
    X("smtpd_reject_footer_maps", "", UNSERVED, "") \
    X("smtpd_reject_unlisted_recipient", "yes", UNSERVED, "") \
    X("smtpd_reject_unlisted_sender", "no", UNSERVED, "") \
    X("smtpd_relay_before_recipient_restrictions", "${{$compatibility_level} <level {3.6} ? {no} : {yes}}", UNSERVED, "") \
    X("smtpd_relay_restrictions", "${{$compatibility_level} <level {1} ? {} : {permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination}}", UNSERVED, "") \
    X("smtpd_restriction_classes", "", UNSERVED, "") \
    X("smtpd_sasl_auth_enable", "no", UNSERVED, "") \
    X("smtpd_sasl_authenticated_header", "no", UNSERVED, "") \
    X("smtpd_sasl_exceptions_networks", "", UNSERVED, "") \
    X("smtpd_sasl_local_domain", "", UNSERVED, "") \
    X("smtpd_sasl_mechanism_filter", "!external, static:rest", UNSERVED, "") \
    X("smtpd_sasl_path", "smtpd", UNSERVED, "") \
    X("smtpd_sasl_response_limit", "12288", UNSERVED, "") \
    X("smtpd_sasl_security_options", "noanonymous", UNSERVED, "") \
    X("smtpd_sasl_service", "smtp", UNSERVED, "") \
    X("smtpd_sasl_tls_security_options", "$smtpd_sasl_security_options", UNSERVED, "") \
    X("smtpd_sasl_type", "cyrus", UNSERVED, "") \
    X("smtpd_sender_login_maps", "", UNSERVED, "") \
    X("smtpd_sender_restrictions", "", UNSERVED, "") \
    X("smtpd_service_name", "smtpd", UNSERVED, "") \
    X("smtpd_soft_error_limit", "10", UNSERVED, "") \
    X("smtpd_starttls_timeout", "${stress?{10}:{300}}s", UNSERVED, "") \
    X("smtpd_timeout", "${stress?{10}:{300}}s", UNSERVED, "") \
    X("smtpd_tls_CAfile", "", UNSERVED, "") \
    X("smtpd_tls_CApath", "", UNSERVED, "") \
    X("smtpd_tls_always_issue_session_ids", "yes", UNSERVED, "") \
    X("smtpd_tls_ask_ccert", "no", UNSERVED, "") \
    X("smtpd_tls_auth_only", "no", UNSERVED, "") \
    X("smtpd_tls_ccert_verifydepth", "9", UNSERVED, "") \
    X("smtpd_tls_cert_file", "", UNSERVED, "") \
    X("smtpd_tls_chain_files", "", UNSERVED, "") \
    X("smtpd_tls_ciphers", "medium", UNSERVED, "") \
    X("smtpd_tls_dcert_file", "", UNSERVED, "") \
    X("smtpd_tls_dh1024_param_file", "", UNSERVED, "") \
    X("smtpd_tls_dh512_param_file", "", UNSERVED, "") \
    X("smtpd_tls_dkey_file", "$smtpd_tls_dcert_file", UNSERVED, "") \
    X("smtpd_tls_eccert_file", "", UNSERVED, "") \
    X("smtpd_tls_eckey_file", "$smtpd_tls_eccert_file", UNSERVED, "") \
    X("smtpd_tls_eecdh_grade", "auto", UNSERVED, "") \
    X("smtpd_tls_exclude_ciphers", "", UNSERVED, "") \
    X("smtpd_tls_fingerprint_digest", "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", UNSERVED, "") \
    X("smtpd_tls_key_file", "$smtpd_tls_cert_file", UNSERVED, "") \
    X("smtpd_tls_loglevel", "0", UNSERVED, "") \
    X("smtpd_tls_mandatory_ciphers", "medium", UNSERVED, "") \
    X("smtpd_tls_mandatory_exclude_ciphers", "", UNSERVED, "") \
    X("smtpd_tls_mandatory_protocols", ">=TLSv1", UNSERVED, "") \
    X("smtpd_tls_protocols", ">=TLSv1", UNSERVED, "") \
    X("smtpd_tls_received_header", "no", UNSERVED, "") \
    X("smtpd_tls_req_ccert", "no", UNSERVED, "") \
    X("smtpd_tls_security_level", "", UNSERVED, "") \
    X("smtpd_tls_session_cache_database", "", UNSERVED, "") \
    X("smtpd_tls_session_cache_timeout", "3600s", UNSERVED, "") \
    X("smtpd_tls_wrappermode", "no", UNSERVED, "") \
    X("smtpd_upstream_proxy_protocol", "", UNSERVED, "") \
    X("smtpd_upstream_proxy_timeout", "5s", UNSERVED, "") \
    X("smtpd_use_tls", "no", UNSERVED, "")
/* clang-format on */

#endif
