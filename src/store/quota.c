/* quota.c: how much more an account may hold. The sums are those of its mailboxes' heads, which
 * every batch that changes one carries: they are right after a crash and never counted anew. */
#include "store/internal.h"

struct sums {
    uint64_t bytes, messages;
};

static bool counts(const struct account *a, const struct folder *f)
{
    const struct store_quota *q = &a->store->options.quota;
    return q->counted(q->arg, a->name, f->name);
}

/* With what is not durable yet. */
static struct sums sums_of(const struct account *a, const struct store_limits *l)
{
    struct sums s = {a->bytes, a->messages};
    for (size_t i = 0; l->some_uncounted && i < a->n_folders; i++) {
        const struct folder *f = &a->folders[i];
        if (!f->mailbox || counts(a, f))
            continue;
        s.bytes -= f->mailbox->head.bytes;
        s.messages -= f->mailbox->head.count;
    }
    return s;
}

static struct store_limits limits_of(const struct account *a, struct slice mailbox)
{
    const struct store_quota *q = &a->store->options.quota;
    struct store_limits l = {UINT64_MAX, UINT64_MAX, 0, false, false};
    if (q->limits)
        q->limits(q->arg, a->name, mailbox, &l);
    return l;
}

enum result quota_admit(const struct account *a, struct slice mailbox, uint64_t bytes,
                        uint64_t messages, bool may_exceed)
{
    struct store_limits l = limits_of(a, mailbox);
    if (l.uncounted || (l.bytes == UINT64_MAX && l.messages == UINT64_MAX))
        return OK;
    struct sums used = sums_of(a, &l);
    uint64_t most = l.bytes;
    if (may_exceed && used.bytes < most && most < UINT64_MAX - l.grace)
        most += l.grace;
    if (used.bytes > most || bytes > most - used.bytes)
        return LIMIT;
    return used.messages > l.messages || messages > l.messages - used.messages ? LIMIT : OK;
}

enum result quota_admit_move(const struct account *a, struct slice from, struct slice to,
                             uint64_t bytes, uint64_t messages)
{
    struct store_limits before = limits_of(a, from), after = limits_of(a, to);
    if (before.uncounted)
        return quota_admit(a, to, bytes, messages, false);
    if (after.bytes >= before.bytes && after.messages >= before.messages)
        return OK;
    /* The sums stay, under a lower limit. */
    return quota_admit(a, to, 0, 0, false);
}

enum result quota_admit_replacement(const struct account *a, struct slice from, struct slice to,
                                    uint64_t bytes, uint64_t bytes_gone)
{
    if (limits_of(a, from).uncounted)
        return quota_admit(a, to, bytes, 1, false);
    return quota_admit(a, to, bytes > bytes_gone ? bytes - bytes_gone : 0, 0, false);
}

enum result account_admits(struct account *a, struct slice mailbox, uint64_t bytes, bool may_exceed)
{
    enum result r = account_enter(a);
    if (r != OK)
        return r;
    r = quota_admit(a, mailbox, bytes, 1, may_exceed);
    account_leave(a);
    return r;
}

enum result account_quota(struct account *a, struct store_limits *ret_limits, uint64_t *ret_bytes,
                          uint64_t *ret_messages)
{
    enum result r = account_enter(a);
    if (r != OK)
        return r;
    struct store_limits l = limits_of(a, SLICE("INBOX"));
    struct sums used = sums_of(a, &l);
    account_leave(a);
    *ret_limits = l;
    *ret_bytes = used.bytes;
    *ret_messages = used.messages;
    return OK;
}
