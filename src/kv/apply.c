/* apply.c: puts durable records into the index, in the journal's order, and keeps the count of live
 * bytes. Recovery uses the same functions, so what a replay makes is what the first run made. */
#include <stdlib.h>

#include "kv/engine.h"

enum { PLACES_MAX = 16 << 20 };

/* Where a blob is after what this apply has done so far. */
struct place {
    bool present;
    uint64_t segment, offset;
    uint32_t len;
};

void apply_begin(struct apply *a, struct kv *kv, bool track)
{
    *a = (struct apply){.kv = kv, .track = track, .r = OK};
    a->wb = rocksdb_writebatch_create();
    map_init(&a->places, PLACES_MAX);
}

static void apply_failed(struct apply *a, enum result r)
{
    if (a->r == OK)
        a->r = r;
}

static void remember(struct apply *a, uint64_t id, struct place now)
{
    if (!a->track)
        return;
    struct place *p = map_get(&a->places, map_key_u64(&id));
    if (!p) {
        p = malloc(sizeof *p);
        if (!p || map_put(&a->places, map_key_u64(&id), p) != OK) {
            free(p);
            apply_failed(a, FAILED);
            return;
        }
    }
    *p = now;
}

static struct place place_of(struct apply *a, uint64_t id)
{
    struct place *p = map_get(&a->places, map_key_u64(&id));
    struct blob_ref ref;
    if (p)
        return *p;
    enum result r = index_get_blob(&a->kv->index, id, &ref);
    if (r == OK)
        return (struct place){true, ref.segment, ref.offset, ref.len};
    if (r != NOT_FOUND)
        apply_failed(a, r);
    return (struct place){0};
}

static void count_live(struct apply *a, uint64_t segment, int64_t bytes)
{
    /* Nearly always the last one, the segment that is written now. */
    for (size_t i = a->n_deltas; i-- > 0;) {
        if (a->deltas[i].segment == segment) {
            a->deltas[i].bytes += bytes;
            return;
        }
    }
    if (a->n_deltas == a->deltas_size) {
        size_t size = a->deltas_size ? a->deltas_size * 2 : 8;
        struct live_delta *more = realloc(a->deltas, size * sizeof *more);
        if (!more) {
            apply_failed(a, FAILED);
            return;
        }
        a->deltas = more;
        a->deltas_size = size;
    }
    a->deltas[a->n_deltas++] = (struct live_delta){segment, bytes};
}

static void put_blob(struct apply *a, uint64_t id, const struct blob_ref *ref)
{
    char room[32 + 4 * BLOB_BLOCKS_MAX];
    struct buf value = {.mem = room, .size = sizeof room, .max = sizeof room};
    struct index_key key = index_key_blob(id);
    blob_ref_encode(&value, ref);
    rocksdb_writebatch_put(a->wb, key.bytes, key.len, value.mem, buf_len(&value));
    count_live(a, ref->segment, ref->len);
    remember(a, id, (struct place){true, ref->segment, ref->offset, ref->len});
    if (id >= a->next_blob)
        a->next_blob = id + 1;
}

static void drop_blob(struct apply *a, uint64_t id)
{
    struct place was = place_of(a, id);
    struct index_key key = index_key_blob(id);
    if (!was.present)
        return;
    rocksdb_writebatch_delete(a->wb, key.bytes, key.len);
    count_live(a, was.segment, -(int64_t)was.len);
    a->died_bytes += was.len;
    remember(a, id, (struct place){0});
}

/* The copy counts only when the blob still lies where it was copied from: it may have been deleted
 * while the cleaner was at it. */
static void move_blob(struct apply *a, const struct record_op *op, uint64_t segment,
                      uint64_t offset)
{
    struct place was = place_of(a, op->id);
    if (!was.present || was.segment != op->ref.segment || was.offset != op->ref.offset)
        return;
    struct blob_ref now = op->ref;
    now.segment = segment;
    now.offset = offset;
    count_live(a, was.segment, -(int64_t)was.len);
    put_blob(a, op->id, &now);
}

static void apply_op(struct apply *a, struct record_op *op, uint64_t segment, uint64_t offset)
{
    switch (op->type) {
    case OP_PUT:
        rocksdb_writebatch_put(a->wb, op->key.data, op->key.len, op->value.data, op->value.len);
        break;
    case OP_DEL:
        rocksdb_writebatch_delete(a->wb, op->key.data, op->key.len);
        break;
    case OP_BLOB:
        op->ref.segment = segment;
        op->ref.offset = offset;
        put_blob(a, op->id, &op->ref);
        break;
    case OP_ADOPT:
        put_blob(a, op->id, &op->ref);
        break;
    case OP_BLOB_DEL:
        drop_blob(a, op->id);
        break;
    case OP_MOVE:
        move_blob(a, op, segment, offset);
        break;
    }
}

void apply_record(struct apply *a, struct slice meta, uint64_t segment, uint64_t blob_offset)
{
    struct cursor c = cursor_of(meta);
    struct record_op op;
    while (record_next_op(&c, &op)) {
        uint64_t offset = blob_offset;
        if (record_op_has_bytes(&op))
            blob_offset += op.ref.len;
        apply_op(a, &op, segment, offset);
    }
}

static enum result write_index(struct apply *a, const struct index_state *end)
{
    char *text = NULL;
    struct segments *segments = &a->kv->segments;
    for (size_t i = 0; i < a->n_deltas; i++) {
        int64_t live = (int64_t)segments_live(segments, a->deltas[i].segment) + a->deltas[i].bytes;
        index_put_live(a->wb, a->deltas[i].segment, live > 0 ? (uint64_t)live : 0);
    }
    index_put_state(a->wb, end);
    rocksdb_write(a->kv->index.db, a->kv->index.write, a->wb, &text);
    return index_result(text, NULL, "write index");
}

enum result apply_end(struct apply *a, const struct index_state *end)
{
    size_t at = 0;
    struct slice key;
    void *value;
    if (a->r == OK)
        a->r = write_index(a, end);
    /* Only now: a segment that shows no live bytes must be so in the index too. */
    for (size_t i = 0; a->r == OK && i < a->n_deltas; i++)
        segments_live_add(&a->kv->segments, a->deltas[i].segment, a->deltas[i].bytes);
    while (map_next(&a->places, &at, &key, &value))
        free(value);
    map_release(&a->places);
    free(a->deltas);
    rocksdb_writebatch_destroy(a->wb);
    return a->r;
}

static enum result apply_batches(struct kv *kv, struct group *g)
{
    struct apply a;
    apply_begin(&a, kv, g->has_refs);
    LIST_FOR_EACH(n, &g->batches)
    {
        struct kv_batch *b = CONTAINER_OF(n, struct kv_batch, node);
        if (b->r == OK)
            apply_record(&a, batch_meta(b), b->segment, batch_blob_offset(b));
    }
    g->end.next_blob = atomic_load(&kv->next_blob);
    g->died_bytes = a.died_bytes;
    return apply_end(&a, &g->end);
}

static void finish_batches(struct kv *kv, struct group *g, enum result applied)
{
    struct list_node *n;
    while ((n = list_pop_front(&g->batches))) {
        struct kv_batch *b = CONTAINER_OF(n, struct kv_batch, node);
        if (b->r == OK) {
            overlay_remove(&kv->overlay, b->keys, b->n_keys);
            b->r = applied;
        }
        kv_done_fn *done = b->done;
        void *arg = b->arg;
        enum result r = b->r;
        kv_batch_free(b);
        done(arg, r);
    }
}

/* Before `done` is called, so that who was told sees the new figures. */
static void count_applied(struct kv *kv, const struct group *g)
{
    pthread_mutex_lock(&kv->lock);
    kv->unflushed_bytes += g->bytes;
    kv->batches += g->n;
    kv->n_committed_groups++;
    kv->died_bytes += g->died_bytes;
    bool due = kv->unflushed_bytes >= CHECKPOINT_BYTES || kv->died_bytes >= kv->segment_bytes / 2;
    if (due && !kv->want_upkeep) {
        kv->want_upkeep = true;
        pthread_cond_signal(&kv->wake_upkeep);
    }
    pthread_mutex_unlock(&kv->lock);
}

void apply_group(struct kv *kv, struct group *g)
{
    enum result r = OK;
    if (g->durable) {
        r = atomic_load(&kv->index_failed) ? FAILED : apply_batches(kv, g);
        if (r == OK) {
            count_applied(kv, g);
        } else {
            atomic_store(&kv->index_failed, true);
            engine_fail(kv, "apply to index");
        }
    }
    finish_batches(kv, g, r == OK ? OK : FAILED);
    free(g);
    pthread_mutex_lock(&kv->lock);
    kv->applying = false;
    if (kv->n_groups > 0)
        pthread_cond_signal(&kv->wake_applier);
    pthread_cond_broadcast(&kv->idle);
    pthread_mutex_unlock(&kv->lock);
}

void kv_settle(struct kv *kv)
{
    pthread_mutex_lock(&kv->lock);
    while (!list_empty(&kv->waiting) || kv->committing || kv->n_groups || kv->applying)
        pthread_cond_wait(&kv->idle, &kv->lock);
    pthread_mutex_unlock(&kv->lock);
}

void *applier_main(void *arg)
{
    struct kv *kv = arg;
    pthread_mutex_lock(&kv->lock);
    for (;;) {
        while ((list_empty(&kv->groups) || kv->applying) &&
               !(kv->committer_gone && list_empty(&kv->groups)))
            pthread_cond_wait(&kv->wake_applier, &kv->lock);
        struct list_node *n = list_pop_front(&kv->groups);
        if (!n)
            break;
        kv->n_groups--;
        kv->applying = true;
        pthread_cond_signal(&kv->wake_committer);
        pthread_mutex_unlock(&kv->lock);
        apply_group(kv, CONTAINER_OF(n, struct group, node));
        pthread_mutex_lock(&kv->lock);
    }
    pthread_mutex_unlock(&kv->lock);
    return NULL;
}
