/* parameters_a_h.h: Postfix 3.7's parameters of all the others, 2 to h. Rows as in parameters.c. */
#ifndef CONF_POSTFIX_PARAMETERS_A_H_H
#define CONF_POSTFIX_PARAMETERS_A_H_H

/* clang-format off */
#define POSTFIX_PARAMETERS_A_H(X) \
    X("2bounce_notice_recipient", "postmaster", UNSERVED, "notices to postmaster are not sent") \
    X("access_map_defer_code", "450", READ, "") \
    X("access_map_reject_code", "554", READ, "") \
    X("address_verify_cache_cleanup_interval", "12h", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_default_transport", "$default_transport", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_local_transport", "$local_transport", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_map", "btree:$data_directory/verify_cache", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_negative_cache", "yes", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_negative_expire_time", "3d", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_negative_refresh_time", "3h", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_pending_request_limit", "5000", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_poll_count", "${stress?{1}:{3}}", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_poll_delay", "3s", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_positive_expire_time", "31d", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_positive_refresh_time", "7d", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_relay_transport", "$relay_transport", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_relayhost", "$relayhost", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_sender", "$double_bounce_sender", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_sender_dependent_default_transport_maps", "$sender_dependent_default_transport_maps", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_sender_dependent_relayhost_maps", "$sender_dependent_relayhost_maps", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_sender_ttl", "0s", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_service_name", "verify", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_transport_maps", "$transport_maps", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("address_verify_virtual_transport", "$virtual_transport", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("alias_database", "hash:/etc/aliases", READ, "") \
    X("alias_maps", "hash:/etc/aliases", READ, "") \
    X("allow_mail_to_commands", "alias, forward", READ, "") \
    X("allow_mail_to_files", "alias, forward", READ, "") \
    X("allow_min_user", "no", UNSERVED, "addresses that begin with a - are refused, as by default") \
    X("allow_percent_hack", "yes", READ, "") \
    X("allow_untrusted_routing", "no", UNSERVED, "addresses are not rewritten by it") \
    X("alternate_config_directories", "", OBSOLETE, "it does nothing since Postfix 3.6 or before; remove it") \
    X("always_add_missing_headers", "no", READ, "") \
    X("always_bcc", "", READ, "") \
    X("anvil_rate_time_unit", "60s", UNSERVED, "smtpd_client_connection_rate_limit counts by the minute") \
    X("anvil_status_update_time", "600s", INNER, "") \
    X("append_at_myorigin", "yes", READ, "") \
    X("append_dot_mydomain", "${{$compatibility_level} <level {1} ? {yes} : {no}}", READ, "") \
    X("application_event_drain_time", "100s", INNER, "") \
    X("authorized_flush_users", "static:anyone", READ, "") \
    X("authorized_mailq_users", "static:anyone", READ, "") \
    X("authorized_submit_users", "static:anyone", READ, "") \
    X("backwards_bounce_logfile_compatibility", "yes", UNSERVED, "bounces have Postrider's own text") \
    X("berkeley_db_create_buffer_size", "16777216", INNER, "") \
    X("berkeley_db_read_buffer_size", "131072", INNER, "") \
    X("best_mx_transport", "", UNSERVED, "the fallback is not tried: undeliverable mail waits in the queue") \
    X("biff", "yes", UNSERVED, "users are not told of new mail by biff") \
    X("body_checks", "", READ, "") \
    X("body_checks_size_limit", "51200", READ, "") \
    X("bounce_notice_recipient", "postmaster", UNSERVED, "notices to postmaster are not sent") \
    X("bounce_queue_lifetime", "5d", READ, "") \
    X("bounce_service_name", "bounce", INNER, "") \
    X("bounce_size_limit", "50000", UNSERVED, "bounces have Postrider's own text") \
    X("bounce_template_file", "", UNSERVED, "bounces have Postrider's own text") \
    X("broken_sasl_auth_clients", "no", READ, "") \
    X("canonical_classes", "envelope_sender, envelope_recipient, header_sender, header_recipient", READ, "") \
    X("canonical_maps", "", READ, "") \
    X("cleanup_replace_stray_cr_lf", "yes", UNSERVED, "messages are not refused for it") \
    X("cleanup_service_name", "cleanup", READ, "") \
    X("command_directory", "/usr/sbin", INNER, "") \
    X("command_execution_directory", "", READ, "") \
    X("command_expansion_filter", "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", READ, "") \
    X("command_time_limit", "1000s", READ, "") \
    X("compatibility_level", "0", READ, "") \
    X("config_directory", "/etc/postfix", INNER, "") \
    X("confirm_delay_cleared", "no", UNSERVED, "senders who were told of a delay are not told that it is over") \
    X("connection_cache_protocol_timeout", "5s", INNER, "connections are reused as Postrider sees fit") \
    X("connection_cache_service_name", "scache", INNER, "connections are reused as Postrider sees fit") \
    X("connection_cache_status_update_time", "600s", INNER, "connections are reused as Postrider sees fit") \
    X("connection_cache_ttl_limit", "2s", INNER, "connections are reused as Postrider sees fit") \
    X("content_filter", "", READ, "") \
    X("cyrus_sasl_config_path", "", READ, "") \
    X("daemon_directory", "/usr/lib/postfix/sbin", INNER, "") \
    X("daemon_table_open_error_is_fatal", "no", INNER, "") \
    X("daemon_timeout", "18000s", INNER, "") \
    X("data_directory", "/var/lib/postfix", INNER, "") \
    X("debug_peer_level", "2", UNSERVED, "logging goes to stderr and the journal; log_level says how much") \
    X("debug_peer_list", "", UNSERVED, "logging goes to stderr and the journal; log_level says how much") \
    X("debugger_command", "", UNSERVED, "logging goes to stderr and the journal; log_level says how much") \
    X("default_database_type", "hash", INNER, "") \
    X("default_delivery_slot_cost", "5", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("default_delivery_slot_discount", "50", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("default_delivery_slot_loan", "3", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("default_delivery_status_filter", "", UNSERVED, "replies of delivery are told to the sender as they are") \
    X("default_destination_concurrency_failed_cohort_limit", "1", READ, "") \
    X("default_destination_concurrency_limit", "20", READ, "") \
    X("default_destination_concurrency_negative_feedback", "1", READ, "") \
    X("default_destination_concurrency_positive_feedback", "1", READ, "") \
    X("default_destination_rate_delay", "0s", READ, "") \
    X("default_destination_recipient_limit", "50", READ, "") \
    X("default_extra_recipient_limit", "1000", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("default_filter_nexthop", "", UNSERVED, "routing by it does not happen") \
    X("default_minimum_delivery_slots", "3", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("default_privs", "nobody", READ, "") \
    X("default_process_limit", "100", INNER, "") \
    X("default_rbl_reply", "$rbl_code Service unavailable; $rbl_class [$rbl_what] blocked using $rbl_domain${rbl_reason?; $rbl_reason}", READ, "") \
    X("default_recipient_limit", "20000", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("default_recipient_refill_delay", "5s", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("default_recipient_refill_limit", "100", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("default_transport", "smtp", READ, "") \
    X("default_transport_rate_delay", "0s", READ, "") \
    X("default_verp_delimiters", "+=", UNSERVED, "XVERP is not offered") \
    X("defer_code", "450", READ, "") \
    X("defer_service_name", "defer", INNER, "") \
    X("defer_transports", "", READ, "") \
    X("delay_logging_resolution_limit", "2", UNSERVED, "logging goes to stderr and the journal; log_level says how much") \
    X("delay_notice_recipient", "postmaster", UNSERVED, "notices to postmaster are not sent") \
    X("delay_warning_time", "0h", READ, "") \
    X("deliver_lock_attempts", "20", INNER, "the store has one owner, and no files of users") \
    X("deliver_lock_delay", "1s", INNER, "the store has one owner, and no files of users") \
    X("destination_concurrency_feedback_debug", "no", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("detect_8bit_encoding_header", "yes", UNSERVED, "messages are not refused for it") \
    X("disable_dns_lookups", "no", UNSERVED, "names are looked up in DNS") \
    X("disable_mime_input_processing", "no", READ, "") \
    X("disable_mime_output_conversion", "no", UNSERVED, "MIME is read within Postrider's own limits") \
    X("disable_verp_bounces", "no", UNSERVED, "XVERP is not offered") \
    X("disable_vrfy_command", "no", READ, "") \
    X("dns_ncache_ttl_fix_enable", "no", UNSERVED, "names are looked up in DNS") \
    X("dnssec_probe", "ns:.", UNSERVED, "certificates of other servers are not verified at the levels that are served (may, encrypt)") \
    X("dont_remove", "0", OBSOLETE, "it does nothing since Postfix 3.6 or before; remove it") \
    X("double_bounce_sender", "double-bounce", UNSERVED, "it is not used") \
    X("duplicate_filter_limit", "1000", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("empty_address_default_transport_maps_lookup_key", "<>", UNSERVED, "it is not used") \
    X("empty_address_local_login_sender_maps_lookup_key", "<>", INNER, "") \
    X("empty_address_recipient", "MAILER-DAEMON", READ, "") \
    X("empty_address_relayhost_maps_lookup_key", "<>", UNSERVED, "it is not used") \
    X("enable_idna2003_compatibility", "no", UNSERVED, "messages are not refused for it") \
    X("enable_long_queue_ids", "no", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("enable_original_recipient", "yes", READ, "") \
    X("enable_threaded_bounces", "no", UNSERVED, "bounces have Postrider's own text") \
    X("error_notice_recipient", "postmaster", UNSERVED, "notices to postmaster are not sent") \
    X("error_service_name", "error", INNER, "") \
    X("execution_directory_expansion_filter", "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", READ, "") \
    X("expand_owner_alias", "no", READ, "") \
    X("export_environment", "TZ MAIL_CONFIG LANG", UNSERVED, "commands get TZ and LANG, and what local(8) and pipe(8) tell them") \
    X("fallback_transport", "", READ, "") \
    X("fallback_transport_maps", "", READ, "") \
    X("fast_flush_domains", "$relay_domains", READ, "") \
    X("fast_flush_purge_time", "7d", INNER, "how ETRN's lists are kept") \
    X("fast_flush_refresh_time", "12h", INNER, "how ETRN's lists are kept") \
    X("fault_injection_code", "0", INNER, "") \
    X("flush_service_name", "flush", INNER, "") \
    X("fork_attempts", "5", INNER, "") \
    X("fork_delay", "1s", INNER, "") \
    X("forward_expansion_filter", "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", READ, "") \
    X("forward_path", "$home/.forward${recipient_delimiter}${extension}, $home/.forward", READ, "") \
    X("frozen_delivered_to", "yes", READ, "") \
    X("hash_queue_depth", "1", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("hash_queue_names", "deferred, defer", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("header_address_token_limit", "10240", UNSERVED, "MIME is read within Postrider's own limits") \
    X("header_checks", "", READ, "") \
    X("header_from_format", "standard", UNSERVED, "headers are left as they are") \
    X("header_size_limit", "102400", READ, "") \
    X("helpful_warnings", "yes", UNSERVED, "logging goes to stderr and the journal; log_level says how much") \
    X("home_mailbox", "", READ, "") \
    X("hopcount_limit", "50", READ, "") \
    X("html_directory", "/usr/share/doc/postfix/html", INNER, "")
/* clang-format on */

#endif
