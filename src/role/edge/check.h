/* check.h: what edge asks auth about an SMTP session: recipients, and the stages around them. */
#ifndef ROLE_EDGE_CHECK_H
#define ROLE_EDGE_CHECK_H

#include "role/edge/conn.h"

/* The core waits for SMTP_WANT_RCPT or SMTP_WANT_POLICY: asks, as soon as the client's name is
 * known. */
enum conn_next check_ask(struct conn *c);
/* The answer to it, given to the core. */
void check_answered(struct conn *c, const struct conn_answer *a);

/* Is the client's name known (or known not to be known)? */
bool check_named(struct conn *c);
/* Milliseconds that are left to wait for it. */
int64_t check_name_patience(const struct conn *c);

/* DISCARD: the message is taken and goes nowhere. */
bool check_discarded(const struct smtp_tx *tx);
/* PREPEND: puts the fields on top of the message. */
void check_prepend(struct smtp_tx *tx);

#endif
