#include "base/cursor.h"

void cursor_fail(struct cursor *c)
{
    c->failed = true;
    c->rest = SLICE_NONE;
}

int cursor_peek(const struct cursor *c)
{
    return c->rest.len ? (unsigned char)c->rest.data[0] : -1;
}

struct slice cursor_take(struct cursor *c, size_t n)
{
    if (c->failed || n > c->rest.len) {
        cursor_fail(c);
        return SLICE_NONE;
    }
    struct slice s = slice_sub(c->rest, 0, n);
    c->rest = slice_from(c->rest, n);
    return s;
}

static uint64_t take_little(struct cursor *c, size_t bytes)
{
    struct slice s = cursor_take(c, bytes);
    uint64_t n = 0;
    for (size_t i = s.len; i-- > 0;)
        n = n << 8 | (unsigned char)s.data[i];
    return n;
}

static uint64_t take_big(struct cursor *c, size_t bytes)
{
    struct slice s = cursor_take(c, bytes);
    uint64_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n = n << 8 | (unsigned char)s.data[i];
    return n;
}

uint8_t cursor_u8(struct cursor *c)
{
    return (uint8_t)take_little(c, 1);
}

uint16_t cursor_le16(struct cursor *c)
{
    return (uint16_t)take_little(c, 2);
}

uint32_t cursor_le32(struct cursor *c)
{
    return (uint32_t)take_little(c, 4);
}

uint64_t cursor_le64(struct cursor *c)
{
    return take_little(c, 8);
}

uint32_t cursor_be32(struct cursor *c)
{
    return (uint32_t)take_big(c, 4);
}

uint64_t cursor_be64(struct cursor *c)
{
    return take_big(c, 8);
}

uint64_t cursor_varint(struct cursor *c)
{
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint64_t byte = cursor_u8(c);
        if (shift == 63 && byte > 1)
            break; /* would not fit 64 bits */
        n |= (byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return n;
    }
    cursor_fail(c);
    return 0;
}

bool cursor_accept(struct cursor *c, char want)
{
    if (c->rest.len == 0 || c->rest.data[0] != want)
        return false;
    c->rest = slice_from(c->rest, 1);
    return true;
}

bool cursor_accept_nocase(struct cursor *c, const char *text)
{
    struct slice want = slice_cstr(text);
    if (!slice_starts_nocase(c->rest, want))
        return false;
    c->rest = slice_from(c->rest, want.len);
    return true;
}

struct slice cursor_while(struct cursor *c, bool (*in_class)(char))
{
    size_t n = 0;
    while (n < c->rest.len && in_class(c->rest.data[n]))
        n++;
    return cursor_take(c, n);
}

static bool is_digit(char c)
{
    return ascii_digit(c);
}

uint64_t cursor_number(struct cursor *c, uint64_t max)
{
    uint64_t n = 0;
    if (slice_parse_u64(cursor_while(c, is_digit), max, &n) != OK) {
        cursor_fail(c);
        return 0;
    }
    return n;
}
