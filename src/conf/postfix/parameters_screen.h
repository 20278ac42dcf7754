/* parameters_screen.h: Postfix 3.7's parameters of postscreen, milters, TLS engine, QMQP. Rows as
 * in parameters.c. */
#ifndef CONF_POSTFIX_PARAMETERS_SCREEN_H
#define CONF_POSTFIX_PARAMETERS_SCREEN_H

/* clang-format off */
#define POSTFIX_PARAMETERS_SCREEN(X) \
    X("dnsblog_reply_delay", "0s", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("dnsblog_service_name", "dnsblog", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("milter_command_timeout", "30s", INNER, "how milters are called; none are yet") \
    X("milter_connect_macros", "j {daemon_name} {daemon_addr} v _", INNER, "how milters are called; none are yet") \
    X("milter_connect_timeout", "30s", INNER, "how milters are called; none are yet") \
    X("milter_content_timeout", "300s", INNER, "how milters are called; none are yet") \
    X("milter_data_macros", "i", INNER, "how milters are called; none are yet") \
    X("milter_default_action", "tempfail", INNER, "how milters are called; none are yet") \
    X("milter_end_of_data_macros", "i", INNER, "how milters are called; none are yet") \
    X("milter_end_of_header_macros", "i", INNER, "how milters are called; none are yet") \
    X("milter_header_checks", "", INNER, "how milters are called; none are yet") \
    X("milter_helo_macros", "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}", INNER, "how milters are called; none are yet") \
    X("milter_macro_daemon_name", "$myhostname", INNER, "how milters are called; none are yet") \
    X("milter_macro_defaults", "", INNER, "how milters are called; none are yet") \
    X("milter_macro_v", "$mail_name $mail_version", INNER, "how milters are called; none are yet") \
    X("milter_mail_macros", "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}", INNER, "how milters are called; none are yet") \
    X("milter_protocol", "6", INNER, "how milters are called; none are yet") \
    X("milter_rcpt_macros", "i {rcpt_addr} {rcpt_host} {rcpt_mailer}", INNER, "how milters are called; none are yet") \
    X("milter_unknown_command_macros", "", INNER, "how milters are called; none are yet") \
    X("postscreen_access_list", "permit_mynetworks", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_allowlist_interfaces", "${postscreen_whitelist_interfaces?{$postscreen_whitelist_interfaces}:{static:all}}", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_bare_newline_action", "ignore", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_bare_newline_enable", "no", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_bare_newline_ttl", "30d", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_cache_cleanup_interval", "12h", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_cache_map", "btree:$data_directory/postscreen_cache", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_cache_retention_time", "7d", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_client_connection_count_limit", "$smtpd_client_connection_count_limit", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_command_count_limit", "20", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_command_filter", "", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_command_time_limit", "${stress?{10}:{300}}s", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_denylist_action", "${postscreen_blacklist_action?{$postscreen_blacklist_action}:{ignore}}", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_disable_vrfy_command", "$disable_vrfy_command", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_discard_ehlo_keyword_address_maps", "$smtpd_discard_ehlo_keyword_address_maps", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_discard_ehlo_keywords", "$smtpd_discard_ehlo_keywords", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_dnsbl_action", "ignore", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_dnsbl_allowlist_threshold", "${postscreen_dnsbl_whitelist_threshold?{$postscreen_dnsbl_whitelist_threshold}:{0}}", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_dnsbl_max_ttl", "${postscreen_dnsbl_ttl?{$postscreen_dnsbl_ttl}:{1}}h", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_dnsbl_min_ttl", "60s", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_dnsbl_reply_map", "", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_dnsbl_sites", "", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_dnsbl_threshold", "1", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_dnsbl_timeout", "10s", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_enforce_tls", "$smtpd_enforce_tls", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_expansion_filter", "$smtpd_expansion_filter", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_forbidden_commands", "$smtpd_forbidden_commands", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_greet_action", "ignore", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_greet_banner", "$smtpd_banner", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_greet_ttl", "1d", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_greet_wait", "${stress?{2}:{6}}s", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_helo_required", "$smtpd_helo_required", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_non_smtp_command_action", "drop", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_non_smtp_command_enable", "no", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_non_smtp_command_ttl", "30d", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_pipelining_action", "enforce", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_pipelining_enable", "no", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_pipelining_ttl", "30d", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_post_queue_limit", "$default_process_limit", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_pre_queue_limit", "$default_process_limit", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_reject_footer", "$smtpd_reject_footer", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_reject_footer_maps", "$smtpd_reject_footer_maps", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_tls_security_level", "$smtpd_tls_security_level", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_upstream_proxy_protocol", "", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_upstream_proxy_timeout", "5s", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_use_tls", "$smtpd_use_tls", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("postscreen_watchdog_timeout", "10s", UNSERVED, "postscreen's tests before the greeting do not happen") \
    X("qmqpd_authorized_clients", "", UNSERVED, "QMQP is not served") \
    X("qmqpd_client_port_logging", "no", UNSERVED, "QMQP is not served") \
    X("qmqpd_error_delay", "1s", UNSERVED, "QMQP is not served") \
    X("qmqpd_timeout", "300s", UNSERVED, "QMQP is not served") \
    X("tls_append_default_CA", "no", READ, "") \
    X("tls_config_file", "default", UNSERVED, "this part of TLS is OpenSSL's own here") \
    X("tls_config_name", "", UNSERVED, "this part of TLS is OpenSSL's own here") \
    X("tls_daemon_random_bytes", "32", OBSOLETE, "it does nothing since Postfix 3.6 or before; remove it") \
    X("tls_dane_digests", "sha512 sha256", OBSOLETE, "it does nothing since Postfix 3.6 or before; remove it") \
    X("tls_disable_workarounds", "", UNSERVED, "this part of TLS is OpenSSL's own here") \
    X("tls_eecdh_auto_curves", "X25519 X448 prime256v1 secp521r1 secp384r1", READ, "") \
    X("tls_eecdh_strong_curve", "prime256v1", UNSERVED, "this part of TLS is OpenSSL's own here") \
    X("tls_eecdh_ultra_curve", "secp384r1", UNSERVED, "this part of TLS is OpenSSL's own here") \
    X("tls_export_cipherlist", "aNULL:-aNULL:HIGH:MEDIUM:LOW:EXPORT:+RC4:@STRENGTH", READ, "") \
    X("tls_fast_shutdown_enable", "yes", UNSERVED, "this part of TLS is OpenSSL's own here") \
    X("tls_high_cipherlist", "aNULL:-aNULL:HIGH:@STRENGTH", READ, "") \
    X("tls_legacy_public_key_fingerprints", "no", UNSERVED, "this part of TLS is OpenSSL's own here") \
    X("tls_low_cipherlist", "aNULL:-aNULL:HIGH:MEDIUM:LOW:+RC4:@STRENGTH", READ, "") \
    X("tls_medium_cipherlist", "aNULL:-aNULL:HIGH:MEDIUM:+RC4:@STRENGTH", READ, "") \
    X("tls_null_cipherlist", "eNULL:!aNULL", READ, "") \
    X("tls_preempt_cipherlist", "no", READ, "") \
    X("tls_random_bytes", "32", OBSOLETE, "it does nothing since Postfix 3.6 or before; remove it") \
    X("tls_random_exchange_name", "${data_directory}/prng_exch", INNER, "how Postfix's processes share randomness") \
    X("tls_random_prng_update_period", "3600s", INNER, "how Postfix's processes share randomness") \
    X("tls_random_reseed_period", "3600s", INNER, "how Postfix's processes share randomness") \
    X("tls_random_source", "dev:/dev/urandom", INNER, "how Postfix's processes share randomness") \
    X("tls_server_sni_maps", "", READ, "") \
    X("tls_session_ticket_cipher", "aes-256-cbc", OBSOLETE, "it does nothing since Postfix 3.6 or before; remove it") \
    X("tls_ssl_options", "", UNSERVED, "this part of TLS is OpenSSL's own here") \
    X("tls_wildcard_matches_multiple_labels", "yes", UNSERVED, "this part of TLS is OpenSSL's own here") \
    X("tlsmgr_service_name", "tlsmgr", INNER, "how Postfix's processes share randomness") \
    X("tlsproxy_client_CAfile", "$smtp_tls_CAfile", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_client_CApath", "$smtp_tls_CApath", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_client_cert_file", "$smtp_tls_cert_file", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_client_chain_files", "$smtp_tls_chain_files", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_client_dcert_file", "$smtp_tls_dcert_file", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_client_dkey_file", "$smtp_tls_dkey_file", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_client_eccert_file", "$smtp_tls_eccert_file", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_client_eckey_file", "$smtp_tls_eckey_file", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_client_enforce_tls", "$smtp_enforce_tls", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_client_fingerprint_digest", "$smtp_tls_fingerprint_digest", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_client_key_file", "$smtp_tls_key_file", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_client_loglevel", "$smtp_tls_loglevel", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_client_loglevel_parameter", "smtp_tls_loglevel", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_client_per_site", "$smtp_tls_per_site", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_client_policy_maps", "${tlsproxy_client_policy:$smtp_tls_policy_maps}", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_client_scert_verifydepth", "$smtp_tls_scert_verifydepth", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_client_security_level", "${tlsproxy_client_level:$smtp_tls_security_level}", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_client_use_tls", "$smtp_use_tls", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_enforce_tls", "$smtpd_enforce_tls", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_service_name", "tlsproxy", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_CAfile", "$smtpd_tls_CAfile", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_CApath", "$smtpd_tls_CApath", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_always_issue_session_ids", "$smtpd_tls_always_issue_session_ids", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_ask_ccert", "$smtpd_tls_ask_ccert", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_ccert_verifydepth", "$smtpd_tls_ccert_verifydepth", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_cert_file", "$smtpd_tls_cert_file", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_chain_files", "$smtpd_tls_chain_files", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_ciphers", "$smtpd_tls_ciphers", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_dcert_file", "$smtpd_tls_dcert_file", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_dh1024_param_file", "$smtpd_tls_dh1024_param_file", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_dh512_param_file", "$smtpd_tls_dh512_param_file", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_dkey_file", "$smtpd_tls_dkey_file", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_eccert_file", "$smtpd_tls_eccert_file", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_eckey_file", "$smtpd_tls_eckey_file", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_eecdh_grade", "$smtpd_tls_eecdh_grade", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_exclude_ciphers", "$smtpd_tls_exclude_ciphers", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_fingerprint_digest", "$smtpd_tls_fingerprint_digest", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_key_file", "$smtpd_tls_key_file", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_loglevel", "$smtpd_tls_loglevel", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_mandatory_ciphers", "$smtpd_tls_mandatory_ciphers", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_mandatory_exclude_ciphers", "$smtpd_tls_mandatory_exclude_ciphers", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_mandatory_protocols", "$smtpd_tls_mandatory_protocols", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_protocols", "$smtpd_tls_protocols", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_req_ccert", "$smtpd_tls_req_ccert", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_tls_security_level", "$smtpd_tls_security_level", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_use_tls", "$smtpd_use_tls", INNER, "of the process tlsproxy, which is not needed here") \
    X("tlsproxy_watchdog_timeout", "10s", INNER, "of the process tlsproxy, which is not needed here")
/* clang-format on */

#endif
