/* batch.c: building a batch. See batch.h. */
#include "kv/batch.h"

#include <stdlib.h>

#include "base/map.h"
#include "kv/engine.h"

static void *grown(void *items, size_t n, size_t *size, size_t each)
{
    if (n < *size)
        return items;
    size_t more = *size ? *size * 2 : 4;
    void *mem = realloc(items, more * each);
    if (mem)
        *size = more;
    return mem;
}

struct kv_batch *kv_batch_new(struct kv *kv, unsigned flags)
{
    static const char room[RECORD_HEADER];
    struct kv_batch *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    list_init(&b->node);
    b->kv = kv;
    b->flags = flags;
    b->type = RECORD_BATCH;
    buf_init(&b->meta, RECORD_HEADER + BATCH_BYTES_MAX);
    buf_init(&b->expects, BATCH_BYTES_MAX);
    buf_append(&b->meta, slice_of(room, sizeof room));
    return b;
}

void kv_batch_free(struct kv_batch *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->n_adopted; i++)
        segments_streams_add(&b->kv->segments, b->adopted_from[i], -1);
    for (size_t i = 0; i < b->n_blobs; i++)
        if (b->blobs[i].owned)
            free((char *)b->blobs[i].bytes.data);
    free(b->blobs);
    free(b->keys);
    free(b->adopted_from);
    buf_release(&b->meta);
    buf_release(&b->expects);
    free(b);
}

/* Whether more may be appended; keeps the reason when not. */
static bool batch_open(struct kv_batch *b, uint64_t more)
{
    if (!b || b->error != OK)
        return false;
    if (more > BATCH_BYTES_MAX || buf_len(&b->meta) + b->blob_bytes + more > BATCH_BYTES_MAX)
        b->error = LIMIT;
    return b->error == OK;
}

static bool key_ok(struct kv_batch *b, struct slice key)
{
    if (key.len == 0 || key.len > KV_KEY_MAX || (unsigned char)key.data[0] == 0xff)
        b->error = LIMIT;
    return b->error == OK;
}

void kv_batch_put(struct kv_batch *b, struct slice key, struct slice value)
{
    if (!batch_open(b, key.len + value.len) || !key_ok(b, key))
        return;
    if (value.len > KV_VALUE_MAX) {
        b->error = LIMIT;
        return;
    }
    record_put_key(&b->meta, key, value);
    b->n_keys++;
}

void kv_batch_del(struct kv_batch *b, struct slice key)
{
    if (!batch_open(b, key.len) || !key_ok(b, key))
        return;
    record_put_del(&b->meta, key);
    b->n_keys++;
}

void kv_batch_expect(struct kv_batch *b, struct slice key, struct slice value)
{
    if (!batch_open(b, key.len + value.len) || !key_ok(b, key))
        return;
    buf_put_varint(&b->expects, key.len);
    buf_append(&b->expects, key);
    buf_putc(&b->expects, value.data != NULL);
    buf_put_varint(&b->expects, value.len);
    buf_append(&b->expects, value);
}

bool batch_next_expect(struct cursor *c, struct slice *ret_key, struct slice *ret_value)
{
    if (cursor_at_end(c))
        return false;
    *ret_key = cursor_take(c, (size_t)cursor_varint(c));
    bool present = cursor_u8(c) != 0;
    struct slice value = cursor_take(c, (size_t)cursor_varint(c));
    if (present && !value.data)
        value.data = "";
    *ret_value = present ? value : SLICE_NONE;
    return cursor_ok(c);
}

static bool add_part(struct kv_batch *b, struct slice bytes, bool owned)
{
    struct blob_part *parts = grown(b->blobs, b->n_blobs, &b->blobs_size, sizeof *parts);
    if (!parts) {
        b->error = FAILED;
        return false;
    }
    b->blobs = parts;
    b->blobs[b->n_blobs++] = (struct blob_part){bytes, owned};
    b->blob_bytes += bytes.len;
    return true;
}

/* The bytes outlive the caller's. */
static bool add_copy(struct kv_batch *b, struct slice bytes)
{
    char *copy = malloc(bytes.len);
    if (!copy) {
        b->error = FAILED;
        return false;
    }
    memcpy(copy, bytes.data, bytes.len);
    if (add_part(b, slice_of(copy, bytes.len), true))
        return true;
    free(copy);
    return false;
}

static bool blob_len_ok(struct kv_batch *b, struct slice bytes)
{
    if (bytes.len == 0 || bytes.len > KV_BLOB_MAX)
        b->error = LIMIT;
    return b->error == OK;
}

uint64_t kv_batch_blob(struct kv_batch *b, struct slice bytes)
{
    if (!b)
        return UINT64_MAX; /* kv_submit will say that there was no memory */
    uint64_t id = engine_new_blob_id(b->kv);
    if (!batch_open(b, bytes.len) || !blob_len_ok(b, bytes))
        return id;
    struct blob_ref ref = {.len = (uint32_t)bytes.len};
    blob_sum(bytes, ref.crc);
    if (add_copy(b, bytes))
        record_put_blob(&b->meta, id, &ref);
    return id;
}

void kv_batch_blob_del(struct kv_batch *b, uint64_t blob)
{
    if (!batch_open(b, 0))
        return;
    record_put_blob_del(&b->meta, blob);
    b->has_refs = true;
}

struct kv_batch *batch_stream(struct kv *kv, uint64_t id, struct slice bytes,
                              const struct blob_ref *sums)
{
    struct kv_batch *b = kv_batch_new(kv, 0);
    if (!b)
        return NULL;
    b->type = RECORD_STREAM;
    if (add_part(b, bytes, false))
        record_put_blob(&b->meta, id, sums);
    return b;
}

void kv_batch_adopt(struct kv_batch *b, uint64_t blob)
{
    struct blob_ref ref;
    if (!batch_open(b, 0))
        return;
    uint64_t *from = grown(b->adopted_from, b->n_adopted, &b->adopted_size, sizeof *from);
    if (!from) {
        b->error = FAILED;
        return;
    }
    b->adopted_from = from;
    if (!stream_take(b->kv, blob, &ref)) {
        b->error = NOT_FOUND;
        return;
    }
    b->adopted_from[b->n_adopted++] = ref.segment;
    record_put_placed(&b->meta, OP_ADOPT, blob, &ref);
}

void batch_move(struct kv_batch *b, uint64_t id, const struct blob_ref *from, struct slice bytes)
{
    if (!batch_open(b, bytes.len) || !add_copy(b, bytes))
        return;
    record_put_placed(&b->meta, OP_MOVE, id, from);
    b->has_refs = true;
}

static void list_keys(struct kv_batch *b)
{
    struct cursor c = cursor_of(batch_meta(b));
    struct record_op op;
    size_t n = 0;
    while (record_next_op(&c, &op)) {
        if (op.type != OP_PUT && op.type != OP_DEL)
            continue;
        b->keys[n++] = (struct overlay_entry){.hash = hash_bytes(op.key),
                                              .key = op.key,
                                              .value = op.value,
                                              .deleted = op.type == OP_DEL};
    }
}

enum result batch_seal(struct kv_batch *b)
{
    if (b->error != OK)
        return b->error;
    if (!buf_ok(&b->meta) || !buf_ok(&b->expects))
        return FAILED;
    if (buf_len(&b->meta) - RECORD_HEADER > BATCH_BYTES_MAX)
        return LIMIT;
    if (b->n_keys > 0) {
        b->keys = calloc(b->n_keys, sizeof *b->keys);
        if (!b->keys)
            return FAILED;
        list_keys(b);
    }
    return OK;
}
