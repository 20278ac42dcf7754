/* schedule.h: what is due, in memory: a bounded window of the schedule tables, sorted into
 * destinations.
 *
 * The table in time order (qs) is read once, by a cursor that moves forward: everything before it
 * that is due is either in the window or belongs to a destination whose `more` place says where
 * that destination's own table (qd) is to be read on. So a million messages for one host neither
 * fill the window nor are looked at again and again, and each entry costs the same however long the
 * queue is. What enters the tables behind the cursor moves it back (schedule_insert).
 *
 * Not locked: the queue's lock covers it. */
#ifndef QUEUE_SCHEDULE_H
#define QUEUE_SCHEDULE_H

#include "base/list.h"
#include "base/map.h"
#include "queue/record.h"

enum {
    WINDOW_MAX = 8192,      /* bundles in memory, those under way not counted */
    WINDOW_LOW = 4096,      /* below it the window is filled again */
    DESTINATION_LOAD = 256, /* most bundles of one destination in the window */
    SCAN_CHUNK = 1024       /* entries looked at in one go */
};

struct q_dest {
    struct list_node node;   /* in the ring while it has ready bundles and room; else to itself */
    struct list_node hungry; /* in the schedule's list while its table is to be read on */
    struct list_node ready;
    uint32_t loaded, active;
    bool more; /* further due entries in its own table, from `more_from` */
    struct place more_from;
    size_t name_len;
    char name[];
};

struct q_item {
    struct list_node node; /* in dest->ready */
    struct place place;
    struct q_dest *dest;
    bool active;
};

struct queue_limits;
struct schedule {
    struct map items; /* message and bundle -> q_item, under way ones too */
    struct map dests; /* name -> q_dest */
    struct list_node ring, hungry;
    const struct queue_limits *limits; /* NULL: none of a transport's own */
    size_t loaded;
    struct place cursor;
};

void schedule_init(struct schedule *s);
void schedule_release(struct schedule *s);

/* An entry that is in the tables now (its batch is durable). */
void schedule_insert(struct schedule *s, struct place p, struct slice destination, int64_t now_s);
/* Entries at or behind `from` are to be read (again). */
void schedule_rewind(struct schedule *s, struct place from);
/* Loads what is due, at most SCAN_CHUNK entries of it. */
MUST_USE enum result schedule_refill(struct schedule *s, struct kv *kv, int64_t now_s);
/* The next bundle to attempt, round robin among destinations and oldest first within each; it is
 * active from now on. NULL: none within the limit. */
struct q_item *schedule_take(struct schedule *s, uint32_t per_destination);
/* The attempt is over and recorded, or the bundle is not there any more: frees the item. */
void schedule_drop(struct schedule *s, struct q_item *item);
/* True when there is due work that has not been loaded yet. */
bool schedule_unread(const struct schedule *s, int64_t now_s);
/* Milliseconds until the next entry is due; 0: there is unread work; -1: none as far as known, or
 * none before an attempt ends. */
int64_t schedule_wait_ms(const struct schedule *s, int64_t now_us);

#endif
