/* sort.h: what SORT and THREAD share (RFC 5256): reading the summaries of what was found, many at a
 * time. Inside proto/imap only. */
#ifndef PROTO_IMAP_SORT_H
#define PROTO_IMAP_SORT_H

#include "mime/envelope.h"
#include "proto/imap/search.h"

/* The messages that a search found, in order. */
struct sort_walk {
    uint32_t *seqs;
    uint32_t n, at;
    struct imap *im;
    void (*each)(void *arg, uint32_t i, const struct imap_entry *e, const struct summary *s);
    void *arg;
};
/* LIMIT: too many for the command's memory. */
MUST_USE enum result sort_walk_begin(struct imap *im, struct imap_command *cmd,
                                     const struct search_scan *s, struct sort_walk *ret);
/* Calls each for the next messages: i is the place in seqs; s is NULL where the summary is gone.
 * OK: that was all; BUSY: let others have the thread. */
MUST_USE enum result sort_walk_step(struct sort_walk *w);

/* The moment by which a message is sorted (RFC 5256 2.2): Date, or else when it arrived. */
int64_t sort_date(const struct imap_entry *e, const struct summary *s);

/* "charset key key …", the charset as a word of its own. */
void sort_parse_search(struct imap_parser *p, struct search_program *ret);

#endif
