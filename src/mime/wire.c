#include "mime/wire.h"
#include "mime/header.h"

#include "base/cursor.h"

static struct slice cut(struct slice s, size_t max)
{
    if (s.len <= max)
        return s;
    size_t n = max;
    while (n && max - n < 3 && ((unsigned char)s.data[n] & 0xc0) == 0x80)
        n--;
    return slice_sub(s, 0, n);
}

/* RFC 3501 9: QUOTED-CHAR is any 7-bit character but CR, LF and NUL. */
static bool fits_quotes(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if (c == 0 || c == '\r' || c == '\n' || c > 127)
            return false;
    }
    return true;
}

static void put_quoted(struct buf *out, struct slice s)
{
    buf_putc(out, '"');
    while (s.len) {
        size_t n = 0;
        while (n < s.len && s.data[n] != '"' && s.data[n] != '\\')
            n++;
        buf_append(out, slice_sub(s, 0, n));
        s = slice_from(s, n);
        if (s.len == 0)
            break;
        buf_putc(out, '\\');
        buf_putc(out, s.data[0]);
        s = slice_from(s, 1);
    }
    buf_putc(out, '"');
}

void wire_string(struct buf *out, struct slice s, size_t max)
{
    s = cut(s, max);
    if (fits_quotes(s)) {
        put_quoted(out, s);
        return;
    }
    buf_printf(out, "{%zu}\r\n", s.len);
    for (size_t i = 0; i < s.len; i++)
        buf_putc(out, s.data[i] ? s.data[i] : '?');
}

void wire_nstring(struct buf *out, struct slice s, size_t max)
{
    if (s.data)
        wire_string(out, s, max);
    else
        buf_puts(out, "NIL");
}

void wire_upper(struct buf *out, struct slice s, size_t max)
{
    char text[256];
    s = cut(s, max < sizeof text ? max : sizeof text);
    for (size_t i = 0; i < s.len; i++)
        text[i] = ascii_upper(s.data[i]);
    wire_string(out, slice_of(text, s.len), max);
}

void wire_unfolded(struct buf *out, struct slice body, size_t max)
{
    struct buf plain;
    if (!body.data) {
        buf_puts(out, "NIL");
        return;
    }
    body = slice_sub(slice_trim(body), 0, max + max / 2);
    if (slice_find(body, '\n') == SIZE_MAX) {
        wire_string(out, body, max);
        return;
    }
    buf_init(&plain, body.len);
    header_unfold(body, &plain);
    if (!buf_ok(&plain))
        out->failed = true;
    wire_string(out, buf_slice(&plain), max);
    buf_release(&plain);
}

/* ---- checking ---- */

static void take_literal(struct cursor *c)
{
    uint64_t n = cursor_number(c, UINT32_MAX);
    if (!cursor_accept(c, '}') || !cursor_accept_nocase(c, "\r\n"))
        cursor_fail(c);
    if (slice_find(cursor_take(c, n), '\0') != SIZE_MAX)
        cursor_fail(c);
}

static void take_quoted(struct cursor *c)
{
    while (cursor_ok(c)) {
        uint8_t byte = cursor_u8(c);
        if (byte == '"')
            return;
        if (byte == '\\') {
            byte = cursor_u8(c);
            if (byte != '"' && byte != '\\')
                cursor_fail(c);
        }
        if (byte == 0 || byte == '\r' || byte == '\n' || byte > 127)
            cursor_fail(c);
    }
}

static bool is_digit(char c)
{
    return ascii_digit(c);
}

static void take_item(struct cursor *c)
{
    if (cursor_accept(c, '"'))
        take_quoted(c);
    else if (cursor_accept(c, '{'))
        take_literal(c);
    else if (!cursor_accept_nocase(c, "NIL") && cursor_while(c, is_digit).len == 0)
        cursor_fail(c);
}

bool wire_is_list(struct slice s, unsigned depth)
{
    struct cursor c = cursor_of(s);
    unsigned open = 0;
    bool spaced = true; /* an item may stand here */
    do {
        if (spaced && cursor_accept(&c, '(')) {
            open++;
        } else if (open && cursor_accept(&c, ')')) {
            open--;
            spaced = false;
        } else if (open && cursor_accept(&c, ' ')) {
            spaced = true;
        } else if (spaced && open) {
            take_item(&c);
            spaced = false;
        } else {
            return false;
        }
        /* "(…)(…)": addresses and parts stand side by side without a space. */
        if (!spaced && cursor_peek(&c) == '(')
            spaced = true;
    } while (open && open <= depth && cursor_ok(&c));
    return open == 0 && cursor_done(&c);
}
