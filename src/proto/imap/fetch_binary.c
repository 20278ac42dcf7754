/* fetch_binary.c: BINARY[section] and BINARY.SIZE[section] (RFC 3516, RFC 9051 6.4.5): a part with
 * its transfer encoding undone. The bytes are decoded twice, once to count them, since a literal's
 * size comes first; so memory does not grow with the part. */
#include "proto/imap/fetch.h"

static bool is_known_encoding(struct slice encoding)
{
    static const char *const known[] = {"", "7BIT", "8BIT", "BINARY", "BASE64", "QUOTED-PRINTABLE"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (slice_is_nocase(encoding, known[i]))
            return true;
    return false;
}

/* The next piece, decoded; OK with nothing left: the end. */
static enum result decode_piece(struct imap *im, uint64_t message, struct fetch_source *s,
                                struct buf *out)
{
    struct buf raw;
    uint64_t n = s->raw_left < IMAP_PIECE ? s->raw_left : IMAP_PIECE;
    buf_init(&raw, IMAP_PIECE);
    enum result r = im->ops->read(im->ctx, message, s->raw_from, n, &raw);
    if (r == OK && buf_len(&raw) != n)
        r = NOT_FOUND;
    if (r == OK)
        transfer_decode(&s->decoder, buf_slice(&raw), out);
    s->raw_from += n;
    s->raw_left -= n;
    if (r == OK && s->raw_left == 0)
        transfer_decode_end(&s->decoder, out);
    buf_release(&raw);
    return r == OK && !buf_ok(out) ? FAILED : r;
}

enum result fetch_locate_binary(struct imap *im, const struct imap_entry *e, struct slice encoding,
                                struct fetch_source *s)
{
    struct fetch_source counting = *s;
    struct buf piece;
    enum result r = OK;
    if (!is_known_encoding(encoding)) {
        s->missing = s->unknown_encoding = true;
        return OK;
    }
    counting.raw_from = s->from;
    counting.raw_left = s->len;
    transfer_decoder_init(&counting.decoder, encoding);
    s->decoded = true;
    s->raw_from = s->from;
    s->raw_left = s->work = s->len;
    s->decoder = counting.decoder;
    s->from = s->len = 0;
    buf_init(&piece, 2 * IMAP_PIECE);
    while (counting.raw_left && r == OK) {
        buf_reset(&piece);
        r = decode_piece(im, e->message, &counting, &piece);
        s->len += buf_len(&piece);
        s->has_nul |= slice_find(buf_slice(&piece), '\0') != SIZE_MAX;
    }
    buf_release(&piece);
    return r;
}

enum result fetch_read_binary(struct imap *im, uint64_t message, struct fetch_source *s,
                              struct buf *out)
{
    struct buf piece;
    buf_init(&piece, 2 * IMAP_PIECE);
    enum result r = s->raw_left ? decode_piece(im, message, s, &piece) : FAILED;
    struct slice bytes = buf_slice(&piece);
    /* `from` is what a partial fetch leaves out. */
    size_t skip = s->from < bytes.len ? (size_t)s->from : bytes.len;
    s->from -= skip;
    bytes = slice_sub(bytes, skip, s->len < SIZE_MAX ? (size_t)s->len : SIZE_MAX);
    s->len -= bytes.len;
    if (r == OK)
        buf_append(out, bytes);
    buf_release(&piece);
    return r;
}
