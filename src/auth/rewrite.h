/* rewrite.h: an address on its way to a lookup: completed and, where it names its own way
 * (user%domain@here), followed; as Postfix's trivial-rewrite(8) does. */
#ifndef AUTH_REWRITE_H
#define AUTH_REWRITE_H

#include "auth/directory_impl.h"

/* "site!user" and "user%domain" without a domain of their own, then $myorigin and $mydomain, as the
 * settings want it. INVALID: $myorigin is no domain. */
MUST_USE enum result rewrite_complete(const struct conf *c, struct directory_address *address,
                                      struct arena *a);
/* While the domain is ours and the user names another ("user%domain", "user@domain" in quotes):
 * that one. *ret_routed: the address that it ends with is not ours, and its user still names
 * another domain. FAILED: a table of mydestination can't tell now. */
MUST_USE enum result rewrite_follow(const struct directory *d, struct directory_address *address,
                                    struct arena *a, bool *ret_routed, struct error *err);
/* As it goes into an envelope: the local part quoted where it must be. data NULL: no memory. */
struct slice address_text(const struct directory_address *address, struct arena *a);

#endif
