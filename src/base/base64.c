/* base64.c: RFC 4648 section 4, strict, as protocols want it. */
#include "base/base64.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static size_t encode_group(struct slice bytes, char out[4])
{
    size_t n = bytes.len < 3 ? bytes.len : 3;
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; i++)
        bits = bits << 8 | (i < n ? (unsigned char)bytes.data[i] : 0);
    for (size_t i = 0; i < 4; i++)
        out[i] = i <= n ? ALPHABET[bits >> (18 - 6 * i) & 63] : '=';
    return n;
}

void base64_encode(struct slice bytes, struct buf *out)
{
    char group[4];
    while (bytes.len) {
        bytes = slice_from(bytes, encode_group(bytes, group));
        buf_append(out, slice_of(group, sizeof group));
    }
}

/* Four characters to at most three bytes; -1 when they are no group. `last`: padding may be there.
 */
static int decode_group(const char *text, bool last, char out[3])
{
    uint32_t bits = 0;
    unsigned pad = 0;
    if (last && text[3] == '=')
        pad = text[2] == '=' ? 2 : 1;
    for (unsigned i = 0; i < 4 - pad; i++) {
        int v = base64_value(text[i]);
        if (v < 0)
            return -1;
        bits |= (uint32_t)v << (18 - 6 * i);
    }
    /* Unused bits that are set would let one secret be written in several ways. */
    if (bits & ((1u << (8 * pad)) - 1))
        return -1;
    for (unsigned i = 0; i < 3; i++)
        out[i] = (char)(bits >> (16 - 8 * i));
    return (int)(3 - pad);
}

enum result base64_decode(struct slice text, struct buf *out)
{
    size_t before = buf_len(out);
    if (text.len % 4)
        return INVALID;
    for (size_t i = 0; i < text.len; i += 4) {
        char bytes[3];
        int n = decode_group(text.data + i, i + 4 == text.len, bytes);
        if (n < 0) {
            buf_truncate(out, before);
            return INVALID;
        }
        buf_append(out, slice_of(bytes, (size_t)n));
    }
    return buf_ok(out) ? OK : LIMIT;
}
