/* sign.h: a set of keys with their domains and selectors, and the DKIM-Signature fields that they
 * make (RFC 6376 3.5, 5; relaxed/relaxed). Who calls it: role/auth. */
#ifndef DKIM_SIGN_H
#define DKIM_SIGN_H

#include "dkim/gather.h"
#include "dkim/key.h"

enum { DKIM_KEYS_MAX = 1000, DKIM_SIGNATURES_MAX = 4 /* of one message */ };

struct dkim_keys; /* reference-counted; immutable once others see it */

MUST_USE enum result dkim_keys_new(struct dkim_keys **ret);
struct dkim_keys *dkim_keys_ref(struct dkim_keys *k);
void dkim_keys_unref(struct dkim_keys *k);
/* Takes the key over, also on failure. LIMIT: too many. */
MUST_USE enum result dkim_keys_add(struct dkim_keys *k, struct slice domain, struct slice selector,
                                   struct dkim_key *key);

/* Appends a field with its CRLF for each key of the parts' domain, or, where it has none, of the
 * nearest domain above it. *ret_n: how many; 0: there is no key for it. now: seconds since 1970.
 * FAILED leaves `out` as it was. */
MUST_USE enum result dkim_sign(const struct dkim_keys *k, const struct dkim_parts *p, int64_t now,
                               struct buf *out, size_t *ret_n);

#endif
