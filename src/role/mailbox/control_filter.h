/* control_filter.h: which messages `queue list` shows: --sender, --recipient, --destination,
 * --reason,
 * --older. */
#ifndef ROLE_MAILBOX_CONTROL_FILTER_H
#define ROLE_MAILBOX_CONTROL_FILTER_H

#include "queue/queue.h"

struct queue_filter {
    struct slice sender, recipient, destination, reason; /* data NULL: any; in the words given */
    int64_t arrived_before_s;                            /* 0: any */
};

/* False: the words are not understood. */
bool queue_filter_parse(const struct slice *words, size_t n, struct queue_filter *ret);
/* One of the message's recipients must fit all that is asked of recipients. */
bool queue_filter_fits(const struct queue_filter *f, const struct queue_info *i);

#endif
