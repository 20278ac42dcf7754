/* header_write.c: header fields of messages that we make ourselves, and of those we complete. */
#include "mime/header.h"
#include "mime/encoding.h"

enum { LINE_WISHED = 78 };

static bool ends_field(char c)
{
    return (unsigned char)c < ' ' || c == 127;
}

/* The next word with the white space before it. */
static struct slice take_word(struct slice *rest)
{
    size_t n = 0;
    while (n < rest->len && rest->data[n] == ' ')
        n++;
    while (n < rest->len && rest->data[n] != ' ')
        n++;
    struct slice word = slice_sub(*rest, 0, n);
    *rest = slice_from(*rest, n);
    return word;
}

static bool has_ink(struct slice word)
{
    return word.len && word.data[word.len - 1] != ' ';
}

/* A line is broken only in front of a word, so none consists of white space alone (RFC 5322 3.2.2).
 */
static void put_folded(struct buf *out, size_t column, struct slice text)
{
    while (text.len) {
        struct slice word = take_word(&text);
        if (column + word.len > LINE_WISHED && word.data[0] == ' ' && has_ink(word)) {
            buf_puts(out, "\r\n");
            column = 0;
        }
        buf_append(out, word);
        column += word.len;
    }
}

/* One line: control characters, line ends above all, are spaces. */
static void put_clean(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++)
        buf_putc(out, ends_field(text.data[i]) ? ' ' : text.data[i]);
}

void header_write(struct buf *out, const char *name, struct slice body)
{
    struct buf clean;
    buf_init(&clean, body.len);
    put_clean(slice_trim(body), &clean);
    buf_printf(out, "%s:", name);
    if (buf_len(&clean))
        buf_putc(out, ' ');
    put_folded(out, strlen(name) + 2, buf_slice(&clean));
    buf_puts(out, "\r\n");
    if (!buf_ok(&clean))
        out->failed = true;
    buf_release(&clean);
}

static bool is_ascii(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] > 127)
            return false;
    return true;
}

void header_write_text(struct buf *out, const char *name, struct slice text)
{
    if (is_ascii(text) && slice_search(text, SLICE("=?")) == SIZE_MAX) {
        header_write(out, name, text);
        return;
    }
    struct buf clean;
    buf_init(&clean, text.len);
    put_clean(slice_trim(text), &clean);
    buf_printf(out, "%s: ", name);
    words_encode(buf_slice(&clean), strlen(name) + 2, out);
    buf_puts(out, "\r\n");
    if (!buf_ok(&clean))
        out->failed = true;
    buf_release(&clean);
}
