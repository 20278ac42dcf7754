/* scan.h: reads one segment in order, record by record: for recovery, the cleaner, verification and
 * the fuzzer. Memory is one record or a megabyte, whichever is more. */
#ifndef KV_SCAN_H
#define KV_SCAN_H

#include "kv/record.h"

struct scanner {
    int fd; /* borrowed */
    uint64_t number, size;
    struct segment_header header;
    uint64_t at; /* offset of the next record; after a bad one, of that */
    char *window;
    size_t window_size;
    uint64_t window_at;
    size_t window_len;
};

struct scanned {
    struct record_header header;
    uint64_t offset;          /* of the record */
    uint64_t blob_offset;     /* of its first blob byte */
    struct slice meta, blobs; /* in the scanner's memory, until the next call */
};

/* Reads the segment header: INVALID (too short, not ours, damaged, another number), LIMIT (a
 * version that we don't know), FAILED. The scanner needs scanner_release only after OK. */
MUST_USE enum result scanner_init(struct scanner *s, int fd, uint64_t number, uint64_t size);
void scanner_release(struct scanner *s);
/* Goes on at this offset. */
void scanner_seek(struct scanner *s, uint64_t offset);

/* The next record, verified whole. NOT_FOUND at the end; INVALID when what is at s->at is no
 * intact record of this segment; FAILED (I/O, memory). */
MUST_USE enum result scanner_next(struct scanner *s, struct scanned *ret);

/* Goes from s->at on to the next place where an intact record header of this segment stands;
 * NOT_FOUND when there is none. */
MUST_USE enum result scanner_find(struct scanner *s, struct record_header *ret);

/* Looks from s->at on for a record that was written when record `seq` was already synced. Such a
 * one proves that damage at `seq` is no torn write. Moves s->at. */
MUST_USE enum result scanner_proves_synced(struct scanner *s, uint64_t seq, bool *ret);

#endif
