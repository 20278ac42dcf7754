/* secret.h: what a mechanism that never sees the password (SCRAM, CRAM-MD5) needs of an account:
 * found in its stored password, or made up where there is no such account, so that both look and
 * cost the same. Who calls it: role/auth, on a helper thread (deriving SCRAM keys takes time). */
#ifndef AUTH_SECRET_H
#define AUTH_SECRET_H

#include "auth/directory.h"
#include "auth/mac.h"
#include "sasl/sasl.h"

/* The account of `login` in users_file, else made up (ret->real is false). key: the role's own;
 * salts that are not stored come from it, the same for the same name as long as the key is. FAILED:
 * no memory. */
MUST_USE enum result secret_find(const struct directory *d, struct slice login,
                                 enum sasl_secret_kind kind, const unsigned char key[MAC_KEY_LEN],
                                 struct sasl_secret *ret);

/* Of one stored password ("{SCHEME}data") and the SCRAM-SHA-256 verifier beside it (or ""), both as
 * users_file has them; name: for the salt. NOT_FOUND: it has none of this kind. */
MUST_USE enum result secret_of_stored(struct slice name, struct slice stored, struct slice verifier,
                                      enum sasl_secret_kind kind,
                                      const unsigned char key[MAC_KEY_LEN],
                                      struct sasl_secret *ret);

#endif
