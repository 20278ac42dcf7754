/* header.h: header fields of a message or MIME part: walking, finding, unfolding, decoding, writing
 * (RFC 5322 2.2, RFC 2047). Takes any bytes; lines end with LF, with or without a CR before it. */
#ifndef MIME_HEADER_H
#define MIME_HEADER_H

#include "base/buf.h"

/* Slices point into the header. */
struct header_field {
    struct slice raw;  /* the whole field with its folded lines and line end */
    struct slice name; /* without white space before the colon; empty: a line that is no field */
    struct slice body; /* behind the colon, without the last line end; folding still in it */
};

/* Bytes of the header with the empty line that ends it; all of the message when it has none. */
size_t header_length(struct slice message);
/* Cuts the next field off the front of *rest; false at the empty line or the end. */
bool header_next(struct slice *rest, struct header_field *ret);
/* The first field of that name (case does not count). */
MUST_USE enum result header_find(struct slice header, const char *name, struct header_field *ret);
/* How many there are: Received for loops. */
size_t header_count(struct slice header, const char *name);

/* Appends the body without folding and without white space at its ends (RFC 5322 2.2.3). */
void header_unfold(struct slice body, struct buf *out);
/* Unfolds and decodes RFC 2047 words to UTF-8; other bytes that are not UTF-8 become U+FFFD. */
void header_decode(struct slice body, struct buf *out);

/* Appends "Name: body CRLF", folded at white space so that lines stay within 78 characters where
 * that can be (RFC 5322 2.1.1). The body is structured and ASCII or UTF-8 as it stands; line ends
 * and other control characters in it become spaces, so that nobody can add a field. */
void header_write(struct buf *out, const char *name, struct slice body);
/* The same for a text of people (UTF-8): RFC 2047 words where it is not ASCII. */
void header_write_text(struct buf *out, const char *name, struct slice text);

#endif
