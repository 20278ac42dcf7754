/* submission.h: completes a message that a user's program submits (RFC 6409 8): what it left out is
 * added, what must not be seen is dropped. Only the header changes. */
#ifndef MIME_SUBMISSION_H
#define MIME_SUBMISSION_H

#include "base/buf.h"

enum { SUBMISSION_HEADER_MAX = 1024 * 1024 };

struct submission {
    struct slice origin; /* myorigin: the domain of addresses that have none */
    struct slice host;   /* myhostname: right side of a new Message-ID */
    struct slice sender; /* the envelope's sender, for a missing From; may be empty */
    uint64_t id;         /* the message's id, left side of a new Message-ID */
    int64_t now;         /* seconds since 1970 UTC, for a missing Date */
};
/* What was done, for the log. */
enum submission_change {
    SUBMISSION_ADDED_DATE = 1,
    SUBMISSION_ADDED_MESSAGE_ID = 2,
    SUBMISSION_ADDED_FROM = 4,
    SUBMISSION_COMPLETED_ADDRESSES = 8,
    SUBMISSION_DROPPED_BCC = 16
};

/* Appends the new header with its empty line to out; the body is message[*ret_body_from..]. LIMIT:
 * the header does not fit into out or SUBMISSION_HEADER_MAX. */
MUST_USE enum result submission_complete(struct slice message, const struct submission *s,
                                         struct buf *out, size_t *ret_body_from,
                                         unsigned *ret_changes);
/* What the header misses, without changing it. */
unsigned submission_check(struct slice message);

#endif
