/* search_update.h: searches and sorts whose result the client is kept up to date about
 * (CONTEXT=SEARCH and CONTEXT=SORT, RFC 5267): each keeps what it found as UIDs, in its order, and
 * looks again at messages that are new or have changed. Inside proto/imap only. */
#ifndef PROTO_IMAP_SEARCH_UPDATE_H
#define PROTO_IMAP_SEARCH_UPDATE_H

#include "proto/imap/sort.h"

/* What SORT found, in its order. */
struct search_sorted {
    const struct sort_keys *keys;
    const uint32_t *uids; /* NULL: no memory */
};
/* The search asked for UPDATE and has found what it did; text is its program, of SORT with the
 * charset before it. sorted: NULL, or of SORT. Tells NOUPDATE where that can't be. */
void search_update_add(struct imap *im, const struct imap_command *cmd,
                       const struct search_scan *scan, struct slice text,
                       const struct search_sorted *sorted);
/* Another mailbox is selected, or none. */
void search_update_clear(struct imap *im);

/* Before EXPUNGE: uids (ascending) will go from the session's view. */
void search_update_gone(struct imap *im, const uint32_t *uids, size_t n);
/* After FETCH: these messages of the view have changed, and those from first_new on are new. True:
 * all is told; false: output is full, or others should have the thread: call again. */
MUST_USE bool search_update_step(struct imap *im, const uint32_t *changed, size_t n,
                                 uint32_t first_new);

#endif
