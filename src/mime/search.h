/* search.h: does a message contain a text? What IMAP's SEARCH needs (RFC 3501 6.4.4): transfer
 * encodings, charsets and RFC 2047 words are undone and case does not count. Bodies are decoded in
 * pieces; memory does not grow with the message. */
#ifndef MIME_SEARCH_H
#define MIME_SEARCH_H

#include "mime/summary.h"

enum { SEARCH_TEXT_MAX = 4096 };

/* The text as it is looked for; made once per search, used for all messages. */
struct search_text {
    struct buf folded;
};
/* charset: of the text as the client sent it ("" is US-ASCII; then UTF-8 is taken too). NOT_FOUND:
 * unknown charset; LIMIT: longer than SEARCH_TEXT_MAX. Release it. */
MUST_USE enum result search_text_init(struct search_text *t, struct slice charset,
                                      struct slice text);
void search_text_release(struct search_text *t);

/* Some field of that name contains it; an empty text: such a field is there. header: the top
 * header's bytes (message cut at summary.header_len). FROM, TO, CC, BCC and SUBJECT are this. */
bool search_header(struct slice header, struct slice name, const struct search_text *t);
/* Any header field contains it (name or body). */
bool search_any_header(struct slice header, const struct search_text *t);
/* The text parts and the headers of enclosed messages. */
bool search_body(struct slice message, const struct summary *s, const struct search_text *t);
/* TEXT: header or body. */
bool search_message(struct slice message, const struct summary *s, const struct search_text *t);

#endif
