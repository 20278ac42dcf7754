/* summary_part.c: finding parts in a summary that was read (and so is known to be sound). */
#include "mime/summary_format.h"

static bool next_record(struct cursor *c, const struct summary *s, struct part_record *r)
{
    if (cursor_at_end(c) || !cursor_ok(c))
        return false;
    part_record_read(c, s->size, r);
    return cursor_ok(c);
}

static void describe(const struct part_record *r, struct summary_part *p)
{
    *p = (struct summary_part){.header_from = r->header_from,
                               .header_len = r->header_len,
                               .body_from = r->body_from,
                               .body_len = r->body_len,
                               .is_message = r->kind == PART_MESSAGE,
                               .is_multipart = r->kind == PART_MULTIPART,
                               .type = r->type,
                               .subtype = r->subtype,
                               .charset = r->charset,
                               .encoding = r->encoding};
}

/* An enclosed message: what its body's record says of its header and text. */
static void describe_inner(const struct part_record *body, struct summary_part *p)
{
    p->is_message = true;
    p->inner_header_from = body->header_from;
    p->inner_header_len = body->header_len;
    p->inner_text_from = body->body_from;
    p->inner_text_len = body->body_len;
}

/* The k-th part right below `parent`, whose records come next. */
static bool find_child(struct cursor *c, const struct summary *s, const struct part_record *parent,
                       uint32_t k, struct part_record *ret)
{
    struct part_record r;
    uint32_t n = 0;
    while (next_record(c, s, &r) && r.depth > parent->depth)
        if (r.depth == parent->depth + 1 && ++n == k) {
            *ret = r;
            return true;
        }
    return false;
}

/* RFC 3501 6.4.5: within a message the numbers count the parts of its body, or its body is 1. */
static bool step_into(struct cursor *c, const struct summary *s, uint32_t k, struct part_record *at)
{
    struct part_record body = *at;
    if (at->kind == PART_MESSAGE) {
        if (!next_record(c, s, &body))
            return false;
        if (body.kind != PART_MULTIPART) {
            *at = body;
            return k == 1;
        }
    }
    return body.kind == PART_MULTIPART && find_child(c, s, &body, k, at);
}

enum result summary_part(const struct summary *s, const uint32_t *section, size_t n,
                         struct summary_part *ret)
{
    struct cursor c = cursor_of(s->parts);
    struct part_record at;
    struct part_record inner;
    struct summary_part p;
    if (!next_record(&c, s, &at))
        return NOT_FOUND;
    if (n == 0) {
        describe(&at, &p);
        describe_inner(&at, &p);
        *ret = p;
        return OK;
    }
    /* The first number: the top message is not a record of its own. */
    bool found =
        at.kind == PART_MULTIPART ? find_child(&c, s, &at, section[0], &at) : section[0] == 1;
    for (size_t i = 1; found && i < n; i++)
        found = step_into(&c, s, section[i], &at);
    if (!found)
        return NOT_FOUND;
    describe(&at, &p);
    if (at.kind == PART_MESSAGE && next_record(&c, s, &inner))
        describe_inner(&inner, &p);
    *ret = p;
    return OK;
}

enum result summary_leaf(const struct summary *s, size_t i, struct summary_part *ret)
{
    struct cursor c = cursor_of(s->parts);
    struct part_record r;
    while (next_record(&c, s, &r))
        if (r.kind == PART_LEAF && i-- == 0) {
            describe(&r, ret);
            return OK;
        }
    return NOT_FOUND;
}
