/* keeper.h: what mailbox does every hour beside its work: old MTA-STS policies are dropped. */
#ifndef ROLE_MAILBOX_KEEPER_H
#define ROLE_MAILBOX_KEEPER_H

#include "role/mailbox/mailbox.h"

MUST_USE enum result keeper_new(struct mailbox_role *m, struct keeper **ret);
void keeper_free(struct keeper *k); /* NULL is fine */

#endif
