/* parameters_a_h.h: Postfix 3.7's parameters of all the others, 2 to h. Rows as in parameters.c. */
#ifndef CONF_POSTFIX_PARAMETERS_A_H_H
#define CONF_POSTFIX_PARAMETERS_A_H_H

/* clang-format off */
#define POSTFIX_PARAMETERS_A_H(X) \
    X("2bounce_notice_recipient", "postmaster", UNSERVED, "") \
    X("access_map_defer_code", "450", UNSERVED, "") \
    X("access_map_reject_code", "554", UNSERVED, "") \
    X("address_verify_cache_cleanup_interval", "12h", UNSERVED, "") \
    X("address_verify_default_transport", "$default_transport", UNSERVED, "") \
    X("address_verify_local_transport", "$local_transport", UNSERVED, "") \
    X("address_verify_map", "btree:$data_directory/verify_cache", UNSERVED, "") \
    X("address_verify_negative_cache", "yes", UNSERVED, "") \
    X("address_verify_negative_expire_time", "3d", UNSERVED, "") \
    X("address_verify_negative_refresh_time", "3h", UNSERVED, "") \
    X("address_verify_pending_request_limit", "5000", UNSERVED, "") \
    X("address_verify_poll_count", "${stress?{1}:{3}}", UNSERVED, "") \
    X("address_verify_poll_delay", "3s", UNSERVED, "") \
    X("address_verify_positive_expire_time", "31d", UNSERVED, "") \
    X("address_verify_positive_refresh_time", "7d", UNSERVED, "") \
    X("address_verify_relay_transport", "$relay_transport", UNSERVED, "") \
    X("address_verify_relayhost", "$relayhost", UNSERVED, "") \
    X("address_verify_sender", "$double_bounce_sender", UNSERVED, "") \
    X("address_verify_sender_dependent_default_transport_maps", "$sender_dependent_default_transport_maps", UNSERVED, "") \
    X("address_verify_sender_dependent_relayhost_maps", "$sender_dependent_relayhost_maps", UNSERVED, "") \
    X("address_verify_sender_ttl", "0s", UNSERVED, "") \
    X("address_verify_service_name", "verify", UNSERVED, "") \
    X("address_verify_transport_maps", "$transport_maps", UNSERVED, "") \
    X("address_verify_virtual_transport", "$virtual_transport", UNSERVED, "") \
    X("alias_database", "hash:/etc/aliases", UNSERVED, "") \
    X("alias_maps", "hash:/etc/aliases", UNSERVED, "") \
    X("allow_mail_to_commands", "alias, forward", UNSERVED, "") \
    X("allow_mail_to_files", "alias, forward", UNSERVED, "") \
    X("allow_min_user", "no", UNSERVED, "") \
    X("allow_percent_hack", "yes", UNSERVED, "") \
    X("allow_untrusted_routing", "no", UNSERVED, "") \
    X("alternate_config_directories", "", UNSERVED, "") \
    X("always_add_missing_headers", "no", UNSERVED, "") \
    X("always_bcc", "", UNSERVED, "") \
    X("anvil_rate_time_unit", "60s", UNSERVED, "") \
    X("anvil_status_update_time", "600s", UNSERVED, "") \
    X("append_at_myorigin", "yes", UNSERVED, "") \
    X("append_dot_mydomain", "${{$compatibility_level} <level {1} ? {yes} : {no}}", UNSERVED, "") \
    X("application_event_drain_time", "100s", UNSERVED, "") \
    X("authorized_flush_users", "static:anyone", UNSERVED, "") \
    X("authorized_mailq_users", "static:anyone", UNSERVED, "") \
    X("authorized_submit_users", "static:anyone", UNSERVED, "") \
    X("backwards_bounce_logfile_compatibility", "yes", UNSERVED, "") \
    X("berkeley_db_create_buffer_size", "16777216", UNSERVED, "") \
    X("berkeley_db_read_buffer_size", "131072", UNSERVED, "") \
    X("best_mx_transport", "", UNSERVED, "") \
    X("biff", "yes", UNSERVED, "") \
    X("body_checks", "", UNSERVED, "") \
    X("body_checks_size_limit", "51200", UNSERVED, "") \
    X("bounce_notice_recipient", "postmaster", UNSERVED, "") \
    X("bounce_queue_lifetime", "5d", UNSERVED, "") \
    X("bounce_service_name", "bounce", UNSERVED, "") \
    X("bounce_size_limit", "50000", UNSERVED, "") \
    X("bounce_template_file", "", UNSERVED, "") \
    X("broken_sasl_auth_clients", "no", UNSERVED, "") \
    X("canonical_classes", "envelope_sender, envelope_recipient, header_sender, header_recipient", UNSERVED, "") \
    X("canonical_maps", "", UNSERVED, "") \
    X("cleanup_replace_stray_cr_lf", "yes", UNSERVED, "") \
    X("cleanup_service_name", "cleanup", UNSERVED, "") \
    X("command_directory", "/usr/sbin", UNSERVED, "") \
    X("command_execution_directory", "", UNSERVED, "") \
    X("command_expansion_filter", "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", UNSERVED, "") \
    X("command_time_limit", "1000s", UNSERVED, "") \
    X("compatibility_level", "0", UNSERVED, "") \
    X("config_directory", "/etc/postfix", UNSERVED, "") \
    X("confirm_delay_cleared", "no", UNSERVED, "") \
    X("connection_cache_protocol_timeout", "5s", UNSERVED, "") \
    X("connection_cache_service_name", "scache", UNSERVED, "") \
    X("connection_cache_status_update_time", "600s", UNSERVED, "") \
    X("connection_cache_ttl_limit", "2s", UNSERVED, "") \
    X("content_filter", "", UNSERVED, "") \
    X("cyrus_sasl_config_path", "", UNSERVED, "") \
    X("daemon_directory", "/usr/lib/postfix/sbin", UNSERVED, "") \
    X("daemon_table_open_error_is_fatal", "no", UNSERVED, "") \
    X("daemon_timeout", "18000s", UNSERVED, "") \
    X("data_directory", "/var/lib/postfix", UNSERVED, "") \
    X("debug_peer_level", "2", UNSERVED, "") \
    X("debug_peer_list", "", UNSERVED, "") \
    X("debugger_command", "", UNSERVED, "") \
    X("default_database_type", "hash", UNSERVED, "") \
    X("default_delivery_slot_cost", "5", UNSERVED, "") \
    X("default_delivery_slot_discount", "50", UNSERVED, "") \
    X("default_delivery_slot_loan", "3", UNSERVED, "") \
    X("default_delivery_status_filter", "", UNSERVED, "") \
    X("default_destination_concurrency_failed_cohort_limit", "1", UNSERVED, "") \
    X("default_destination_concurrency_limit", "20", UNSERVED, "") \
    X("default_destination_concurrency_negative_feedback", "1", UNSERVED, "") \
    X("default_destination_concurrency_positive_feedback", "1", UNSERVED, "") \
    X("default_destination_rate_delay", "0s", UNSERVED, "") \
    X("default_destination_recipient_limit", "50", UNSERVED, "") \
    X("default_extra_recipient_limit", "1000", UNSERVED, "") \
    X("default_filter_nexthop", "", UNSERVED, "") \
    X("default_minimum_delivery_slots", "3", UNSERVED, "") \
    X("default_privs", "nobody", UNSERVED, "") \
    X("default_process_limit", "100", UNSERVED, "") \
    X("default_rbl_reply", "$rbl_code Service unavailable; $rbl_class [$rbl_what] blocked using $rbl_domain${rbl_reason?; $rbl_reason}", UNSERVED, "") \
    X("default_recipient_limit", "20000", UNSERVED, "") \
    X("default_recipient_refill_delay", "5s", UNSERVED, "") \
    X("default_recipient_refill_limit", "100", UNSERVED, "") \
    X("default_transport", "smtp", UNSERVED, "") \
    X("default_transport_rate_delay", "0s", UNSERVED, "") \
    X("default_verp_delimiters", "+=", UNSERVED, "") \
    X("defer_code", "450", UNSERVED, "") \
    X("defer_service_name", "defer", UNSERVED, "") \
    X("defer_transports", "", UNSERVED, "") \
    X("delay_logging_resolution_limit", "2", UNSERVED, "") \
    X("delay_notice_recipient", "postmaster", UNSERVED, "") \
    X("delay_warning_time", "0h", UNSERVED, "") \
    X("deliver_lock_attempts", "20", UNSERVED, "") \
    X("deliver_lock_delay", "1s", UNSERVED, "") \
    X("destination_concurrency_feedback_debug", "no", UNSERVED, "") \
    X("detect_8bit_encoding_header", "yes", UNSERVED, "") \
    X("disable_dns_lookups", "no", UNSERVED, "") \
    X("disable_mime_input_processing", "no", UNSERVED, "") \
    X("disable_mime_output_conversion", "no", UNSERVED, "") \
    X("disable_verp_bounces", "no", UNSERVED, "") \
    X("disable_vrfy_command", "no", UNSERVED, "") \
    X("dns_ncache_ttl_fix_enable", "no", UNSERVED, "") \
    X("dnssec_probe", "ns:.", UNSERVED, "") \
    X("dont_remove", "0", UNSERVED, "") \
    X("double_bounce_sender", "double-bounce", UNSERVED, "") \
    X("duplicate_filter_limit", "1000", UNSERVED, "") \
    X("empty_address_default_transport_maps_lookup_key", "<>", UNSERVED, "") \
    X("empty_address_local_login_sender_maps_lookup_key", "<>", UNSERVED, "") \
    X("empty_address_recipient", "MAILER-DAEMON", UNSERVED, "") \
    X("empty_address_relayhost_maps_lookup_key", "<>", UNSERVED, "") \
    X("enable_idna2003_compatibility", "no", UNSERVED, "") \
    X("enable_long_queue_ids", "no", UNSERVED, "") \
    X("enable_original_recipient", "yes", UNSERVED, "") \
    X("enable_threaded_bounces", "no", UNSERVED, "") \
    X("error_notice_recipient", "postmaster", UNSERVED, "") \
    X("error_service_name", "error", UNSERVED, "") \
    X("execution_directory_expansion_filter", "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", UNSERVED, "") \
    X("expand_owner_alias", "no", UNSERVED, "") \
    X("export_environment", "TZ MAIL_CONFIG LANG", UNSERVED, "") \
    X("fallback_transport", "", UNSERVED, "") \
    X("fallback_transport_maps", "", UNSERVED, "") \
    X("fast_flush_domains", "$relay_domains", UNSERVED, "") \
    X("fast_flush_purge_time", "7d", UNSERVED, "") \
    X("fast_flush_refresh_time", "12h", UNSERVED, "") \
    X("fault_injection_code", "0", UNSERVED, "") \
    X("flush_service_name", "flush", UNSERVED, "") \
    X("fork_attempts", "5", UNSERVED, "") \
    X("fork_delay", "1s", UNSERVED, "") \
    X("forward_expansion_filter", "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", UNSERVED, "") \
    X("forward_path", "$home/.forward${recipient_delimiter}${extension}, $home/.forward", UNSERVED, "") \
    X("frozen_delivered_to", "yes", UNSERVED, "") \
    X("hash_queue_depth", "1", UNSERVED, "") \
    X("hash_queue_names", "deferred, defer", UNSERVED, "") \
    X("header_address_token_limit", "10240", UNSERVED, "") \
    X("header_checks", "", UNSERVED, "") \
    X("header_from_format", "standard", UNSERVED, "") \
    X("header_size_limit", "102400", UNSERVED, "") \
    X("helpful_warnings", "yes", UNSERVED, "") \
    X("home_mailbox", "", UNSERVED, "") \
    X("hopcount_limit", "50", UNSERVED, "") \
    X("html_directory", "/usr/share/doc/postfix/html", UNSERVED, "")
/* clang-format on */

#endif
