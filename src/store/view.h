/* view.h: how a view is made: a persistent array of entries in chunks that versions share. A clone
 * costs its spine (16 bytes per chunk); a change of a clone copies the chunks it touches. Appending
 * needs no copy: the free rest of the last chunk is used when the clone is the newest version, as
 * older versions don't look behind their own count.
 *
 * A view is changed only by who made it, under the account's lock, before it is installed. */
#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include <stdatomic.h>

#include "store/keys.h"
#include "store/store.h"

enum { CHUNK_MAX = 256 };

struct chunk {
    atomic_uint refs;
    uint16_t used, cap; /* the account's lock */
    struct entry entries[];
};

struct slot {
    struct chunk *chunk;
    uint32_t first; /* entries in the slots before */
    uint16_t n;     /* entries of the chunk that belong to this view */
    uint16_t unseen;
};

struct keywords {
    atomic_uint refs;
    uint32_t n;
    struct slice names[KEYWORDS_MAX]; /* owned */
};

struct view {
    atomic_uint refs;
    uint32_t count;
    uint64_t bytes;
    uint32_t unseen;
    struct head head; /* uidvalidity, uidnext, modseq */
    struct keywords *keywords;
    uint32_t n_slots, cap_slots;
    struct slot *slots;
};

/* An empty view with one reference; NULL without memory. */
struct view *view_new(void);
struct view *view_clone(const struct view *v);
MUST_USE enum result view_push(struct view *v, const struct entry *e);
MUST_USE enum result view_set(struct view *v, uint32_t seq, const struct entry *e);
/* Removes the entries with these sequence numbers (ascending, each once). */
MUST_USE enum result view_remove(struct view *v, const uint32_t *seqs, size_t n);
/* Bytes of memory, as if nothing were shared. */
size_t view_memory(const struct view *v);
/* Sequence number of exactly this uid, 0 when it is not there. */
uint32_t view_find(const struct view *v, uint32_t uid);

struct keywords *keywords_new(void);
struct keywords *keywords_ref(struct keywords *k);
void keywords_unref(struct keywords *k);
void view_set_keywords(struct view *v, struct keywords *k);

#endif
