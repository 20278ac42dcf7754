/* ranges.h: many UIDs as ascending ranges, and how VANISHED tells them (RFC 7162 3.2.10). Inside
 * proto/imap only. */
#ifndef PROTO_IMAP_RANGES_H
#define PROTO_IMAP_RANGES_H

#include "proto/imap/seqset.h"

struct imap_ranges {
    struct imap_range *items;
    size_t n, size;
    size_t told;
    bool failed; /* no memory: something is missing */
};

void imap_ranges_release(struct imap_ranges *r);
/* Behind those before; joined with the last one when it touches. */
void imap_ranges_add(struct imap_ranges *r, uint32_t from, uint32_t to);
/* Lines of `head` and a set until all is told; false: output is full, call again. */
MUST_USE bool imap_ranges_tell(struct imap *im, const char *head, struct imap_ranges *r);

/* Of the UIDs in `known` (NULL: all below uidnext) those that are gone from the mailbox since that
 * MODSEQ and are not in the session's view. Where that history is not kept any more: all that are
 * not there, from `first` on. FAILED: no memory. */
MUST_USE enum result imap_vanished_since(struct imap *im, uint64_t modseq,
                                         const struct imap_seqset *known, uint32_t first,
                                         struct imap_ranges *ret);

#endif
