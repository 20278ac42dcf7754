/* sort_order.c: the order of a SORT that is kept up to date (RFC 5267 4.3); see sort.h. No key is
 * kept: a message that comes is compared with those that halving leads to, whose summaries are read
 * again. */
#include <stdlib.h>

#include "proto/imap/sort.h"

enum { KEYS_BYTES_MAX = 1024 * 1024 }; /* of the messages that one is compared with */

bool sort_order_init(struct sort_order *o, const struct sort_keys *keys, const uint32_t *uids,
                     size_t n)
{
    *o = (struct sort_order){.keys = *keys, .n = n, .size = n + 16};
    o->uids = malloc(o->size * sizeof *o->uids);
    if (o->uids && n)
        memcpy(o->uids, uids, n * sizeof *uids);
    return o->uids;
}

void sort_order_release(struct sort_order *o)
{
    free(o->uids);
    *o = (struct sort_order){0};
}

/* ---- telling ---- */

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool is_one_of(uint32_t uid, const uint32_t *uids, size_t n)
{
    return bsearch(&uid, uids, n, sizeof *uids, by_number);
}

static uint32_t number_of(const struct imap *im, bool by_uid, uint32_t uid)
{
    return by_uid ? uid : im->ops->seek(im->view, uid);
}

/* A run that stands there, or stood: "3 9,7:8", behind a space when it is not the first. */
static void put_run(const struct imap *im, bool by_uid, const uint32_t *uids, size_t n,
                    size_t place, bool first, struct buf *out)
{
    buf_printf(out, first ? "%zu" : " %zu", place);
    for (size_t i = 0; i < n;) {
        uint32_t from = number_of(im, by_uid, uids[i]), to = from;
        buf_putc(out, i ? ',' : ' ');
        buf_put_u64(out, from);
        while (++i < n && number_of(im, by_uid, uids[i]) == to + 1)
            to++;
        if (to == from)
            continue;
        buf_putc(out, ':');
        buf_put_u64(out, to);
    }
}

/* The run of those at `at` that are among uids, or are not. */
static size_t run_length(const struct sort_order *o, size_t at, bool among, const uint32_t *uids,
                         size_t n)
{
    size_t end = at;
    while (end < o->n && is_one_of(o->uids[end], uids, n) == among)
        end++;
    return end - at;
}

void sort_order_remove(const struct imap *im, struct sort_order *o, bool by_uid,
                       const uint32_t *uids, size_t n, struct buf *out)
{
    size_t kept = 0;
    if (!n)
        return;
    buf_puts(out, " REMOVEFROM (");
    bool first = true;
    for (size_t at = 0; at < o->n;) {
        size_t stay = run_length(o, at, false, uids, n);
        memmove(o->uids + kept, o->uids + at, stay * sizeof *o->uids);
        kept += stay;
        at += stay;
        size_t go = run_length(o, at, true, uids, n);
        if (go) /* each pair is applied to what the ones before have left */
            put_run(im, by_uid, o->uids + at, go, kept + 1, first, out);
        first &= !go;
        at += go;
    }
    o->n = kept;
    buf_putc(out, ')');
}

void sort_order_put_added(const struct imap *im, const struct sort_order *o, bool by_uid,
                          const uint32_t *uids, size_t n, struct buf *out)
{
    if (!n)
        return;
    buf_puts(out, " ADDTO (");
    bool first = true;
    for (size_t at = 0; at < o->n;) {
        at += run_length(o, at, false, uids, n);
        size_t come = run_length(o, at, true, uids, n);
        if (come)
            put_run(im, by_uid, o->uids + at, come, at + 1, first, out);
        first &= !come;
        at += come;
    }
    buf_putc(out, ')');
}

/* ---- where a message belongs ---- */

struct making {
    struct sort_maker maker;
    const struct sort_keys *keys;
    const struct imap_entry *entry;
    union sort_value *values;
};

static void on_summary(void *arg, size_t i, struct slice bytes)
{
    struct making *m = arg;
    struct summary s;
    (void)i;
    bool there = bytes.data && summary_read(bytes, m->entry->size, &s) == OK;
    sort_make(&m->maker, m->keys, m->entry, there ? &s : NULL, m->values);
}

static enum result read_values(struct imap *im, struct making *m, uint32_t uid,
                               union sort_value *ret)
{
    m->entry = im->ops->entry(im->view, im->ops->seek(im->view, uid));
    m->values = ret;
    enum result r = im->ops->summaries(im->ctx, &m->entry->message, 1, on_summary, m);
    return r == OK && arena_failed(m->maker.arena) ? LIMIT : r;
}

static enum result find_place(struct imap *im, struct making *m, const struct sort_order *o,
                              uint32_t uid, size_t *ret)
{
    union sort_value own[SORT_KEYS_MAX], other[SORT_KEYS_MAX];
    enum result r = read_values(im, m, uid, own);
    size_t from = 0, to = o->n;
    while (r == OK && from < to) {
        size_t middle = from + (to - from) / 2;
        r = read_values(im, m, o->uids[middle], other);
        if (r != OK)
            break;
        int order = sort_compare(m->keys, own, other);
        /* RFC 5256 3: at last, the order in the mailbox. */
        if (order < 0 || (!order && uid < o->uids[middle]))
            to = middle;
        else
            from = middle + 1;
    }
    *ret = from;
    return r;
}

static bool make_room(struct sort_order *o)
{
    if (o->n < o->size)
        return true;
    size_t size = o->size * 2;
    uint32_t *uids = realloc(o->uids, size * sizeof *uids);
    if (!uids)
        return false;
    o->uids = uids;
    o->size = size;
    return true;
}

enum result sort_order_insert(struct imap *im, struct sort_order *o, uint32_t uid)
{
    struct arena arena;
    struct making m = {.keys = &o->keys};
    size_t place;
    if (!make_room(o))
        return FAILED;
    arena_init(&arena, KEYS_BYTES_MAX);
    sort_maker_init(&m.maker, &arena);
    enum result r = find_place(im, &m, o, uid, &place);
    sort_maker_release(&m.maker);
    arena_release(&arena);
    if (r != OK)
        return r == BUSY ? FAILED : r;
    memmove(o->uids + place + 1, o->uids + place, (o->n - place) * sizeof *o->uids);
    o->uids[place] = uid;
    o->n++;
    return OK;
}
