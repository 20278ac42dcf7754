/* redeliver.c: mail for a mailbox here that waited in the queue, on hold. */
#include "mime/summary.h"
#include "role/mailbox/mailbox.h"

enum result mailbox_add_local(struct mailbox_role *m, struct delivery *d, struct slice name)
{
    struct account *account;
    enum result r = account_open(m->store, name, &account);
    if (r != OK)
        return r;
    struct delivery_target to = {.account = account, .mailbox = SLICE("INBOX"), .may_exceed = true};
    r = delivery_add(d, &to);
    account_unref(account);
    return r;
}

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
