/* record.c: see record.h. All numbers are little-endian or LEB128. */
#include "kv/record.h"

#include "os/crc32c.h"

static const char segment_magic[8] = {'P', 'R', 'J', 'O', 'U', 'R', 'N', '\n'};

static void store_le(char *p, uint64_t n, int bytes)
{
    for (int i = 0; i < bytes; i++)
        p[i] = (char)(n >> (8 * i));
}

void segment_header_encode(const struct segment_header *h, char out[SEGMENT_HEADER])
{
    memset(out, 0, SEGMENT_HEADER);
    memcpy(out, segment_magic, sizeof segment_magic);
    store_le(out + 8, JOURNAL_VERSION, 4);
    store_le(out + 16, h->number, 8);
    store_le(out + 24, h->salt, 8);
    store_le(out + 32, h->first_seq, 8);
    store_le(out + SEGMENT_HEADER - 4, crc32c(0, out, SEGMENT_HEADER - 4), 4);
}

enum result segment_header_decode(struct slice s, struct segment_header *ret)
{
    struct cursor c = cursor_of(s);
    struct segment_header h;
    if (s.len < SEGMENT_HEADER || memcmp(s.data, segment_magic, sizeof segment_magic) != 0)
        return INVALID;
    cursor_take(&c, sizeof segment_magic);
    uint32_t version = cursor_le32(&c);
    if (version != JOURNAL_VERSION)
        return LIMIT;
    cursor_le32(&c);
    h.number = cursor_le64(&c);
    h.salt = cursor_le64(&c);
    h.first_seq = cursor_le64(&c);
    cursor_take(&c, SEGMENT_HEADER - 4 - 40);
    if (cursor_le32(&c) != crc32c(0, s.data, SEGMENT_HEADER - 4) || !cursor_ok(&c))
        return INVALID;
    *ret = h;
    return OK;
}

void record_header_encode(const struct record_header *h, char out[RECORD_HEADER])
{
    memset(out, 0, RECORD_HEADER);
    store_le(out, h->salt, 8);
    store_le(out + 8, h->segment, 8);
    store_le(out + 16, h->seq, 8);
    store_le(out + 24, h->durable_seq, 8);
    store_le(out + 32, h->type, 4);
    store_le(out + 36, h->meta_len, 4);
    store_le(out + 40, h->blob_len, 4);
    store_le(out + 44, h->meta_crc, 4);
    store_le(out + 52, crc32c(0, out, RECORD_HEADER - 4), 4);
}

enum result record_header_decode(struct slice s, struct record_header *ret)
{
    struct cursor c = cursor_of(s);
    struct record_header h;
    h.salt = cursor_le64(&c);
    h.segment = cursor_le64(&c);
    h.seq = cursor_le64(&c);
    h.durable_seq = cursor_le64(&c);
    h.type = cursor_le32(&c);
    h.meta_len = cursor_le32(&c);
    h.blob_len = cursor_le32(&c);
    h.meta_crc = cursor_le32(&c);
    cursor_le32(&c);
    uint32_t crc = cursor_le32(&c);
    if (!cursor_ok(&c) || crc != crc32c(0, s.data, RECORD_HEADER - 4))
        return INVALID;
    if ((h.type != RECORD_BATCH && h.type != RECORD_STREAM) || h.durable_seq >= h.seq)
        return INVALID;
    if (h.meta_len > BATCH_BYTES_MAX || h.blob_len > BATCH_BYTES_MAX)
        return LIMIT;
    *ret = h;
    return OK;
}

uint32_t record_sum(struct slice meta)
{
    return crc32c(0, meta.data, meta.len);
}

void blob_sum(struct slice bytes, uint32_t *ret_crc)
{
    for (unsigned i = 0; i < blob_blocks(bytes.len); i++) {
        struct slice block = slice_sub(bytes, (size_t)i * BLOB_BLOCK, BLOB_BLOCK);
        ret_crc[i] = crc32c(0, block.data, block.len);
    }
}

bool blob_sum_ok(const struct blob_ref *ref, unsigned first, struct slice bytes)
{
    uint32_t crc[BLOB_BLOCKS_MAX];
    unsigned n = blob_blocks(bytes.len);
    if (first > blob_blocks(ref->len) || n > blob_blocks(ref->len) - first)
        return false;
    blob_sum(bytes, crc);
    return memcmp(crc, ref->crc + first, n * sizeof *crc) == 0;
}

static void put_bytes(struct buf *meta, struct slice s)
{
    buf_put_varint(meta, s.len);
    buf_append(meta, s);
}

void record_put_key(struct buf *meta, struct slice key, struct slice value)
{
    buf_putc(meta, OP_PUT);
    put_bytes(meta, key);
    put_bytes(meta, value);
}

void record_put_del(struct buf *meta, struct slice key)
{
    buf_putc(meta, OP_DEL);
    put_bytes(meta, key);
}

static void put_len_and_sums(struct buf *meta, const struct blob_ref *ref)
{
    buf_put_varint(meta, ref->len);
    for (unsigned i = 0; i < blob_blocks(ref->len); i++)
        buf_put_le32(meta, ref->crc[i]);
}

void record_put_blob(struct buf *meta, uint64_t id, const struct blob_ref *ref)
{
    buf_putc(meta, OP_BLOB);
    buf_put_varint(meta, id);
    put_len_and_sums(meta, ref);
}

void record_put_blob_del(struct buf *meta, uint64_t id)
{
    buf_putc(meta, OP_BLOB_DEL);
    buf_put_varint(meta, id);
}

void record_put_placed(struct buf *meta, enum record_op_type type, uint64_t id,
                       const struct blob_ref *ref)
{
    buf_putc(meta, (char)type);
    buf_put_varint(meta, id);
    buf_put_varint(meta, ref->segment);
    buf_put_varint(meta, ref->offset);
    put_len_and_sums(meta, ref);
}

static struct slice take_bytes(struct cursor *c, size_t max)
{
    uint64_t len = cursor_varint(c);
    if (len > max)
        cursor_fail(c);
    return cursor_take(c, cursor_ok(c) ? (size_t)len : 0);
}

static void take_len_and_sums(struct cursor *c, struct blob_ref *ref)
{
    uint64_t len = cursor_varint(c);
    if (len == 0 || len > KV_BLOB_MAX) {
        cursor_fail(c);
        return;
    }
    ref->len = (uint32_t)len;
    for (unsigned i = 0; i < blob_blocks(len); i++)
        ref->crc[i] = cursor_le32(c);
}

static void take_op(struct cursor *c, struct record_op *op)
{
    switch (op->type) {
    case OP_PUT:
        op->key = take_bytes(c, KV_KEY_MAX);
        op->value = take_bytes(c, KV_VALUE_MAX);
        break;
    case OP_DEL:
        op->key = take_bytes(c, KV_KEY_MAX);
        break;
    case OP_BLOB_DEL:
        op->id = cursor_varint(c);
        break;
    case OP_BLOB:
        op->id = cursor_varint(c);
        take_len_and_sums(c, &op->ref);
        break;
    case OP_ADOPT:
    case OP_MOVE:
        op->id = cursor_varint(c);
        op->ref.segment = cursor_varint(c);
        op->ref.offset = cursor_varint(c);
        take_len_and_sums(c, &op->ref);
        break;
    default:
        cursor_fail(c);
    }
}

bool record_next_op(struct cursor *c, struct record_op *ret)
{
    if (c->failed || cursor_at_end(c))
        return false;
    ret->type = (enum record_op_type)cursor_u8(c);
    ret->key = ret->value = SLICE_NONE;
    ret->id = 0;
    ret->ref.segment = ret->ref.offset = ret->ref.len = 0;
    take_op(c, ret);
    bool keyed = ret->type == OP_PUT || ret->type == OP_DEL;
    if (keyed ? ret->key.len == 0 || (unsigned char)ret->key.data[0] == 0xff : ret->id == 0)
        cursor_fail(c);
    return !c->failed;
}

bool record_body_ok(const struct record_header *h, struct slice meta, struct slice blobs)
{
    struct cursor c = cursor_of(meta);
    struct record_op op;
    size_t at = 0;
    if (meta.len != h->meta_len || blobs.len != h->blob_len || record_sum(meta) != h->meta_crc)
        return false;
    while (record_next_op(&c, &op)) {
        if (!record_op_has_bytes(&op))
            continue;
        struct slice bytes = slice_sub(blobs, at, op.ref.len);
        if (bytes.len != op.ref.len || !blob_sum_ok(&op.ref, 0, bytes))
            return false;
        at += op.ref.len;
    }
    return cursor_done(&c) && at == blobs.len;
}

void blob_ref_encode(struct buf *out, const struct blob_ref *ref)
{
    buf_put_varint(out, ref->segment);
    buf_put_varint(out, ref->offset);
    put_len_and_sums(out, ref);
}

bool blob_ref_decode(struct slice s, struct blob_ref *ret)
{
    struct cursor c = cursor_of(s);
    struct blob_ref ref;
    ref.segment = cursor_varint(&c);
    ref.offset = cursor_varint(&c);
    ref.len = 0;
    take_len_and_sums(&c, &ref);
    if (!cursor_done(&c))
        return false;
    *ret = ref;
    return true;
}
