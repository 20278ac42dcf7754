/* submission.h: completes a message that a user's program submits (RFC 6409 8): what it left out is
 * added, what must not be seen is dropped. Only the header changes. */
#ifndef MIME_SUBMISSION_H
#define MIME_SUBMISSION_H

#include "base/buf.h"

enum { SUBMISSION_HEADER_MAX = 1024 * 1024 };

/* What becomes of an address of a field; local without quotes, domain as written, or the origin.
 * True: something else, the whole address in *ret. */
typedef bool submission_map_fn(void *arg, bool sender, struct slice local, struct slice domain,
                               struct slice *ret);

struct submission {
    struct slice origin; /* myorigin: the domain of addresses that have none; "": they keep none */
    struct slice host;   /* myhostname: right side of a new Message-ID */
    struct slice sender; /* the envelope's sender, for a missing From; may be empty */
    uint64_t id;         /* the message's id, left side of a new Message-ID */
    int64_t now;         /* seconds since 1970 UTC, for a missing Date */
    /* All zero: everything as RFC 6409 has it. */
    bool keep_missing;      /* add nothing */
    bool keep_bcc;          /* drop only what `drop` names */
    struct slice_list drop; /* names of fields */
    submission_map_fn *map; /* NULL: addresses stay */
    void *map_arg;
};
/* What was done, for the log. */
enum submission_change {
    SUBMISSION_ADDED_DATE = 1,
    SUBMISSION_ADDED_MESSAGE_ID = 2,
    SUBMISSION_ADDED_FROM = 4,
    SUBMISSION_COMPLETED_ADDRESSES = 8,
    SUBMISSION_DROPPED_BCC = 16,
    SUBMISSION_MAPPED_ADDRESSES = 32,
    SUBMISSION_DROPPED_FIELDS = 64
};

/* Appends the new header with its empty line to out; the body is message[*ret_body_from..]. LIMIT:
 * the header does not fit into out or SUBMISSION_HEADER_MAX. */
MUST_USE enum result submission_complete(struct slice message, const struct submission *s,
                                         struct buf *out, size_t *ret_body_from,
                                         unsigned *ret_changes);
/* Every address of the fields that `map` is asked about, in order. */
void submission_addresses(struct slice message, struct slice origin,
                          void (*each)(void *arg, bool sender, struct slice local,
                                       struct slice domain),
                          void *arg);
/* What the header misses, without changing it. */
unsigned submission_check(struct slice message);

#endif
