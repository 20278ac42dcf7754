/* peer_name.h: the client's name from DNS, as Postfix has it: the name of its address, when that
 * name has the address again. Looked up by relay while the client is greeted; who needs it (RCPT)
 * waits for it, a while at most. */
#ifndef ROLE_EDGE_PEER_NAME_H
#define ROLE_EDGE_PEER_NAME_H

#include "role/client_name.h"
#include "role/edge/edge.h"

enum { PEER_NAME_MAX = CLIENT_NAME_MAX };

struct peer_name;
struct conn;

/* Starts the lookup for c->ip. NULL: no memory; then nothing is known of the client. */
struct peer_name *peer_name_start(struct edge *e, struct conn *c);
/* c goes: answers under way find nobody. NULL is allowed. */
void peer_name_release(struct peer_name *p);

struct peer_name_found {
    char name[PEER_NAME_MAX + 1], reverse[PEER_NAME_MAX + 1]; /* "": unknown */
    enum policy_name_status name_status, reverse_status;
};
/* False: not yet; c is woken when it is there. NULL: found, with nothing. */
bool peer_name_get(struct peer_name *p, struct peer_name_found *ret);
/* It took too long: what is not known by now counts as a temporary failure. */
void peer_name_give_up(struct peer_name *p);

#endif
