/* post.h: HTTPS_POST of mailbox: a report of TLS to a web server (RFC 8460 5.4). */
#ifndef ROLE_RELAY_POST_H
#define ROLE_RELAY_POST_H

#include "role/relay/relay.h"

void relay_post(struct relay *r, struct ipc_channel *from, struct ipc_message *m);

#endif
