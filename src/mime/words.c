/* words.c: RFC 2047: words of other charsets in header fields. */
#include "mime/encoding.h"

enum { WORD_TEXT_MAX = 75 - 12, CHARSET_NAME_MAX = 64 }; /* "=?UTF-8?B?" and "?=" take 12 */

/* ---- reading ---- */

struct word {
    struct slice charset, text;
    bool base64;
};

/* At "=?": the word off the front of *rest, if it is one. Its text holds no '?', so no byte is
 * looked at twice on account of words that aren't. */
static bool take_word(struct slice *rest, struct word *ret)
{
    struct slice s = slice_from(*rest, 2);
    size_t n = slice_find(slice_sub(s, 0, CHARSET_NAME_MAX), '?');
    if (n == SIZE_MAX || n == 0 || s.len < n + 3 || s.data[n + 2] != '?')
        return false;
    struct slice charset = slice_sub(s, 0, n);
    char encoding = ascii_lower(s.data[n + 1]);
    s = slice_from(s, n + 3);
    size_t end = slice_find(s, '?');
    if ((encoding != 'b' && encoding != 'q') || end == SIZE_MAX || s.len < end + 2 ||
        s.data[end + 1] != '=')
        return false;
    /* RFC 2231 5: "charset*language". */
    ret->charset = slice_sub(charset, 0, slice_find(charset, '*'));
    ret->text = slice_sub(s, 0, end);
    ret->base64 = encoding == 'b';
    *rest = slice_from(s, end + 2);
    return true;
}

/* RFC 2047 4.2 */
static void decode_q(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '_') {
            c = ' ';
        } else if (c == '=' && i + 2 < text.len && ascii_hex(text.data[i + 1]) >= 0 &&
                   ascii_hex(text.data[i + 2]) >= 0) {
            c = (char)(ascii_hex(text.data[i + 1]) << 4 | ascii_hex(text.data[i + 2]));
            i += 2;
        }
        buf_putc(out, c);
    }
}

static void undo_encoding(const struct word *w, struct buf *out)
{
    if (!w->base64) {
        decode_q(w->text, out);
        return;
    }
    struct transfer_decoder d;
    transfer_decoder_init(&d, SLICE("BASE64"));
    transfer_decode(&d, w->text, out);
    transfer_decode_end(&d, out);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* RFC 2047 6.2: white space between two words is not shown. */
static bool only_blanks_before_word(struct slice s)
{
    size_t n = 0;
    while (n < s.len && is_blank(s.data[n]))
        n++;
    return slice_starts(slice_from(s, n), SLICE("=?"));
}

/* A run of words, of one charset or several. A character cut in two by an encoder that counts bytes
 * is put together again as long as the charset stays. */
static void decode_run(struct slice *rest, struct buf *out)
{
    struct charset_decoder d;
    struct slice charset = SLICE_NONE;
    struct word w;
    struct buf bytes;
    buf_init(&bytes, rest->len + 256);
    struct slice at = *rest;
    while (take_word(&at, &w)) {
        *rest = at;
        if (!charset.data || !slice_eq_nocase(charset, w.charset)) {
            if (charset.data) {
                charset_decode_end(&d, out);
                charset_decoder_release(&d);
            }
            (void)charset_decoder_init(&d, w.charset);
            charset = w.charset;
        }
        buf_reset(&bytes);
        undo_encoding(&w, &bytes);
        charset_decode(&d, buf_slice(&bytes), out);
        if (!only_blanks_before_word(at))
            break;
        while (is_blank(at.data[0]))
            at = slice_from(at, 1);
    }
    if (charset.data) {
        charset_decode_end(&d, out);
        charset_decoder_release(&d);
    }
    buf_release(&bytes);
}

void words_decode(struct slice text, struct buf *out)
{
    while (text.len) {
        size_t at = slice_search(text, SLICE("=?"));
        (void)charset_to_utf8(SLICE("UTF-8"), slice_sub(text, 0, at), out);
        text = slice_from(text, at);
        size_t before = text.len;
        if (text.len)
            decode_run(&text, out);
        if (text.len && text.len == before) {
            buf_puts(out, "=?");
            text = slice_from(text, 2);
        }
    }
}

/* ---- writing ---- */

static bool is_high(char c)
{
    return (unsigned char)c > 127;
}

/* Bytes of the next character; malformed ones go one by one. */
static size_t char_length(struct slice s)
{
    unsigned char c = (unsigned char)s.data[0];
    size_t n = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    return n <= s.len ? n : s.len;
}

/* RFC 2047 5 (3): what may stand in a word anywhere, in a phrase too. */
static bool plain_in_q(char c)
{
    return ascii_alnum(c) || c == '!' || c == '*' || c == '+' || c == '-' || c == '/' || c == ' ';
}

static size_t q_cost(struct slice s)
{
    size_t cost = 0;
    for (size_t i = 0; i < s.len; i++)
        cost += plain_in_q(s.data[i]) ? 1 : 3;
    return cost;
}

/* As many whole characters as fit into a word with `room` for its text. */
static size_t fitting(struct slice text, bool base64, size_t room)
{
    size_t n = 0, cost = 0;
    while (n < text.len) {
        size_t len = char_length(slice_from(text, n));
        cost = base64 ? (n + len + 2) / 3 * 4 : cost + q_cost(slice_sub(text, n, len));
        if (cost > room)
            break;
        n += len;
    }
    return n ? n : char_length(text);
}

static void put_word(struct slice text, bool base64, struct buf *out)
{
    buf_puts(out, base64 ? "=?UTF-8?B?" : "=?UTF-8?Q?");
    if (base64)
        base64_encode(text, out);
    for (size_t i = 0; !base64 && i < text.len; i++) {
        if (!plain_in_q(text.data[i]))
            buf_printf(out, "=%02X", (unsigned char)text.data[i]);
        else
            buf_putc(out, text.data[i] == ' ' ? '_' : text.data[i]);
    }
    buf_puts(out, "?=");
}

void words_encode(struct slice utf8, size_t column, struct buf *out)
{
    size_t high = 0;
    for (size_t i = 0; i < utf8.len; i++)
        high += is_high(utf8.data[i]);
    if (high == 0 && slice_search(utf8, SLICE("=?")) == SIZE_MAX) {
        buf_append(out, utf8);
        return;
    }
    bool base64 = high > utf8.len / 4;
    bool first = true;
    while (utf8.len) {
        size_t room = WORD_TEXT_MAX;
        if (first && column < WORD_TEXT_MAX - 20)
            room -= column;
        else if (first)
            buf_puts(out, "\r\n ");
        size_t n = fitting(utf8, base64, room);
        if (!first)
            buf_puts(out, "\r\n ");
        put_word(slice_sub(utf8, 0, n), base64, out);
        utf8 = slice_from(utf8, n);
        first = false;
    }
}
