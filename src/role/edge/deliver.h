/* deliver.h: a finished transaction on its way to mailbox. */
#ifndef ROLE_EDGE_DELIVER_H
#define ROLE_EDGE_DELIVER_H

#include "role/edge/conn.h"

/* "smtp", "submission", "lmtp": as other roles know it. */
const char *smtp_service_name(const struct conn *c);

/* Sends the transaction; conn_answer will bring DELIVER_RESULT. The message's bytes are gone from
 * this role's memory afterwards. */
void edge_deliver(struct conn *c);
/* Gives the core what came of it. */
void edge_delivered(struct conn *c, const struct conn_answer *a);

#endif
