/* journey.c: what the trace (trace/trace.h) is told of messages in mailboxes. */
#include "store/internal.h"
#include "trace/trace.h"

void store_trace(struct store *s, uint64_t lifetime)
{
    atomic_store(&s->trace_lifetime, lifetime);
}

bool store_traces(const struct store *s, uint64_t message)
{
    return trace_wanted(message, atomic_load(&s->trace_lifetime));
}

void journey_put(const struct mailbox *m, struct kv_batch *b, enum trace_event what,
                 const struct entry *e)
{
    struct trace t;
    if (!store_traces(m->account->store, e->message))
        return;
    trace_begin(&t, what);
    trace_add(&t, TRACE_F_ACCOUNT, m->account->name);
    trace_add(&t, TRACE_F_MAILBOX, folder_name_of(m));
    trace_add_number(&t, TRACE_F_UID, e->uid);
    trace_put(&t, b, e->message);
}
