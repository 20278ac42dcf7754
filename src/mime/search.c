#include "mime/search.h"
#include "mime/encoding.h"
#include "mime/header.h"
#include "mime/summary_format.h"

enum { PIECE = 16 * 1024, FIELD_MAX = 1024 * 1024 };

enum result search_text_init(struct search_text *t, struct slice charset, struct slice text)
{
    struct buf utf8;
    if (text.len > SEARCH_TEXT_MAX)
        return LIMIT;
    if (!charset_known(charset))
        return NOT_FOUND;
    buf_init(&utf8, 4 * SEARCH_TEXT_MAX);
    buf_init(&t->folded, 64 * SEARCH_TEXT_MAX);
    enum result r = charset_to_utf8(charset, text, &utf8);
    text_fold(buf_slice(&utf8), &t->folded);
    if (r == OK && (!buf_ok(&utf8) || !buf_ok(&t->folded)))
        r = LIMIT;
    buf_release(&utf8);
    if (r != OK)
        buf_release(&t->folded);
    return r;
}

void search_text_release(struct search_text *t)
{
    buf_release(&t->folded);
}

static bool contains(struct slice text, const struct search_text *t)
{
    return slice_search(text, buf_slice(&t->folded)) != SIZE_MAX;
}

/* ---- headers ---- */

/* The decoded field, folded for the search; name_too: "Name: body". */
static bool field_contains(const struct header_field *f, bool name_too, const struct search_text *t)
{
    struct buf text, folded;
    buf_init(&text, FIELD_MAX);
    buf_init(&folded, 4 * FIELD_MAX);
    if (name_too && f->name.len) {
        buf_append(&text, f->name);
        buf_puts(&text, ": ");
    }
    /* A field beyond all measure is searched at its beginning. */
    header_decode(slice_sub(f->body, 0, FIELD_MAX / 8), &text);
    text_fold(buf_slice(&text), &folded);
    bool found = contains(buf_slice(&folded), t);
    buf_release(&text);
    buf_release(&folded);
    return found;
}

bool search_header(struct slice header, struct slice name, const struct search_text *t)
{
    struct header_field f;
    while (header_next(&header, &f))
        if (slice_eq_nocase(f.name, name) &&
            (buf_len(&t->folded) == 0 || field_contains(&f, false, t)))
            return true;
    return false;
}

bool search_any_header(struct slice header, const struct search_text *t)
{
    struct header_field f;
    while (header_next(&header, &f))
        if (field_contains(&f, true, t))
            return true;
    return false;
}

/* ---- bodies ---- */

/* A body on its way through its decoders. folded keeps the end of what was searched, as a match may
 * begin there. */
struct body_search {
    const struct search_text *t;
    struct transfer_decoder transfer;
    struct charset_decoder charset;
    struct buf bytes, utf8, folded;
    bool found;
};

static void look(struct body_search *b)
{
    size_t needle = buf_len(&b->t->folded);
    text_fold(buf_slice(&b->utf8), &b->folded);
    buf_reset(&b->bytes);
    buf_reset(&b->utf8);
    b->found = b->found || contains(buf_slice(&b->folded), b->t);
    if (buf_len(&b->folded) >= needle)
        buf_consume(&b->folded, buf_len(&b->folded) - (needle ? needle - 1 : 0));
}

static void feed(struct body_search *b, struct slice piece)
{
    transfer_decode(&b->transfer, piece, &b->bytes);
    charset_decode(&b->charset, buf_slice(&b->bytes), &b->utf8);
    look(b);
}

static void feed_end(struct body_search *b)
{
    transfer_decode_end(&b->transfer, &b->bytes);
    charset_decode(&b->charset, buf_slice(&b->bytes), &b->utf8);
    charset_decode_end(&b->charset, &b->utf8);
    look(b);
}

static bool part_contains(struct slice body, const struct part_record *r,
                          const struct search_text *t)
{
    struct body_search b = {.t = t};
    transfer_decoder_init(&b.transfer, r->encoding);
    (void)charset_decoder_init(&b.charset, r->charset);
    buf_init(&b.bytes, 2 * PIECE);
    buf_init(&b.utf8, 8 * PIECE);
    buf_init(&b.folded, 256 * PIECE);
    for (; body.len && !b.found; body = slice_from(body, PIECE))
        feed(&b, slice_sub(body, 0, PIECE));
    if (!b.found)
        feed_end(&b);
    charset_decoder_release(&b.charset);
    buf_release(&b.bytes);
    buf_release(&b.utf8);
    buf_release(&b.folded);
    return b.found;
}

static bool record_contains(struct slice message, const struct part_record *r, bool enclosed,
                            const struct search_text *t)
{
    bool readable = slice_is(r->type, "TEXT") || slice_is(r->type, "MESSAGE");
    if (enclosed && search_any_header(slice_sub(message, r->header_from, r->header_len), t))
        return true;
    return r->kind == PART_LEAF && readable &&
           part_contains(slice_sub(message, r->body_from, r->body_len), r, t);
}

bool search_body(struct slice message, const struct summary *s, const struct search_text *t)
{
    struct cursor c = cursor_of(s->parts);
    struct part_record r = {.kind = PART_LEAF};
    while (!cursor_at_end(&c)) {
        /* What follows a message record is that message's body, and its header is the message's. */
        bool enclosed = r.kind == PART_MESSAGE;
        part_record_read(&c, s->size, &r);
        if (!cursor_ok(&c))
            return false;
        if (record_contains(message, &r, enclosed, t))
            return true;
    }
    return false;
}

bool search_message(struct slice message, const struct summary *s, const struct search_text *t)
{
    return search_any_header(slice_sub(message, 0, s->header_len), t) || search_body(message, s, t);
}
