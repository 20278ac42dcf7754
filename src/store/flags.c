/* flags.c: changes of flags and keywords. */
#include <stdlib.h>

#include "store/internal.h"

struct flag_change {
    enum flag_op op;
    uint8_t flags;
    uint64_t keywords;
    uint64_t unchanged_since;
    void (*refused)(void *arg, uint32_t uid);
    void *arg;
};

static uint64_t combine(enum flag_op op, uint64_t old, uint64_t bits)
{
    return op == FLAGS_SET ? bits : op == FLAGS_ADD ? old | bits : old & ~bits;
}

static enum result change_entry(const struct flag_change *f, struct op *op, struct kv_batch *b,
                                uint32_t uid, bool *changed)
{
    uint32_t seq = view_find(op->view, uid);
    if (seq == 0)
        return OK;
    struct entry e = *view_entry(op->view, seq);
    if (e.modseq > f->unchanged_since && e.modseq != op->head.modseq) {
        if (f->refused)
            f->refused(f->arg, uid);
        return OK;
    }
    uint8_t flags = (uint8_t)combine(f->op, e.flags, f->flags);
    uint64_t keywords = combine(f->op, e.keywords, f->keywords);
    if (flags == e.flags && keywords == e.keywords)
        return OK;
    op->head.unseen += !!(e.flags & FLAG_SEEN) - !!(flags & FLAG_SEEN);
    e.flags = flags;
    e.keywords = keywords;
    e.modseq = op->head.modseq;
    enum result r = view_set(op->view, seq, &e);
    if (r == OK)
        entry_put(op->mailbox, b, &e);
    *changed = true;
    return r;
}

static enum result change_some(struct mailbox *m, const struct flag_change *f, const uint32_t *uids,
                               size_t n, store_done_fn *done, void *arg)
{
    struct view *latest;
    enum result r = mailbox_latest(m, &latest);
    if (r != OK)
        return r;
    struct store *s = m->account->store;
    struct change *c = change_new(s, 1);
    struct kv_batch *b = kv_batch_new(s->kv, KV_BATCH_ESSENTIAL);
    struct op *op = c && b ? change_op(c, m) : NULL;
    view_unref(latest);
    r = op ? OK : FAILED;
    bool changed = false;
    for (size_t i = 0; r == OK && i < n; i++)
        r = change_entry(f, op, b, uids[i], &changed);
    if (r != OK) {
        kv_batch_free(b);
        change_free(c);
        return r;
    }
    /* Nothing changed: it still goes through the journal, behind what it is based on. */
    if (!changed)
        op->head.modseq = op->head_before.modseq;
    return change_submit(c, b, done, arg);
}

enum result mailbox_store_flags(struct mailbox *m, enum flag_op op, uint8_t flags,
                                uint64_t keywords, const uint32_t *uids, size_t n,
                                uint64_t unchanged_since, void (*refused)(void *arg, uint32_t uid),
                                store_done_fn *done, void *arg)
{
    struct flag_change f = {op, flags, keywords, unchanged_since, refused, arg};
    enum result r = account_enter(m->account);
    if (r != OK)
        return r;
    if (m->dead)
        r = NOT_FOUND;
    while (r == OK && n > CHANGE_CHUNK) {
        r = change_some(m, &f, uids, CHANGE_CHUNK, NULL, NULL);
        uids += CHANGE_CHUNK;
        n -= CHANGE_CHUNK;
    }
    if (r == OK)
        r = change_some(m, &f, uids, n, done, arg);
    account_leave(m->account);
    return r;
}
