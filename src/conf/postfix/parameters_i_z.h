/* parameters_i_z.h: Postfix 3.7's parameters of all the others, i to z. Rows as in parameters.c. */
#ifndef CONF_POSTFIX_PARAMETERS_I_Z_H
#define CONF_POSTFIX_PARAMETERS_I_Z_H

/* clang-format off */
#define POSTFIX_PARAMETERS_I_Z(X) \
    X("ignore_mx_lookup_error", "no", UNSERVED, "names are looked up in DNS") \
    X("import_environment", "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME", INNER, "") \
    X("in_flow_delay", "1s", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("inet_interfaces", "all", READ, "") \
    X("inet_protocols", "all", READ, "") \
    X("info_log_address_format", "external", UNSERVED, "logging goes to stderr and the journal; log_level says how much") \
    X("initial_destination_concurrency", "5", READ, "") \
    X("internal_mail_filter_classes", "", INNER, "how milters are called; none are yet") \
    X("invalid_hostname_reject_code", "501", READ, "") \
    X("ipc_idle", "5s", INNER, "") \
    X("ipc_timeout", "3600s", INNER, "") \
    X("ipc_ttl", "1000s", INNER, "") \
    X("known_tcp_ports", "lmtp=24, smtp=25, smtps=submissions=465, submission=587", READ, "") \
    X("line_length_limit", "2048", READ, "") \
    X("lmdb_map_size", "16777216", INNER, "") \
    X("local_command_shell", "", READ, "") \
    X("local_delivery_status_filter", "$default_delivery_status_filter", UNSERVED, "replies of delivery are told to the sender as they are") \
    X("local_destination_concurrency_limit", "2", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("local_destination_recipient_limit", "1", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("local_header_rewrite_clients", "permit_inet_interfaces", READ, "") \
    X("local_login_sender_maps", "static:*", GUARD, "local users could send as anybody") \
    X("local_recipient_maps", "proxy:unix:passwd.byname $alias_maps", READ, "") \
    X("local_transport", "local:$myhostname", READ, "") \
    X("luser_relay", "", READ, "") \
    X("mail_name", "Postfix", READ, "") \
    X("mail_owner", "postfix", INNER, "") \
    X("mail_release_date", "20240304", READ, "") \
    X("mail_spool_directory", "/var/mail", READ, "") \
    X("mail_version", "3.7.11", READ, "") \
    X("mailbox_command", "", READ, "") \
    X("mailbox_command_maps", "", READ, "") \
    X("mailbox_delivery_lock", "fcntl, dotlock", READ, "") \
    X("mailbox_size_limit", "51200000", READ, "") \
    X("mailbox_transport", "", READ, "") \
    X("mailbox_transport_maps", "", READ, "") \
    X("maillog_file", "", UNSERVED, "logging goes to stderr and the journal; log_level says how much") \
    X("maillog_file_compressor", "gzip", UNSERVED, "logging goes to stderr and the journal; log_level says how much") \
    X("maillog_file_prefixes", "/var, /dev/stdout", UNSERVED, "logging goes to stderr and the journal; log_level says how much") \
    X("maillog_file_rotate_suffix", "%Y%m%d-%H%M%S", UNSERVED, "logging goes to stderr and the journal; log_level says how much") \
    X("mailq_path", "/usr/bin/mailq", INNER, "") \
    X("manpage_directory", "/usr/share/man", INNER, "") \
    X("maps_rbl_domains", "", OBSOLETE, "use reject_rbl_client in a restriction list") \
    X("maps_rbl_reject_code", "554", READ, "") \
    X("masquerade_classes", "envelope_sender, header_sender, header_recipient", READ, "") \
    X("masquerade_domains", "", READ, "") \
    X("masquerade_exceptions", "", READ, "") \
    X("master_service_disable", "", READ, "") \
    X("max_idle", "100s", INNER, "") \
    X("max_use", "100", INNER, "") \
    X("maximal_backoff_time", "4000s", READ, "") \
    X("maximal_queue_lifetime", "5d", READ, "") \
    X("message_drop_headers", "bcc, content-length, resent-bcc, return-path", READ, "") \
    X("message_reject_characters", "", UNSERVED, "messages with these characters are taken") \
    X("message_size_limit", "10240000", READ, "") \
    X("message_strip_characters", "", UNSERVED, "headers are left as they are") \
    X("meta_directory", "/etc/postfix", INNER, "") \
    X("mime_boundary_length_limit", "2048", UNSERVED, "MIME is read within Postrider's own limits") \
    X("mime_header_checks", "$header_checks", READ, "") \
    X("mime_nesting_limit", "100", UNSERVED, "MIME is read within Postrider's own limits") \
    X("minimal_backoff_time", "300s", READ, "") \
    X("multi_instance_directories", "", UNSERVED, "one instance runs on one configuration") \
    X("multi_instance_enable", "no", UNSERVED, "one instance runs on one configuration") \
    X("multi_instance_group", "", UNSERVED, "one instance runs on one configuration") \
    X("multi_instance_name", "", UNSERVED, "one instance runs on one configuration") \
    X("multi_instance_wrapper", "", UNSERVED, "one instance runs on one configuration") \
    X("multi_recipient_bounce_reject_code", "550", READ, "") \
    X("mydestination", "$myhostname, localhost.$mydomain, localhost", READ, "") \
    X("mydomain", "", READ, "") \
    X("myhostname", "", READ, "") \
    X("mynetworks", "", READ, "") \
    X("mynetworks_style", "${{$compatibility_level} <level {2} ? {subnet} : {host}}", READ, "") \
    X("myorigin", "$myhostname", READ, "") \
    X("nested_header_checks", "$header_checks", READ, "") \
    X("newaliases_path", "/usr/bin/newaliases", INNER, "") \
    X("non_fqdn_reject_code", "504", READ, "") \
    X("non_smtpd_milters", "", UNSERVED, "milters are not called yet: nothing is signed or scanned by them") \
    X("notify_classes", "resource, software", UNSERVED, "notices to postmaster are not sent") \
    X("openssl_path", "openssl", INNER, "") \
    X("owner_request_special", "yes", READ, "") \
    X("parent_domain_matches_subdomains", "debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,qmqpd_authorized_clients,relay_domains,smtpd_access_maps", READ, "") \
    X("permit_mx_backup_networks", "", READ, "") \
    X("pickup_service_name", "pickup", INNER, "") \
    X("pipe_delivery_status_filter", "$default_delivery_status_filter", UNSERVED, "replies of delivery are told to the sender as they are") \
    X("plaintext_reject_code", "450", READ, "") \
    X("postlog_service_name", "postlog", INNER, "") \
    X("postlogd_watchdog_timeout", "10s", INNER, "") \
    X("postmulti_control_commands", "reload flush", INNER, "") \
    X("postmulti_start_commands", "start", INNER, "") \
    X("postmulti_stop_commands", "stop abort drain quick-stop", INNER, "") \
    X("prepend_delivered_header", "command, file, forward", READ, "") \
    X("process_id", "", READ, "") \
    X("process_id_directory", "pid", INNER, "") \
    X("process_name", "", READ, "") \
    X("propagate_unmatched_extensions", "canonical, virtual", READ, "") \
    X("proxy_interfaces", "", READ, "") \
    X("proxy_read_maps", "$local_recipient_maps $mydestination $virtual_alias_maps $virtual_alias_domains $virtual_mailbox_maps $virtual_mailbox_domains $relay_recipient_maps $relay_domains $canonical_maps $sender_canonical_maps $recipient_canonical_maps $relocated_maps $transport_maps $mynetworks $smtpd_sender_login_maps $sender_bcc_maps $recipient_bcc_maps $smtp_generic_maps $lmtp_generic_maps $alias_maps $smtpd_client_restrictions $smtpd_helo_restrictions $smtpd_sender_restrictions $smtpd_relay_restrictions $smtpd_recipient_restrictions $address_verify_sender_dependent_default_transport_maps $address_verify_sender_dependent_relayhost_maps $address_verify_transport_maps $fallback_transport_maps $lmtp_discard_lhlo_keyword_address_maps $lmtp_pix_workaround_maps $lmtp_sasl_password_maps $lmtp_tls_policy_maps $mailbox_command_maps $mailbox_transport_maps $postscreen_discard_ehlo_keyword_address_maps $rbl_reply_maps $sender_dependent_default_transport_maps $sender_dependent_relayhost_maps $smtp_discard_ehlo_keyword_address_maps $smtp_pix_workaround_maps $smtp_sasl_password_maps $smtp_tls_policy_maps $smtpd_discard_ehlo_keyword_address_maps $smtpd_milter_maps $virtual_gid_maps $virtual_uid_maps $local_login_sender_maps $postscreen_reject_footer_maps $smtpd_reject_footer_maps $tls_server_sni_maps $tlsproxy_client_policy_maps $default_delivery_status_filter $lmtp_delivery_status_filter $lmtp_dns_reply_filter $lmtp_reply_filter $local_delivery_status_filter $pipe_delivery_status_filter $postscreen_command_filter $smtp_delivery_status_filter $smtp_dns_reply_filter $smtp_reply_filter $smtpd_command_filter $smtpd_dns_reply_filter $virtual_delivery_status_filter $body_checks $header_checks $lmtp_body_checks $lmtp_header_checks $lmtp_mime_header_checks $lmtp_nested_header_checks $milter_header_checks $mime_header_checks $nested_header_checks $smtp_body_checks $smtp_header_checks $smtp_mime_header_checks $smtp_nested_header_checks", INNER, "") \
    X("proxy_write_maps", "$smtp_sasl_auth_cache_name $lmtp_sasl_auth_cache_name $address_verify_map $postscreen_cache_map", INNER, "") \
    X("proxymap_service_name", "proxymap", INNER, "") \
    X("proxywrite_service_name", "proxywrite", INNER, "") \
    X("qmgr_clog_warn_time", "300s", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("qmgr_daemon_timeout", "1000s", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("qmgr_fudge_factor", "100", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("qmgr_ipc_timeout", "60s", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("qmgr_message_active_limit", "20000", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("qmgr_message_recipient_limit", "20000", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("qmgr_message_recipient_minimum", "10", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("queue_directory", "/var/spool/postfix", READ, "") \
    X("queue_file_attribute_count_limit", "100", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("queue_minfree", "0", UNSERVED, "the store keeps reserve_disk_bytes free") \
    X("queue_run_delay", "300s", UNSERVED, "the schedule is minimal_backoff_time doubling up to maximal_backoff_time") \
    X("queue_service_name", "qmgr", INNER, "") \
    X("rbl_reply_maps", "", READ, "") \
    X("readme_directory", "/usr/share/doc/postfix", INNER, "") \
    X("receive_override_options", "", READ, "") \
    X("recipient_bcc_maps", "", READ, "") \
    X("recipient_canonical_classes", "envelope_recipient, header_recipient", READ, "") \
    X("recipient_canonical_maps", "", READ, "") \
    X("recipient_delimiter", "", READ, "") \
    X("reject_code", "554", READ, "") \
    X("reject_tempfail_action", "defer_if_permit", READ, "") \
    X("relay_clientcerts", "", READ, "") \
    X("relay_domains", "${{$compatibility_level} <level {2} ? {$mydestination} : {}}", READ, "") \
    X("relay_domains_reject_code", "554", READ, "") \
    X("relay_recipient_maps", "", READ, "") \
    X("relay_transport", "relay", READ, "") \
    X("relayhost", "", READ, "") \
    X("relocated_maps", "", READ, "") \
    X("remote_header_rewrite_domain", "", READ, "") \
    X("require_home_directory", "no", INNER, "the store has one owner, and no files of users") \
    X("reset_owner_alias", "no", READ, "") \
    X("resolve_dequoted_address", "yes", READ, "") \
    X("resolve_null_domain", "no", UNSERVED, "addresses are not rewritten by it") \
    X("resolve_numeric_domain", "no", UNSERVED, "addresses are not rewritten by it") \
    X("respectful_logging", "${{$compatibility_level} <level {3.6} ? {no} : {yes}}", UNSERVED, "logging goes to stderr and the journal; log_level says how much") \
    X("rewrite_service_name", "rewrite", INNER, "") \
    X("sample_directory", "/etc/postfix", INNER, "") \
    X("send_cyrus_sasl_authzid", "no", INNER, "which SASL library the client uses, and its cache") \
    X("sender_bcc_maps", "", READ, "") \
    X("sender_canonical_classes", "envelope_sender, header_sender", READ, "") \
    X("sender_canonical_maps", "", READ, "") \
    X("sender_dependent_default_transport_maps", "", READ, "") \
    X("sender_dependent_relayhost_maps", "", READ, "") \
    X("sendmail_fix_line_endings", "always", UNSERVED, "it is not used") \
    X("sendmail_path", "/usr/sbin/sendmail", INNER, "") \
    X("service_name", "", READ, "") \
    X("service_throttle_time", "60s", INNER, "") \
    X("setgid_group", "postdrop", INNER, "") \
    X("shlib_directory", "/usr/lib/postfix", INNER, "") \
    X("show_user_unknown_table_name", "yes", READ, "") \
    X("showq_service_name", "showq", INNER, "") \
    X("smtputf8_autodetect_classes", "sendmail, verify", UNSERVED, "messages are not refused for it") \
    X("smtputf8_enable", "${{$compatibility_level} <level {1} ? {no} : {yes}}", UNSERVED, "messages are not refused for it") \
    X("soft_bounce", "no", READ, "") \
    X("stale_lock_time", "500s", INNER, "the store has one owner, and no files of users") \
    X("stress", "", READ, "") \
    X("strict_7bit_headers", "no", UNSERVED, "messages are not refused for it") \
    X("strict_8bitmime", "no", UNSERVED, "messages are not refused for it") \
    X("strict_8bitmime_body", "no", UNSERVED, "messages are not refused for it") \
    X("strict_mailbox_ownership", "yes", INNER, "the store has one owner, and no files of users") \
    X("strict_mime_encoding_domain", "no", UNSERVED, "messages are not refused for it") \
    X("strict_rfc821_envelopes", "no", READ, "") \
    X("strict_smtputf8", "no", UNSERVED, "messages are not refused for it") \
    X("sun_mailtool_compatibility", "no", UNSERVED, "it is not used") \
    X("swap_bangpath", "yes", READ, "") \
    X("syslog_facility", "mail", UNSERVED, "logging goes to stderr and the journal; log_level says how much") \
    X("syslog_name", "${multi_instance_name?{$multi_instance_name}:{postfix}}", INNER, "logging goes to stderr and the journal; log_level says how much") \
    X("tcp_windowsize", "0", INNER, "") \
    X("trace_service_name", "trace", INNER, "") \
    X("transport_maps", "", READ, "") \
    X("transport_retry_time", "60s", INNER, "how Postfix's queue manager schedules; Postrider's queue has its own rules") \
    X("trigger_timeout", "10s", INNER, "") \
    X("undisclosed_recipients_header", "", UNSERVED, "headers are left as they are") \
    X("unknown_address_reject_code", "450", READ, "") \
    X("unknown_address_tempfail_action", "$reject_tempfail_action", READ, "") \
    X("unknown_client_reject_code", "450", READ, "") \
    X("unknown_helo_hostname_tempfail_action", "$reject_tempfail_action", READ, "") \
    X("unknown_hostname_reject_code", "450", READ, "") \
    X("unknown_local_recipient_reject_code", "550", READ, "") \
    X("unknown_relay_recipient_reject_code", "550", READ, "") \
    X("unknown_virtual_alias_reject_code", "550", READ, "") \
    X("unknown_virtual_mailbox_reject_code", "550", READ, "") \
    X("unverified_recipient_defer_code", "450", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("unverified_recipient_reject_code", "450", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("unverified_recipient_reject_reason", "", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("unverified_recipient_tempfail_action", "$reject_tempfail_action", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("unverified_sender_defer_code", "450", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("unverified_sender_reject_code", "450", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("unverified_sender_reject_reason", "", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("unverified_sender_tempfail_action", "$reject_tempfail_action", UNSERVED, "addresses are not probed: reject_unverified_recipient and _sender are not served") \
    X("verp_delimiter_filter", "-=+", UNSERVED, "XVERP is not offered") \
    X("virtual_alias_address_length_limit", "1000", READ, "") \
    X("virtual_alias_domains", "$virtual_alias_maps", READ, "") \
    X("virtual_alias_expansion_limit", "1000", READ, "") \
    X("virtual_alias_maps", "$virtual_maps", READ, "") \
    X("virtual_alias_recursion_limit", "1000", READ, "") \
    X("virtual_delivery_status_filter", "$default_delivery_status_filter", UNSERVED, "replies of delivery are told to the sender as they are") \
    X("virtual_gid_maps", "", UNSERVED, "mail goes to Postrider's store; `postrider import` brings over what is there") \
    X("virtual_mailbox_base", "", UNSERVED, "mail goes to Postrider's store; `postrider import` brings over what is there") \
    X("virtual_mailbox_domains", "$virtual_mailbox_maps", READ, "") \
    X("virtual_mailbox_limit", "51200000", UNSERVED, "limits mailbox files of Postfix's; mailbox_quota limits an account here") \
    X("virtual_mailbox_lock", "fcntl, dotlock", INNER, "the store has one owner, and no files of users") \
    X("virtual_mailbox_maps", "", READ, "") \
    X("virtual_minimum_uid", "100", INNER, "the store has one owner, and no files of users") \
    X("virtual_transport", "virtual", READ, "") \
    X("virtual_uid_maps", "", UNSERVED, "mail goes to Postrider's store; `postrider import` brings over what is there")
/* clang-format on */

#endif
