/* redeliver.c: mail for a mailbox here that waited in the queue, on hold. */
#include "mime/summary.h"
#include "role/mailbox/mailbox.h"

static enum result fill(struct mailbox_role *m, struct delivery *d, struct slice account,
                        struct slice message)
{
    struct buf summary;
    buf_init(&summary, SUMMARY_BYTES_MAX);
    enum result r = summary_build(message, &summary);
    if (r == OK)
        r = delivery_write(d, message);
    if (r == OK) {
        delivery_summary(d, buf_slice(&summary));
        r = mailbox_add_local(m, d, account);
    }
    buf_release(&summary);
    return r;
}

void mailbox_redeliver(struct mailbox_role *m, struct slice target, struct slice message,
                       store_done_fn *done, void *arg)
{
    struct target t;
    struct delivery *d;
    enum result r = target_parse(target, &t);
    if (r == OK)
        r = delivery_new(m->store, log_id_new(), &d);
    if (r != OK) {
        done(arg, r);
        return;
    }
    r = fill(m, d, t.account, message);
    if (r == OK)
        r = delivery_submit(d, done, arg);
    else
        delivery_abandon(d);
    if (r != OK)
        done(arg, r);
}
