/* passwords.h: smtp_sasl_password_maps: lines "host user:password". */
#ifndef ROLE_RELAY_PASSWORDS_H
#define ROLE_RELAY_PASSWORDS_H

#include "base/slice.h"

struct relay;

/* Looks for the next hop as configured ("[host]:587"), then for its bare name, then for `host`.
 * The slices are "" when there is nothing, and live as long as the role: a new file is kept beside
 * the old one until the end. */
void passwords_find(struct relay *relay, struct slice nexthop, struct slice host,
                    struct slice *ret_user, struct slice *ret_password);

/* The same over a text: for tests. */
bool passwords_search(struct slice text, struct slice key, struct slice *ret_user,
                      struct slice *ret_password);

#endif
