/* client_name.h: the name of a client's address from DNS, as Postfix has it
 * (smtpd_peername_lookup): the name of the address, confirmed when that name has the address again.
 * relay asks. Who calls it: edge for each client (edge/peer_name.c), auth for a client that is
 * asked about (explain). */
#ifndef ROLE_CLIENT_NAME_H
#define ROLE_CLIENT_NAME_H

#include "policy/policy.h"
#include "role/role.h"

enum { CLIENT_NAME_MAX = 255 };

struct client_name {
    char reverse[CLIENT_NAME_MAX + 1]; /* "": none; it is the client's when name_status is OK */
    enum policy_name_status name_status, reverse_status;
};

/* Called from a channel's thread or before client_name_find returns: once or twice, the last time
 * with done; without it the reverse name is there and not yet confirmed. */
typedef void client_name_fn(void *arg, const struct client_name *found, bool done);
/* ip: text. What can't be asked for, memory included, is found as a failure for now. */
void client_name_find(struct role *r, const char *ip, client_name_fn *fn, void *arg);

#endif
