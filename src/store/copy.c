/* copy.c: COPY and MOVE within an account: new references to the same messages, in one batch. A
 * message that moves has a new reference in the batch that takes the old one, so the reaper need
 * not look at it. */
#include <stdlib.h>

#include "store/internal.h"

struct copy {
    struct mailbox *from, *to;
    const struct view *source;
    uint32_t map[KEYWORDS_MAX]; /* bit of a keyword in `to` + 1; 0: not looked up yet */
    uint32_t *seqs, *gone;      /* what moved: sequence numbers, UIDs */
    size_t n_moved;
};

/* Bits mean other keywords there; what no longer fits is lost. */
static uint64_t map_keywords(struct copy *c, uint64_t bits)
{
    if (c->from == c->to)
        return bits;
    uint64_t mapped = 0;
    for (uint32_t i = 0; bits; i++, bits >>= 1) {
        uint32_t bit;
        if (!(bits & 1) || !c->from->keywords || i >= c->from->keywords->n)
            continue;
        if (c->map[i] == 0 && keyword_bit(c->to, c->from->keywords->names[i], &bit) == OK)
            c->map[i] = bit + 1;
        if (c->map[i])
            mapped |= (uint64_t)1 << (c->map[i] - 1);
    }
    return mapped;
}

static enum result check_quota(const struct copy *c, bool move, const uint32_t *uids, size_t n)
{
    uint64_t bytes = 0, messages = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t seq = view_find(c->source, uids[i]);
        if (seq == 0)
            continue;
        bytes += view_entry(c->source, seq)->size;
        messages++;
    }
    struct slice to = folder_name_of(c->to);
    if (messages == 0)
        return OK;
    return move ? quota_admit_move(c->to->account, folder_name_of(c->from), to, bytes, messages)
                : quota_admit(c->to->account, to, bytes, messages, false);
}

static enum result copy_entries(struct copy *c, struct op *to, struct kv_batch *b,
                                const uint32_t *uids, size_t n, uint32_t *ret_uids)
{
    enum result r = OK;
    for (size_t i = 0; r == OK && i < n; i++) {
        ret_uids[i] = 0;
        uint32_t seq = view_find(c->source, uids[i]);
        if (seq == 0)
            continue;
        struct entry e = *view_entry(c->source, seq);
        e.uid = 0;
        e.keywords = map_keywords(c, e.keywords);
        r = op_append(to, b, &e);
        if (r == OK)
            ret_uids[i] = e.uid;
        if (r == OK)
            journey_put(c->to, b, c->seqs ? TRACE_MOVED : TRACE_STORED, &e);
        if (c->seqs)
            c->seqs[c->n_moved++] = seq;
    }
    return r;
}

static enum result remove_moved(struct copy *c, struct op *from, struct kv_batch *b)
{
    c->n_moved = sort_unique(c->seqs, c->n_moved);
    for (size_t i = 0; i < c->n_moved; i++) {
        const struct entry *e = view_entry(c->source, c->seqs[i]);
        c->gone[i] = e->uid;
        expunge_records(from, b, e);
    }
    enum result r = view_remove(from->view, c->seqs, c->n_moved);
    if (c->n_moved && r == OK)
        tombstones_put(from, b, c->gone, c->n_moved);
    return r;
}

static enum result prepare(struct copy *c, struct change *ch, struct kv_batch *b,
                           const uint32_t *uids, size_t n, uint32_t *ret_uids)
{
    struct op *to = change_op(ch, c->to), *from = to;
    if (to && c->seqs && c->from != c->to)
        from = change_op(ch, c->from);
    if (!to || !from)
        return FAILED;
    enum result r = copy_entries(c, to, b, uids, n, ret_uids);
    if (r == OK && c->seqs)
        r = remove_moved(c, from, b);
    return r;
}

static enum result copy_locked(struct copy *c, bool move, const uint32_t *uids, size_t n,
                               uint32_t *ret_uids, store_done_fn *done, void *arg)
{
    struct store *s = c->from->account->store;
    struct change *ch = change_new(s, 2);
    /* Moving to Trash must work on a full disk. */
    struct kv_batch *b = kv_batch_new(s->kv, move ? KV_BATCH_ESSENTIAL : 0);
    if (move) {
        c->seqs = malloc((n + 1) * sizeof *c->seqs);
        c->gone = malloc((n + 1) * sizeof *c->gone);
    }
    enum result r = FAILED;
    bool fits = check_quota(c, move, uids, n) == OK;
    if (!fits)
        r = LIMIT;
    else if (ch && b && (!move || (c->seqs && c->gone)))
        r = prepare(c, ch, b, uids, n, ret_uids);
    free(c->seqs);
    free(c->gone);
    if (r != OK) {
        kv_batch_free(b);
        change_free(ch);
        return r;
    }
    return change_submit(ch, b, done, arg);
}

enum result mailbox_copy(struct mailbox *from, struct mailbox *to, bool move, const uint32_t *uids,
                         size_t n, uint32_t *ret_uids, uint32_t *ret_uidvalidity,
                         store_done_fn *done, void *arg)
{
    if (from->account != to->account)
        return INVALID;
    enum result r = account_enter(from->account);
    if (r != OK)
        return r;
    struct view *source = NULL;
    r = from->dead || to->dead ? NOT_FOUND : mailbox_latest(from, &source);
    if (r == OK) {
        uint32_t uidvalidity = to->head.uidvalidity;
        struct copy c = {.from = from, .to = to, .source = source};
        r = copy_locked(&c, move, uids, n, ret_uids, done, arg);
        if (r == OK)
            *ret_uidvalidity = uidvalidity;
    }
    view_unref(source);
    account_leave(from->account);
    return r;
}
