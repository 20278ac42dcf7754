/* turns.h: whose turn it is: what schedule.c, which reads, and turns.c, which hands out, share. */
#ifndef QUEUE_TURNS_H
#define QUEUE_TURNS_H

#include "queue/schedule.h"

/* NULL: no memory. */
struct q_dest *dest_get(struct schedule *s, struct slice name);
static inline struct slice dest_name(const struct q_dest *d)
{
    return slice_of(d->name, d->name_len);
}
/* After anything of it has changed: puts it into the rings and lists where it belongs now; frees it
 * where nothing is left to know. */
void dest_settle(struct schedule *s, struct q_dest *d);
/* An active item's attempt is over. */
void turn_over(struct schedule *s, const struct q_item *item, int64_t now_ms);
/* Destinations and transports. */
void dests_release(struct schedule *s);

#endif
