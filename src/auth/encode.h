/* encode.h: base64 and hex into arrays of a fixed size, as stored passwords use them. */
#ifndef AUTH_ENCODE_H
#define AUTH_ENCODE_H

#include "base/buf.h"

/* Padding may be missing, as some tools leave it out. INVALID for any other byte; LIMIT when the
 * result is longer than max. */
MUST_USE enum result base64_decode_lenient(struct slice text, unsigned char *out, size_t max,
                                           size_t *ret_len);
MUST_USE enum result hex_decode(struct slice text, unsigned char *out, size_t max, size_t *ret_len);

#endif
