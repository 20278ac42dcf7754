/* password_make.h: a stored password in a scheme of one's choice, for `doveadm pw`. New accounts of
 * Postrider's own get password_hash. */
#ifndef AUTH_PASSWORD_MAKE_H
#define AUTH_PASSWORD_MAKE_H

#include "base/buf.h"

/* Appends "{SCHEME}data". rounds 0: the scheme's default. NOT_FOUND: no scheme of that name, or
 * none that is made here. INVALID, LIMIT: the password. */
MUST_USE enum result password_make(struct slice scheme, struct slice password, unsigned rounds,
                                   struct buf *out, struct error *err);

/* The names of those that password_verify takes, in order; NULL behind the last. */
const char *password_scheme_name(size_t i);

#endif
