/* overlay.h: the keys of batches that are accepted but not yet applied to the index, newest first,
 * so that preconditions see every batch before theirs. The committer adds and looks up, the one
 * who applies removes. */
#ifndef KV_OVERLAY_H
#define KV_OVERLAY_H

#include <pthread.h>

#include "base/slice.h"

enum { OVERLAY_BUCKETS = 4096 };

/* One put or deletion; key and value are borrowed from the batch, which holds the entry too. */
struct overlay_entry {
    struct overlay_entry *next;
    uint64_t hash;
    struct slice key, value;
    bool deleted;
};

struct overlay {
    pthread_mutex_t lock;
    struct overlay_entry *buckets[OVERLAY_BUCKETS];
};

void overlay_init(struct overlay *o);
void overlay_release(struct overlay *o);
/* Entries of one batch, in its order. */
void overlay_add(struct overlay *o, struct overlay_entry *entries, size_t n);
void overlay_remove(struct overlay *o, struct overlay_entry *entries, size_t n);

/* Whether the overlay knows the key's value, and if so whether it is as expected
 * (data == NULL: absent). */
bool overlay_check(struct overlay *o, struct slice key, struct slice expected,
                   bool *ret_as_expected);

#endif
