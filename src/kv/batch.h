/* batch.h: a batch while it is built and on its way: the record's bytes as they will be written,
 * its preconditions, its keys for the overlay. */
#ifndef KV_BATCH_H
#define KV_BATCH_H

#include "base/list.h"
#include "kv/overlay.h"
#include "kv/record.h"

/* Bytes of one blob. */
struct blob_part {
    struct slice bytes;
    bool owned;
};

struct kv_batch {
    struct list_node node; /* in the queue, later in its group */
    struct kv *kv;
    unsigned flags;
    enum record_type type;
    enum result error;  /* the first failure while it was built */
    struct buf meta;    /* room for the record's header, then the operations */
    struct buf expects; /* preconditions: key, present, value */
    struct blob_part *blobs;
    size_t n_blobs, blobs_size;
    uint64_t blob_bytes;
    size_t n_keys;
    struct overlay_entry *keys; /* made by batch_seal */
    uint64_t *adopted_from;     /* segments of the streamed blobs that it adopts */
    size_t n_adopted, adopted_size;
    bool has_refs; /* deletes or moves blobs: the one who applies must look up where they are */

    kv_done_fn *done;
    void *arg;

    /* Set by the committer. */
    enum result r;
    uint64_t segment, offset; /* of the record */
};

static inline struct slice batch_meta(const struct kv_batch *b)
{
    return slice_from(buf_slice(&b->meta), RECORD_HEADER);
}
static inline uint64_t batch_size(const struct kv_batch *b)
{
    return record_size(buf_len(&b->meta) - RECORD_HEADER, b->blob_bytes);
}
static inline uint64_t batch_blob_offset(const struct kv_batch *b)
{
    return b->offset + buf_len(&b->meta);
}

/* Finishes it for writing: the result is the failure of an earlier append, if there was one. */
MUST_USE enum result batch_seal(struct kv_batch *b);
/* A batch whose record is one streamed blob; `bytes` are borrowed. */
struct kv_batch *batch_stream(struct kv *kv, uint64_t id, struct slice bytes,
                              const struct blob_ref *sums);
/* Moves a blob from where it lies; `bytes` are copied. */
void batch_move(struct kv_batch *b, uint64_t id, const struct blob_ref *from, struct slice bytes);

/* The preconditions, one after another; false at the end. value.data == NULL: absent. */
bool batch_next_expect(struct cursor *c, struct slice *ret_key, struct slice *ret_value);

#endif
