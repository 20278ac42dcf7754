/* clean.c: gets the space of dead blobs back. A segment that is mostly dead is read in order; what
 * lives in it is appended to the journal again in large batches of OP_MOVE, each of which counts
 * only if its blob still lies where it was read. Then nothing refers to the segment any more, and
 * it is removed.
 *
 * A segment may go only when (1) the flushed index's position lies behind it, so that no replay
 * needs it, (2) the index was flushed after its last live byte went, so that no recovered index
 * refers to it, and (3) every snapshot was made after that. A reader who has found a blob's place
 * holds the segment's reference count, or finds it gone and looks again. */
#include <stdlib.h>

#include "base/clock.h"
#include "kv/engine.h"
#include "kv/scan.h"

enum { MOVE_BYTES = 4 << 20, MOVE_BLOBS = 1000, PAUSE_MAX_MS = 1000 };

struct cleaning {
    struct kv *kv;
    uint64_t number;
    bool gently;
    struct kv_batch *batch;
    size_t blobs;
    uint64_t bytes;
    int64_t began_ms; /* of the current batch, its reading included */
};

static enum result finish_batch(struct cleaning *c)
{
    struct kv_batch *b = c->batch;
    uint64_t bytes = c->bytes;
    c->batch = NULL;
    c->blobs = 0;
    c->bytes = 0;
    if (!b)
        return OK;
    enum result r = kv_commit(b);
    if (r != OK)
        return r;
    pthread_mutex_lock(&c->kv->lock);
    c->kv->moved_bytes += bytes;
    pthread_mutex_unlock(&c->kv->lock);
    /* Half of the time is others'. */
    int64_t took = clock_monotonic_ms() - c->began_ms + 1;
    if (c->gently && upkeep_pause(c->kv, took < PAUSE_MAX_MS ? took : PAUSE_MAX_MS))
        r = CLOSED;
    c->began_ms = clock_monotonic_ms();
    return r;
}

static enum result move_one(struct cleaning *c, uint64_t id, const struct blob_ref *ref,
                            struct slice bytes)
{
    if (!c->batch)
        c->batch = kv_batch_new(c->kv, KV_BATCH_ESSENTIAL);
    if (!c->batch)
        return FAILED;
    batch_move(c->batch, id, ref, bytes);
    c->bytes += bytes.len;
    c->blobs++;
    return c->bytes >= MOVE_BYTES || c->blobs >= MOVE_BLOBS ? finish_batch(c) : OK;
}

/* Whether this copy of the blob is the one that the index refers to. */
static enum result is_live(struct kv *kv, uint64_t id, uint64_t segment, uint64_t offset,
                           struct blob_ref *ret_ref, bool *ret)
{
    enum result r = index_get_blob(&kv->index, id, ret_ref);
    *ret = r == OK && ret_ref->segment == segment && ret_ref->offset == offset;
    return r == NOT_FOUND ? OK : r;
}

static enum result move_record(struct cleaning *c, const struct scanned *rec)
{
    struct cursor ops = cursor_of(rec->meta);
    struct record_op op;
    size_t at = 0;
    enum result r = OK;
    while (r == OK && record_next_op(&ops, &op)) {
        struct blob_ref ref;
        bool live;
        if (!record_op_has_bytes(&op))
            continue;
        struct slice bytes = slice_sub(rec->blobs, at, op.ref.len);
        r = is_live(c->kv, op.id, c->number, rec->blob_offset + at, &ref, &live);
        if (r == OK && live)
            r = move_one(c, op.id, &ref, bytes);
        at += op.ref.len;
    }
    return r;
}

static enum result move_all(struct cleaning *c, struct scanner *s)
{
    struct scanned rec;
    enum result r;
    while ((r = scanner_next(s, &rec)) == OK) {
        r = rec.header.blob_len > 0 ? move_record(c, &rec) : OK;
        if (r != OK)
            return r;
    }
    if (r == NOT_FOUND)
        return finish_batch(c);
    return r == INVALID ? CORRUPT : r;
}

static enum result clean_one(struct kv *kv, uint64_t number, bool gently)
{
    struct cleaning c = {
        .kv = kv, .number = number, .gently = gently, .began_ms = clock_monotonic_ms()};
    struct segment *seg = segment_acquire(&kv->segments, number);
    struct scanner s;
    if (!seg)
        return FAILED;
    enum result r = scanner_init(&s, seg->fd, number, seg->size);
    if (r == OK) {
        r = move_all(&c, &s);
        scanner_release(&s);
    } else if (r != FAILED) {
        r = CORRUPT;
    }
    kv_batch_free(c.batch);
    segment_release(&kv->segments, seg);
    /* Damage is contained: what can be read there still is, and kv_verify tells of it. */
    if (r == CORRUPT || (r == OK && segments_live(&kv->segments, number) > 0))
        segments_damaged(&kv->segments, number);
    return r == CORRUPT ? OK : r;
}

enum result clean_segments(struct kv *kv, bool gently)
{
    enum result r = OK;
    uint64_t number;
    while (r == OK &&
           (number = segments_to_clean(&kv->segments, kv->flushed_segment, kv->clean_below)) != 0) {
        r = clean_one(kv, number, gently);
        if (r == OK) {
            pthread_mutex_lock(&kv->lock);
            kv->cleaned_segments++;
            pthread_mutex_unlock(&kv->lock);
            r = clean_remove(kv);
        }
    }
    /* A full disk and a stopping engine are no failures of the cleaner's. */
    return r == FULL || r == CLOSED ? OK : r;
}

struct condemning {
    uint64_t below, tick;
    size_t n;
};

static void condemn(struct segment *seg, void *arg)
{
    struct condemning *c = arg;
    if (seg->number >= c->below || seg->live > 0 || seg->streams > 0)
        return;
    if (seg->condemned == 0)
        seg->condemned = c->tick;
    c->n++;
}

struct removable {
    uint64_t oldest_snapshot;
    uint64_t found; /* 0: none */
    uint64_t above; /* only numbers above this one */
};

static void find_removable(struct segment *seg, void *arg)
{
    struct removable *f = arg;
    if (f->found == 0 && seg->number > f->above && seg->condemned != 0 && seg->refs == 0 &&
        seg->condemned < f->oldest_snapshot)
        f->found = seg->number;
}

static uint64_t oldest_snapshot(struct kv *kv)
{
    pthread_mutex_lock(&kv->lock);
    uint64_t tick = list_empty(&kv->snapshots)
                        ? UINT64_MAX
                        : CONTAINER_OF(kv->snapshots.next, struct kv_snapshot, node)->tick;
    pthread_mutex_unlock(&kv->lock);
    return tick;
}

static enum result remove_one(struct kv *kv, uint64_t number)
{
    struct index_key key = index_key_live(number);
    char *text = NULL;
    enum result r = segments_remove(&kv->segments, number);
    if (r == BUSY) /* a reader has just taken it: next time */
        return OK;
    if (r != OK)
        return r;
    /* Not in the journal: a count that comes back for a segment that is gone does no harm. */
    rocksdb_delete(kv->index.db, kv->index.write, key.bytes, key.len, &text);
    return index_result(text, NULL, "delete");
}

enum result clean_remove(struct kv *kv)
{
    struct error err;
    struct condemning c = {0};
    pthread_mutex_lock(&kv->lock);
    c.tick = ++kv->tick;
    c.below = kv->flushed_segment;
    pthread_mutex_unlock(&kv->lock);
    segments_each(&kv->segments, condemn, &c);
    if (c.n == 0)
        return OK;
    enum result r = checkpoint(kv, &err);
    struct removable f = {.oldest_snapshot = oldest_snapshot(kv)};
    while (r == OK) {
        f.found = 0;
        segments_each(&kv->segments, find_removable, &f);
        if (f.found == 0)
            break;
        f.above = f.found;
        r = remove_one(kv, f.found);
    }
    return r;
}

enum result kv_clean(struct kv *kv)
{
    struct error err;
    if (kv->read_only)
        return FAILED;
    pthread_mutex_lock(&kv->upkeep_lock);
    enum result r = checkpoint(kv, &err);
    if (r == OK)
        r = clean_segments(kv, false);
    if (r == OK)
        r = clean_remove(kv);
    pthread_mutex_unlock(&kv->upkeep_lock);
    return r;
}
