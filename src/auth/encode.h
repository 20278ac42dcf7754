/* encode.h: base64 (RFC 4648 section 4) and hex, as stored passwords use them. */
#ifndef AUTH_ENCODE_H
#define AUTH_ENCODE_H

#include "base/buf.h"

void base64_append(struct buf *out, struct slice bytes);
/* Padding may be missing, as some tools leave it out. INVALID for any other byte; LIMIT when the
 * result is longer than max. */
MUST_USE enum result base64_decode(struct slice text, unsigned char *out, size_t max,
                                   size_t *ret_len);
MUST_USE enum result hex_decode(struct slice text, unsigned char *out, size_t max, size_t *ret_len);

#endif
