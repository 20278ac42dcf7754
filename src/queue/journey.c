#include "queue/journey.h"

static enum trace_event event_of(const struct journey_end *e)
{
    switch (e->result->outcome) {
    case QUEUE_SENT:
        return TRACE_SENT;
    case QUEUE_DEFERRED:
        return TRACE_DEFERRED;
    default:
        return !e->bounced ? TRACE_DROPPED : e->expired ? TRACE_EXPIRED : TRACE_BOUNCED;
    }
}

static bool fared_alike(const struct journey_end *a, const struct journey_end *b)
{
    return event_of(a) == event_of(b) && slice_eq(a->result->status, b->result->status) &&
           slice_eq(a->result->reply, b->result->reply) &&
           slice_eq(a->result->remote, b->result->remote);
}

static void begin(struct trace *t, const struct journey_end *e, uint32_t attempt, int64_t next_s)
{
    trace_begin(t, event_of(e));
    if (attempt)
        trace_add_number(t, TRACE_F_ATTEMPT, attempt);
    trace_add(t, TRACE_F_STATUS, e->result->status);
    trace_add(t, TRACE_F_REPLY, e->result->reply);
    trace_add(t, TRACE_F_REMOTE, e->result->remote);
    trace_add(t, TRACE_F_TLS, e->result->tls);
    if (e->result->outcome == QUEUE_DEFERRED)
        trace_add_number(t, TRACE_F_NEXT, (uint64_t)next_s);
}

void journey_put_attempt(struct kv_batch *b, uint64_t message, uint32_t attempt, int64_t next_s,
                         const struct journey_end *ends, size_t n)
{
    for (size_t i = 0; i < n;) {
        struct trace t;
        const struct journey_end *first = &ends[i];
        begin(&t, first, attempt, next_s);
        for (; i < n && fared_alike(first, &ends[i]); i++) {
            if (!trace_has_room(&t, ends[i].rcpt->address.len + 3))
                break;
            trace_add(&t, TRACE_F_RCPT, ends[i].rcpt->address);
        }
        trace_put(&t, b, message);
    }
}
