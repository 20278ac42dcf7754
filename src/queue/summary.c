/* summary.c: what waits, by destination and age. One pass over the bundles, which reads of each no
 * more than its destination and how many recipients it has. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"
#include "queue/internal.h"

enum { FIRST_AGE_S = 5 * 60 };

static unsigned age_class(int64_t age_s)
{
    unsigned class = 0;
    for (int64_t limit = FIRST_AGE_S; age_s > limit && class < QUEUE_AGES - 1; limit *= 2)
        class ++;
    return class;
}

struct summing {
    struct map map; /* destination -> struct queue_summary, owned */
    struct queue_summary others;
    int64_t now;
};

/* Never NULL: what has no room is counted among the others. */
static struct queue_summary *find(struct summing *s, struct slice destination)
{
    struct queue_summary *found = map_get(&s->map, destination);
    if (found)
        return found;
    found = calloc(1, sizeof *found);
    if (!found || map_put(&s->map, destination, found) != OK) {
        free(found);
        return &s->others;
    }
    return found;
}

static void count(struct summing *s, struct slice key, struct slice value)
{
    struct slice destination;
    uint64_t message, n;
    if (q_key_message(key, &message) != OK || q_bundle_peek(value, &destination, &n) != OK)
        return; /* a damaged one is told of when it is due */
    struct queue_summary *sum = find(s, destination);
    sum->total += n;
    sum->ages[age_class(s->now - log_id_time(message))] += n;
}

static void tell(struct summing *s, void (*each)(void *arg, const struct queue_summary *s),
                 void *arg)
{
    size_t at = 0;
    struct slice key;
    void *value;
    while (map_next(&s->map, &at, &key, &value)) {
        struct queue_summary *sum = value;
        sum->destination = key;
        if (each)
            each(arg, sum);
        free(sum);
    }
    s->others.destination = SLICE("");
    if (each && s->others.total)
        each(arg, &s->others);
}

enum result queue_summarize(struct queue *q, void (*each)(void *arg, const struct queue_summary *s),
                            void *arg)
{
    struct summing s = {.now = clock_realtime_s()};
    struct kv_iter *it = kv_iter_new(q->kv, NULL, Q_PREFIX_BUNDLES, SLICE_NONE);
    struct slice key, value;
    if (!it)
        return FAILED;
    map_init(&s.map, QUEUE_SUMMARY_MAX);
    while (kv_iter_next(it, &key, &value))
        count(&s, key, value);
    enum result r = kv_iter_free(it);
    tell(&s, r == OK ? each : NULL, arg);
    map_release(&s.map);
    return r;
}
