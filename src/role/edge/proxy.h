/* proxy.h: TLS connections after the login. TLS stays in edge; mailbox has one end of a socket pair
 * and knows only plaintext. */
#ifndef ROLE_EDGE_PROXY_H
#define ROLE_EDGE_PROXY_H

#include "role/edge/conn.h"

/* Takes the TLS stream out of c, whose end this is, and the socket pair's other end. */
void proxy_take(struct conn *c, int inner_fd);
/* At the role's end, when the engine has stopped. */
void proxy_free_all(struct edge *e);

#endif
