/* writer.h: the journal's end: appends records to the current segment and starts new segments.
 * Used by the committer alone. */
#ifndef KV_WRITER_H
#define KV_WRITER_H

#include <sys/uio.h>

#include "kv/batch.h"
#include "kv/segments.h"

enum { WRITER_IOV = 512 };

struct writer {
    struct segments *segments;
    int dir_fd; /* borrowed */
    size_t segment_bytes;
    int fd; /* -1: no segment yet */
    uint64_t number, salt;
    uint64_t offset;      /* where the next record goes */
    uint64_t seq;         /* of the last record */
    uint64_t durable_seq; /* of the last synced one */
    uint64_t unsynced;    /* bytes written since */

    struct iovec iov[WRITER_IOV]; /* gathered, from flushed on */
    int n_iov;
    uint64_t flushed;

    /* Where the current group began, to take it back. */
    uint64_t mark_number, mark_offset, mark_seq;
};

void writer_init(struct writer *w, struct segments *segments, int dir_fd, size_t segment_bytes);
void writer_release(struct writer *w);
/* Goes on in an existing segment (0: begins a new one with the first record). */
MUST_USE enum result writer_resume(struct writer *w, uint64_t number, uint64_t salt,
                                   uint64_t offset, uint64_t seq);

/* What follows may be taken back by writer_rollback. */
void writer_mark(struct writer *w);
/* Places the batch's record at the end and gathers its bytes, writing when enough are gathered.
 * FULL, FAILED. */
MUST_USE enum result writer_add(struct writer *w, struct kv_batch *b);
/* Writes what is gathered. */
MUST_USE enum result writer_flush(struct writer *w);
/* Flushes, and makes everything written durable. */
MUST_USE enum result writer_sync(struct writer *w);
/* Removes all since writer_mark from the disk. FAILED when that can't be done safely. */
MUST_USE enum result writer_rollback(struct writer *w);

#endif
