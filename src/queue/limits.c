/* limits.c: how much of the queue one attempt, one destination and one transport get. */
#include <string.h>

#include "queue/internal.h"

void queue_limits_set(struct queue_limits *l, const struct queue_options *o)
{
    l->normal = o->normal;
    if (l->normal.recipients == 0 || l->normal.recipients > BUNDLE_RCPTS_MAX)
        l->normal.recipients = 50;
    l->here = l->normal;
    l->here.pace.initial = l->here.pace.limit; /* there is nothing to find out */
    l->here.ahead = false;
    l->n = o->n_limits < QUEUE_LIMITS_MAX ? o->n_limits : QUEUE_LIMITS_MAX;
    if (l->n)
        memcpy(l->items, o->limits, l->n * sizeof *l->items);
}

/* The name in front of "transport:nexthop"; a domain goes by SMTP. */
struct slice queue_transport_of(struct slice destination)
{
    size_t colon = slice_find(destination, ':');
    bool literal = destination.len && destination.data[0] == '[';
    return colon == SIZE_MAX || literal ? SLICE("smtp") : slice_sub(destination, 0, colon);
}

const struct queue_limit *queue_limits_find(const struct queue_limits *l, struct slice transport)
{
    if (slice_eq(transport, queue_transport_of(SLICE(QUEUE_HERE))))
        return &l->here;
    for (size_t i = 0; i < l->n; i++)
        if (slice_is(slice_sub(transport, 0, QUEUE_TRANSPORT_MAX), l->items[i].transport))
            return &l->items[i];
    return &l->normal;
}

uint32_t queue_limits_recipients(const struct queue_limits *l, struct slice destination)
{
    return queue_limits_find(l, queue_transport_of(destination))->recipients;
}
