/* fetch_preview.c: PREVIEW (RFC 8970): the first words of a message, made from its first text part.
 * Plain text is preferred; of HTML the tags are left out. */
#include "mime/encoding.h"
#include "proto/imap/fetch.h"

enum { PREVIEW_READ = 16 * 1024, PREVIEW_CHARS = 200, LEAVES_MAX = 50 };

static bool find_text(const struct summary *s, const char *subtype, struct summary_part *ret)
{
    for (size_t i = 0; i < LEAVES_MAX && summary_leaf(s, i, ret) == OK; i++)
        if (slice_is_nocase(ret->type, "TEXT") && slice_is_nocase(ret->subtype, subtype))
            return true;
    return false;
}

/* Behind the end of an element whose text is not for readers. */
static size_t skip_element(struct slice html, size_t at, const char *end)
{
    for (; at < html.len; at++)
        if (slice_starts_nocase(slice_from(html, at), slice_cstr(end)))
            break;
    return at;
}

static void strip_tags(struct slice html, struct buf *out)
{
    for (size_t i = 0; i < html.len; i++) {
        struct slice rest = slice_from(html, i);
        if (html.data[i] != '<') {
            buf_putc(out, html.data[i]);
            continue;
        }
        if (slice_starts_nocase(rest, SLICE("<style")))
            i = skip_element(html, i, "</style");
        else if (slice_starts_nocase(rest, SLICE("<script")))
            i = skip_element(html, i, "</script");
        else if (slice_starts_nocase(rest, SLICE("<title")))
            i = skip_element(html, i, "</title");
        size_t end = slice_find(slice_from(html, i), '>');
        i = end == SIZE_MAX ? html.len : i + end;
        buf_putc(out, ' ');
    }
}

/* Runs of white space and controls are one space. Ends between characters. */
static void put_words(struct slice text, struct buf *out)
{
    size_t chars = 0;
    bool space = false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool starts = (c & 0xc0) != 0x80;
        if (c <= 0x20 || c == 0x7f) {
            space = buf_len(out) > 0;
            continue;
        }
        chars += starts + (space && starts);
        if (chars > PREVIEW_CHARS)
            return;
        if (space)
            buf_putc(out, ' ');
        space = false;
        buf_putc(out, (char)c);
    }
}

static void make_preview(const struct summary_part *part, struct slice raw, struct buf *out)
{
    struct transfer_decoder d;
    struct buf bytes, text, plain;
    buf_init(&bytes, 2 * PREVIEW_READ);
    buf_init(&text, 8 * PREVIEW_READ);
    buf_init(&plain, 8 * PREVIEW_READ);
    transfer_decoder_init(&d, part->encoding);
    transfer_decode(&d, raw, &bytes);
    transfer_decode_end(&d, &bytes);
    /* An unknown charset is taken as UTF-8, and what is none becomes U+FFFD. */
    enum result r = charset_to_utf8(part->charset, buf_slice(&bytes), &text);
    (void)r;
    if (slice_is_nocase(part->subtype, "HTML"))
        strip_tags(buf_slice(&text), &plain);
    else
        buf_append(&plain, buf_slice(&text));
    put_words(buf_slice(&plain), out);
    buf_release(&bytes);
    buf_release(&text);
    buf_release(&plain);
}

enum result fetch_preview(struct imap *im, const struct imap_entry *e, const struct summary *s,
                          struct buf *out)
{
    struct summary_part part;
    struct buf raw;
    buf_reset(out);
    if (!find_text(s, "PLAIN", &part) && !find_text(s, "HTML", &part))
        return OK;
    buf_init(&raw, PREVIEW_READ);
    uint64_t len = part.body_len < PREVIEW_READ ? part.body_len : PREVIEW_READ;
    enum result r = im->ops->read(im->ctx, e->message, part.body_from, len, &raw);
    if (r == OK)
        make_preview(&part, buf_slice(&raw), out);
    buf_release(&raw);
    return r;
}
