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

/* Annotations that LIST is to tell (RFC 9590). */
struct imap_entries {
    struct slice *names;
    size_t n;
};
/* "(entry entry)" */
void imap_parse_entries(struct imap_parser *p, struct imap_entries *ret);
/* "* METADATA name (entry value …)", NIL where there is none. */
MUST_USE enum result imap_put_metadata(struct imap *im, struct slice mailbox,
                                       const struct imap_entries *entries);

#endif
