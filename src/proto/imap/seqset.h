/* seqset.h: sequence sets (RFC 3501 9: sequence-set), of sequence numbers or UIDs. Parsed as they
 * stand; resolved against a view they become ascending runs of sequence numbers that don't touch,
 * so that every command walks its messages in one tight loop. */
#ifndef PROTO_IMAP_SEQSET_H
#define PROTO_IMAP_SEQSET_H

#include "proto/imap/parse.h"

enum { IMAP_RANGES_MAX = 20000 };

struct imap_range {
    uint32_t from, to; /* both included; before resolving, 0 is "*" */
};

/* Of n ranges in order that do not overlap: is it in one? */
bool imap_range_has(const struct imap_range *ranges, size_t n, uint32_t number);

struct imap_seqset {
    struct imap_range *ranges;
    size_t n;
    bool saved; /* "$": what a search saved (imap_saved_fill) */
};

void imap_parse_seqset(struct imap_parser *p, struct imap_seqset *ret);

enum imap_numbers {
    IMAP_UIDS, /* UIDs; those that are not there are left out */
    IMAP_SEQS, /* sequence numbers; one above the count is an error (RFC 3501 9, seq-number) … */
    IMAP_SEQS_FOUND /* … or left out */
};
/* In place. False: that error; but a set that only reaches from 1 to "*" is fine in an empty
 * mailbox (clients say FETCH 1:* without looking). */
MUST_USE bool imap_seqset_resolve(struct imap_seqset *s, const struct imap_ops *ops,
                                  const struct imap_view *v, enum imap_numbers numbers);
/* The parsed set as ascending ranges of UIDs, whether such messages are there or not; "*" is the
 * greatest number. In arena memory. */
void imap_seqset_plain(const struct imap_seqset *s, struct arena *a, struct imap_seqset *ret);
/* Leaves of a resolved set what lies between the two. */
void imap_seqset_clip(struct imap_seqset *s, uint32_t from, uint32_t to);
/* How many messages a resolved set has. */
uint32_t imap_seqset_count(const struct imap_seqset *s);
/* Is it in the resolved set? */
bool imap_seqset_has(const struct imap_seqset *s, uint32_t seq);

/* A walk through a resolved set: start with zeros; 0 at the end. */
struct imap_walk {
    size_t range;
    uint32_t seq;
};
uint32_t imap_walk_next(const struct imap_seqset *s, struct imap_walk *w);

/* The UIDs of the set's messages in arena memory; NULL when it has none or there is no memory. */
uint32_t *imap_seqset_uids(const struct imap_seqset *s, const struct imap_ops *ops,
                           const struct imap_view *v, struct arena *a, size_t *ret_n);

/* Appends ascending or other numbers as a set, runs contracted: "1:3,7". */
void imap_put_set(struct buf *out, const uint32_t *numbers, size_t n);

#endif
