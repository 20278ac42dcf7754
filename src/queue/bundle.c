/* bundle.c: recipients sorted into bundles: those of one destination together, within the limits.
 */
#include <stdlib.h>

#include "queue/internal.h"

struct sorted {
    const struct queue_rcpt *rcpt;
    char destination[DESTINATION_MAX];
    uint8_t len;
};

struct bundling {
    size_t n;
    struct queue_rcpt *rcpts; /* room for a bundle's */
    struct sorted sorted[];
};

static struct slice sorted_destination(const struct sorted *s)
{
    return slice_of(s->destination, s->len);
}

static int by_destination(const void *a, const void *b)
{
    const struct sorted *x = a, *y = b;
    int order = slice_cmp(sorted_destination(x), sorted_destination(y));
    return order ? order : x->rcpt < y->rcpt ? -1 : x->rcpt > y->rcpt;
}

static size_t rcpt_bytes(const struct queue_rcpt *r)
{
    return r->address.len + r->original.len + r->dsn_notify.len + r->dsn_orcpt.len + r->served.len +
           REASON_MAX + 20;
}

/* How many of the sorted recipients from the first on make one bundle. */
static size_t bundle_length(const struct sorted *s, size_t n, uint32_t limit)
{
    size_t bytes = 0, i;
    for (i = 0; i < n && i < limit; i++) {
        bytes += rcpt_bytes(s[i].rcpt);
        /* What is served here is attempted one by one: each has its own fate. */
        if (i > 0 && (s[0].rcpt->served.len || bytes > BUNDLE_BYTES_MAX ||
                      !slice_eq(sorted_destination(&s[i]), sorted_destination(&s[0]))))
            break;
    }
    return i;
}

static void put_new_bundle(struct kv_batch *b, struct place p, uint32_t attempts, bool held,
                           const struct sorted *s, size_t n, struct queue_rcpt *rcpts)
{
    bool keeps_way = false;
    for (size_t i = 0; i < n; i++) {
        rcpts[i] = *s[i].rcpt;
        keeps_way |= rcpts[i].keeps_way;
    }
    struct q_bundle bundle = {.due_s = p.due_s,
                              .attempts = attempts,
                              .held = held,
                              .keeps_way = keeps_way,
                              .destination = sorted_destination(s),
                              .n = (uint32_t)n,
                              .rcpts = rcpts};
    queue_put_bundle(b, p.message, p.bundle, &bundle);
    if (!held)
        queue_put_schedule(b, p, bundle.destination);
}

struct bundling *bundling_new(const struct queue_rcpt *rcpts, size_t n)
{
    size_t one = sizeof(struct sorted) + sizeof(struct queue_rcpt);
    struct bundling *b = n < SIZE_MAX / one / 2 ? calloc(1, sizeof *b + n * one) : NULL;
    if (!b)
        return NULL;
    b->n = n;
    b->rcpts = (struct queue_rcpt *)(b->sorted + n);
    for (size_t i = 0; i < n; i++) {
        struct sorted *s = &b->sorted[i];
        s->rcpt = &rcpts[i];
        s->len = (uint8_t)q_destination(rcpts[i].address, rcpts[i].route, s->destination).len;
    }
    if (n > 1)
        qsort(b->sorted, n, sizeof *b->sorted, by_destination);
    return b;
}

uint32_t bundling_put(struct bundling *b, struct kv_batch *batch, struct place first,
                      uint32_t attempts, const struct queue_limits *limits, bool held,
                      void (*each)(void *arg, struct slice destination), void *arg)
{
    uint32_t made = 0;
    for (size_t i = 0; i < b->n; made++) {
        const struct sorted *s = &b->sorted[i];
        uint32_t limit = queue_limits_recipients(limits, sorted_destination(s));
        size_t take = bundle_length(s, b->n - i, limit);
        struct place p = {first.due_s, first.message, first.bundle + made};
        put_new_bundle(batch, p, attempts, held, s, take, b->rcpts);
        each(arg, sorted_destination(s));
        i += take;
    }
    return made;
}
