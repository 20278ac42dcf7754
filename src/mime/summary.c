/* summary.c: building a summary. When one does not fit its limit, it is made again with less
 * detail, down to one that always fits. */
#include "mime/summary.h"
#include "mime/bodystructure.h"
#include "mime/date.h"
#include "mime/header.h"
#include "mime/params.h"
#include "mime/summary_format.h"
#include "mime/wire.h"

/* From all to least. Each step is linear in the message, and there are few. */
static const struct detail {
    size_t parts_max, envelope_field_max;
    struct wire_limits limits;
} details[] = {
    {SUMMARY_PARTS_MAX, 16384, {4096, 2048}},
    {SUMMARY_PARTS_MAX, 4096, {1024, 512}},
    {SUMMARY_PARTS_MAX, 1024, {256, 128}},
    {SUMMARY_PARTS_MAX / 4, 1024, {256, 128}},
    {SUMMARY_PARTS_MAX / 16, 1024, {128, 64}},
    {SUMMARY_PARTS_MAX / 64, 512, {64, 64}},
    {1, 512, {64, 32}},
};
enum { DETAILS = sizeof details / sizeof *details };

static void put_record(const struct structure *s, const struct node *n, struct buf *out)
{
    static const enum part_kind kinds[] = {
        [NODE_LEAF] = PART_LEAF, [NODE_MULTIPART] = PART_MULTIPART, [NODE_MESSAGE] = PART_MESSAGE};
    struct part_type t;
    struct buf charset;
    part_type_read(s, n, &t);
    buf_init(&charset, PARAMS_BYTES_MAX);
    bool has_charset = n->type == TYPE_AS_WRITTEN && n->kind == NODE_LEAF &&
                       param_find(t.params, "charset", &charset) == OK;
    /* One that is too long to be a charset's name is none. */
    if (!has_charset || buf_len(&charset) > SUMMARY_WORD_MAX)
        buf_reset(&charset);
    struct part_record r = {.kind = kinds[n->kind],
                            .depth = n->depth,
                            .header_from = n->header_from,
                            .header_len = n->header_len,
                            .body_from = n->body_from,
                            .body_len = n->body_len,
                            .type = t.type,
                            .subtype = t.subtype,
                            .charset = buf_slice(&charset),
                            .encoding = t.encoding};
    part_record_write(&r, out);
    buf_release(&charset);
}

static void put_records(const struct structure *s, struct buf *out)
{
    for (size_t i = 0; i < s->n && buf_ok(out); i++)
        put_record(s, &s->nodes[i], out);
}

struct pieces {
    struct buf envelope, body, bodystructure, parts, whole;
};

static void read_date(struct slice header, struct summary_head *h)
{
    struct header_field date;
    h->has_date = header_find(header, "Date", &date) == OK &&
                  date_parse(date.body, &h->date, &h->date_zone) == OK;
}

static bool build(const struct structure *s, const struct detail *d, struct pieces *p)
{
    struct slice header = node_header(s, &s->nodes[0]);
    envelope_write(header, d->envelope_field_max, &p->envelope);
    bodystructure_write(s, false, &d->limits, &p->body);
    bodystructure_write(s, true, &d->limits, &p->bodystructure);
    put_records(s, &p->parts);
    if (!buf_ok(&p->envelope) || !buf_ok(&p->body) || !buf_ok(&p->bodystructure) ||
        !buf_ok(&p->parts))
        return false;
    struct summary_head h = {.size = s->message.len, .header_len = header.len};
    read_date(header, &h);
    h.envelope = buf_slice(&p->envelope);
    h.body = buf_slice(&p->body);
    h.bodystructure = buf_slice(&p->bodystructure);
    summary_head_write(&h, buf_slice(&p->parts), &p->whole);
    return buf_ok(&p->whole);
}

static enum result try_detail(const struct structure *s, const struct detail *d, struct buf *out)
{
    struct pieces p;
    struct buf *all[] = {&p.envelope, &p.body, &p.bodystructure, &p.parts, &p.whole};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        buf_init(all[i], SUMMARY_BYTES_MAX);
    bool fits = build(s, d, &p);
    if (fits)
        buf_append(out, buf_slice(&p.whole));
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        buf_release(all[i]);
    return fits ? OK : LIMIT;
}

enum result summary_build(struct slice message, struct buf *out)
{
    struct structure s = {.n = 0};
    enum result r = LIMIT;
    for (size_t i = 0; i < DETAILS && r == LIMIT; i++) {
        const struct detail *d = &details[i];
        if (s.n == 0 || s.n > d->parts_max) {
            structure_release(&s);
            r = structure_parse(message, d->parts_max, SUMMARY_DEPTH_MAX, &s);
            if (r != OK)
                return r;
        }
        r = try_detail(&s, d, out);
    }
    structure_release(&s);
    return r == OK && !buf_ok(out) ? LIMIT : r;
}
