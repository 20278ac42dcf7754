/* sync.h: brings what the client knows of the selected mailbox up to date (RFC 3501 5.2, 7.4.1):
 * EXPUNGE, EXISTS, FLAGS and FETCH responses for the difference of the session's view and the
 * newest. Runs at the end of commands and in IDLE, in pieces where there is much to tell. */
#ifndef PROTO_IMAP_SYNC_H
#define PROTO_IMAP_SYNC_H

#include "proto/imap/imap.h"

/* Changes that the client knows of already: STORE's own, \Seen by FETCH. */
struct imap_quiet {
    bool (*knows)(void *arg, const struct imap_view *before, uint32_t old_seq,
                  const struct imap_entry *now);
    void *arg;
};

/* Starts when there is something to tell. expunges: whether EXPUNGE is allowed; if not and there
 * are some, nothing is told, and the view stays. uid: FETCH responses name the UID. NOT_FOUND: the
 * mailbox is gone. */
MUST_USE enum result imap_sync_begin(struct imap *im, bool expunges, bool uid,
                                     const struct imap_quiet *quiet);
/* Tells what it has begun; false: output is full, call again. */
MUST_USE bool imap_sync_step(struct imap *im);
void imap_sync_abandon(struct imap *im);

#endif
