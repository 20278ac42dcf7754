/* arena.h: memory for one command or transaction, freed as a whole. Error paths free nothing by
 * hand. The limit is given at birth; past it, and when the system has no memory, arena_alloc
 * returns NULL and the arena remembers it (arena_failed), so that a series of allocations may be
 * checked once, as long as no NULL is dereferenced between. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used;  /* bytes handed out */
    size_t limit; /* bytes */
    bool failed;
};

void arena_init(struct arena *a, size_t limit);
/* Frees all; the arena may be used again. */
void arena_clear(struct arena *a);
void arena_release(struct arena *a);
static inline bool arena_failed(const struct arena *a)
{
    return a->failed;
}

/* Zeroed and aligned for any object. */
void *arena_alloc(struct arena *a, size_t size);
/* Array of n objects; NULL too when n * size overflows. */
void *arena_alloc_n(struct arena *a, size_t n, size_t size);
/* A copy with a NUL behind it (not counted in len); data == NULL on failure. */
struct slice arena_dup(struct arena *a, struct slice s);
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))

#endif
