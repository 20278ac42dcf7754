/* address.h: an envelope address in the form that accounts and aliases are found by: local part
 * without quotes, domain as A-labels in lower case. Who calls it: the directory, for recipients,
 * senders and the targets of aliases. */
#ifndef AUTH_ADDRESS_H
#define AUTH_ADDRESS_H

#include "base/arena.h"
#include "mime/address.h"

struct directory_address {
    struct slice local; /* unquoted, as written; RFC 5321 2.4: only its host may fold its case */
    struct slice
        domain; /* lower-cased, A-labels, no trailing dot; "[…]" literal; data NULL: none */
};

/* "local@domain", "local", with or without a quoted local part; without <>. INVALID when it is
 * none. Slices point into the arena. */
MUST_USE enum result directory_address_parse(struct slice text, struct arena *a,
                                             struct directory_address *ret);
/* A domain in comparable form; INVALID when it can't be one. */
MUST_USE enum result domain_fold(struct slice domain, struct arena *a, struct slice *ret);
/* ASCII lower-cased copy; data NULL without memory. */
struct slice lower_copy(struct slice s, struct arena *a);

#endif
