/* ranges.c: see ranges.h. */
#include "proto/imap/ranges.h"

#include <stdlib.h>

#include "proto/imap/command.h"

enum { RANGES_A_LINE = 2000 };

void imap_ranges_release(struct imap_ranges *r)
{
    free(r->items);
    *r = (struct imap_ranges){0};
}

void imap_ranges_add(struct imap_ranges *r, uint32_t from, uint32_t to)
{
    if (r->n && from == r->items[r->n - 1].to + 1ull) {
        r->items[r->n - 1].to = to;
        return;
    }
    if (r->n == r->size) {
        size_t size = r->size ? r->size * 2 : 16;
        struct imap_range *items = realloc(r->items, size * sizeof *items);
        if (!items) {
            r->failed = true;
            return;
        }
        r->items = items;
        r->size = size;
    }
    r->items[r->n++] = (struct imap_range){from, to};
}

static void put_line(struct buf *out, const char *head, struct imap_ranges *r)
{
    buf_puts(out, head);
    for (size_t i = 0; i < RANGES_A_LINE && r->told < r->n; i++, r->told++) {
        const struct imap_range *range = &r->items[r->told];
        if (i)
            buf_putc(out, ',');
        buf_put_u64(out, range->from);
        if (range->to == range->from)
            continue;
        buf_putc(out, ':');
        buf_put_u64(out, range->to);
    }
    buf_puts(out, "\r\n");
}

bool imap_ranges_tell(struct imap *im, const char *head, struct imap_ranges *r)
{
    while (r->told < r->n) {
        if (imap_full(im))
            return false;
        put_line(im->out, head, r);
    }
    return true;
}

/* ---- what vanished ---- */

struct gathering {
    const struct imap *im;
    const struct imap_seqset *known;
    uint32_t count;
    struct imap_ranges *ranges;
    size_t at; /* ranges of known before are done */
};

static void on_vanished(void *arg, uint32_t uid)
{
    struct gathering *g = arg;
    if (g->known && !imap_seqset_has(g->known, uid))
        return;
    /* What the session still counts is told when its view moves on. */
    uint32_t seq = g->im->ops->seek(g->im->view, uid);
    if (seq > g->count || g->im->ops->entry(g->im->view, seq)->uid != uid)
        imap_ranges_add(g->ranges, uid, uid);
}

/* The part of from…to that is known; calls come in ascending order. */
static void add_known(struct gathering *g, uint32_t from, uint32_t to)
{
    if (!g->known) {
        imap_ranges_add(g->ranges, from, to);
        return;
    }
    while (g->at < g->known->n && g->known->ranges[g->at].to < from)
        g->at++;
    for (size_t i = g->at; i < g->known->n && g->known->ranges[i].from <= to; i++) {
        const struct imap_range *k = &g->known->ranges[i];
        uint32_t a = k->from > from ? k->from : from, b = k->to < to ? k->to : to;
        imap_ranges_add(g->ranges, a, b);
    }
}

static void add_gaps(struct gathering *g, uint32_t first)
{
    struct imap_view_info info;
    const struct imap *im = g->im;
    im->ops->view_info(im->view, &info);
    uint32_t from = first;
    for (uint32_t seq = im->ops->seek(im->view, first); seq <= info.count; seq++) {
        uint32_t uid = im->ops->entry(im->view, seq)->uid;
        if (uid > from)
            add_known(g, from, uid - 1);
        from = uid + 1;
    }
    if (from < info.uidnext)
        add_known(g, from, info.uidnext - 1);
}

enum result imap_vanished_since(struct imap *im, uint64_t modseq, const struct imap_seqset *known,
                                uint32_t first, struct imap_ranges *ret)
{
    struct imap_view_info info;
    im->ops->view_info(im->view, &info);
    struct gathering g = {im, known, info.count, ret, 0};
    enum result r = im->ops->vanished(im->ctx, im->mailbox, modseq, on_vanished, &g);
    if (r == CONFLICT) {
        imap_ranges_release(ret);
        add_gaps(&g, first);
        r = OK;
    }
    return ret->failed ? FAILED : r;
}
