#include "base/json.h"

/* Length of the well-formed UTF-8 sequence at the front (RFC 3629), 0: none. */
static size_t utf8_sequence(struct slice s)
{
    static const struct {
        unsigned char from, to, second_from, second_to, len;
    } rows[] = {
        {0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    const unsigned char *p = (const unsigned char *)s.data;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (p[0] < rows[i].from || p[0] > rows[i].to)
            continue;
        if (s.len < rows[i].len)
            return 0;
        if (rows[i].len > 1 && (p[1] < rows[i].second_from || p[1] > rows[i].second_to))
            return 0;
        for (size_t k = 2; k < rows[i].len; k++)
            if ((p[k] & 0xc0) != 0x80)
                return 0;
        return rows[i].len;
    }
    return 0;
}

static void put_character(struct buf *out, struct slice sequence)
{
    unsigned char c = (unsigned char)sequence.data[0];
    if (c == '"' || c == '\\')
        buf_printf(out, "\\%c", c);
    else if (c == '\n')
        buf_puts(out, "\\n");
    else if (c < 0x20 || c == 0x7f)
        buf_printf(out, "\\u%04x", c);
    else
        buf_append(out, sequence);
}

void json_string(struct buf *out, struct slice s)
{
    buf_putc(out, '"');
    while (s.len) {
        size_t n = utf8_sequence(s);
        if (n)
            put_character(out, slice_sub(s, 0, n));
        else
            buf_puts(out, "\\ufffd");
        s = slice_from(s, n ? n : 1);
    }
    buf_putc(out, '"');
}

struct json json_begin(struct buf *out, char open)
{
    buf_putc(out, open);
    return (struct json){out, open == '{' ? '}' : ']', true};
}

void json_item(struct json *j)
{
    if (!j->first)
        buf_putc(j->out, ',');
    j->first = false;
}

void json_key(struct json *j, const char *key)
{
    json_item(j);
    json_string(j->out, slice_cstr(key));
    buf_putc(j->out, ':');
}

void json_end(struct json *j)
{
    buf_putc(j->out, j->close);
}

void json_put_string(struct json *j, const char *key, struct slice value)
{
    json_key(j, key);
    json_string(j->out, value);
}

void json_put_number(struct json *j, const char *key, int64_t value)
{
    json_key(j, key);
    buf_printf(j->out, "%lld", (long long)value);
}
