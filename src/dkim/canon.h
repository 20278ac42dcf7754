/* canon.h: the "relaxed" canonical forms of DKIM (RFC 6376 3.4.2, 3.4.4). Who calls it: what
 * gathers a message's signed parts, and what signs. */
#ifndef DKIM_CANON_H
#define DKIM_CANON_H

#include "base/buf.h"

enum { DKIM_HASH_LEN = 32 };

/* Appends "name:value" of one field (name and body as header_next gives them) without a line end:
 * the name in lower case, unfolded, runs of white space as one space, none at the ends. */
void dkim_canon_field(struct slice name, struct slice body, struct buf *out);

/* SHA-256 of a body's relaxed form. body: what follows the empty line, lines with CRLF or LF.
 * FAILED: the library failed. */
MUST_USE enum result dkim_body_hash(struct slice body, unsigned char ret[static DKIM_HASH_LEN]);

#endif
