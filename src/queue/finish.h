/* finish.h: an attempt that is being recorded: what done.c (outcomes, the record) and notice.c
 * (what its sender is told) share. */
#ifndef QUEUE_FINISH_H
#define QUEUE_FINISH_H

#include "queue/internal.h"

/* What the sender is told of a recipient; in this order, a message each. */
enum notice { NOTICE_FAILURE, NOTICE_DELAY, NOTICE_SUCCESS, NOTICE_NONE };

/* Lives in the job's arena. */
struct finish {
    struct note note;
    struct job *job;
    struct queue_options options; /* as they were when it began */
    struct queue_rcpt_result *results;
    enum notice *notices;
    bool *expired;
    size_t n_notices[NOTICE_NONE];
    enum notice telling; /* which is under way */
    store_done_fn *done;
    void *arg;
};

/* notice.c: sends the notice f->telling; finish_told will be called, maybe before this returns. */
void notice_send(struct finish *f);
/* done.c: it is stored (OK), or nobody is there to read it (NOT_FOUND), or it could not be stored.
 */
void finish_told(void *arg, enum result r);

#endif
