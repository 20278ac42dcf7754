/* limits.c: how much of the queue one attempt, and one destination, gets by its transport. */
#include <string.h>

#include "queue/internal.h"

void queue_limits_set(struct queue_limits *l, const struct queue_options *o)
{
    l->recipients = o->recipient_limit;
    l->n = o->n_limits < QUEUE_LIMITS_MAX ? o->n_limits : QUEUE_LIMITS_MAX;
    if (l->n)
        memcpy(l->items, o->limits, l->n * sizeof *l->items);
}

/* The name in front of "transport:nexthop"; a domain goes by SMTP. */
static struct slice transport_of(struct slice destination)
{
    size_t colon = slice_find(destination, ':');
    bool literal = destination.len && destination.data[0] == '[';
    return colon == SIZE_MAX || literal ? SLICE("smtp") : slice_sub(destination, 0, colon);
}

static const struct queue_limit *find(const struct queue_limits *l, struct slice destination)
{
    struct slice transport = l->n ? transport_of(destination) : SLICE("");
    for (size_t i = 0; i < l->n; i++)
        if (slice_is(transport, l->items[i].transport))
            return &l->items[i];
    return NULL;
}

uint32_t queue_limits_recipients(const struct queue_limits *l, struct slice destination)
{
    const struct queue_limit *own = find(l, destination);
    return own && own->recipients ? own->recipients : l->recipients;
}

uint32_t queue_limits_concurrency(const struct queue_limits *l, struct slice destination,
                                  uint32_t normal)
{
    const struct queue_limit *own = find(l, destination);
    return own && own->concurrency && own->concurrency < normal ? own->concurrency : normal;
}
