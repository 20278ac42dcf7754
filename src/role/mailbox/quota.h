/* quota.h: the limits of accounts: those of the configuration (mailbox_quota, quota_rule), and what
 * auth says of single accounts (IPC QUOTA), as the store asks for them. Thread-safe. */
#ifndef ROLE_MAILBOX_QUOTA_H
#define ROLE_MAILBOX_QUOTA_H

#include "conf/conf.h"
#include "ipc/ipc.h"
#include "store/store.h"

struct mailbox_quota;
MUST_USE enum result quota_new(const struct conf *c, struct mailbox_quota **ret);
void quota_free(struct mailbox_quota *q);
/* Takes the rules of a new configuration. */
void quota_configure(struct mailbox_quota *q, const struct conf *c);
/* Takes what auth knows: rules of single accounts. */
void quota_take(struct mailbox_quota *q, const struct ipc_message *m);
/* What the store asks. */
struct store_quota quota_of_store(struct mailbox_quota *q);

/* What is told of a full mailbox: appends "5.2.2 <rcpt> words", or "4.2.2 …". true: for good. */
bool quota_reply(struct mailbox_quota *q, struct slice rcpt, struct buf *out);
/* quota_max_mail_size: is it too large for any mailbox? */
bool quota_too_large(struct mailbox_quota *q, uint64_t size);

#endif
