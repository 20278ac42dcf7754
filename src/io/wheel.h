/* wheel.h: a hierarchical timer wheel: three levels of 256 slots of 4 ms, 1 s and 4.4 min. Insert
 * and remove are O(1); bitmaps find the next moment at which there is something to do, so an idle
 * engine sleeps until then. Not locked; times are milliseconds of one clock. */
#ifndef IO_WHEEL_H
#define IO_WHEEL_H

#include "base/list.h"

#include <stdint.h>

enum { WHEEL_TICK_MS = 4, WHEEL_SLOTS = 256, WHEEL_LEVELS = 3 };

struct wheel {
    int64_t tick; /* the next tick to look at */
    uint64_t used[WHEEL_LEVELS][WHEEL_SLOTS / 64];
    struct list_node slots[WHEEL_LEVELS][WHEEL_SLOTS];
};

void wheel_init(struct wheel *w, int64_t now_ms);
/* Links the node. wheel_expire yields it at the first tick not before at_ms, and up to two times
 * earlier (when it has to move to a finer level): the owner looks at the time and inserts it again.
 */
void wheel_insert(struct wheel *w, struct list_node *node, int64_t at_ms);
/* Takes all nodes whose tick has come off the wheel and appends them to `due`. A removed node is
 * just list_remove'd by its owner. */
void wheel_expire(struct wheel *w, int64_t now_ms, struct list_node *due);
/* When to call wheel_expire next; INT64_MAX: nothing is in the wheel. May be early, never late. */
int64_t wheel_next(const struct wheel *w);

#endif
