/* keeper.c: see keeper.h. */
#include "role/mailbox/keeper.h"

#include <stdlib.h>

#include "base/clock.h"
#include "role/mailbox/sts.h"
#include "role/mailbox/tls_counts.h"
#include "role/mailbox/tls_report.h"

enum { DOMAINS_AT_ONCE = 20, DAYS_KEPT = 3, PLACE_MAX = 400 };
enum { SOON_MS = 1000, ROUND_MS = 60 * 1000, HOUR_MS = 3600 * 1000 };

struct keeper {
    struct io_task task;
    struct mailbox_role *mailbox;
    int64_t hourly_ms; /* when the hourly work was done last; 0: never */
    bool reporting;    /* a pass over what is to be reported is under way */
    struct buf at;     /* where it is (tls_report.h) */
};

static void told(void *arg, struct slice domain, uint32_t day, const char *text)
{
    (void)arg, (void)domain, (void)day, (void)text; /* tls_report.c has logged it */
}

/* Days that are over, some domains a minute, so that not all reports leave at once. */
static void report(struct keeper *k)
{
    const struct conf *c = role_conf(k->mailbox->role);
    bool wanted = c->tls_report;
    conf_unref(c);
    if (!wanted || !k->reporting)
        return;
    enum result r = tls_report_send(k->mailbox, SLICE(""), tls_counts_today(), DOMAINS_AT_ONCE,
                                    &k->at, told, NULL);
    k->reporting = r == OK && buf_len(&k->at) > 0;
    if (r != OK)
        LOG(LOG_WARNING, "tls_report.put_off", LOG_C("why", result_name(r)));
}

static void work_of_hour(struct keeper *k)
{
    mailbox_sts_forget(k->mailbox);
    if (tls_counts_drop(k->mailbox, SLICE(""), tls_counts_today() - DAYS_KEPT) != OK)
        LOG(LOG_WARNING, "tls_report.not_dropped", LOG_C("then", "tried again in an hour"));
    buf_reset(&k->at);
    k->reporting = true;
}

/* Waits for commits, so it runs on a helper thread. */
static void work(void *arg)
{
    struct keeper *k = arg;
    int64_t now = clock_monotonic_ms();
    tls_counts_write(k->mailbox->tls_counts);
    if (k->hourly_ms == 0 || now - k->hourly_ms >= HOUR_MS) {
        work_of_hour(k);
        k->hourly_ms = now;
    }
    report(k);
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
    buf_init(&k->at, PLACE_MAX);
    io_task_open(m->role->engine, &k->task, -1, run);
    io_task_deadline(&k->task, SOON_MS);
    *ret = k;
    return OK;
}

void keeper_free(struct keeper *k)
{
    if (k)
        buf_release(&k->at);
    free(k);
}
