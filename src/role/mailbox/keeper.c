/* keeper.c: see keeper.h. */
#include "role/mailbox/keeper.h"

#include <stdlib.h>

#include "role/mailbox/sts.h"

enum { SOON_MS = 1000, ROUND_MS = 3600 * 1000 };

struct keeper {
    struct io_task task;
    struct mailbox_role *mailbox;
};

/* Waits for commits, so it runs on a helper thread. */
static void work(void *arg)
{
    struct keeper *k = arg;
    mailbox_sts_forget(k->mailbox);
    io_wake(&k->task);
}

static void run(struct io_task *task, unsigned events)
{
    struct keeper *k = CONTAINER_OF(task, struct keeper, task);
    if ((events & IO_WAKE) || io_run_blocking(k->mailbox->role->engine, work, k) != OK)
        io_task_deadline(task, ROUND_MS);
}

enum result keeper_new(struct mailbox_role *m, struct keeper **ret)
{
    struct keeper *k = calloc(1, sizeof *k);
    if (!k)
        return FAILED;
    k->mailbox = m;
    io_task_open(m->role->engine, &k->task, -1, run);
    io_task_deadline(&k->task, SOON_MS);
    *ret = k;
    return OK;
}

void keeper_free(struct keeper *k)
{
    free(k);
}
