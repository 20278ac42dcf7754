/* utf7.h: mailbox names between UTF-8 and IMAP's modified UTF-7 (RFC 3501 5.1.3). */
#ifndef MIME_UTF7_H
#define MIME_UTF7_H

#include "base/buf.h"

/* Appends the name in UTF-8. INVALID: not modified UTF-7 in its one canonical form (printable ASCII
 * is never encoded, no padding bits set, no two shifts in a row, surrogates in pairs), or a control
 * character; then what was appended is taken back. */
MUST_USE enum result imap_utf7_decode(struct slice wire, struct buf *out);
/* Appends the wire form. What is not UTF-8 becomes U+FFFD. */
void imap_utf7_encode(struct slice name, struct buf *out);

#endif
