/* wire.h: strings as IMAP sends them (RFC 3501 4.3), and the check of such text that another role
 * made. Internal to mime/. */
#ifndef MIME_WIRE_H
#define MIME_WIRE_H

#include "base/buf.h"

/* A quoted string where that can be, else a literal; cut at `max` bytes, not within a UTF-8
 * character. NUL, which IMAP can't carry, becomes '?'. */
void wire_string(struct buf *out, struct slice s, size_t max);
/* NIL for data == NULL. */
void wire_nstring(struct buf *out, struct slice s, size_t max);
/* In upper case. */
void wire_upper(struct buf *out, struct slice s, size_t max);
/* A header field's body without folding; NIL for data == NULL. */
void wire_unfolded(struct buf *out, struct slice body, size_t max);

/* Is it one parenthesised list of strings, NIL, numbers and such lists, at most `depth` deep? */
bool wire_is_list(struct slice s, unsigned depth);

/* ENVELOPE of the message with that header: RFC 3501 7.4.2. No field takes more than about
 * field_max bytes: lists of addresses end early. */
void envelope_write(struct slice header, size_t field_max, struct buf *out);

#endif
