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
    X(NUMBER, mailbox_quota, "0", 0, NO_MAX, "postrider", "Most bytes of mail of one account; 0: no limit.")
/* clang-format on */

#endif
