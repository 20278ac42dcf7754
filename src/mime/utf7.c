/* utf7.c: see utf7.h. Base64 with "," for "/", no padding, over UTF-16BE. */
#include "mime/utf7.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static int digit_value(char c)
{
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

static void put_utf8(struct buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_putc(out, (char)c);
    } else if (c < 0x800) {
        buf_putc(out, (char)(0xc0 | c >> 6));
        buf_putc(out, (char)(0x80 | (c & 0x3f)));
    } else {
        if (c < 0x10000) {
            buf_putc(out, (char)(0xe0 | c >> 12));
        } else {
            buf_putc(out, (char)(0xf0 | c >> 18));
            buf_putc(out, (char)(0x80 | (c >> 12 & 0x3f)));
        }
        buf_putc(out, (char)(0x80 | (c >> 6 & 0x3f)));
        buf_putc(out, (char)(0x80 | (c & 0x3f)));
    }
}

/* One 16-bit unit; *high is a surrogate that waits for its second half. */
static bool take_unit(uint32_t unit, uint32_t *high, struct buf *out)
{
    if (*high) {
        if (unit < 0xdc00 || unit > 0xdfff)
            return false;
        put_utf8(out, 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00));
        *high = 0;
        return true;
    }
    if (unit >= 0xdc00 && unit <= 0xdfff)
        return false;
    if (unit >= 0xd800 && unit <= 0xdbff) {
        *high = unit;
        return true;
    }
    /* RFC 3501 5.1.3: printable US-ASCII represents itself; control characters are in no name. */
    if (unit < 0xa0)
        return false;
    put_utf8(out, unit);
    return true;
}

/* Behind "&", up to "-". */
static bool decode_shift(struct slice shifted, struct buf *out)
{
    uint32_t bits = 0, high = 0;
    unsigned n_bits = 0;
    for (size_t i = 0; i < shifted.len; i++) {
        int v = digit_value(shifted.data[i]);
        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        n_bits += 6;
        if (n_bits >= 16) {
            n_bits -= 16;
            if (!take_unit(bits >> n_bits & 0xffff, &high, out))
                return false;
            bits &= (1u << n_bits) - 1;
        }
    }
    return n_bits < 6 && bits == 0 && high == 0;
}

static enum result decode(struct slice wire, struct buf *out)
{
    bool shifted_before = false;
    while (wire.len) {
        char c = wire.data[0];
        if (c < 0x20 || c > 0x7e) /* bytes above 127 are negative or above */
            return INVALID;
        if (c != '&') {
            buf_putc(out, c);
            wire = slice_from(wire, 1);
            shifted_before = false;
            continue;
        }
        size_t end = slice_find(wire, '-');
        if (end == SIZE_MAX)
            return INVALID;
        if (end == 1)
            buf_putc(out, '&');
        else if (shifted_before || !decode_shift(slice_sub(wire, 1, end - 1), out))
            return INVALID;
        shifted_before = end != 1;
        wire = slice_from(wire, end + 1);
    }
    return OK;
}

enum result imap_utf7_decode(struct slice wire, struct buf *out)
{
    size_t before = buf_len(out);
    enum result r = decode(wire, out);
    if (r != OK)
        buf_truncate(out, before);
    return r;
}

/* One character off the front; 0xfffd for what is none. */
static uint32_t take_utf8(struct slice *s)
{
    unsigned char first = (unsigned char)s->data[0];
    unsigned more = first >= 0xf0 && first < 0xf5 ? 3 : first >= 0xe0 ? 2 : first >= 0xc2 ? 1 : 0;
    uint32_t c = more == 3 ? first & 7 : more == 2 ? first & 15 : first & 31;
    bool ok = first >= 0xc2 && first < 0xf5 && s->len > more;
    for (unsigned i = 1; ok && i <= more; i++) {
        unsigned char next = (unsigned char)s->data[i];
        ok = (next & 0xc0) == 0x80;
        c = c << 6 | (next & 0x3f);
    }
    ok = ok && !(more == 2 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) &&
         !(more == 3 && (c < 0x10000 || c > 0x10ffff));
    *s = slice_from(*s, ok ? more + 1 : 1);
    return ok ? c : 0xfffd;
}

struct encoder {
    struct buf *out;
    bool shifted;
    uint32_t bits;
    unsigned n_bits;
};

static void encode_unit(struct encoder *e, uint32_t unit)
{
    e->bits = e->bits << 16 | unit;
    e->n_bits += 16;
    while (e->n_bits >= 6) {
        e->n_bits -= 6;
        buf_putc(e->out, digits[e->bits >> e->n_bits & 63]);
    }
    e->bits &= (1u << e->n_bits) - 1;
}

static void end_shift(struct encoder *e)
{
    if (!e->shifted)
        return;
    if (e->n_bits)
        buf_putc(e->out, digits[e->bits << (6 - e->n_bits) & 63]);
    buf_putc(e->out, '-');
    *e = (struct encoder){.out = e->out};
}

void imap_utf7_encode(struct slice name, struct buf *out)
{
    struct encoder e = {.out = out};
    while (name.len) {
        char first = name.data[0];
        if (first >= 0x20 && first <= 0x7e) {
            end_shift(&e);
            buf_putc(out, first);
            if (first == '&')
                buf_putc(out, '-');
            name = slice_from(name, 1);
            continue;
        }
        uint32_t c = take_utf8(&name);
        if (!e.shifted)
            buf_putc(out, '&');
        e.shifted = true;
        if (c >= 0x10000) {
            encode_unit(&e, 0xd800 + ((c - 0x10000) >> 10));
            encode_unit(&e, 0xdc00 + ((c - 0x10000) & 0x3ff));
        } else {
            encode_unit(&e, c);
        }
    }
    end_shift(&e);
}
