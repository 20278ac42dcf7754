/* ends.c: transports at which a message's way ends without anybody being asked: error, retry and
 * discard (error(8), discard(8)), and such as there are none of. */
#include "role/mailbox/ends.h"

#include <stdlib.h>

/* "5.1.6 User has moved": the status that the text begins with, else `status`. */
static void take_text(struct slice text, const char *status, struct queue_rcpt_result *r)
{
    struct slice rest = text, first = slice_split(&rest, ' ');
    bool has = first.len >= 5 && first.len <= 9 && first.data[0] == status[0] &&
               first.data[1] == '.' && rest.data;
    r->status = has ? first : slice_cstr(status);
    r->reply = has ? slice_trim(rest) : text;
}

/* False: somebody must be asked. */
static bool end_of(const struct conf *c, const struct queue_job *q, struct queue_rcpt_result *r)
{
    struct slice transport, nexthop;
    target_route_split(q->destination, &transport, &nexthop);
    struct slice kind = conf_transport_kind(c, transport);
    *r = (struct queue_rcpt_result){.remote = SLICE(""), .diag_type = SLICE("x-postrider")};
    if (slice_is(kind, "error")) {
        bool later = slice_is(transport, "retry");
        r->outcome = later ? QUEUE_DEFERRED : QUEUE_FAILED;
        take_text(nexthop, later ? "4.0.0" : "5.0.0", r);
    } else if (slice_is(kind, "discard")) {
        r->outcome = QUEUE_SENT;
        r->status = SLICE("2.0.0");
        r->reply = nexthop;
    } else if (slice_is(kind, "smtp") || slice_is(kind, "lmtp") || slice_is(kind, "pipe")) {
        return false;
    } else {
        r->outcome = QUEUE_DEFERRED;
        r->status = SLICE("4.3.0");
        r->reply = kind.data ? SLICE("mail transport unavailable: its kind can't take mail "
                                     "from the queue")
                             : SLICE("mail transport unavailable: transport_services (or "
                                     "master.cf) has none of that name");
    }
    return true;
}

bool ends_here(struct mailbox_role *m, struct queue_job *q, store_done_fn *done, void *arg)
{
    struct queue_rcpt_result one;
    size_t n = q->envelope.n_rcpts;
    if (slice_find(q->destination, ':') == SIZE_MAX) /* a domain */
        return false;
    const struct conf *c = role_conf(m->role);
    bool ends = end_of(c, q, &one);
    conf_unref(c);
    struct queue_rcpt_result *results = ends ? calloc(n, sizeof *results) : NULL;
    if (!results)
        return false;
    for (size_t i = 0; i < n; i++)
        results[i] = one;
    queue_job_done(m->queue, q, results, done, arg);
    free(results);
    return true;
}

bool goes_by_pipe(struct mailbox_role *m, const struct queue_job *q)
{
    struct slice transport, nexthop;
    const struct conf *c = role_conf(m->role);
    target_route_split(q->destination, &transport, &nexthop);
    bool pipe = slice_is(conf_transport_kind(c, transport), "pipe");
    conf_unref(c);
    return pipe;
}
