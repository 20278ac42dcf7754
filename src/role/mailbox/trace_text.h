/* trace_text.h: a message's journey as text or JSON. Who calls it: control_trace.c. */
#ifndef ROLE_MAILBOX_TRACE_TEXT_H
#define ROLE_MAILBOX_TRACE_TEXT_H

#include "base/json.h"
#include "base/map.h"
#include "role/mailbox/control.h"

struct trace_teller {
    struct control_call *call;
    bool as_json;
    struct json list;
    struct map told; /* copies that were told with their message: not once more */
};
void trace_teller_init(struct trace_teller *t, struct control_call *c, bool as_json);
/* The message's events, and those of its copies. NOT_FOUND: there are none. */
MUST_USE enum result trace_tell(struct trace_teller *t, uint64_t message);
void trace_teller_end(struct trace_teller *t);

#endif
