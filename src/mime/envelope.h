/* envelope.h: reading the ENVELOPE text of a summary again (RFC 3501 7.4.2), for sorting and
 * threading. The text comes from another role; whatever it is, what can't be read is empty. */
#ifndef MIME_ENVELOPE_H
#define MIME_ENVELOPE_H

#include "base/buf.h"

/* The fields as they stand there: strings with their quotes, lists with their parentheses, NIL.
 * Slices point into the text. */
struct envelope {
    struct slice date, subject, from, sender, reply_to, to, cc, bcc, in_reply_to, message_id;
};
void envelope_read(struct slice text, struct envelope *ret);
/* Appends what a string says; nothing for NIL. */
void envelope_string(struct slice field, struct buf *out);
/* Appends a part of the first address of a list that is not a group's begin. */
enum envelope_part { ENVELOPE_NAME, ENVELOPE_ROUTE, ENVELOPE_MAILBOX, ENVELOPE_HOST };
void envelope_first(struct slice list, enum envelope_part part, struct buf *out);

#endif
