/* streams.c: big blobs that are written before their batch. Their bytes go into the journal as
 * records of their own, unsynced; the batch that adopts them is written later in the same order,
 * so the sync that makes it durable covers them too. What nobody adopts is dead space. */
#include <stdlib.h>

#include "kv/engine.h"

enum { STREAMS_MAX = 1 << 20 };

struct stream {
    uint64_t id;
    struct blob_ref ref;
};

/* What the waiting thread gets from the committer. */
struct written {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool done;
    enum result r;
};

static void wake_writer(void *arg, enum result r)
{
    struct written *w = arg;
    pthread_mutex_lock(&w->lock);
    w->r = r;
    w->done = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
}

static enum result write_and_wait(struct kv *kv, struct kv_batch *b)
{
    struct written w = {.r = FAILED};
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.wake, NULL);
    b->done = wake_writer;
    b->arg = &w;
    engine_enqueue(kv, b);
    pthread_mutex_lock(&w.lock);
    while (!w.done)
        pthread_cond_wait(&w.wake, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_cond_destroy(&w.wake);
    pthread_mutex_destroy(&w.lock);
    return w.r;
}

static enum result remember(struct kv *kv, struct stream *s)
{
    /* The count comes first: from here on the cleaner leaves the segment alone. */
    segments_streams_add(&kv->segments, s->ref.segment, 1);
    pthread_mutex_lock(&kv->stream_lock);
    enum result r = map_put(&kv->streams, map_key_u64(&s->id), s);
    pthread_mutex_unlock(&kv->stream_lock);
    if (r != OK)
        segments_streams_add(&kv->segments, s->ref.segment, -1);
    return r;
}

enum result kv_blob_write(struct kv *kv, struct slice bytes, uint64_t *ret_blob)
{
    if (bytes.len == 0 || bytes.len > KV_BLOB_MAX)
        return LIMIT;
    if (engine_failed(kv) || kv->read_only)
        return FAILED;
    if (engine_disk_reserved(kv))
        return FULL;
    struct stream *s = calloc(1, sizeof *s);
    if (!s)
        return FAILED;
    s->id = engine_new_blob_id(kv);
    s->ref.len = (uint32_t)bytes.len;
    blob_sum(bytes, s->ref.crc);
    struct kv_batch *b = batch_stream(kv, s->id, bytes, &s->ref);
    enum result r = b ? batch_seal(b) : FAILED;
    if (r == OK)
        r = write_and_wait(kv, b);
    if (r == OK) {
        s->ref.segment = b->segment;
        s->ref.offset = batch_blob_offset(b);
        r = remember(kv, s);
    }
    kv_batch_free(b);
    if (r == OK)
        *ret_blob = s->id;
    else
        free(s);
    return r;
}

bool stream_take(struct kv *kv, uint64_t blob, struct blob_ref *ret)
{
    pthread_mutex_lock(&kv->stream_lock);
    struct stream *s = map_remove(&kv->streams, map_key_u64(&blob));
    pthread_mutex_unlock(&kv->stream_lock);
    if (!s)
        return false;
    *ret = s->ref;
    free(s);
    return true;
}

void kv_blob_abandon(struct kv *kv, uint64_t blob)
{
    struct blob_ref ref;
    if (stream_take(kv, blob, &ref))
        segments_streams_add(&kv->segments, ref.segment, -1);
}

void streams_release(struct kv *kv)
{
    size_t at = 0;
    struct slice key;
    void *value;
    while (map_next(&kv->streams, &at, &key, &value))
        free(value);
    map_release(&kv->streams);
}
