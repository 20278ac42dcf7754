/* queue.h: what is still to be sent: envelopes and their schedule, as tables in the store's kv.
 *
 * A queued message is its envelope (sender, options) and one record per recipient; its bytes are
 * the store's message (held by a reference, never copied). Recipients of one destination are
 * attempted together. States: active (an attempt is under way, in memory only), deferred (waits for
 * its time), hold (waits for release). A restart makes active deferred and due. Functions that
 * write end in `done` from the commit thread, as store.h's. */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "queue/pace.h"
#include "store/store.h"

struct queue;

/* What holds for one transport ("transport:nexthop"; domains are "smtp") and each of its
 * destinations. */
enum { QUEUE_TRANSPORT_MAX = 63 };
struct queue_limit {
    char transport[QUEUE_TRANSPORT_MAX + 1]; /* a longer name is cut */
    uint32_t recipients;                     /* most of one attempt */
    struct pace_rules pace;                  /* attempts at a time to one destination */
    bool ahead;         /* twice as many are handed out, so that no connection waits for its next */
    uint32_t processes; /* most attempts at a time over the transport; 0: any number */
    uint32_t destination_delay_s; /* after each attempt, before the destination's next; then there
                                     is one at a time */
    uint32_t transport_delay_s;   /* the same for the transport */
    bool deferred;                /* nothing is attempted but what is flushed (defer_transports) */
};
enum { QUEUE_LIMITS_MAX = 200 };

struct queue_options { /* seconds; Postfix's names */
    uint64_t minimal_backoff_time, maximal_backoff_time, maximal_queue_lifetime,
        bounce_queue_lifetime;
    uint64_t delay_warning_time;      /* a sender is told once that it takes longer; 0: never */
    struct queue_limit normal;        /* of transports that are not in `limits` */
    const struct queue_limit *limits; /* of transports; copied. Those above QUEUE_LIMITS_MAX are
                                         not */
    size_t n_limits;
};

/* Reads the schedule's head only; memory does not grow with the queue. */
MUST_USE enum result queue_open(struct store *s, const struct queue_options *o, struct queue **ret,
                                struct error *err);
void queue_close(struct queue *q);
/* New settings after a reload. */
void queue_configure(struct queue *q, const struct queue_options *o);

/* The route of what is served here. */
#define QUEUE_HERE "here:"
struct queue_rcpt {
    struct slice address;  /* where it goes */
    struct slice original; /* what the client said */
    struct slice dsn_notify, dsn_orcpt;
    struct slice
        route;      /* "transport:nexthop", "": the address's own domain. When it is added only */
    bool keeps_way; /* the route is not looked up anew, whatever the settings become. Likewise */
    struct slice served; /* "" or the target (ipc.h) that is not relay's; its route is QUEUE_HERE */
};
/* Who brought a message, for the commands that get it: as IPC DELIVER has it; "" where not known.
 */
struct queue_origin {
    struct slice client_name, helo, protocol, sasl_method, client_port, sasl_sender;
};
struct queue_envelope {
    uint64_t message; /* also the queue id */
    struct slice sender, account, client_ip, ret, envid;
    struct queue_origin origin;
    bool smtputf8, eightbit, bounce; /* bounce: this is a DSN itself (null sender) */
    bool require_tls;                /* RFC 8689: only under verified TLS, to servers that say so */
    bool held;                       /* added on hold: waits for queue_hold(…, false) */
    uint64_t size;
    const struct queue_rcpt *rcpts;
    size_t n_rcpts;
};
/* Adds the records to a delivery's batch, due at once; call before delivery_submit. INVALID without
 * recipients. Then call queue_added once: from the delivery's `done` with its result, or with
 * anything but OK when it was abandoned or not taken. What was added so goes to the next free
 * attempt straight from memory. */
MUST_USE enum result queue_add(struct queue *q, struct delivery *d, const struct queue_envelope *e);
void queue_added(struct queue *q, uint64_t message, enum result r);
/* Reads the schedule anew from its beginning. Never needed after queue_added; harmless. */
void queue_kick(struct queue *q);

/* One attempt: recipients of one message to one destination (lower-case domain, or the route that
 * they were added with). All slices live until queue_job_done. */
struct queue_job {
    struct queue_envelope envelope; /* with the recipients of this attempt */
    struct slice destination;
    uint32_t attempt;
    int64_t arrived_s;
    uint32_t concurrency; /* attempts that the destination gets at a time by now */
    bool put_off;         /* not to be attempted: call queue_job_put_off */
    bool keeps_way;       /* queue_job_reroute is not for it */
};
/* The next due job within the limits, or NOT_FOUND with *ret_wait_ms until the next one is due (-1:
 * none, as far as known; queue_added and queue_job_done's `done` are reasons to ask again).
 * Destinations take turns; within one the oldest due comes first, but that letters do not wait for
 * mailings (schedule.h). */
MUST_USE enum result queue_next(struct queue *q, struct queue_job **ret, int64_t *ret_wait_ms);

enum queue_outcome { QUEUE_SENT, QUEUE_DEFERRED, QUEUE_FAILED };
struct queue_rcpt_result {
    enum queue_outcome outcome;
    struct slice status;    /* "4.4.1" */
    struct slice reply;     /* words */
    struct slice remote;    /* "mx.example.org[192.0.2.1]" or "" */
    struct slice diag_type; /* "smtp" or "x-postrider" */
    struct slice tls;       /* "TLSv1.3 CIPHER", or "" */
    bool reports;           /* whoever took it will report success itself (RFC 3461 5.2.2) */
    bool missed; /* nobody was reached there who could say anything of this message: that counts
                    against the destination */
};
/* Records the outcome of every recipient of the job (results[i] for rcpts[i], copied); takes the
 * job. Deferred ones get their next time (exponential between the back-off limits; beyond the
 * lifetime they fail). For recipients that failed and want a notice a DSN (RFC 3464) goes to the
 * queue_bounce_fn first; recipients are removed when it has finished. `done` is called, with the
 * commit's result, when all that is durable: from the commit thread or, when the commit could not
 * be submitted, from this one. */
void queue_job_done(struct queue *q, struct queue_job *job, const struct queue_rcpt_result *results,
                    store_done_fn *done, void *arg);
/* The same for a job with put_off: all its recipients are deferred for what was last heard of the
 * destination. */
void queue_job_put_off(struct queue *q, struct queue_job *job, store_done_fn *done, void *arg);
/* Where the job's recipients go by now (routes[i] for rcpts[i], as queue_rcpt.route). OK: as the
 * job says, nothing was done. BUSY: elsewhere; the job is taken and becomes jobs of their own, due
 * at once; `done` is called as for queue_job_done. FAILED: nothing was done. */
MUST_USE enum result queue_job_reroute(struct queue *q, struct queue_job *job,
                                       const struct slice *routes, store_done_fn *done, void *arg);
/* The attempt did not take place (relay was not there, no memory): due again
 * ten seconds later, without counting; nothing is written. */
void queue_job_abandon(struct queue *q, struct queue_job *job);

/* Where a bounce goes is not the queue's knowledge: it calls this, from the thread of
 * queue_job_done, with a finished DSN message (CRLF) for `rcpt` about a queued one, which has to go
 * as that one had to; the callee
 * delivers or queues it and then calls finished(arg, r); only then are the failed recipients
 * removed (at least once). */
struct queue_bounce {
    uint64_t about;
    struct slice rcpt, message;
    bool smtputf8, require_tls;
};
typedef void queue_bounce_fn(void *owner, const struct queue_bounce *b,
                             void (*finished)(void *arg, enum result r), void *arg);
void queue_set_bounce(struct queue *q, queue_bounce_fn *fn, void *owner, const char *reporting_mta,
                      const char *mailer_daemon_domain, const char *system);

/* What became of a recipient, for the owner's log: "sent", "deferred" (until next_s), "bounced" (a
 * DSN went out), "expired" (the same after the lifetime), "dropped" (failed without a notice: why
 * says "double bounce" or "notify"). Called from the thread of queue_job_done or of the bounce's
 * end, within the queue's lock: it must not call the queue. Set before the first job, as is
 * queue_set_bounce. */
struct queue_event {
    const char *what, *why;
    uint64_t message;
    struct slice sender, rcpt, status, reply, remote;
    int64_t arrived_s, next_s;
};
typedef void queue_event_fn(void *owner, const struct queue_event *e);
void queue_set_events(struct queue *q, queue_event_fn *fn, void *owner);

/* ---- the administrator's view ---- */
enum queue_state { QUEUE_STATE_ACTIVE, QUEUE_STATE_DEFERRED, QUEUE_STATE_HOLD };
struct queue_info {
    uint64_t message;
    enum queue_state state;
    struct slice sender;
    uint64_t size;
    int64_t arrived_s, next_attempt_s;
    uint32_t attempts;
    uint64_t total_rcpts; /* that are left */
    size_t n_rcpts;       /* of these here: at most QUEUE_INFO_RCPTS */
    const struct queue_rcpt *rcpts;
    const struct slice *reasons;      /* per rcpt: the last reply, or "" */
    const struct slice *destinations; /* per rcpt: a domain, or "transport:nexthop" */
    const int64_t *next_s;            /* per rcpt: its next attempt, where it is deferred */
    struct slice account, client_ip;
};
enum { QUEUE_INFO_RCPTS = 1000 };
/* What a list asks for. */
enum queue_wish { QUEUE_SKIP, QUEUE_TELL, QUEUE_STOP };
struct queue_look {
    /* Is the message wanted, by what its envelope says (no recipients, attempts, and state "active"
     * yet)? NULL: every one. */
    enum queue_wish (*wants)(void *arg, const struct queue_info *i);
    bool (*each)(void *arg, const struct queue_info *i); /* false stops */
    void *arg;
    /* Case aside, in an address, a destination or a reason of the message; others are passed over
     * without being read further, and `wants` is not asked of them. "": any. */
    struct slice text;
    bool heads; /* recipients, attempts and the next one are not read */
};
/* Every message, oldest first, as of the call. Reads the whole queue, in memory that does not grow
 * with it. */
MUST_USE enum result queue_list(struct queue *q, const struct queue_look *look);
MUST_USE enum result queue_show(struct queue *q, uint64_t message,
                                void (*each)(void *arg, const struct queue_info *i), void *arg);
/* Every destination that something waits for, in no order: how many recipients, by their message's
 * age: up to 5 minutes, 10, 20 … 1280, and older. Reads the bundles alone. Destinations beyond
 * QUEUE_SUMMARY_MAX are counted under "". */
enum { QUEUE_AGES = 10, QUEUE_SUMMARY_MAX = 100000 };
struct queue_summary {
    struct slice destination;
    uint64_t total, ages[QUEUE_AGES];
};
MUST_USE enum result
queue_summarize(struct queue *q, void (*each)(void *arg, const struct queue_summary *s), void *arg);
/* message 0: all. They wait for their commits. NOT_FOUND; BUSY when an attempt is under way
 * (delete, hold). */
MUST_USE enum result queue_flush(struct queue *q, uint64_t message);
MUST_USE enum result queue_hold(struct queue *q, uint64_t message, bool on);
MUST_USE enum result queue_delete(struct queue *q, uint64_t message);
struct queue_stats {
    uint64_t messages, recipients, active, held; /* active: attempts under way */
};
/* Counts the table; the answer may be ten seconds old. */
void queue_stats_get(struct queue *q, struct queue_stats *ret);

#endif
