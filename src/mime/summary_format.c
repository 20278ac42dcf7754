#include "mime/summary_format.h"
#include "mime/wire.h"

/* ---- writing ---- */

static void put_bytes(struct slice s, struct buf *out)
{
    buf_put_varint(out, s.len);
    buf_append(out, s);
}

static void put_word(struct slice s, struct buf *out)
{
    s = slice_sub(s, 0, SUMMARY_WORD_MAX);
    buf_put_varint(out, s.len);
    for (size_t i = 0; i < s.len; i++)
        buf_putc(out, ascii_upper(s.data[i]));
}

void part_record_write(const struct part_record *r, struct buf *out)
{
    buf_putc(out, (char)r->kind);
    buf_put_varint(out, r->depth);
    buf_put_varint(out, r->header_from);
    buf_put_varint(out, r->header_len);
    buf_put_varint(out, r->body_from);
    buf_put_varint(out, r->body_len);
    put_word(r->type, out);
    put_word(r->subtype, out);
    put_word(r->charset, out);
    put_word(r->encoding, out);
}

void summary_head_write(const struct summary_head *h, struct slice parts, struct buf *out)
{
    buf_putc(out, SUMMARY_VERSION);
    buf_put_varint(out, h->size);
    buf_put_varint(out, h->header_len);
    buf_putc(out, h->has_date);
    buf_put_le64(out, (uint64_t)h->date);
    buf_put_le16(out, (uint16_t)h->date_zone);
    put_bytes(h->envelope, out);
    put_bytes(h->body, out);
    put_bytes(h->bodystructure, out);
    put_bytes(parts, out);
}

/* ---- reading ---- */

static struct slice take_bytes(struct cursor *c, uint64_t max)
{
    uint64_t n = cursor_varint(c);
    if (n > max)
        cursor_fail(c);
    return cursor_take(c, n);
}

static bool in_range(uint64_t from, uint64_t len, uint64_t size)
{
    return from <= size && len <= size - from;
}

void part_record_read(struct cursor *c, uint64_t message_size, struct part_record *ret)
{
    struct part_record r;
    unsigned kind = cursor_u8(c);
    uint64_t depth = cursor_varint(c);
    r.header_from = cursor_varint(c);
    r.header_len = cursor_varint(c);
    r.body_from = cursor_varint(c);
    r.body_len = cursor_varint(c);
    r.type = take_bytes(c, SUMMARY_WORD_MAX);
    r.subtype = take_bytes(c, SUMMARY_WORD_MAX);
    r.charset = take_bytes(c, SUMMARY_WORD_MAX);
    r.encoding = take_bytes(c, SUMMARY_WORD_MAX);
    if (kind >= PART_KINDS || depth > SUMMARY_DEPTH_MAX ||
        !in_range(r.header_from, r.header_len, message_size) ||
        !in_range(r.body_from, r.body_len, message_size))
        cursor_fail(c);
    r.kind = (enum part_kind)kind;
    r.depth = (unsigned)depth;
    *ret = r;
}

static bool head_read(struct slice bytes, struct summary *s)
{
    struct cursor c = cursor_of(bytes);
    if (cursor_u8(&c) != SUMMARY_VERSION)
        return false;
    s->size = cursor_varint(&c);
    s->header_len = cursor_varint(&c);
    bool has_date = cursor_u8(&c);
    int64_t date = (int64_t)cursor_le64(&c);
    s->date = has_date ? date : INT64_MIN;
    s->date_zone = (int16_t)cursor_le16(&c);
    s->envelope = take_bytes(&c, SUMMARY_BYTES_MAX);
    s->body = take_bytes(&c, SUMMARY_BYTES_MAX);
    s->bodystructure = take_bytes(&c, SUMMARY_BYTES_MAX);
    s->parts = take_bytes(&c, SUMMARY_BYTES_MAX);
    return cursor_done(&c) && s->header_len <= s->size;
}

/* A record lies one level below one that can have parts, and within its body; a message has exactly
 * one, whose header begins where the message does. */
static bool nesting_valid(struct slice parts, uint64_t size)
{
    struct part_record above[SUMMARY_DEPTH_MAX + 1];
    unsigned open = 0; /* above[0..open) may be parents */
    struct cursor c = cursor_of(parts);
    struct part_record r;
    size_t n = 0;
    while (cursor_ok(&c) && !cursor_at_end(&c)) {
        part_record_read(&c, size, &r);
        if (!cursor_ok(&c) || ++n > SUMMARY_PARTS_MAX || r.depth > open ||
            (r.depth == 0) != (n == 1))
            return false;
        if (r.depth) {
            const struct part_record *p = &above[r.depth - 1];
            bool first = r.depth == open;
            if (p->kind == PART_LEAF || (p->kind == PART_MESSAGE && !first) ||
                r.header_from < p->body_from ||
                r.body_from + r.body_len > p->body_from + p->body_len)
                return false;
        }
        above[r.depth] = r;
        open = r.depth + (r.kind != PART_LEAF);
        if (open > SUMMARY_DEPTH_MAX)
            return false;
    }
    return n > 0 && cursor_ok(&c);
}

enum result summary_read(struct slice bytes, uint64_t message_size, struct summary *ret)
{
    struct summary s;
    if (!head_read(bytes, &s) || s.size != message_size || !nesting_valid(s.parts, s.size))
        return CORRUPT;
    *ret = s;
    return OK;
}

enum result summary_verify(struct slice bytes, uint64_t message_size)
{
    struct summary s;
    enum { LIST_DEPTH = SUMMARY_DEPTH_MAX * 2 + 8 };
    if (bytes.len > SUMMARY_BYTES_MAX || summary_read(bytes, message_size, &s) != OK)
        return CORRUPT;
    bool sound = wire_is_list(s.envelope, LIST_DEPTH) && wire_is_list(s.body, LIST_DEPTH) &&
                 wire_is_list(s.bodystructure, LIST_DEPTH);
    return sound ? OK : CORRUPT;
}

enum result summary_prepend(struct slice bytes, uint64_t message_size, uint64_t added,
                            struct buf *out)
{
    struct summary s;
    struct buf parts;
    if (summary_read(bytes, message_size, &s) != OK)
        return CORRUPT;
    if (added > UINT32_MAX || message_size > UINT64_MAX / 2)
        return LIMIT;
    buf_init(&parts, SUMMARY_BYTES_MAX * 2);
    struct cursor c = cursor_of(s.parts);
    while (!cursor_at_end(&c)) {
        struct part_record r;
        part_record_read(&c, s.size, &r);
        /* A node whose header is the message's own grows; all others move. */
        if (r.depth == 0)
            r.header_len += added;
        else
            r.header_from += added;
        r.body_from += added;
        part_record_write(&r, &parts);
    }
    struct summary_head h = {.size = s.size + added,
                             .header_len = s.header_len + added,
                             .has_date = s.date != INT64_MIN,
                             .date = s.date != INT64_MIN ? s.date : 0,
                             .date_zone = s.date_zone,
                             .envelope = s.envelope,
                             .body = s.body,
                             .bodystructure = s.bodystructure};
    summary_head_write(&h, buf_slice(&parts), out);
    bool fits = buf_ok(&parts) && buf_ok(out);
    buf_release(&parts);
    return fits ? OK : LIMIT;
}
