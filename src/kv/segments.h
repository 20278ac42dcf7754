/* segments.h: the journal's files as a table: which there are, how large, how many of their bytes
 * are live. Files are opened when somebody reads them, and only so many stay open.
 *
 * Live bytes are changed by the one who applies batches; everything is guarded by the table's own
 * lock, which is never held across I/O other than open(). */
#ifndef KV_SEGMENTS_H
#define KV_SEGMENTS_H

#include <pthread.h>

#include "base/slice.h"

struct segment {
    uint64_t number;
    uint64_t size;      /* bytes in the file, header included */
    uint64_t live;      /* bytes of blobs that the index refers to */
    unsigned streams;   /* blobs streamed into it that no batch has adopted or dropped yet */
    unsigned refs;      /* holders of its fd */
    int fd;             /* -1: not open */
    uint64_t used;      /* when last acquired, for closing the least recently used */
    bool damaged;       /* the cleaner could not read it: leave it alone */
    uint64_t condemned; /* since this tick nothing in the index refers to it; 0: not so */
};

struct segments {
    pthread_mutex_t lock;
    struct segment **items; /* by number */
    size_t n, size;
    size_t open;
    uint64_t tick;
    int dir_fd; /* borrowed */
};

void segments_init(struct segments *s, int dir_fd);
void segments_release(struct segments *s);
/* Fills the table from the folder. */
MUST_USE enum result segments_list(struct segments *s, struct error *err);

struct segment_name {
    char text[24];
};
struct segment_name segment_name(uint64_t number);

MUST_USE enum result segments_add(struct segments *s, uint64_t number, uint64_t size);
/* Takes it out of the table and removes the file. BUSY while somebody holds it. */
MUST_USE enum result segments_remove(struct segments *s, uint64_t number);

/* A reference with an open fd; NULL with errno when there is no such segment or it can't be
 * opened. */
struct segment *segment_acquire(struct segments *s, uint64_t number);
void segment_release(struct segments *s, struct segment *seg);

/* Without effect for a segment that is not there. */
void segments_live_add(struct segments *s, uint64_t number, int64_t bytes);
void segments_live_set(struct segments *s, uint64_t number, uint64_t bytes);
uint64_t segments_live(struct segments *s, uint64_t number);
void segments_streams_add(struct segments *s, uint64_t number, int n);
void segments_damaged(struct segments *s, uint64_t number);
void segments_size_set(struct segments *s, uint64_t number, uint64_t size);

/* Calls f for each under the lock, in order. */
void segments_each(struct segments *s, void (*f)(struct segment *seg, void *arg), void *arg);
/* The segment below `below` with the least live bytes in relation to its size, when that is less
 * than `percent` and it can be cleaned; 0 when there is none. */
uint64_t segments_to_clean(struct segments *s, uint64_t below, unsigned percent);
/* Highest number, or 0. */
uint64_t segments_last(struct segments *s);

#endif
