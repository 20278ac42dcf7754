/* map.h: a hash map from bytes or from 64-bit numbers to pointers. Keyed SipHash-2-4 with a key
 * drawn at start, so that a peer who chooses the keys can't choose the collisions. Not locked. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/slice.h"

struct map_slot;

struct map {
    struct map_slot *slots;
    size_t used;     /* live entries */
    size_t occupied; /* live and deleted */
    size_t size;     /* slots, a power of two, or 0 */
    size_t max;      /* most live entries */
};

void map_init(struct map *m, size_t max_entries);
/* Frees the map's own memory, not what the values point to. */
void map_release(struct map *m);

/* Key bytes are copied. LIMIT at max_entries, EXISTS leaves the old value, FAILED without memory.
 */
MUST_USE enum result map_put(struct map *m, struct slice key, void *value);
/* NULL when absent. */
void *map_get(const struct map *m, struct slice key);
/* Returns the removed value or NULL. */
void *map_remove(struct map *m, struct slice key);

static inline struct slice map_key_u64(const uint64_t *n)
{
    return slice_of(n, sizeof *n);
}

/* Walks all entries in no order: start with *at == 0; false at the end. The map must not change
 * meanwhile, except that the entry just returned may be removed. */
bool map_next(const struct map *m, size_t *at, struct slice *ret_key, void **ret_value);

/* SipHash-2-4 with the process's own key. */
uint64_t hash_bytes(struct slice s);

#endif
