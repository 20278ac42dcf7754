/* settings_delivery.h: Delivery here, and what is changed in a message on its way in. Rows as in
 * settings.h. */
#ifndef CONF_SETTINGS_DELIVERY_H
#define CONF_SETTINGS_DELIVERY_H

/* clang-format off */
#define CONF_SETTINGS_DELIVERY(X) \
    X(LIST, alias_maps, "", 0, 0, "postfix", "Text files \"name: target, target\" of aliases for local recipients; \"@domain: target\" catches all.") \
    X(MAPS, mailbox, "{name=Drafts, auto=subscribe, special_use=\\Drafts}, {name=Sent, auto=subscribe, special_use=\\Sent}, {name=Junk, auto=subscribe, special_use=\\Junk}, {name=Trash, auto=subscribe, special_use=\\Trash}, {name=Archive, auto=subscribe, special_use=\\Archive}", 0, 0, "dovecot", "Mailboxes that accounts have beside INBOX: auto=no (it is only marked), create or subscribe; special_use of RFC 6154.") \
    X(MAPS, namespace, "", 0, 0, "dovecot", "How mailboxes are named to IMAP clients: {prefix=INBOX., separator=., inbox=yes}. Empty: no prefix, separator /. Further ones are other names for the same mailboxes.") \
    X(TEXT, postmaster_address, "", 0, 0, "dovecot", "Read, and without effect: bounces come from MAILER-DAEMON, and mail to postmaster follows the aliases.") \
    X(TEXT, mail_location, "", 0, 0, "dovecot", "Where Dovecot kept mail: not read in place; `postrider import --all` takes it from there.") \
    X(TEXT, home_mailbox, "", 0, 0, "postfix", "Where Postfix delivered, below a user's home: not read in place; `postrider import --all` takes it from there.") \
    X(TEXT, mail_spool_directory, "/var/mail", 0, 0, "postfix", "Folder of one mbox file for each user: not read in place; `postrider import --all` takes it from there.") \
    X(TEXT, queue_directory, "/var/spool/postfix", 0, 0, "postfix", "Postfix's queue: not read; `postrider import` says when mail waits in it.") \
    X(TEXT, mail_home, "", 0, 0, "dovecot", "Home folder of accounts in mail_location.") \
    X(TEXT, mail_driver, "", 0, 0, "dovecot", "As mail_location, in the words of Dovecot 2.4.") \
    X(TEXT, mail_path, "", 0, 0, "dovecot", "As mail_location, in the words of Dovecot 2.4.") \
    X(TEXT, mail_inbox_path, "", 0, 0, "dovecot", "As mail_location, in the words of Dovecot 2.4.") \
    X(TEXT, alias_database, "", 0, 0, "postfix", "Alias files that newaliases rebuilds. Nothing needs to be rebuilt here; only alias_maps is looked up, as in Postfix.") \
    X(BOOL, owner_request_special, "yes", 0, 0, "postfix", "An alias owner-NAME becomes the envelope sender of what NAME sends on.") \
    X(BOOL, expand_owner_alias, "no", 0, 0, "postfix", "The sender is what owner-NAME leads to, instead of owner-NAME itself.") \
    X(BOOL, frozen_delivered_to, "yes", 0, 0, "postfix", "Delivered-To names the recipient that the message came for, however many aliases and .forward files lead on from there; no: the last of these.") \
    X(BOOL, reset_owner_alias, "no", 0, 0, "postfix", "An alias within a list that has no owner- alias of its own goes out in the name of the message's sender, not of the outer list's owner.") \
    X(LIST, allow_mail_to_commands, "alias, forward", 0, 0, "postfix", "Where |command may stand: alias, forward, include.") \
    X(LIST, allow_mail_to_files, "alias, forward", 0, 0, "postfix", "Where /file and /folder/ may stand: alias, forward, include.") \
    X(TEXT, default_privs, "nobody", 0, 0, "postfix", "User whose rights commands and files of root's alias files get. Never root.") \
    X(SECONDS, command_time_limit, "1000s", 1, DAY_S, "postfix", "Longest run of a |command.") \
    X(TEXT, command_execution_directory, "", 0, 0, "postfix", "Folder that a |command runs in, with $$user, $$home … as in forward_path; where it can't be entered the mail is tried again later. Empty: the home of the user whose .forward it is, else /.") \
    X(TEXT, execution_directory_expansion_filter, "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 0, 0, "postfix", "Bytes that $$name may bring into command_execution_directory; others become _.") \
    X(NUMBER, mailbox_size_limit, "0", 0, NO_MAX, "postfix", "Bytes that a /file may grow to by mail, and the longest file that a |command may write; mail beyond it is returned. 0: no limit. mailbox_quota limits an account.") \
    X(TEXT, command_expansion_filter, "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 0, 0, "postfix", "Bytes that may stand in a |command's environment; others become _.") \
    X(TEXT, local_command_shell, "", 0, 0, "postfix", "Shell that runs every |command, such as \"/usr/bin/smrsh\". Empty: none where none is needed, else /bin/sh.") \
    X(LIST, mailbox_delivery_lock, "fcntl, dotlock", 0, 0, "postfix", "How an mbox file is locked: fcntl, dotlock.") \
    X(LIST, prepend_delivered_header, "command, file", 0, 0, "postfix", "Where Delivered-To is added: command, file, forward (to addresses that an alias or .forward leads to; stops loops, and costs a copy of the message).") \
    X(BOOL, enable_original_recipient, "no", 0, 0, "postfix", "Put X-Original-To and Delivered-To on what goes into mailboxes, and refuse a message that was delivered to its recipient before as a loop. Several recipients then get a copy each.") \
    X(LIST, forward_path, "", 0, 0, "postfix", "Files of system accounts that name where their mail goes, such as \"$$home/.forward\"; the first that is there counts. $$home $$user $$shell $$recipient $$extension $$domain $$local $$recipient_delimiter. Empty: none is looked for.") \
    X(TEXT, forward_expansion_filter, "1234567890!@%-_=+:,./abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 0, 0, "postfix", "Bytes that $$name may bring into forward_path and luser_relay; others become _.") \
    X(TEXT, luser_relay, "", 0, 0, "postfix", "Where mail for local names that nobody has goes: an address, |command or /file, with $$user, $$local … as in forward_path. Empty: it is refused.") \
    X(LIST, local_header_rewrite_clients, "permit_sasl_authenticated", 0, 0, "postfix", "Clients whose messages' headers are completed ($$myorigin for addresses without a domain, Date, Message-ID and From where they are missing) and rewritten by canonical_maps and masquerade_domains: permit_inet_interfaces, permit_mynetworks, permit_sasl_authenticated, static:all.") \
    X(TEXT, remote_header_rewrite_domain, "", 0, 0, "postfix", "Do the same for all others, with this domain for addresses without one. Empty: leave their headers alone.") \
    X(BOOL, always_add_missing_headers, "no", 0, 0, "postfix", "Add missing Date, Message-ID and From to everybody's messages.") \
    X(LIST, message_drop_headers, "", 0, 0, "postfix", "Header fields that are taken out of every message.") \
    X(TEXT, content_filter, "", 0, 0, "postfix", "Transport and next hop (scan:[127.0.0.1]:10024, or a transport alone) that mail of SMTP clients and of sendmail goes to first, where no FILTER of a table says another. What gives it back must come by a service whose own content_filter is empty.") \
    X(LIST, receive_override_options, "", 0, 0, "postfix", "What is left out for mail that comes in by a service, such as what a content filter gives back: no_address_mappings (canonical maps, masquerading, virtual aliases and all *_bcc), no_unknown_recipient_checks (mail for unknown recipients is taken, and returned later), no_header_body_checks; no_milters says nothing here.") \
    X(MAPS, header_checks, "", 0, 0, "postfix", "Tables that say what is done with each header field of a message: REJECT, WARN, IGNORE, REPLACE, PREPEND, DISCARD, HOLD, REDIRECT, BCC … (header_checks(5)).") \
    X(MAPS, mime_header_checks, "$header_checks", 0, 0, "postfix", "The same for the fields of MIME: Content-Type and its like, and the headers of parts.") \
    X(MAPS, nested_header_checks, "$header_checks", 0, 0, "postfix", "The same for the headers of messages within the message.") \
    X(MAPS, body_checks, "", 0, 0, "postfix", "The same for each line of the body.") \
    X(NUMBER, header_size_limit, "102400", 1, 10000000, "postfix", "Bytes of a header field that header_checks sees.") \
    X(NUMBER, body_checks_size_limit, "51200", 0, NO_MAX, "postfix", "Bytes of each part's body that body_checks sees.") \
    X(NUMBER, line_length_limit, "2048", 1, 10000000, "postfix", "Longest piece of a line that body_checks sees.") \
    X(BOOL, disable_mime_input_processing, "no", 0, 0, "postfix", "Take everything behind the first header as body for header_checks and body_checks.") \
    X(LIST, dkim_keys, "", 0, 0, "postrider", "Keys that sign mail of our users and networks on its way in (DKIM, RFC 6376): DOMAIN:SELECTOR:/path/of/key.pem, several for a domain are several signatures. A key serves the domains below its own that have none. `postrider dkim new DOMAIN` makes one. Read by auth alone.") \
    X(SECONDS, trace_lifetime, "30d", 0, NO_MAX, "postrider", "How long the journey of a message is kept for `postrider trace`; 0: none is written.") \
    X(NUMBER, mailbox_quota, "0", 0, NO_MAX, "postrider", "Most bytes of mail of one account; 0: no limit. quota_rule may say otherwise.") \
    X(MAPS, quota_rule, "", 0, 0, "dovecot", "Limits of each account, as Dovecot's quota_rule, quota_rule2 …: *:storage=1G:messages=10000, {Deleted Items:storage=+100M}, Spam:ignore. An account has its own with the field userdb_quota_rule in users_file or a passdb.") \
    X(TEXT, quota_root, "User quota", 0, 0, "postrider", "Name of the quota root that IMAP's GETQUOTA tells.") \
    X(TEXT, quota_grace, "0", 0, 0, "dovecot", "A delivery may exceed the limit by so much when the account is below it: a size, or 10% of the limit.") \
    X(NUMBER, quota_max_mail_size, "0", 0, NO_MAX, "dovecot", "Largest message in bytes that goes into a mailbox; 0: no limit but message_size_limit.") \
    X(TEXT, quota_exceeded_message, "Quota exceeded (mailbox for user is full)", 0, 0, "dovecot", "What the sender of a message for a full mailbox is told.") \
    X(BOOL, quota_full_tempfail, "yes", 0, 0, "dovecot", "Mail for a full mailbox is refused for now (4.2.2), so that it is tried again; no: for good (5.2.2).") \
    X(BOOL, imap_quota, "yes", 0, 0, "dovecot", "Tell IMAP clients their quota (RFC 9208): GETQUOTA, GETQUOTAROOT.") \
    X(NUMBER, imap_save_limit, "0", 0, 4294967295, "postrider", "Most messages that one COPY of IMAP may copy (SAVELIMIT, RFC 9738); 0: no limit, and none is announced. RFC 9738 wants 1000 at least.")
/* clang-format on */

#endif
