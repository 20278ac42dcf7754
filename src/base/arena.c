#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    alignas(max_align_t) char data[];
};

enum { FIRST_BLOCK = 1024 - sizeof(struct arena_block), LARGEST_BLOCK = 64 * 1024 };

void arena_init(struct arena *a, size_t limit)
{
    *a = (struct arena){.limit = limit};
}

void arena_clear(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
    a->used = 0;
    a->failed = false;
}

void arena_release(struct arena *a)
{
    arena_clear(a);
    a->limit = 0;
}

static struct arena_block *grow(struct arena *a, size_t size)
{
    size_t want = a->blocks ? a->blocks->size * 2 : FIRST_BLOCK;
    if (want > LARGEST_BLOCK)
        want = LARGEST_BLOCK;
    if (want < size)
        want = size;
    struct arena_block *b = malloc(sizeof *b + want);
    if (b) {
        *b = (struct arena_block){.next = a->blocks, .size = want};
        a->blocks = b;
    }
    return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size > a->limit || a->used > a->limit - size) {
        a->failed = true;
        return NULL;
    }
    size_t rounded = (size + align - 1) / align * align;
    struct arena_block *b = a->blocks;
    if (!b || b->size - b->used < rounded)
        b = grow(a, rounded);
    if (!b) {
        a->failed = true;
        return NULL;
    }
    void *p = b->data + b->used;
    b->used += rounded;
    a->used += size;
    return memset(p, 0, size);
}

void *arena_alloc_n(struct arena *a, size_t n, size_t size)
{
    if (size && n > SIZE_MAX / size) {
        a->failed = true;
        return NULL;
    }
    return arena_alloc(a, n * size);
}

struct slice arena_dup(struct arena *a, struct slice s)
{
    if (s.len == SIZE_MAX) {
        a->failed = true;
        return SLICE_NONE;
    }
    char *p = arena_alloc(a, s.len + 1);
    if (!p)
        return SLICE_NONE;
    if (s.len)
        memcpy(p, s.data, s.len);
    return slice_of(p, s.len);
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    char *p = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
    if (p)
        vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    return p;
}
