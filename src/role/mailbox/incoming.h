/* incoming.h: a DELIVER under way: what deliver.c (request, grants, answer) and copies.c (targets,
 * storing) share. */
#ifndef ROLE_MAILBOX_INCOMING_H
#define ROLE_MAILBOX_INCOMING_H

#include "base/arena.h"
#include "role/mailbox/feed.h"
#include "role/mailbox/mailbox.h"

enum { COPIES_MAX = 64 };

struct verdict {
    const char *code, *text;
};
extern const struct verdict verdict_accepted, verdict_malformed;
const struct verdict *verdict_of(enum result r);

struct copy;

struct incoming {
    struct mailbox_role *mailbox;
    struct ipc_channel *from;
    uint64_t call;
    struct arena arena;
    const struct ipc_DELIVER *request; /* a copy, while preparing and for the log */
    struct slice message;
    bool mapped;
    const struct verdict **verdicts; /* per rcpt */
    struct slice_list *targets;      /* per rcpt */
    size_t n_local;                  /* mailboxes, of all copies */
    struct slice report;             /* of success, for its sender; in the arena, or empty */

    struct copy *copies[COPIES_MAX];
    size_t n_copies;
    atomic_uint pending; /* copies whose commit is awaited, and one while they are submitted */
    _Atomic int worst;   /* enum result of those that have ended */
};

/* Stores the message for every recipient whose verdict is `accepted`; incoming_stored will be
 * called, maybe before this returns. NOT_FOUND: there is nothing to store, and it won't. */
MUST_USE enum result incoming_store(struct incoming *in, struct slice summary);
/* journey.c: what the trace is told of a message that came in; into the batch of one of its copies.
 */
void incoming_put_journey(const struct incoming *in, struct kv_batch *b);
/* The message goes on under the copy's id too. */
void journey_put_copy(struct kv_batch *b, uint64_t message, uint64_t copy);
/* success.c. Several targets stand behind the recipient: RFC 3461 calls that expanded, and its
 * NOTIFY goes on without SUCCESS. */
bool incoming_is_expanded(const struct incoming *in, size_t i);
/* While the message is there; then, when all is stored, to its sender. */
void incoming_prepare_report(struct incoming *in);
void incoming_send_report(struct incoming *in);
/* loops.c: gives recipients who had the message before their verdict. */
void incoming_refuse_loops(struct incoming *in);
/* In deliver.c: what recipient i is told whose mailbox is full; and what all with a mailbox are for
 * whom the message is too large (NULL: it is not). */
const struct verdict *incoming_over_quota(struct incoming *in, size_t i);
const struct verdict *incoming_too_large(const struct incoming *in);
/* In deliver.c: answers, logs and frees. */
void incoming_stored(struct incoming *in, enum result r);

#endif
