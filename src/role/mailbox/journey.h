/* journey.h: the trace's part in the mailbox role, beside that of a message that comes in
 * (incoming.h): bounces, and the task that forgets journeys older than trace_lifetime. */
#ifndef ROLE_MAILBOX_JOURNEY_H
#define ROLE_MAILBOX_JOURNEY_H

#include "role/mailbox/mailbox.h"

/* A bounce `id` about a message (0: a report about none), into its batch. */
void journey_put_bounce(const struct store *s, struct kv_batch *b, uint64_t about, uint64_t id,
                        struct slice rcpt);

struct trace_keeper;
MUST_USE enum result trace_keeper_new(struct mailbox_role *m, struct trace_keeper **ret);
/* After the engine has stopped; NULL is fine. */
void trace_keeper_free(struct trace_keeper *k);

#endif
