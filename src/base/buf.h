/* buf.h: a growing byte buffer with a maximum given at birth and a sticky error: append, append,
 * append, check once. Data is taken off the front by buf_consume without moving the rest. An empty
 * buffer holds no memory after buf_clear, so an idle session costs its struct alone. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>

#include "base/slice.h"

struct buf {
    char *mem;
    size_t start, end; /* the content is mem[start..end) */
    size_t size;       /* allocated */
    size_t max;        /* most bytes of content */
    bool failed; /* an append did not fit or there was no memory; content is what was before */
};

void buf_init(struct buf *b, size_t max);
/* Frees the memory; buffer stays usable with the same maximum, error cleared. */
void buf_clear(struct buf *b);
void buf_release(struct buf *b);
/* Empties the content and clears the error but keeps the memory for the next use. */
void buf_reset(struct buf *b);

static inline size_t buf_len(const struct buf *b)
{
    return b->end - b->start;
}
static inline struct slice buf_slice(const struct buf *b)
{
    return slice_of(b->mem ? b->mem + b->start : NULL, b->end - b->start);
}
MUST_USE static inline bool buf_ok(const struct buf *b)
{
    return !b->failed;
}

void buf_append(struct buf *b, struct slice s);
/* In front of what is there; moves all of it. */
void buf_prepend(struct buf *b, struct slice s);
void buf_puts(struct buf *b, const char *text);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *format, va_list ap);
void buf_put_u64(struct buf *b, uint64_t n); /* decimal */
/* Fixed-width little-endian, for formats. */
void buf_put_le16(struct buf *b, uint16_t n);
void buf_put_le32(struct buf *b, uint32_t n);
void buf_put_le64(struct buf *b, uint64_t n);
/* Big-endian: sorts as bytes, for keys. */
void buf_put_be32(struct buf *b, uint32_t n);
void buf_put_be64(struct buf *b, uint64_t n);
void buf_put_varint(struct buf *b, uint64_t n); /* LEB128, at most 10 bytes */

/* Room for at least `want` more bytes: returns where to write and, in *ret_room, how many fit
 * (>= want); NULL (and failed) when the maximum forbids it. Follow with buf_commit. */
char *buf_reserve(struct buf *b, size_t want, size_t *ret_room);
void buf_commit(struct buf *b, size_t n);

/* Drops n bytes (at most all) from the front. */
void buf_consume(struct buf *b, size_t n);
/* Cuts the content to n bytes, when it is longer. */
void buf_truncate(struct buf *b, size_t n);

#endif
