/* transfer.c: the transfer encodings of message bodies (RFC 2045 6), lenient and in pieces. */
#include "mime/encoding.h"

void transfer_decoder_init(struct transfer_decoder *d, struct slice encoding)
{
    *d = (struct transfer_decoder){.kind = TRANSFER_IDENTITY};
    if (slice_is_nocase(encoding, "BASE64"))
        d->kind = TRANSFER_BASE64;
    else if (slice_is_nocase(encoding, "QUOTED-PRINTABLE"))
        d->kind = TRANSFER_QUOTED;
}

static char *decode_base64(struct transfer_decoder *d, struct slice bytes, char *at)
{
    for (size_t i = 0; i < bytes.len; i++) {
        int v = base64_value(bytes.data[i]);
        if (v < 0) {
            if (bytes.data[i] == '=')
                d->n_bits = 0;
            continue;
        }
        d->bits = d->bits << 6 | (uint32_t)v;
        d->n_bits += 6;
        if (d->n_bits >= 8) {
            d->n_bits -= 8;
            *at++ = (char)(d->bits >> d->n_bits);
        }
    }
    return at;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static char *flush_pending(struct transfer_decoder *d, char *at)
{
    memcpy(at, d->pending, d->n_pending);
    at += d->n_pending;
    d->n_pending = 0;
    return at;
}

static char *hold(struct transfer_decoder *d, char c, char *at)
{
    if (d->n_pending == sizeof d->pending)
        at = flush_pending(d, at);
    d->pending[d->n_pending++] = c;
    return at;
}

static char *quoted_byte(struct transfer_decoder *d, char c, char *at);

/* RFC 2045 6.7 (1) and (5): "=XX", or "=" with white space and a line end: nothing. What is neither
 * is kept as it stands. */
static char *quoted_escape(struct transfer_decoder *d, char c, char *at)
{
    char second = d->n_pending > 1 ? d->pending[1] : 0;
    if (c == '\n' && (second == 0 || second == '\r' || is_blank(second))) {
        d->n_pending = 0;
        return at;
    }
    if (d->n_pending == 2 && ascii_hex(second) >= 0 && ascii_hex(c) >= 0) {
        d->n_pending = 0;
        *at++ = (char)(ascii_hex(second) << 4 | ascii_hex(c));
        return at;
    }
    bool first = d->n_pending == 1 && ascii_hex(c) >= 0;
    bool blanks =
        (d->n_pending == 1 || is_blank(second) || second == '\r') && (is_blank(c) || c == '\r');
    if ((first || blanks) && d->n_pending < sizeof d->pending)
        return hold(d, c, at);
    return quoted_byte(d, c, flush_pending(d, at));
}

static char *quoted_byte(struct transfer_decoder *d, char c, char *at)
{
    if (d->n_pending && d->pending[0] == '=')
        return quoted_escape(d, c, at);
    if (is_blank(c))
        return hold(d, c, at);
    /* RFC 2045 6.7 (3): white space at a line's end was added on the way. */
    if (c == '\r' || c == '\n')
        d->n_pending = 0;
    at = flush_pending(d, at);
    if (c == '=')
        return hold(d, c, at);
    *at++ = c;
    return at;
}

static char *decode_quoted(struct transfer_decoder *d, struct slice bytes, char *at)
{
    for (size_t i = 0; i < bytes.len; i++) {
        char c = bytes.data[i];
        if (d->n_pending == 0 && (unsigned char)c > ' ' && c != '=')
            *at++ = c;
        else
            at = quoted_byte(d, c, at);
    }
    return at;
}

void transfer_decode(struct transfer_decoder *d, struct slice bytes, struct buf *out)
{
    if (d->kind == TRANSFER_IDENTITY) {
        buf_append(out, bytes);
        return;
    }
    /* Neither makes more bytes than it takes and holds. */
    char *start = buf_reserve(out, bytes.len + sizeof d->pending, NULL);
    if (!start)
        return;
    char *end = d->kind == TRANSFER_BASE64 ? decode_base64(d, bytes, start)
                                           : decode_quoted(d, bytes, start);
    buf_commit(out, (size_t)(end - start));
}

void transfer_decode_end(struct transfer_decoder *d, struct buf *out)
{
    /* "=" at the very end is a soft line break whose line end is missing. */
    bool soft = d->n_pending == 1 && d->pending[0] == '=';
    if (!soft)
        buf_append(out, slice_of(d->pending, d->n_pending));
    d->n_pending = d->n_bits = 0;
}

/* ---- writing quoted-printable ---- */

static bool quoted_plain(char c)
{
    return (c >= '!' && c <= '~' && c != '=') || is_blank(c);
}

static bool at_line_end(struct slice rest)
{
    return rest.len == 0 || slice_starts(rest, SLICE("\r\n"));
}

void quoted_encode(struct slice text, struct buf *out)
{
    size_t column = 0;
    while (text.len) {
        if (slice_starts(text, SLICE("\r\n"))) {
            buf_puts(out, "\r\n");
            text = slice_from(text, 2);
            column = 0;
            continue;
        }
        char c = text.data[0];
        text = slice_from(text, 1);
        bool plain = quoted_plain(c) && !(is_blank(c) && at_line_end(text));
        if (column + (plain ? 1 : 3) > 75) {
            buf_puts(out, "=\r\n");
            column = 0;
        }
        if (plain)
            buf_putc(out, c);
        else
            buf_printf(out, "=%02X", (unsigned char)c);
        column += plain ? 1 : 3;
    }
}
