/* schedule.h: what is due, in memory: a bounded window of the schedule tables, sorted into
 * destinations and their transports.
 *
 * Reading. The table in time order (qs) is read once, by a cursor that moves forward: everything
 * before it that is due is either in the window, or belongs to a destination whose `more_from` says
 * where that destination's own table (qd) is to be read on, or was passed over (`passed`). So a
 * million messages for one host neither fill the window nor are looked at again and again, and each
 * entry costs the same however long the queue is. What enters the tables behind the cursor moves it
 * back (schedule_insert).
 *
 * Fairness. Destinations take turns. What a message has in the window beyond its first
 * LETTER_BUNDLES is bulk: bulk has a part of the window, of each destination's share and of the
 * turns of its own, so that a mailing with any number of recipients delays no single letter.
 *
 * Pace. Each destination has its window of attempts (pace.h); one that is dead gets none until it
 * has rested, and what is due meanwhile is put off with the reason of its death, without an attempt
 * each. A destination or a transport may have to wait between attempts (its rate delay).
 *
 * Not locked: the queue's lock covers it. Times: now_s since 1970, now_ms on the monotonic clock.
 */
#ifndef QUEUE_SCHEDULE_H
#define QUEUE_SCHEDULE_H

#include "base/list.h"
#include "base/map.h"
#include "queue/pace.h"
#include "queue/record.h"

enum {
    CLASS_WINDOW = 4096,     /* bundles of a class in memory, those under way not counted */
    CLASS_LOW = 2048,        /* below it the window is filled again */
    DESTINATION_CLASS = 128, /* most of them for one destination */
    LETTER_BUNDLES = 8,
    SCAN_CHUNK = 1024,      /* entries looked at in one go */
    REMEMBERED_MAX = 10000, /* destinations that nothing waits for, oldest forgotten first */
    PUT_OFF_AT_A_TIME = 100 /* of a dead destination, being recorded */
};

struct queue_limits;

enum q_class { CLASS_LETTERS, CLASS_BULK, CLASS_COUNT };

/* A destination or a transport that waits for its moment. */
struct q_timer {
    struct list_node node; /* in the schedule's timers, by time; to itself: none is set */
    int64_t at_ms;
    struct q_dest *dest; /* NULL: a transport's */
};

struct q_transport {
    struct list_node node;   /* in the schedule's transports */
    struct list_node parked; /* destinations that wait for the transport */
    struct q_timer timer;
    const struct queue_limit *limit;
    uint32_t active;
    int64_t next_ms; /* no attempt before */
    size_t name_len;
    char name[QUEUE_TRANSPORT_MAX];
};

/* Why a destination is dead, as a recipient's result. */
struct q_death {
    char status[16], diag_type[16], remote[400], reply[REASON_MAX];
};

/* What a destination has of one class. */
struct q_share {
    struct q_dest *dest;
    struct list_node turn;   /* in the schedule's ring of the class; else to itself */
    struct list_node hungry; /* in the schedule's list while its table is to be read on */
    struct list_node ready;
    uint32_t loaded;
    bool more; /* further due entries in its own table, from `more_from` */
    struct place more_from;
};

struct q_dest {
    struct q_share shares[CLASS_COUNT];
    struct q_transport *transport;
    struct list_node parked;     /* in transport->parked, else to itself */
    struct list_node remembered; /* in the schedule's list, else to itself */
    struct q_timer timer;
    uint32_t active;
    struct pace pace;
    int64_t next_ms;       /* no attempt before */
    int64_t dead_until_ms; /* with death */
    struct q_death *death; /* NULL: alive */
    int64_t
        known_until_ms; /* what is known of it counts so long though nothing waits; 0: nothing is */
    size_t name_len;
    char name[];
};

/* How many items of a message there are: what makes them letters or bulk. */
struct q_message {
    uint64_t id;
    uint32_t items;
};

struct q_item {
    struct list_node node; /* in its share's ready */
    struct place place;
    struct q_message *message;
    struct q_dest *dest;
    enum q_class class;
    bool active;
    bool put_off; /* handed out to be put off, not to be attempted */
    bool heard;   /* the attempt was made, and told of the destination */
};

struct schedule {
    struct map items;    /* message and bundle -> q_item, under way ones too */
    struct map dests;    /* name -> q_dest */
    struct map messages; /* message -> q_message */
    struct list_node rings[CLASS_COUNT], hungry[CLASS_COUNT];
    struct list_node transports, timers, remembered;
    size_t n_remembered;
    size_t loaded[CLASS_COUNT];
    enum q_class turn;
    const struct queue_limits *limits;
    struct place cursor;
    struct place passed; /* the first bulk entry that there was no room for; PLACE_END: none */
};

/* limits are the caller's and stay. */
void schedule_init(struct schedule *s, const struct queue_limits *limits);
void schedule_release(struct schedule *s);
/* The limits have other values now. */
void schedule_configure(struct schedule *s);

/* An entry that is in the tables now (its batch is durable). */
void schedule_insert(struct schedule *s, struct place p, struct slice destination, int64_t now_s);
/* Entries at or behind `from` are to be read (again). */
void schedule_rewind(struct schedule *s, struct place from);
/* Loads what is due, at most SCAN_CHUNK entries of each table that is read on. */
MUST_USE enum result schedule_refill(struct schedule *s, struct kv *kv, int64_t now_s);
/* The next bundle; it is active from now on. put_off: it is not to be attempted, for
 * item->dest->death or because its transport is deferred. NULL: none within the limits. */
struct q_item *schedule_take(struct schedule *s, int64_t now_ms);
/* What the attempt told of the destination. NULL: it was reached; else why it was not, and
 * rest_ms is how long it rests when that kills it. Before schedule_drop. */
void schedule_heard(struct schedule *s, struct q_item *item, const struct queue_rcpt_result *missed,
                    int64_t now_ms, int64_t rest_ms);
/* The attempt is over and recorded, or the bundle is not there any more: frees the item. */
void schedule_drop(struct schedule *s, struct q_item *item, int64_t now_ms);
/* The item that was handed out to be put off is attempted all the same. */
void schedule_attempt(struct q_item *item);
/* Nobody is dead any more. */
void schedule_revive(struct schedule *s);
/* True when there is due work that has not been loaded yet. */
bool schedule_unread(const struct schedule *s, int64_t now_s);
/* Milliseconds until the next entry is due or somebody's delay is over; 0: there is unread work;
 * -1: none as far as known, or none before an attempt ends. */
int64_t schedule_wait_ms(const struct schedule *s, int64_t now_us, int64_t now_ms);

#endif
