/* keeper.h: what mailbox does beside its work: every minute the counts for reports of TLS are
 * written, every hour old MTA-STS policies dropped and a pass over what is to be reported begun. */
#ifndef ROLE_MAILBOX_KEEPER_H
#define ROLE_MAILBOX_KEEPER_H

#include "role/mailbox/mailbox.h"

MUST_USE enum result keeper_new(struct mailbox_role *m, struct keeper **ret);
void keeper_free(struct keeper *k); /* NULL is fine */

#endif
