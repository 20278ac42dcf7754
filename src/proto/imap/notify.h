/* notify.h: what a session wants to be told of while it asks for nothing (NOTIFY, RFC 5465): the
 * state that cmd_notify.c makes and notify.c tells from. Inside proto/imap only. */
#ifndef PROTO_IMAP_NOTIFY_H
#define PROTO_IMAP_NOTIFY_H

#include "proto/imap/filter.h"

enum notify_event {
    NOTIFY_NEW = 1,
    NOTIFY_EXPUNGE = 2,
    NOTIFY_FLAGS = 4,
    NOTIFY_NAME = 8,
    NOTIFY_SUBSCRIPTION = 16,
    NOTIFY_METADATA = 32,
    NOTIFY_SERVER_METADATA = 64
};
#define NOTIFY_MESSAGES (NOTIFY_NEW | NOTIFY_EXPUNGE | NOTIFY_FLAGS)

struct notify_group {
    struct notify_group *next;
    struct imap_filter *filter;
    unsigned events;
};

struct notify_known; /* the mailboxes as the client was told of them */

struct imap_notify {
    struct arena arena;          /* of what stands here */
    struct notify_group *groups; /* the first that fits a mailbox counts */
    unsigned events;             /* of all groups */
    bool selected, delayed;      /* the selected mailbox's; expunges only where RFC 3501 has them */
    struct slice fetch;          /* what is told of a new message of it; empty: nothing */
    struct notify_known *known;
    bool due; /* something has changed and is not told yet */
    uint64_t selected_id;
    uint32_t uidnext; /* of the selected mailbox: up to where messages were told */
};

/* Takes n, whose mailboxes are looked at now. On failure n is released, and nothing is notified. */
MUST_USE enum result imap_notify_begin(struct imap *im, struct imap_notify *n);
/* The client is told of nothing any more. */
void imap_notify_end(struct imap *im);
/* "* STATUS" of the next mailbox, from the first on, when its messages are notified of; false:
 * there is none left. */
bool imap_notify_put_status(struct imap *im);
/* Between commands: tells what happened. 0: all is told, or a command of its own (im->command) goes
 * on. */
enum imap_next imap_notify_run(struct imap *im);

#endif
