/* ends.h: jobs of the queue that need no other role: their transport is error, retry or discard.
 * Who calls it: the feed. */
#ifndef ROLE_MAILBOX_ENDS_H
#define ROLE_MAILBOX_ENDS_H

#include "role/mailbox/mailbox.h"

/* True: the job is taken and ends as its transport says; done is called as for queue_job_done. */
MUST_USE bool ends_here(struct mailbox_role *m, struct queue_job *q, store_done_fn *done,
                        void *arg);

/* Does the job go to a command, by a transport of kind pipe? */
bool goes_by_pipe(struct mailbox_role *m, const struct queue_job *q);

#endif
