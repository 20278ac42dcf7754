/* base64.h: base64 (RFC 4648 section 4): SASL, MIME words and bodies, stored passwords. */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

void base64_encode(struct slice bytes, struct buf *out);
/* Padding must be there, nothing else may be; unused bits must be zero. For SASL. INVALID; LIMIT
 * when out is too small. */
MUST_USE enum result base64_decode(struct slice text, struct buf *out);

/* The six bits that a character stands for, or -1. */
int base64_value(char c);

#endif
