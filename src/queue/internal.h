/* internal.h: what the files of queue/ share. Two locks: `lock` covers the schedule, the loaded
 * messages and the settings; `notes_lock` covers the notes alone and is never held while anything
 * else is done, so that the commit thread, which may not block, can leave a note. Whoever takes
 * `lock` reads the notes first (queue_lock). */
#ifndef QUEUE_INTERNAL_H
#define QUEUE_INTERNAL_H

#include <pthread.h>

#include "queue/record.h"
#include "queue/schedule.h"

/* Something that happened elsewhere, to be applied under the lock; apply frees the note. */
struct note {
    struct list_node node;
    void (*apply)(struct queue *q, struct note *n);
    enum result r;
};

/* A message with attempts under way: its envelope as the newest submitted batch has it. */
struct loaded {
    struct buf bytes;
    struct q_envelope envelope;
    unsigned users;       /* jobs, from queue_next until their commit is durable */
    uint32_t next_bundle; /* a number that no bundle of the message has; 0: not looked for yet */
};

/* limits.c */
struct queue_limits {
    struct queue_limit normal; /* where a transport has none of its own */
    struct queue_limit here;   /* of what is served here */
    size_t n;
    struct queue_limit items[QUEUE_LIMITS_MAX];
};
void queue_limits_set(struct queue_limits *l, const struct queue_options *o);
uint32_t queue_limits_recipients(const struct queue_limits *l, struct slice destination);
/* The transport of a destination: its name points into it or is a constant. */
struct slice queue_transport_of(struct slice destination);
/* Within l, never NULL. */
const struct queue_limit *queue_limits_find(const struct queue_limits *l, struct slice transport);

struct queue {
    struct store *store;
    struct kv *kv;
    pthread_mutex_t lock;
    struct schedule schedule;
    struct map loaded;          /* message -> struct loaded */
    struct list_node abandoned; /* jobs that wait for abandoned_until */
    struct queue_options options;
    struct queue_limits limits;
    uint64_t admin_message; /* being changed by the administrator: not to be attempted */
    queue_bounce_fn *bounce;
    void *bounce_owner;
    char *reporting_mta, *mailer_domain, *system;
    queue_event_fn *event;
    void *event_owner;
    uint64_t active;
    struct queue_stats stats;
    int64_t stats_ms; /* when they were counted; 0: never */

    pthread_mutex_t admin_lock; /* one administrator's command at a time; taken before `lock` */
    pthread_mutex_t notes_lock;
    struct list_node notes;
    struct map fresh; /* message -> struct fresh, between queue_add and queue_added */
};

void queue_lock(struct queue *q);
void queue_unlock(struct queue *q);
void queue_leave_note(struct queue *q, struct note *n);

/* bundle.c: recipients sorted by destination; the slices stay the caller's. NULL: no memory. Freed
 * with free(). */
struct bundling;
struct bundling *bundling_new(const struct queue_rcpt *rcpts, size_t n);
/* Puts bundles within the limits and their schedule into the batch, numbered from
 * `first` on; those on hold are not scheduled; `each` is told of each one's destination. Returns
 * how many. */
uint32_t bundling_put(struct bundling *b, struct kv_batch *batch, struct place first,
                      uint32_t attempts, const struct queue_limits *limits, bool held,
                      void (*each)(void *arg, struct slice destination), void *arg);

/* A job as handed out. */
struct job {
    struct queue_job pub;
    struct queue *queue;
    struct q_item *item;
    struct loaded *loaded;
    struct arena arena;
    struct buf bytes; /* the bundle's record */
    struct q_bundle bundle;
    int64_t abandoned_until_ms;
    int64_t rested_s; /* of one that is put off: not due before */
    struct list_node node;
};
void queue_job_free(struct job *j);

struct loaded *queue_loaded_get(struct queue *q, uint64_t message, enum result *ret);
void queue_loaded_put(struct queue *q, struct loaded *l);

/* Puts (takes away) the schedule entries of a bundle in a batch. */
void queue_put_schedule(struct kv_batch *b, struct place p, struct slice destination);
void queue_del_schedule(struct kv_batch *b, struct place p, struct slice destination);
void queue_put_bundle(struct kv_batch *b, uint64_t message, uint32_t number,
                      const struct q_bundle *bundle);
void queue_put_envelope(struct kv_batch *b, const struct q_envelope *e);

#endif
