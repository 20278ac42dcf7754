/* mailbox.h: the mailbox role's state: the store, the queue, the logged-in sessions. The only role
 * that touches stored mail; it never talks to strangers before they have logged in. */
#ifndef ROLE_MAILBOX_MAILBOX_H
#define ROLE_MAILBOX_MAILBOX_H

#include <pthread.h>

#include "base/map.h"
#include "queue/queue.h"
#include "role/mailbox/names.h"
#include "role/mailbox/session.h"
#include "role/role.h"

struct feed;
struct mailbox_quota;
struct control;
struct trace_keeper;
struct keeper;
struct tls_counts;

struct mailbox_role {
    struct role *role;
    struct kv *kv;
    struct store *store;
    struct queue *queue;
    struct trace_keeper *trace_keeper;
    struct keeper *keeper;
    struct tls_counts *tls_counts;
    atomic_uint sts_domains; /* kept policies, or more (sts.c) */
    struct mailbox_quota *quota;
    struct feed *feed;       /* queue -> relay (feed.h) */
    struct control *control; /* the command line's socket (control.h) */
    struct grant_seen *seen_logins;
    atomic_bool flushing; /* FLUSH_SITE */
    atomic_bool marks;    /* enable_original_recipient */

    pthread_mutex_t lock;        /* of what follows */
    struct mailbox_names *names; /* of the configuration (names.h) */
    struct list_node sessions;
    struct map sessions_of; /* "service account ip" -> number of sessions */
    uint64_t session_count, delivered;
};

static inline struct mailbox_role *mailbox_state(struct role *r)
{
    return r->state;
}

/* The names of mailboxes as the configuration has them now; the caller's reference. */
struct mailbox_names *mailbox_names_of_now(struct mailbox_role *m);

/* limits.c: the settings of the queue; the result points into `limits`. */
struct queue_options mailbox_queue_options(const struct conf *c,
                                           struct queue_limit limits[static QUEUE_LIMITS_MAX]);

/* deliver.c: IPC DELIVER from edge. */
void mailbox_deliver(struct mailbox_role *m, struct ipc_channel *from, struct ipc_message *msg);

/* site.c: what waits for the domain is due now; waits for the commits. */
MUST_USE enum result mailbox_flush_site(struct mailbox_role *m, struct slice name);
/* IPC FLUSH_SITE from edge. */
void mailbox_flush_asked(struct mailbox_role *m, struct ipc_channel *from, struct ipc_message *msg);

/* redeliver.c: an account's INBOX as a target of the delivery. */
MUST_USE enum result mailbox_add_local(struct mailbox_role *m, struct delivery *d,
                                       struct slice name);

/* A command or file as a recipient of the queue; text is the target, as t has it taken apart. */
struct queue_rcpt mailbox_served(struct slice text, const struct target *t, struct slice original);

/* redeliver.c: a stored message (with its Return-Path) once more, into the mailbox of a "local"
 * target; done is called once, maybe before this returns. */
void mailbox_redeliver(struct mailbox_role *m, struct slice target, struct slice message,
                       store_done_fn *done, void *arg);

/* bounce.c: takes the queue's DSNs to their sender (queue_bounce_fn; owner: struct mailbox_role);
 * and, with about 0, other reports of our own. */
void mailbox_bounce(void *owner, const struct queue_bounce *b,
                    void (*finished)(void *arg, enum result r), void *arg);

/* login.c: IPC LOGGED_IN from edge. */
void mailbox_logged_in(struct mailbox_role *m, struct ipc_channel *from, struct ipc_message *msg);

/* session.c */
struct session_seen {
    struct slice account, login, service, client_ip;
};
/* Tells of every session, under the role's lock; those for which `each` returns true are ended
 * (their input is closed). */
void session_each(struct mailbox_role *m, bool (*each)(void *arg, const struct session_seen *s),
                  void *arg);
/* Makes a session on the fd (taken) and starts its protocol. FAILED: no memory (fd closed). */
MUST_USE enum result session_new(struct mailbox_role *m, int fd, const struct session_protocol *p,
                                 struct account *account, const struct ipc_LOGGED_IN *login);
/* When the engine has stopped. */
void session_end_all(struct mailbox_role *m);

/* Counts a session of this user from this address; LIMIT when there are `most` already (0: no
 * limit). */
MUST_USE enum result session_count_in(struct mailbox_role *m, struct slice service,
                                      struct slice account, struct slice ip, int64_t most);
void session_count_out(struct mailbox_role *m, struct slice service, struct slice account,
                       struct slice ip);

#endif
