/* sts.h: what is kept of the MTA-STS policies of other domains, for relay (docs/formats/sts.md). */
#ifndef ROLE_MAILBOX_STS_H
#define ROLE_MAILBOX_STS_H

#include "role/mailbox/mailbox.h"

/* STS_ASK and STS_KEEP, of relay alone. */
void mailbox_sts_ask(struct mailbox_role *m, struct ipc_channel *from, struct ipc_message *msg);
void mailbox_sts_keep(struct mailbox_role *m, struct ipc_channel *from, struct ipc_message *msg);
/* Drops what is over and counts the rest; waits for its commits, so it is for helper threads. */
void mailbox_sts_forget(struct mailbox_role *m);

#endif
