/* parameters_i_z.h: Postfix 3.7's parameters of all the others, i to z. Rows as in parameters.c. */
#ifndef CONF_POSTFIX_PARAMETERS_I_Z_H
#define CONF_POSTFIX_PARAMETERS_I_Z_H

/* clang-format off */
#define POSTFIX_PARAMETERS_I_Z(X) \
    X("ignore_mx_lookup_error", "no", UNSERVED, "") \
    X("import_environment", "MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME", UNSERVED, "") \
    X("in_flow_delay", "1s", UNSERVED, "") \
    X("inet_interfaces", "all", UNSERVED, "") \
    X("inet_protocols", "all", UNSERVED, "") \
    X("info_log_address_format", "external", UNSERVED, "") \
    X("initial_destination_concurrency", "5", UNSERVED, "") \
    X("internal_mail_filter_classes", "", UNSERVED, "") \
    X("invalid_hostname_reject_code", "501", UNSERVED, "") \
    X("ipc_idle", "5s", UNSERVED, "") \
    X("ipc_timeout", "3600s", UNSERVED, "") \
    X("ipc_ttl", "1000s", UNSERVED, "") \
    X("known_tcp_ports", "lmtp=24, smtp=25, smtps=submissions=465, submission=587", UNSERVED, "") \
    X("line_length_limit", "2048", UNSERVED, "") \
    X("lmdb_map_size", "16777216", UNSERVED, "") \
    X("local_command_shell", "", UNSERVED, "") \
    X("local_delivery_status_filter", "$default_delivery_status_filter", UNSERVED, "") \
    X("local_destination_concurrency_limit", "2", UNSERVED, "") \
    X("local_destination_recipient_limit", "1", UNSERVED, "") \
    X("local_header_rewrite_clients", "permit_inet_interfaces", UNSERVED, "") \
    X("local_login_sender_maps", "static:*", UNSERVED, "") \
    X("local_recipient_maps", "proxy:unix:passwd.byname $alias_maps", UNSERVED, "") \
    X("local_transport", "local:$myhostname", UNSERVED, "") \
    X("luser_relay", "", UNSERVED, "") \
    X("mail_name", "Postfix", UNSERVED, "") \
    X("mail_owner", "postfix", UNSERVED, "") \
    X("mail_release_date", "20240304", UNSERVED, "") \
    X("mail_spool_directory", "/var/mail", UNSERVED, "") \
    X("mail_version", "3.7.11", UNSERVED, "") \
    X("mailbox_command", "", UNSERVED, "") \
    X("mailbox_command_maps", "", UNSERVED, "") \
    X("mailbox_delivery_lock", "fcntl, dotlock", UNSERVED, "") \
    X("mailbox_size_limit", "51200000", UNSERVED, "") \
    X("mailbox_transport", "", UNSERVED, "") \
    X("mailbox_transport_maps", "", UNSERVED, "") \
    X("maillog_file", "", UNSERVED, "") \
    X("maillog_file_compressor", "gzip", UNSERVED, "") \
    X("maillog_file_prefixes", "/var, /dev/stdout", UNSERVED, "") \
    X("maillog_file_rotate_suffix", "%Y%m%d-%H%M%S", UNSERVED, "") \
    X("mailq_path", "/usr/bin/mailq", UNSERVED, "") \
    X("manpage_directory", "/usr/share/man", UNSERVED, "") \
    X("maps_rbl_domains", "", UNSERVED, "") \
    X("maps_rbl_reject_code", "554", UNSERVED, "") \
    X("masquerade_classes", "envelope_sender, header_sender, header_recipient", UNSERVED, "") \
    X("masquerade_domains", "", UNSERVED, "") \
    X("masquerade_exceptions", "", UNSERVED, "") \
    X("master_service_disable", "", UNSERVED, "") \
    X("max_idle", "100s", UNSERVED, "") \
    X("max_use", "100", UNSERVED, "") \
    X("maximal_backoff_time", "4000s", UNSERVED, "") \
    X("maximal_queue_lifetime", "5d", UNSERVED, "") \
    X("message_drop_headers", "bcc, content-length, resent-bcc, return-path", UNSERVED, "") \
    X("message_reject_characters", "", UNSERVED, "") \
    X("message_size_limit", "10240000", UNSERVED, "") \
    X("message_strip_characters", "", UNSERVED, "") \
    X("meta_directory", "/etc/postfix", UNSERVED, "") \
    X("mime_boundary_length_limit", "2048", UNSERVED, "") \
    X("mime_header_checks", "$header_checks", UNSERVED, "") \
    X("mime_nesting_limit", "100", UNSERVED, "") \
    X("minimal_backoff_time", "300s", UNSERVED, "") \
    X("multi_instance_directories", "", UNSERVED, "") \
    X("multi_instance_enable", "no", UNSERVED, "") \
    X("multi_instance_group", "", UNSERVED, "") \
    X("multi_instance_name", "", UNSERVED, "") \
    X("multi_instance_wrapper", "", UNSERVED, "") \
    X("multi_recipient_bounce_reject_code", "550", UNSERVED, "") \
    X("mydestination", "$myhostname, localhost.$mydomain, localhost", UNSERVED, "") \
    X("mydomain", "", UNSERVED, "") \
    X("myhostname", "", UNSERVED, "") \
    X("mynetworks", "", UNSERVED, "") \
    X("mynetworks_style", "${{$compatibility_level} <level {2} ? {subnet} : {host}}", UNSERVED, "") \
    X("myorigin", "$myhostname", UNSERVED, "") \
    X("nested_header_checks", "$header_checks", UNSERVED, "") \
    X("newaliases_path", "/usr/bin/newaliases", UNSERVED, "") \
    X("non_fqdn_reject_code", "504", UNSERVED, "") \
    X("non_smtpd_milters", "", UNSERVED, "") \
    X("notify_classes", "resource, software", UNSERVED, "") \
    X("openssl_path", "openssl", UNSERVED, "") \
    X("owner_request_special", "yes", UNSERVED, "") \
    X("parent_domain_matches_subdomains", "debug_peer_list,fast_flush_domains,mynetworks,permit_mx_backup_networks,qmqpd_authorized_clients,relay_domains,smtpd_access_maps", UNSERVED, "") \
    X("permit_mx_backup_networks", "", UNSERVED, "") \
    X("pickup_service_name", "pickup", UNSERVED, "") \
    X("pipe_delivery_status_filter", "$default_delivery_status_filter", UNSERVED, "") \
    X("plaintext_reject_code", "450", UNSERVED, "") \
    X("postlog_service_name", "postlog", UNSERVED, "") \
    X("postlogd_watchdog_timeout", "10s", UNSERVED, "") \
    X("postmulti_control_commands", "reload flush", UNSERVED, "") \
    X("postmulti_start_commands", "start", UNSERVED, "") \
    X("postmulti_stop_commands", "stop abort drain quick-stop", UNSERVED, "") \
    X("prepend_delivered_header", "command, file, forward", UNSERVED, "") \
    X("process_id", "", UNSERVED, "") \
    X("process_id_directory", "pid", UNSERVED, "") \
    X("process_name", "", UNSERVED, "") \
    X("propagate_unmatched_extensions", "canonical, virtual", UNSERVED, "") \
    X("proxy_interfaces", "", UNSERVED, "") \
    X("proxy_read_maps", "$local_recipient_maps $mydestination $virtual_alias_maps $virtual_alias_domains $virtual_mailbox_maps $virtual_mailbox_domains $relay_recipient_maps $relay_domains $canonical_maps $sender_canonical_maps $recipient_canonical_maps $relocated_maps $transport_maps $mynetworks $smtpd_sender_login_maps $sender_bcc_maps $recipient_bcc_maps $smtp_generic_maps $lmtp_generic_maps $alias_maps $smtpd_client_restrictions $smtpd_helo_restrictions $smtpd_sender_restrictions $smtpd_relay_restrictions $smtpd_recipient_restrictions $address_verify_sender_dependent_default_transport_maps $address_verify_sender_dependent_relayhost_maps $address_verify_transport_maps $fallback_transport_maps $lmtp_discard_lhlo_keyword_address_maps $lmtp_pix_workaround_maps $lmtp_sasl_password_maps $lmtp_tls_policy_maps $mailbox_command_maps $mailbox_transport_maps $postscreen_discard_ehlo_keyword_address_maps $rbl_reply_maps $sender_dependent_default_transport_maps $sender_dependent_relayhost_maps $smtp_discard_ehlo_keyword_address_maps $smtp_pix_workaround_maps $smtp_sasl_password_maps $smtp_tls_policy_maps $smtpd_discard_ehlo_keyword_address_maps $smtpd_milter_maps $virtual_gid_maps $virtual_uid_maps $local_login_sender_maps $postscreen_reject_footer_maps $smtpd_reject_footer_maps $tls_server_sni_maps $tlsproxy_client_policy_maps $default_delivery_status_filter $lmtp_delivery_status_filter $lmtp_dns_reply_filter $lmtp_reply_filter $local_delivery_status_filter $pipe_delivery_status_filter $postscreen_command_filter $smtp_delivery_status_filter $smtp_dns_reply_filter $smtp_reply_filter $smtpd_command_filter $smtpd_dns_reply_filter $virtual_delivery_status_filter $body_checks $header_checks $lmtp_body_checks $lmtp_header_checks $lmtp_mime_header_checks $lmtp_nested_header_checks $milter_header_checks $mime_header_checks $nested_header_checks $smtp_body_checks $smtp_header_checks $smtp_mime_header_checks $smtp_nested_header_checks", UNSERVED, "") \
    X("proxy_write_maps", "$smtp_sasl_auth_cache_name $lmtp_sasl_auth_cache_name $address_verify_map $postscreen_cache_map", UNSERVED, "") \
    X("proxymap_service_name", "proxymap", UNSERVED, "") \
    X("proxywrite_service_name", "proxywrite", UNSERVED, "") \
    X("qmgr_clog_warn_time", "300s", UNSERVED, "") \
    X("qmgr_daemon_timeout", "1000s", UNSERVED, "") \
    X("qmgr_fudge_factor", "100", UNSERVED, "") \
    X("qmgr_ipc_timeout", "60s", UNSERVED, "") \
    X("qmgr_message_active_limit", "20000", UNSERVED, "") \
    X("qmgr_message_recipient_limit", "20000", UNSERVED, "") \
    X("qmgr_message_recipient_minimum", "10", UNSERVED, "") \
    X("queue_directory", "/var/spool/postfix", UNSERVED, "") \
    X("queue_file_attribute_count_limit", "100", UNSERVED, "") \
    X("queue_minfree", "0", UNSERVED, "") \
    X("queue_run_delay", "300s", UNSERVED, "") \
    X("queue_service_name", "qmgr", UNSERVED, "") \
    X("rbl_reply_maps", "", UNSERVED, "") \
    X("readme_directory", "/usr/share/doc/postfix", UNSERVED, "") \
    X("receive_override_options", "", UNSERVED, "") \
    X("recipient_bcc_maps", "", UNSERVED, "") \
    X("recipient_canonical_classes", "envelope_recipient, header_recipient", UNSERVED, "") \
    X("recipient_canonical_maps", "", UNSERVED, "") \
    X("recipient_delimiter", "", UNSERVED, "") \
    X("reject_code", "554", UNSERVED, "") \
    X("reject_tempfail_action", "defer_if_permit", UNSERVED, "") \
    X("relay_clientcerts", "", UNSERVED, "") \
    X("relay_domains", "${{$compatibility_level} <level {2} ? {$mydestination} : {}}", UNSERVED, "") \
    X("relay_domains_reject_code", "554", UNSERVED, "") \
    X("relay_recipient_maps", "", UNSERVED, "") \
    X("relay_transport", "relay", UNSERVED, "") \
    X("relayhost", "", UNSERVED, "") \
    X("relocated_maps", "", UNSERVED, "") \
    X("remote_header_rewrite_domain", "", UNSERVED, "") \
    X("require_home_directory", "no", UNSERVED, "") \
    X("reset_owner_alias", "no", UNSERVED, "") \
    X("resolve_dequoted_address", "yes", UNSERVED, "") \
    X("resolve_null_domain", "no", UNSERVED, "") \
    X("resolve_numeric_domain", "no", UNSERVED, "") \
    X("respectful_logging", "${{$compatibility_level} <level {3.6} ? {no} : {yes}}", UNSERVED, "") \
    X("rewrite_service_name", "rewrite", UNSERVED, "") \
    X("sample_directory", "/etc/postfix", UNSERVED, "") \
    X("send_cyrus_sasl_authzid", "no", UNSERVED, "") \
    X("sender_bcc_maps", "", UNSERVED, "") \
    X("sender_canonical_classes", "envelope_sender, header_sender", UNSERVED, "") \
    X("sender_canonical_maps", "", UNSERVED, "") \
    X("sender_dependent_default_transport_maps", "", UNSERVED, "") \
    X("sender_dependent_relayhost_maps", "", UNSERVED, "") \
    X("sendmail_fix_line_endings", "always", UNSERVED, "") \
    X("sendmail_path", "/usr/sbin/sendmail", UNSERVED, "") \
    X("service_name", "", UNSERVED, "") \
    X("service_throttle_time", "60s", UNSERVED, "") \
    X("setgid_group", "postdrop", UNSERVED, "") \
    X("shlib_directory", "/usr/lib/postfix", UNSERVED, "") \
    X("show_user_unknown_table_name", "yes", UNSERVED, "") \
    X("showq_service_name", "showq", UNSERVED, "") \
    X("smtputf8_autodetect_classes", "sendmail, verify", UNSERVED, "") \
    X("smtputf8_enable", "${{$compatibility_level} <level {1} ? {no} : {yes}}", UNSERVED, "") \
    X("soft_bounce", "no", UNSERVED, "") \
    X("stale_lock_time", "500s", UNSERVED, "") \
    X("stress", "", UNSERVED, "") \
    X("strict_7bit_headers", "no", UNSERVED, "") \
    X("strict_8bitmime", "no", UNSERVED, "") \
    X("strict_8bitmime_body", "no", UNSERVED, "") \
    X("strict_mailbox_ownership", "yes", UNSERVED, "") \
    X("strict_mime_encoding_domain", "no", UNSERVED, "") \
    X("strict_rfc821_envelopes", "no", UNSERVED, "") \
    X("strict_smtputf8", "no", UNSERVED, "") \
    X("sun_mailtool_compatibility", "no", UNSERVED, "") \
    X("swap_bangpath", "yes", UNSERVED, "") \
    X("syslog_facility", "mail", UNSERVED, "") \
    X("syslog_name", "${multi_instance_name?{$multi_instance_name}:{postfix}}", UNSERVED, "") \
    X("tcp_windowsize", "0", UNSERVED, "") \
    X("trace_service_name", "trace", UNSERVED, "") \
    X("transport_maps", "", UNSERVED, "") \
    X("transport_retry_time", "60s", UNSERVED, "") \
    X("trigger_timeout", "10s", UNSERVED, "") \
    X("undisclosed_recipients_header", "", UNSERVED, "") \
    X("unknown_address_reject_code", "450", UNSERVED, "") \
    X("unknown_address_tempfail_action", "$reject_tempfail_action", UNSERVED, "") \
    X("unknown_client_reject_code", "450", UNSERVED, "") \
    X("unknown_helo_hostname_tempfail_action", "$reject_tempfail_action", UNSERVED, "") \
    X("unknown_hostname_reject_code", "450", UNSERVED, "") \
    X("unknown_local_recipient_reject_code", "550", UNSERVED, "") \
    X("unknown_relay_recipient_reject_code", "550", UNSERVED, "") \
    X("unknown_virtual_alias_reject_code", "550", UNSERVED, "") \
    X("unknown_virtual_mailbox_reject_code", "550", UNSERVED, "") \
    X("unverified_recipient_defer_code", "450", UNSERVED, "") \
    X("unverified_recipient_reject_code", "450", UNSERVED, "") \
    X("unverified_recipient_reject_reason", "", UNSERVED, "") \
    X("unverified_recipient_tempfail_action", "$reject_tempfail_action", UNSERVED, "") \
    X("unverified_sender_defer_code", "450", UNSERVED, "") \
    X("unverified_sender_reject_code", "450", UNSERVED, "") \
    X("unverified_sender_reject_reason", "", UNSERVED, "") \
    X("unverified_sender_tempfail_action", "$reject_tempfail_action", UNSERVED, "") \
    X("verp_delimiter_filter", "-=+", UNSERVED, "") \
    X("virtual_alias_address_length_limit", "1000", UNSERVED, "") \
    X("virtual_alias_domains", "$virtual_alias_maps", UNSERVED, "") \
    X("virtual_alias_expansion_limit", "1000", UNSERVED, "") \
    X("virtual_alias_maps", "$virtual_maps", UNSERVED, "") \
    X("virtual_alias_recursion_limit", "1000", UNSERVED, "") \
    X("virtual_delivery_status_filter", "$default_delivery_status_filter", UNSERVED, "") \
    X("virtual_gid_maps", "", UNSERVED, "") \
    X("virtual_mailbox_base", "", UNSERVED, "") \
    X("virtual_mailbox_domains", "$virtual_mailbox_maps", UNSERVED, "") \
    X("virtual_mailbox_limit", "51200000", UNSERVED, "") \
    X("virtual_mailbox_lock", "fcntl, dotlock", UNSERVED, "") \
    X("virtual_mailbox_maps", "", UNSERVED, "") \
    X("virtual_minimum_uid", "100", UNSERVED, "") \
    X("virtual_transport", "virtual", UNSERVED, "") \
    X("virtual_uid_maps", "", UNSERVED, "")
/* clang-format on */

#endif
