/* expunge.c: removing entries, and remembering for a while which (QRESYNC, RFC 7162 3.2). The bytes
 * of a message go later, when nothing refers to them (reaper.c). */
#include <stdlib.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/log.h"
#include "store/internal.h"

/* ---- tombstones: one record per expunge, its UIDs as runs ---- */

static void encode_runs(struct buf *out, const uint32_t *uids, size_t n)
{
    uint32_t at = 0;
    for (size_t i = 0; i < n;) {
        size_t end = i + 1;
        while (end < n && uids[end] == uids[end - 1] + 1)
            end++;
        buf_put_varint(out, uids[i] - at);
        buf_put_varint(out, end - i);
        at = uids[end - 1];
        i = end;
    }
}

struct tombstone {
    int64_t time;
    uint64_t n;
    struct cursor runs;
};

static enum result tombstone_decode(struct slice value, struct tombstone *ret)
{
    struct cursor c = cursor_of(value);
    if (cursor_u8(&c) != STORE_FORMAT)
        return CORRUPT;
    int64_t time = (int64_t)cursor_varint(&c);
    uint64_t n = cursor_varint(&c);
    if (!cursor_ok(&c) || n > UINT32_MAX)
        return CORRUPT;
    *ret = (struct tombstone){time, n, c};
    return OK;
}

/* Forgets the oldest ones beyond the limits; what is not in kv yet waits for the next time. */
static void prune(struct op *op, struct kv_batch *b, int64_t now)
{
    struct head *h = &op->head;
    struct store *s = op->mailbox->account->store;
    struct key prefix = key_tombstones(op->mailbox->id);
    struct kv_iter *it = kv_iter_new(s->kv, NULL, key_slice(&prefix), SLICE_NONE);
    struct slice key, value;
    for (int looked = 0; it && looked < 1000 && kv_iter_next(it, &key, &value); looked++) {
        struct cursor c = cursor_of(slice_from(key, 9));
        uint64_t modseq = cursor_be64(&c);
        struct tombstone t;
        bool good = tombstone_decode(value, &t) == OK;
        if (good && h->tombstones <= TOMBSTONES_MAX && t.time >= now - TOMBSTONE_SECONDS) {
            h->tombstone_oldest = t.time;
            break;
        }
        kv_batch_del(b, key);
        h->tombstone_floor = modseq;
        h->tombstones -= good && t.n <= h->tombstones ? (uint32_t)t.n : 0;
    }
    if (it && kv_iter_free(it) != OK)
        atomic_fetch_add(&s->damaged, 1);
}

void tombstones_put(struct op *op, struct kv_batch *b, const uint32_t *uids, size_t n)
{
    struct head *h = &op->head;
    int64_t now = clock_realtime_s();
    struct buf value;
    buf_init(&value, KV_VALUE_MAX);
    buf_putc(&value, STORE_FORMAT);
    buf_put_varint(&value, (uint64_t)now);
    buf_put_varint(&value, n);
    encode_runs(&value, uids, n);
    struct key key = key_tombstone(op->mailbox->id, h->modseq);
    if (buf_ok(&value)) {
        kv_batch_put(b, key_slice(&key), buf_slice(&value));
        if (h->tombstones == 0)
            h->tombstone_oldest = now;
        h->tombstones += (uint32_t)n;
    } else {
        h->tombstone_floor = h->modseq; /* too many to tell: clients must look for themselves */
    }
    buf_release(&value);
    if (h->tombstones > TOMBSTONES_MAX || h->tombstone_oldest < now - TOMBSTONE_SECONDS)
        prune(op, b, now);
}

struct uid_list {
    uint32_t *uids;
    size_t n, cap;
};

static enum result add_runs(struct uid_list *list, struct tombstone *t)
{
    if (list->n + t->n > list->cap) {
        size_t cap = (list->n + t->n) * 2;
        uint32_t *more = realloc(list->uids, cap * sizeof *more);
        if (!more)
            return FAILED;
        list->uids = more;
        list->cap = cap;
    }
    uint64_t at = 0, left = t->n;
    while (left) {
        at += cursor_varint(&t->runs);
        uint64_t run = cursor_varint(&t->runs);
        if (!cursor_ok(&t->runs) || run == 0 || run > left || at + run > UINT32_MAX)
            return CORRUPT;
        for (uint64_t i = 0; i < run; i++)
            list->uids[list->n++] = (uint32_t)(at + i);
        at += run - 1;
        left -= run;
    }
    return OK;
}

static enum result gather(struct mailbox *m, uint64_t since, struct uid_list *list)
{
    struct key prefix = key_tombstones(m->id), from = key_tombstone(m->id, since + 1);
    struct kv_iter *it =
        kv_iter_new(m->account->store->kv, NULL, key_slice(&prefix), key_slice(&from));
    if (!it)
        return FAILED;
    enum result r = OK;
    struct slice key, value;
    while (r == OK && kv_iter_next(it, &key, &value)) {
        struct tombstone t;
        r = tombstone_decode(value, &t);
        if (r == OK)
            r = list->n + t.n > 4 * TOMBSTONES_MAX ? CONFLICT : add_runs(list, &t);
    }
    enum result end = kv_iter_free(it);
    return r == OK ? end : r;
}

enum result mailbox_vanished(struct mailbox *m, uint64_t since_modseq,
                             void (*each)(void *arg, uint32_t uid), void *arg)
{
    enum result r = account_enter(m->account);
    if (r != OK)
        return r;
    if (m->dead)
        r = NOT_FOUND;
    else if (since_modseq < m->head.tombstone_floor)
        r = CONFLICT;
    account_leave(m->account);
    if (r != OK || since_modseq == UINT64_MAX)
        return r;
    struct uid_list list = {0};
    r = gather(m, since_modseq, &list);
    if (r == OK) {
        size_t n = sort_unique(list.uids, list.n);
        for (size_t i = 0; i < n; i++)
            each(arg, list.uids[i]);
    }
    free(list.uids);
    /* A damaged record is history that is not kept. */
    return r == CORRUPT ? CONFLICT : r;
}

/* ---- expunge ---- */

void expunge_records(struct op *op, struct kv_batch *b, const struct entry *e)
{
    struct head *h = &op->head;
    struct key entry = key_entry(op->mailbox->id, e->uid),
               ref = key_reference(e->message, op->mailbox->id, e->uid);
    kv_batch_del(b, key_slice(&entry));
    kv_batch_del(b, key_slice(&ref));
    h->count--;
    h->bytes -= e->size;
    h->unseen -= !(e->flags & FLAG_SEEN);
}

void maybe_dead_put(struct kv_batch *b, uint64_t message)
{
    uint64_t token = log_id_new();
    struct key key = key_maybe_dead(message);
    kv_batch_put(b, key_slice(&key), slice_of(&token, sizeof token));
}

/* The sequence numbers of those that are there (in the array of the sorted uids' own size). */
static size_t find_victims(const struct view *v, const uint32_t *uids, size_t n, bool only_deleted,
                           uint32_t *ret_seqs)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t seq = view_find(v, uids[i]);
        if (seq && (!only_deleted || (view_entry(v, seq)->flags & FLAG_DELETED)))
            ret_seqs[found++] = seq;
    }
    return found;
}

enum result expunge_in(struct change *c, struct kv_batch *b, struct op *op, uint32_t *uids,
                       size_t n, bool only_deleted)
{
    uint32_t *seqs = malloc((n + 1) * sizeof *seqs);
    c->dead_messages = malloc((n + 1) * sizeof *c->dead_messages);
    if (!seqs || !c->dead_messages) {
        free(seqs);
        return FAILED;
    }
    size_t found = find_victims(op->view, uids, n, only_deleted, seqs);
    for (size_t i = 0; i < found; i++) {
        const struct entry *e = view_entry(op->view, seqs[i]);
        uids[i] = e->uid;
        expunge_records(op, b, e);
        maybe_dead_put(b, e->message);
        journey_put(op->mailbox, b, TRACE_EXPUNGED, e);
        c->dead_messages[c->n_dead++] = e->message;
    }
    enum result r = view_remove(op->view, seqs, found);
    free(seqs);
    if (found == 0)
        op->head.modseq = op->head_before.modseq;
    else if (r == OK)
        tombstones_put(op, b, uids, found);
    return r;
}

static enum result expunge_some(struct mailbox *m, uint32_t *uids, size_t n, bool only_deleted,
                                store_done_fn *done, void *arg)
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
    r = op ? expunge_in(c, b, op, uids, n, only_deleted) : FAILED;
    if (r != OK) {
        kv_batch_free(b);
        change_free(c);
        return r;
    }
    return change_submit(c, b, done, arg);
}

enum result mailbox_expunge(struct mailbox *m, const uint32_t *uids, size_t n, bool only_deleted,
                            store_done_fn *done, void *arg)
{
    uint32_t *own = malloc((n + 1) * sizeof *own);
    if (!own)
        return FAILED;
    if (n)
        memcpy(own, uids, n * sizeof *own);
    n = sort_unique(own, n);
    enum result r = account_enter(m->account);
    if (r != OK) {
        free(own);
        return r;
    }
    if (m->dead)
        r = NOT_FOUND;
    size_t at = 0;
    for (; r == OK && n - at > CHANGE_CHUNK; at += CHANGE_CHUNK)
        r = expunge_some(m, own + at, CHANGE_CHUNK, only_deleted, NULL, NULL);
    if (r == OK)
        r = expunge_some(m, own + at, n - at, only_deleted, done, arg);
    account_leave(m->account);
    free(own);
    return r;
}
