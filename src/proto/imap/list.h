/* list.h: what LIST, LSUB, STATUS and CREATE share. Inside proto/imap only. */
#ifndef PROTO_IMAP_LIST_H
#define PROTO_IMAP_LIST_H

#include "proto/imap/command.h"

/* Does the name match the pattern (RFC 3501 6.3.8: "*" anything, "%" anything but the separator)?
 * Time is at most the product of both lengths. */
bool imap_list_match(struct slice pattern, struct slice name, char separator);
/* Appends "\"/\"": the separator as a quoted string. */
void imap_put_separator(struct buf *out, char separator);

/* A special use by its name without backslash (RFC 6154 2), or 0. */
unsigned imap_special_use(struct slice word);
/* Appends " \Sent" and so on. */
void imap_put_special_use(struct buf *out, unsigned attrs);

/* STATUS items as bits; parses "(MESSAGES UNSEEN)". */
unsigned imap_parse_status_items(struct imap_parser *p);
/* "* STATUS name (…)". */
MUST_USE enum result imap_put_status(struct imap *im, struct slice name, unsigned items);

#endif
