/* login.h: what POP3 and IMAP share before the login. */
#ifndef ROLE_EDGE_LOGIN_H
#define ROLE_EDGE_LOGIN_H

#include "role/edge/conn.h"

/* USER/PASS and LOGIN as the SASL exchange that they amount to (RFC 4616). False: such names can't
 * exist (a NUL in them). */
MUST_USE bool login_start_password(struct conn *c, struct slice user, struct slice password);

/* What an answer of AUTH_* means for the protocol. */
enum login_step { LOGIN_CHALLENGE, LOGIN_REFUSED, LOGIN_DONE };
enum login_step login_auth_answered(struct conn *c, const struct conn_answer *a);

/* The connection goes to mailbox: call when the core is done, return CONN_WRITTEN, and from
 * protocol->written call login_hand_over. tag and client_id: IMAP's, else "". */
enum conn_next login_hand_over(struct conn *c, struct slice tag, struct slice client_id);
/* The answer to LOGGED_IN. CONN_GONE: it went. CONN_INPUT: mailbox would not have it, *ret_limit
 * tells whether the user has too many sessions: refuse it to the client. */
enum conn_next login_handed_over(struct conn *c, const struct conn_answer *a, bool *ret_limit);

#endif
