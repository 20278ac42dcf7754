/* sort.h: what SORT and THREAD share (RFC 5256): reading the summaries of what was found, many at a
 * time; the keys of SORT, and an order that is kept up to date (RFC 5267). Inside proto/imap only.
 */
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

/* ---- keys (sort_key.c) ---- */

enum { SORT_KEYS_MAX = 10 };

enum sort_by {
    BY_ARRIVAL,
    BY_CC,
    BY_DATE,
    BY_DISPLAYFROM,
    BY_DISPLAYTO,
    BY_FROM,
    BY_SIZE,
    BY_SUBJECT,
    BY_TO,
    BY_RELEVANCY /* RFC 6203; known to the search alone */
};
struct sort_keys {
    struct {
        enum sort_by by;
        bool reverse;
    } items[SORT_KEYS_MAX];
    size_t n;
};
/* "(REVERSE DATE SUBJECT)" */
void sort_parse_keys(struct imap_parser *p, struct sort_keys *ret);

/* Of one key and message; what they are made of never changes. */
union sort_value {
    int64_t number;
    struct slice text;
};
struct sort_maker {
    struct arena *arena; /* the texts' */
    struct buf text, raw;
};
void sort_maker_init(struct sort_maker *m, struct arena *a);
void sort_maker_release(struct sort_maker *m);
/* keys->n values. sum: NULL where it is gone. Without memory texts are empty: ask the arena. */
void sort_make(struct sort_maker *m, const struct sort_keys *keys, const struct imap_entry *e,
               const struct summary *sum, union sort_value *ret);
/* Is RELEVANCY among them? Its value is 0 here: who has searched puts it in. */
bool sort_by_relevancy(const struct sort_keys *keys);
/* 0: alike, the order in the mailbox decides. */
int sort_compare(const struct sort_keys *keys, const union sort_value *v,
                 const union sort_value *w);

/* ---- an order that is kept (sort_order.c) ---- */

/* UIDs of the session's view, in the order of the keys. */
struct sort_order {
    struct sort_keys keys;
    uint32_t *uids;
    size_t n, size;
};
/* Copies the n UIDs; false: no memory. */
MUST_USE bool sort_order_init(struct sort_order *o, const struct sort_keys *keys,
                              const uint32_t *uids, size_t n);
void sort_order_release(struct sort_order *o);
/* Takes these (ascending UIDs) out and appends " REMOVEFROM (1 7 3 9,8)": places and messages, by
 * UID or by sequence number. */
void sort_order_remove(const struct imap *im, struct sort_order *o, bool by_uid,
                       const uint32_t *uids, size_t n, struct buf *out);
/* Puts a message of the view where it belongs, reading as many summaries as halving takes. */
MUST_USE enum result sort_order_insert(struct imap *im, struct sort_order *o, uint32_t uid);
/* Appends " ADDTO (…)" of these (ascending UIDs), which are in. */
void sort_order_put_added(const struct imap *im, const struct sort_order *o, bool by_uid,
                          const uint32_t *uids, size_t n, struct buf *out);

#endif
