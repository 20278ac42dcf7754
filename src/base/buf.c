#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { SMALLEST = 256 };

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_clear(struct buf *b)
{
    free(b->mem);
    *b = (struct buf){.max = b->max};
}

void buf_release(struct buf *b)
{
    buf_clear(b);
    b->max = 0;
}

void buf_reset(struct buf *b)
{
    b->start = b->end = 0;
    b->failed = false;
}

/* Slides the content to the front of the memory, where the gap makes it worth it. */
static void slide(struct buf *b)
{
    size_t n = buf_len(b);
    if (n)
        memmove(b->mem, b->mem + b->start, n);
    b->start = 0;
    b->end = n;
}

static bool make_room(struct buf *b, size_t want)
{
    if (b->failed || want > b->max || buf_len(b) > b->max - want) {
        b->failed = true;
        return false;
    }
    if (b->size - b->end >= want && b->mem)
        return true;
    size_t need = buf_len(b) + want;
    if (need <= b->size / 2) {
        slide(b);
        return true;
    }
    size_t size = b->size ? b->size : SMALLEST;
    while (size < need)
        size = size > SIZE_MAX / 2 ? need : size * 2;
    if (size > b->max)
        size = need > b->max ? need : b->max;
    if (size < SMALLEST && b->max >= SMALLEST)
        size = SMALLEST;
    slide(b);
    char *mem = size > b->size ? realloc(b->mem, size) : b->mem;
    if (!mem) {
        b->failed = true;
        return false;
    }
    if (size > b->size)
        b->size = size;
    b->mem = mem;
    return true;
}

char *buf_reserve(struct buf *b, size_t want, size_t *ret_room)
{
    if (!make_room(b, want))
        return NULL;
    size_t room = b->size - b->end;
    size_t allowed = b->max - buf_len(b);
    if (ret_room)
        *ret_room = room < allowed ? room : allowed;
    return b->mem + b->end;
}

void buf_commit(struct buf *b, size_t n)
{
    assert(n <= b->size - b->end);
    b->end += n;
}

void buf_append(struct buf *b, struct slice s)
{
    if (s.len == 0 || !make_room(b, s.len))
        return;
    memcpy(b->mem + b->end, s.data, s.len);
    b->end += s.len;
}

void buf_prepend(struct buf *b, struct slice s)
{
    if (s.len == 0 || !make_room(b, s.len))
        return;
    memmove(b->mem + b->start + s.len, b->mem + b->start, buf_len(b));
    memcpy(b->mem + b->start, s.data, s.len);
    b->end += s.len;
}

void buf_puts(struct buf *b, const char *text)
{
    buf_append(b, slice_cstr(text));
}

void buf_putc(struct buf *b, char c)
{
    buf_append(b, slice_of(&c, 1));
}

void buf_vprintf(struct buf *b, const char *format, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    /* vsnprintf wants room for its NUL as well, which is not content. */
    if (n < 0 || (size_t)n > b->max || buf_len(b) > b->max - (size_t)n) {
        b->failed = true;
    } else if (n > 0) {
        char small[256];
        if ((size_t)n < sizeof small) {
            vsnprintf(small, sizeof small, format, again);
            buf_append(b, slice_of(small, (size_t)n));
        } else {
            char *text = malloc((size_t)n + 1);
            if (text) {
                vsnprintf(text, (size_t)n + 1, format, again);
                buf_append(b, slice_of(text, (size_t)n));
                free(text);
            } else {
                b->failed = true;
            }
        }
    }
    va_end(again);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    buf_vprintf(b, format, ap);
    va_end(ap);
}

void buf_put_u64(struct buf *b, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n);
    buf_append(b, slice_of(digits + at, sizeof digits - at));
}

static void put_little(struct buf *b, uint64_t n, size_t bytes)
{
    char out[8];
    for (size_t i = 0; i < bytes; i++)
        out[i] = (char)(n >> (8 * i));
    buf_append(b, slice_of(out, bytes));
}

static void put_big(struct buf *b, uint64_t n, size_t bytes)
{
    char out[8];
    for (size_t i = 0; i < bytes; i++)
        out[i] = (char)(n >> (8 * (bytes - 1 - i)));
    buf_append(b, slice_of(out, bytes));
}

void buf_put_le16(struct buf *b, uint16_t n)
{
    put_little(b, n, 2);
}

void buf_put_le32(struct buf *b, uint32_t n)
{
    put_little(b, n, 4);
}

void buf_put_le64(struct buf *b, uint64_t n)
{
    put_little(b, n, 8);
}

void buf_put_be32(struct buf *b, uint32_t n)
{
    put_big(b, n, 4);
}

void buf_put_be64(struct buf *b, uint64_t n)
{
    put_big(b, n, 8);
}

void buf_put_varint(struct buf *b, uint64_t n)
{
    char out[10];
    size_t len = 0;
    while (n >= 0x80) {
        out[len++] = (char)(n | 0x80);
        n >>= 7;
    }
    out[len++] = (char)n;
    buf_append(b, slice_of(out, len));
}

void buf_consume(struct buf *b, size_t n)
{
    b->start += n < buf_len(b) ? n : buf_len(b);
    if (b->start == b->end)
        b->start = b->end = 0;
}

void buf_truncate(struct buf *b, size_t n)
{
    if (n < buf_len(b))
        b->end = b->start + n;
}
