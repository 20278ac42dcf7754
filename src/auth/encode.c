#include "auth/encode.h"

#include "base/base64.h"

enum result base64_decode_lenient(struct slice text, unsigned char *out, size_t max,
                                  size_t *ret_len)
{
    for (int pad = 0; pad < 2 && text.len && text.data[text.len - 1] == '='; pad++)
        text.len--;
    if (text.len % 4 == 1)
        return INVALID;
    uint32_t bits = 0;
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = base64_value(text.data[i]);
        if (value < 0)
            return INVALID;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 == 0)
            continue;
        if (len == max)
            return LIMIT;
        out[len++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
    }
    *ret_len = len;
    return OK;
}

enum result hex_decode(struct slice text, unsigned char *out, size_t max, size_t *ret_len)
{
    if (text.len % 2)
        return INVALID;
    if (text.len / 2 > max)
        return LIMIT;
    for (size_t i = 0; i < text.len; i += 2) {
        int high = ascii_hex(text.data[i]), low = ascii_hex(text.data[i + 1]);
        if (high < 0 || low < 0)
            return INVALID;
        out[i / 2] = (unsigned char)(high << 4 | low);
    }
    *ret_len = text.len / 2;
    return OK;
}
