/* control_filter.h: which messages `queue list` shows: --sender, --recipient, --destination,
 * --reason, --older; and how many: --limit. */
#ifndef ROLE_MAILBOX_CONTROL_FILTER_H
#define ROLE_MAILBOX_CONTROL_FILTER_H

#include "queue/queue.h"

struct queue_filter {
    struct slice sender, recipient, destination, reason; /* data NULL: any; in the words given */
    int64_t arrived_before_s;                            /* 0: any */
    uint64_t limit;                                      /* of messages shown; 0: none */
    bool limited;                                        /* --limit was said */
};

/* False: the words are not understood. */
bool queue_filter_parse(const struct slice *words, size_t n, struct queue_filter *ret);
/* Does the envelope fit? What is asked of recipients is not looked at. */
bool queue_filter_fits_head(const struct queue_filter *f, const struct queue_info *i);
/* Does it look at the envelope alone? */
bool queue_filter_is_of_heads(const struct queue_filter *f);
/* What the record of a recipient that fits has in it: struct queue_look's text. */
struct slice queue_filter_text(const struct queue_filter *f);
/* One of the message's recipients must fit all that is asked of recipients. */
bool queue_filter_fits(const struct queue_filter *f, const struct queue_info *i);

#endif
