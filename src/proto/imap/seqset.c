/* seqset.c: see seqset.h. */
#include "proto/imap/seqset.h"

#include <stdlib.h>

static uint32_t parse_seq_number(struct imap_parser *p)
{
    if (imap_accept(p, '*'))
        return 0;
    return (uint32_t)imap_parse_number(p, 1, UINT32_MAX);
}

static bool is_set_char(char c)
{
    return ascii_digit(c) || c == '*' || c == ':' || c == ',';
}

void imap_parse_seqset(struct imap_parser *p, struct imap_seqset *ret)
{
    struct cursor ahead = p->c;
    struct slice text = cursor_while(&ahead, is_set_char);
    size_t most = 1;
    for (size_t i = 0; i < text.len; i++)
        most += text.data[i] == ',';
    *ret = (struct imap_seqset){0};
    ret->saved = imap_accept(p, '$');
    if (ret->saved)
        return;
    if (text.len == 0 || most > IMAP_RANGES_MAX) {
        imap_parser_fail(p, text.len ? "Too many ranges" : "Invalid message set");
        return;
    }
    ret->ranges = arena_alloc_n(p->arena, most, sizeof *ret->ranges);
    if (!ret->ranges)
        return;
    do {
        struct imap_range r;
        r.from = parse_seq_number(p);
        r.to = imap_accept(p, ':') ? parse_seq_number(p) : r.from;
        if (imap_parser_ok(p))
            ret->ranges[ret->n++] = r;
    } while (imap_parser_ok(p) && imap_accept(p, ','));
}

static int by_start(const void *a, const void *b)
{
    const struct imap_range *x = a, *y = b;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* Sorts and joins what overlaps or touches; empty ones (from > to) go. */
static void normalise(struct imap_seqset *s)
{
    size_t n = 0;
    if (s->n > 1)
        qsort(s->ranges, s->n, sizeof *s->ranges, by_start);
    for (size_t i = 0; i < s->n; i++) {
        struct imap_range r = s->ranges[i];
        if (r.from > r.to)
            continue;
        if (n && r.from <= s->ranges[n - 1].to + 1ull) {
            if (r.to > s->ranges[n - 1].to)
                s->ranges[n - 1].to = r.to;
        } else {
            s->ranges[n++] = r;
        }
    }
    s->n = n;
}

static bool is_all(const struct imap_range *r)
{
    return r->to == 0 && r->from <= 1;
}

/* One range of sequence numbers; false when it is out of the mailbox. */
static bool resolve_seqs(struct imap_range *r, uint32_t count, bool lenient)
{
    if (r->to <= count)
        return true;
    if (r->from > count)
        r->from = count + 1u;
    r->to = count;
    return lenient;
}

static void resolve_uids(struct imap_range *r, const struct imap_ops *ops,
                         const struct imap_view *v, uint32_t count)
{
    uint32_t end = r->to == UINT32_MAX ? count + 1 : ops->seek(v, r->to + 1);
    *r = (struct imap_range){ops->seek(v, r->from), end - 1};
}

bool imap_seqset_resolve(struct imap_seqset *s, const struct imap_ops *ops,
                         const struct imap_view *v, enum imap_numbers numbers)
{
    struct imap_view_info info;
    bool ok = true;
    ops->view_info(v, &info);
    uint32_t star = info.count;
    if (numbers == IMAP_UIDS && info.count)
        star = ops->entry(v, info.count)->uid;
    for (size_t i = 0; i < s->n; i++) {
        struct imap_range *r = &s->ranges[i];
        if (info.count == 0) {
            ok = ok && (numbers != IMAP_SEQS || is_all(r));
            *r = (struct imap_range){1, 0};
            continue;
        }
        /* RFC 3501 9: "2:4" and "4:2" are equivalent, and so is "3:*" where 3 is above "*". */
        uint32_t a = r->from ? r->from : star, b = r->to ? r->to : star;
        *r = a <= b ? (struct imap_range){a, b} : (struct imap_range){b, a};
        if (numbers == IMAP_UIDS)
            resolve_uids(r, ops, v, info.count);
        else
            ok = resolve_seqs(r, info.count, numbers == IMAP_SEQS_FOUND) && ok;
    }
    normalise(s);
    return ok;
}

void imap_seqset_plain(const struct imap_seqset *s, struct arena *a, struct imap_seqset *ret)
{
    *ret = (struct imap_seqset){.ranges = arena_alloc_n(a, s->n, sizeof *ret->ranges)};
    for (size_t i = 0; ret->ranges && i < s->n; i++) {
        uint32_t x = s->ranges[i].from ? s->ranges[i].from : UINT32_MAX;
        uint32_t y = s->ranges[i].to ? s->ranges[i].to : UINT32_MAX;
        ret->ranges[ret->n++] = x <= y ? (struct imap_range){x, y} : (struct imap_range){y, x};
    }
    normalise(ret);
}

void imap_seqset_clip(struct imap_seqset *s, uint32_t from, uint32_t to)
{
    for (size_t i = 0; i < s->n; i++) {
        struct imap_range *r = &s->ranges[i];
        r->from = r->from > from ? r->from : from;
        r->to = r->to < to ? r->to : to;
    }
    normalise(s);
}

uint32_t imap_seqset_count(const struct imap_seqset *s)
{
    uint32_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += s->ranges[i].to - s->ranges[i].from + 1;
    return n;
}

bool imap_range_has(const struct imap_range *ranges, size_t n, uint32_t number)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges[middle].to < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && ranges[low].from <= number;
}

bool imap_seqset_has(const struct imap_seqset *s, uint32_t seq)
{
    return imap_range_has(s->ranges, s->n, seq);
}

uint32_t imap_walk_next(const struct imap_seqset *s, struct imap_walk *w)
{
    if (w->range >= s->n)
        return 0;
    if (w->seq == 0) {
        w->seq = s->ranges[w->range].from;
    } else if (w->seq < s->ranges[w->range].to) {
        w->seq++;
    } else {
        if (++w->range >= s->n)
            return 0;
        w->seq = s->ranges[w->range].from;
    }
    return w->seq;
}

uint32_t *imap_seqset_uids(const struct imap_seqset *s, const struct imap_ops *ops,
                           const struct imap_view *v, struct arena *a, size_t *ret_n)
{
    size_t n = imap_seqset_count(s), i = 0;
    uint32_t *uids = n ? arena_alloc_n(a, n, sizeof *uids) : NULL;
    *ret_n = 0;
    if (!uids)
        return NULL;
    struct imap_walk w = {0};
    for (uint32_t seq; (seq = imap_walk_next(s, &w));)
        uids[i++] = ops->entry(v, seq)->uid;
    *ret_n = n;
    return uids;
}

void imap_put_set(struct buf *out, const uint32_t *numbers, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        while (end < n && numbers[end] == numbers[end - 1] + 1)
            end++;
        if (i)
            buf_putc(out, ',');
        buf_put_u64(out, numbers[i]);
        if (end - i > 1) {
            buf_putc(out, ':');
            buf_put_u64(out, numbers[end - 1]);
        }
        i = end;
    }
}
