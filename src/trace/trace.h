/* trace.h: the journey of a message: events, each written in the same batch as the change that it
 * tells of, so that what is told happened, and what happened is told. Who writes: store
 * (mailboxes), queue (attempts), role/mailbox (acceptance). Who reads: `postrider trace`. The
 * layout is told in docs/formats/trace.md.
 *
 * A message's id tells its age (log_id_time); its events are kept for trace_lifetime after that. */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include "kv/kv.h"

/* Numbers are on the disk: new ones come last. X(name, what it is called) */
/* clang-format off */
#define TRACE_EVENTS(X) \
    X(ACCEPTED, "accepted")   /* by a client, or made here (a bounce) */ \
    X(COPIED, "copied")       /* COPY: goes on under this id too */ \
    X(COPY_OF, "copy")        /* of ABOUT */ \
    X(STORED, "stored")       /* in a mailbox */ \
    X(SENT, "sent")           \
    X(DEFERRED, "deferred")   \
    X(BOUNCED, "bounced")     /* failed, and the sender was told */ \
    X(EXPIRED, "expired")     /* the same, after the lifetime */ \
    X(DROPPED, "dropped")     /* failed, and nobody was told: REASON */ \
    X(NOTICE, "notice")       /* the sender is told by COPY */ \
    X(HELD, "held")           \
    X(RELEASED, "released")   \
    X(REMOVED, "removed")     /* from the queue, by the administrator */ \
    X(MOVED, "moved")         /* to another mailbox */ \
    X(EXPUNGED, "expunged")   /* from a mailbox */

#define TRACE_FIELDS(X) \
    X(CLIENT, "client") X(NAME, "name") X(HELO, "helo") X(TLS, "tls") X(SERVICE, "service") \
    X(LOGIN, "login") X(ACCOUNT, "account") X(SENDER, "from") X(SIZE, "size") X(MESSAGE_ID, "message_id") \
    X(RCPT, "to") X(RULE, "rule") X(TARGET, "target") X(MORE, "more_recipients") \
    X(STATUS, "status") X(REPLY, "reply") X(REMOTE, "remote") X(ATTEMPT, "attempt") X(NEXT, "next") \
    X(REASON, "reason") X(MAILBOX, "mailbox") X(UID, "uid") X(COPY, "copy") X(ABOUT, "about")
/* clang-format on */

#define TRACE_EVENT(name, text) TRACE_##name,
enum trace_event { TRACE_NO_EVENT, TRACE_EVENTS(TRACE_EVENT) TRACE_EVENT_COUNT };
#undef TRACE_EVENT
#define TRACE_FIELD(name, text) TRACE_F_##name,
enum trace_field { TRACE_NO_FIELD, TRACE_FIELDS(TRACE_FIELD) TRACE_FIELD_COUNT };
#undef TRACE_FIELD

enum { TRACE_BYTES_MAX = 64 * 1024 /* of an event */, TRACE_TEXT_MAX = 500 /* of a field */ };

const char *trace_event_name(enum trace_event e);
const char *trace_field_name(enum trace_field f);

/* Whether the message is young enough to be traced. lifetime: seconds, 0: nothing is. */
bool trace_wanted(uint64_t message, uint64_t lifetime);

/* ---- writing ---- */

/* An event under way. */
struct trace {
    struct buf bytes;
    unsigned left_out; /* fields that had no room */
};
void trace_begin(struct trace *t, enum trace_event e);
/* Cut at TRACE_TEXT_MAX; an empty one is left out. */
void trace_add(struct trace *t, enum trace_field f, struct slice value);
void trace_add_number(struct trace *t, enum trace_field f, uint64_t value);
/* Has it room for so many bytes of fields? (Lists of recipients stop there.) */
bool trace_has_room(const struct trace *t, size_t bytes);
/* Into the batch; ends t. Without memory the event is missing, the batch goes on. */
void trace_put(struct trace *t, struct kv_batch *b, uint64_t message);

/* ---- reading ---- */

struct trace_text {
    enum trace_field field;
    struct slice value;
};
struct trace_entry {
    uint64_t message;
    int64_t time_us; /* since 1970 */
    enum trace_event event;
    struct slice fields; /* trace_next */
};
/* Cuts the next field off; false: none is left. Unknown ones (of a newer version) are skipped. */
bool trace_next(struct slice *fields, struct trace_text *ret);

/* The message's events in order. NOT_FOUND: none. */
MUST_USE enum result trace_each(struct kv *kv, uint64_t message,
                                bool (*each)(void *arg, const struct trace_entry *e), void *arg);
/* The events of all messages from id `from` on, in order of ids; `each` returns false to stop. */
MUST_USE enum result trace_scan(struct kv *kv, uint64_t from,
                                bool (*each)(void *arg, const struct trace_entry *e), void *arg);

/* Deletes events of messages below `before`, at most `most`, beginning at message *from, and moves
 * *from on. Commits. *ret_n: how many; fewer than `most`: there are no more. */
MUST_USE enum result trace_forget(struct kv *kv, uint64_t *from, uint64_t before, size_t most,
                                  size_t *ret_n);

#endif
