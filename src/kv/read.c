/* read.c: values, snapshots, iterators and blobs. Values come from the index; a blob's place comes
 * from the index and its bytes from the journal's segment. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "kv/engine.h"

enum { BLOB_TRIES = 8 };

static bool key_readable(struct slice key)
{
    return key.len > 0 && key.len <= KV_KEY_MAX && (unsigned char)key.data[0] != 0xff;
}

static const rocksdb_readoptions_t *options_at(struct kv *kv, const struct kv_snapshot *at)
{
    return at ? at->read : kv->index.read;
}

enum result kv_get(struct kv *kv, const struct kv_snapshot *at, struct slice key, struct buf *out)
{
    if (!key_readable(key))
        return NOT_FOUND;
    return index_get(&kv->index, options_at(kv, at), key, out);
}

enum result kv_multi_get(struct kv *kv, const struct kv_snapshot *at, size_t n,
                         const struct slice *keys, struct buf *ret_values, bool *ret_found)
{
    enum result r = OK;
    for (size_t i = 0; r == OK && i < n; i++) {
        r = kv_get(kv, at, keys[i], &ret_values[i]);
        ret_found[i] = r == OK;
        if (r == NOT_FOUND)
            r = OK;
    }
    return r;
}

struct kv_snapshot *kv_snapshot_new(struct kv *kv)
{
    struct kv_snapshot *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->kv = kv;
    pthread_mutex_lock(&kv->lock);
    s->tick = ++kv->tick;
    s->snapshot = rocksdb_create_snapshot(kv->index.db);
    list_push_back(&kv->snapshots, &s->node);
    pthread_mutex_unlock(&kv->lock);
    s->read = rocksdb_readoptions_create();
    rocksdb_readoptions_set_snapshot(s->read, s->snapshot);
    return s;
}

void kv_snapshot_free(struct kv_snapshot *s)
{
    if (!s)
        return;
    pthread_mutex_lock(&s->kv->lock);
    list_remove(&s->node);
    pthread_mutex_unlock(&s->kv->lock);
    rocksdb_readoptions_destroy(s->read);
    rocksdb_release_snapshot(s->kv->index.db, s->snapshot);
    free(s);
}

struct kv_iter {
    rocksdb_iterator_t *it; /* NULL: nothing can match */
    rocksdb_readoptions_t *read;
    char end[KV_KEY_MAX]; /* the first key behind the prefix; RocksDB keeps a pointer to it */
    size_t end_len;
    bool started;
};

/* The smallest key above all that begin with the prefix, and never an engine key. */
static void set_end(struct kv_iter *it, struct slice prefix)
{
    while (prefix.len > 0 && (unsigned char)prefix.data[prefix.len - 1] == 0xff)
        prefix.len--;
    if (prefix.len == 0) {
        it->end[0] = (char)0xff;
        it->end_len = 1;
        return;
    }
    memcpy(it->end, prefix.data, prefix.len);
    it->end[prefix.len - 1]++;
    it->end_len = prefix.len;
}

struct kv_iter *kv_iter_new(struct kv *kv, const struct kv_snapshot *at, struct slice prefix,
                            struct slice from)
{
    struct kv_iter *it = calloc(1, sizeof *it);
    if (!it || prefix.len > KV_KEY_MAX || (prefix.len > 0 && (unsigned char)prefix.data[0] == 0xff))
        return it;
    set_end(it, prefix);
    it->read = rocksdb_readoptions_create();
    rocksdb_readoptions_set_iterate_upper_bound(it->read, it->end, it->end_len);
    if (at)
        rocksdb_readoptions_set_snapshot(it->read, at->snapshot);
    it->it = rocksdb_create_iterator(kv->index.db, it->read);
    struct slice start = from.data && slice_cmp(from, prefix) > 0 ? from : prefix;
    rocksdb_iter_seek(it->it, start.data ? start.data : "", start.len);
    return it;
}

bool kv_iter_next(struct kv_iter *it, struct slice *ret_key, struct slice *ret_value)
{
    size_t len;
    if (!it || !it->it)
        return false;
    if (it->started && rocksdb_iter_valid(it->it))
        rocksdb_iter_next(it->it);
    it->started = true;
    if (!rocksdb_iter_valid(it->it))
        return false;
    const char *data = rocksdb_iter_key(it->it, &len);
    *ret_key = slice_of(data, len);
    data = rocksdb_iter_value(it->it, &len);
    *ret_value = slice_of(data, len);
    return true;
}

enum result kv_iter_free(struct kv_iter *it)
{
    char *text = NULL;
    if (!it)
        return FAILED; /* there was no memory for it */
    if (it->it) {
        rocksdb_iter_get_error(it->it, &text);
        rocksdb_iter_destroy(it->it);
        rocksdb_readoptions_destroy(it->read);
    }
    free(it);
    return index_result(text, NULL, "iterate");
}

static enum result read_whole(int fd, char *out, size_t len, uint64_t offset)
{
    while (len > 0) {
        ssize_t n = pread(fd, out, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EIO ? CORRUPT : FAILED;
        if (n == 0)
            return CORRUPT; /* the file is shorter than the index says */
        out += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return OK;
}

/* Finds the blob and holds its segment. The cleaner may move it between the two: then the index
 * already says where to, so looking again ends soon. */
static enum result hold_blob(struct kv *kv, uint64_t blob, struct blob_ref *ret,
                             struct segment **ret_segment)
{
    for (int i = 0; i < BLOB_TRIES; i++) {
        enum result r = index_get_blob(&kv->index, blob, ret);
        if (r != OK)
            return r;
        *ret_segment = segment_acquire(&kv->segments, ret->segment);
        if (*ret_segment)
            return OK;
        if (errno != ENOENT)
            return FAILED;
    }
    return CORRUPT;
}

/* Whole blocks first..last of the blob, verified. */
static enum result read_blocks(struct kv *kv, const struct segment *seg, const struct blob_ref *ref,
                               uint64_t from, size_t len, char *out)
{
    (void)kv;
    enum result r = read_whole(seg->fd, out, len, ref->offset + from);
    if (r == OK && !blob_sum_ok(ref, (unsigned)(from / BLOB_BLOCK), slice_of(out, len)))
        r = CORRUPT;
    return r;
}

enum result kv_blob_read(struct kv *kv, uint64_t blob, uint64_t from, uint64_t len, struct buf *out)
{
    struct blob_ref ref;
    struct segment *seg;
    enum result r = hold_blob(kv, blob, &ref, &seg);
    if (r != OK)
        return r;
    if (from > ref.len)
        from = ref.len;
    if (len > ref.len - from)
        len = ref.len - from;
    uint64_t first = from / BLOB_BLOCK * BLOB_BLOCK;
    uint64_t end = (from + len + BLOB_BLOCK - 1) / BLOB_BLOCK * BLOB_BLOCK;
    if (end > ref.len)
        end = ref.len;
    bool whole = first == from && end == from + len;
    size_t span = (size_t)(end - first);
    char *into = len == 0 ? NULL : whole ? buf_reserve(out, span, NULL) : malloc(span);
    if (len > 0)
        r = into ? read_blocks(kv, seg, &ref, first, span, into) : whole ? LIMIT : FAILED;
    segment_release(&kv->segments, seg);
    if (r == OK && len > 0 && whole)
        buf_commit(out, span);
    if (r == OK && len > 0 && !whole)
        buf_append(out, slice_of(into + (from - first), (size_t)len));
    if (!whole)
        free(into);
    return r == OK && !buf_ok(out) ? LIMIT : r;
}

enum result kv_blob_size(struct kv *kv, uint64_t blob, uint64_t *ret)
{
    struct blob_ref ref;
    enum result r = index_get_blob(&kv->index, blob, &ref);
    if (r == OK)
        *ret = ref.len;
    return r;
}
