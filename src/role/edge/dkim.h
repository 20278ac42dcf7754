/* dkim.h: DKIM signatures on what our users and networks send (dkim_keys). edge gathers what is
 * signed; auth, which has the keys, signs. */
#ifndef ROLE_EDGE_DKIM_H
#define ROLE_EDGE_DKIM_H

#include "role/edge/conn.h"

/* Asks auth for the signatures of the message of c's transaction; conn_answer will bring
 * DKIM_SIGN_RESULT. False: there is nothing to ask for. */
bool edge_dkim_ask(struct conn *c);
/* Puts them on top of the message. False: it must not go on: auth failed, or there is no memory. */
MUST_USE bool edge_dkim_answered(struct conn *c, const struct conn_answer *a);

#endif
