/* parameters_smtpd.h: Postfix 3.7's parameters of the SMTP server. Rows as in parameters.c. */
#ifndef CONF_POSTFIX_PARAMETERS_SMTPD_H
#define CONF_POSTFIX_PARAMETERS_SMTPD_H

/* clang-format off */
#define POSTFIX_PARAMETERS_SMTPD(X) \
    X("smtpd_authorized_verp_clients", "$authorized_verp_clients", UNSERVED, "XVERP is not offered") \
    X("smtpd_authorized_xclient_hosts", "", UNSERVED, "XCLIENT and XFORWARD are not offered") \
    X("smtpd_authorized_xforward_hosts", "", UNSERVED, "XCLIENT and XFORWARD are not offered") \
    X("smtpd_banner", "$myhostname ESMTP $mail_name", READ, "") \
    X("smtpd_client_auth_rate_limit", "0", GUARD, "this limit on clients would not hold") \
    X("smtpd_client_connection_count_limit", "50", READ, "") \
    X("smtpd_client_connection_rate_limit", "0", READ, "") \
    X("smtpd_client_event_limit_exceptions", "${smtpd_client_connection_limit_exceptions:$mynetworks}", READ, "") \
    X("smtpd_client_message_rate_limit", "0", GUARD, "this limit on clients would not hold") \
    X("smtpd_client_new_tls_session_rate_limit", "0", GUARD, "this limit on clients would not hold") \
    X("smtpd_client_port_logging", "no", UNSERVED, "the log has the client's port nowhere") \
    X("smtpd_client_recipient_rate_limit", "0", GUARD, "this limit on clients would not hold") \
    X("smtpd_client_restrictions", "", READ, "") \
    X("smtpd_command_filter", "", GUARD, "commands would be taken as clients send them") \
    X("smtpd_data_restrictions", "", READ, "") \
    X("smtpd_delay_open_until_valid_rcpt", "yes", INNER, "how smtpd's processes work together") \
    X("smtpd_delay_reject", "yes", READ, "") \
    X("smtpd_discard_ehlo_keyword_address_maps", "", UNSERVED, "smtpd_discard_ehlo_keywords holds for every client") \
    X("smtpd_discard_ehlo_keywords", "", READ, "") \
    X("smtpd_dns_reply_filter", "", UNSERVED, "DNS answers are taken as they are") \
    X("smtpd_end_of_data_restrictions", "", READ, "") \
    X("smtpd_enforce_tls", "no", READ, "") \
    X("smtpd_error_sleep_time", "1s", READ, "") \
    X("smtpd_etrn_restrictions", "", READ, "") \
    X("smtpd_expansion_filter", "\\t\\40!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\\\]^_`abcdefghijklmnopqrstuvwxyz{|}~", INNER, "characters are escaped as the log needs it") \
    X("smtpd_forbid_bare_newline", "no", READ, "") \
    X("smtpd_forbid_bare_newline_exclusions", "$mynetworks", UNSERVED, "a lone LF is refused or turned into CRLF from every client") \
    X("smtpd_forbid_bare_newline_reject_code", "550", UNSERVED, "a lone LF is refused or turned into CRLF from every client") \
    X("smtpd_forbid_unauth_pipelining", "no", GUARD, "pipelining before its time would be taken") \
    X("smtpd_forbidden_commands", "CONNECT GET POST regexp:{{/^[^A-Z]/ Bogus}}", READ, "") \
    X("smtpd_hard_error_limit", "${stress?{1}:{20}}", READ, "") \
    X("smtpd_helo_required", "no", READ, "") \
    X("smtpd_helo_restrictions", "", READ, "") \
    X("smtpd_history_flush_threshold", "100", INNER, "how smtpd's processes work together") \
    X("smtpd_junk_command_limit", "${stress?{1}:{100}}", READ, "") \
    X("smtpd_log_access_permit_actions", "", UNSERVED, "which clients are let in is logged as Postrider does") \
    X("smtpd_milter_maps", "", UNSERVED, "milters are not called yet: nothing is signed or scanned by them") \
    X("smtpd_milters", "", UNSERVED, "milters are not called yet: nothing is signed or scanned by them") \
    X("smtpd_min_data_rate", "500", UNSERVED, "smtpd_timeout holds for slow clients too") \
    X("smtpd_noop_commands", "", READ, "") \
    X("smtpd_null_access_lookup_key", "<>", READ, "") \
    X("smtpd_peername_lookup", "yes", READ, "") \
    X("smtpd_per_request_deadline", "${smtpd_per_record_deadline?{$smtpd_per_record_deadline}:{${stress?{yes}:{no}}}}", UNSERVED, "smtpd_timeout holds for slow clients too") \
    X("smtpd_policy_service_default_action", "451 4.3.5 Server configuration problem", UNSERVED, "check_policy_service is not served yet") \
    X("smtpd_policy_service_max_idle", "300s", UNSERVED, "check_policy_service is not served yet") \
    X("smtpd_policy_service_max_ttl", "1000s", UNSERVED, "check_policy_service is not served yet") \
    X("smtpd_policy_service_policy_context", "", UNSERVED, "check_policy_service is not served yet") \
    X("smtpd_policy_service_request_limit", "0", UNSERVED, "check_policy_service is not served yet") \
    X("smtpd_policy_service_retry_delay", "1s", UNSERVED, "check_policy_service is not served yet") \
    X("smtpd_policy_service_timeout", "100s", UNSERVED, "check_policy_service is not served yet") \
    X("smtpd_policy_service_try_limit", "2", UNSERVED, "check_policy_service is not served yet") \
    X("smtpd_proxy_ehlo", "$myhostname", INNER, "of smtpd_proxy_filter") \
    X("smtpd_proxy_filter", "", GUARD, "mail would not pass the filter") \
    X("smtpd_proxy_options", "", INNER, "of smtpd_proxy_filter") \
    X("smtpd_proxy_timeout", "100s", INNER, "of smtpd_proxy_filter") \
    X("smtpd_recipient_limit", "1000", READ, "") \
    X("smtpd_recipient_overshoot_limit", "1000", READ, "") \
    X("smtpd_recipient_restrictions", "", READ, "") \
    X("smtpd_reject_footer", "", READ, "") \
    X("smtpd_reject_footer_maps", "", UNSERVED, "smtpd_reject_footer holds for every refusal") \
    X("smtpd_reject_unlisted_recipient", "yes", READ, "") \
    X("smtpd_reject_unlisted_sender", "no", READ, "") \
    X("smtpd_relay_before_recipient_restrictions", "${{$compatibility_level} <level {3.6} ? {no} : {yes}}", READ, "") \
    X("smtpd_relay_restrictions", "${{$compatibility_level} <level {1} ? {} : {permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination}}", READ, "") \
    X("smtpd_restriction_classes", "", READ, "") \
    X("smtpd_sasl_auth_enable", "no", READ, "") \
    X("smtpd_sasl_authenticated_header", "no", READ, "") \
    X("smtpd_sasl_exceptions_networks", "", READ, "") \
    X("smtpd_sasl_local_domain", "", READ, "") \
    X("smtpd_sasl_mechanism_filter", "!external, static:rest", GUARD, "mechanisms that this forbids would be offered") \
    X("smtpd_sasl_path", "smtpd", READ, "") \
    X("smtpd_sasl_response_limit", "12288", INNER, "names and limits of Postfix's SASL glue") \
    X("smtpd_sasl_security_options", "noanonymous", READ, "") \
    X("smtpd_sasl_service", "smtp", INNER, "names and limits of Postfix's SASL glue") \
    X("smtpd_sasl_tls_security_options", "$smtpd_sasl_security_options", READ, "") \
    X("smtpd_sasl_type", "cyrus", READ, "") \
    X("smtpd_sender_login_maps", "", READ, "") \
    X("smtpd_sender_restrictions", "", READ, "") \
    X("smtpd_service_name", "smtpd", INNER, "how smtpd's processes work together") \
    X("smtpd_soft_error_limit", "10", READ, "") \
    X("smtpd_starttls_timeout", "${stress?{10}:{300}}s", UNSERVED, "smtpd_timeout holds during the TLS handshake too") \
    X("smtpd_timeout", "${stress?{10}:{300}}s", READ, "") \
    X("smtpd_tls_CAfile", "", READ, "") \
    X("smtpd_tls_CApath", "", READ, "") \
    X("smtpd_tls_always_issue_session_ids", "yes", INNER, "TLS sessions are resumed with tickets; there is no database") \
    X("smtpd_tls_ask_ccert", "no", READ, "") \
    X("smtpd_tls_auth_only", "no", READ, "") \
    X("smtpd_tls_ccert_verifydepth", "9", READ, "") \
    X("smtpd_tls_cert_file", "", READ, "") \
    X("smtpd_tls_chain_files", "", READ, "") \
    X("smtpd_tls_ciphers", "medium", READ, "") \
    X("smtpd_tls_dcert_file", "", OBSOLETE, "DSA certificates are dead; use smtpd_tls_cert_file") \
    X("smtpd_tls_dh1024_param_file", "", OBSOLETE, "parameters of Diffie-Hellman are OpenSSL\'s own, as Postfix advises since 3.1; remove it") \
    X("smtpd_tls_dh512_param_file", "", OBSOLETE, "it does nothing since Postfix 3.6 or before; remove it") \
    X("smtpd_tls_dkey_file", "$smtpd_tls_dcert_file", OBSOLETE, "DSA certificates are dead; use smtpd_tls_cert_file") \
    X("smtpd_tls_eccert_file", "", READ, "") \
    X("smtpd_tls_eckey_file", "$smtpd_tls_eccert_file", READ, "") \
    X("smtpd_tls_eecdh_grade", "auto", OBSOLETE, "tls_eecdh_auto_curves says which curves; remove it") \
    X("smtpd_tls_exclude_ciphers", "", READ, "") \
    X("smtpd_tls_fingerprint_digest", "${{$compatibility_level} <level {3.6} ? {md5} : {sha256}}", READ, "") \
    X("smtpd_tls_key_file", "$smtpd_tls_cert_file", READ, "") \
    X("smtpd_tls_loglevel", "0", READ, "") \
    X("smtpd_tls_mandatory_ciphers", "medium", READ, "") \
    X("smtpd_tls_mandatory_exclude_ciphers", "", READ, "") \
    X("smtpd_tls_mandatory_protocols", ">=TLSv1", READ, "") \
    X("smtpd_tls_protocols", ">=TLSv1", READ, "") \
    X("smtpd_tls_received_header", "no", READ, "") \
    X("smtpd_tls_req_ccert", "no", READ, "") \
    X("smtpd_tls_security_level", "", READ, "") \
    X("smtpd_tls_session_cache_database", "", INNER, "TLS sessions are resumed with tickets; there is no database") \
    X("smtpd_tls_session_cache_timeout", "3600s", INNER, "TLS sessions are resumed with tickets; there is no database") \
    X("smtpd_tls_wrappermode", "no", READ, "") \
    X("smtpd_upstream_proxy_protocol", "", GUARD, "the real client's address would not be known, so that everybody may seem to come from mynetworks") \
    X("smtpd_upstream_proxy_timeout", "5s", INNER, "how smtpd's processes work together") \
    X("smtpd_use_tls", "no", READ, "")
/* clang-format on */

#endif
