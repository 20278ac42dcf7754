/* journey.h: what the trace (trace/trace.h) is told of attempts. */
#ifndef QUEUE_JOURNEY_H
#define QUEUE_JOURNEY_H

#include "queue/queue.h"
#include "trace/trace.h"

/* What became of a recipient: bounced and expired say whether its sender was told. */
struct journey_end {
    const struct queue_rcpt *rcpt;
    const struct queue_rcpt_result *result;
    bool bounced, expired;
};

/* One event for each run of recipients that fared alike. attempt: which it was; 0: none was made.
 * next_s: of the deferred ones. */
void journey_put_attempt(struct kv_batch *b, uint64_t message, uint32_t attempt, int64_t next_s,
                         const struct journey_end *ends, size_t n);

#endif
