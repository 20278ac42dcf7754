/* kv.h: an ordered key-value store with blobs: what the mail store and the queue stand on.
 *
 * Who calls it: store/ and queue/, in the mailbox role and in offline checks. It knows nothing of
 * mail. Nothing above this header knows which engine is below.
 *
 * Promises:
 * - A batch is atomic and durable: `done` is called with OK only after the fdatasync that covers
 * it, and after the batch can be read. Batches become durable and readable in the order of
 *   kv_submit. A crash loses no batch whose `done` was called, and leaves none by half.
 * - A commit that fails (write or fdatasync) is fatal: `done` gets FAILED, every later kv_submit
 *   too, and the role must restart and recover.
 * - Blobs are written once and stay where they are until the cleaner moves them; a blob id stays
 * valid until it is deleted. Bytes are checksummed and verified when read. All functions may be
 * called from any thread. Keys: 1 to KV_KEY_MAX bytes; values: to KV_VALUE_MAX; blobs: 1 byte to
 * KV_BLOB_MAX (larger things are several blobs). Keys that begin with byte 0xff belong to the
 * engine. */
#ifndef KV_KV_H
#define KV_KV_H

#include "base/buf.h"

enum { KV_KEY_MAX = 1024, KV_VALUE_MAX = 1 << 20, KV_BLOB_MAX = 1 << 20 };

struct kv;
struct kv_batch;
struct kv_snapshot;
struct kv_iter;

struct kv_options {
    const char *directory; /* made when missing; owned by one process at a time (locked) */
    size_t segment_bytes;  /* 0: default */
    size_t cache_bytes;    /* of the index; 0: default */
    unsigned clean_below; /* a segment with less than so many percent live is cleaned; 0: default */
    uint64_t
        reserve_bytes; /* of free disk that only KV_BATCH_ESSENTIAL batches may use; 0: default */
    bool read_only;    /* for offline checks */
};

/* What recovery found and did, for the log. */
struct kv_recovery {
    uint64_t replayed_batches, replayed_bytes, torn_bytes, segments;
    int64_t elapsed_us;
};

/* Opens and recovers. On failure nothing stays open and err says why (CORRUPT: which file and
 * offset; BUSY: another process has it). */
MUST_USE enum result kv_open(const struct kv_options *options, struct kv **ret,
                             struct kv_recovery *ret_recovery, struct error *err);
/* Waits for all that was submitted, makes a checkpoint, frees. No call may be under way. */
void kv_close(struct kv *kv);

/* ---- writing ---- */

enum kv_batch_flags {
    KV_BATCH_ESSENTIAL = 1, /* may use the disk's reserve: deletions, flags, what lets work go on */
};

/* A batch belongs to one thread until it is submitted. Appends never fail at once: an oversized
 * key, a batch too large (64 MiB) or lack of memory is kept and comes out at kv_submit as LIMIT or
 * FAILED. */
struct kv_batch *kv_batch_new(struct kv *kv, unsigned flags);
void kv_batch_free(struct kv_batch *b); /* without submitting; NULL is fine */
void kv_batch_put(struct kv_batch *b, struct slice key, struct slice value);
void kv_batch_del(struct kv_batch *b, struct slice key);
/* Precondition, checked when the batch is applied, after all batches before it: the key has exactly
 * this value (data == NULL: the key is absent). One that fails makes the whole batch fail with
 * CONFLICT and change nothing. */
void kv_batch_expect(struct kv_batch *b, struct slice key, struct slice value);
/* Stores bytes (copied) with the batch; returns the blob's id, never 0, never used before. */
uint64_t kv_batch_blob(struct kv_batch *b, struct slice bytes);
/* Deletes a blob with the batch. Reading it may succeed a while longer. */
void kv_batch_blob_del(struct kv_batch *b, uint64_t blob);

/* Called once per submitted batch, from the engine's own thread, in order: must not block. */
typedef void kv_done_fn(void *arg, enum result r);

/* Takes the batch whatever happens. When it returns anything but OK, nothing was written and
 * `done` is not called: LIMIT, FULL (disk within its reserve and the batch not essential),
 * FAILED. */
MUST_USE enum result kv_submit(struct kv_batch *b, kv_done_fn *done, void *arg);
/* Returns when `done` of every batch was called, and of those that these submitted. For the end of a
 * role, before it frees what they use; nothing else may be submitted meanwhile. */
void kv_settle(struct kv *kv);
/* Submits and waits. For start-up, tools and tests; not in engine threads that serve sessions. */
MUST_USE enum result kv_commit(struct kv_batch *b);

/* Streams a big blob out before its batch: not durable, not counted, until a batch names it with
 * kv_batch_adopt; what no batch adopts is dead space after the next start or kv_blob_abandon. */
MUST_USE enum result kv_blob_write(struct kv *kv, struct slice bytes, uint64_t *ret_blob);
void kv_batch_adopt(struct kv_batch *b, uint64_t blob);
void kv_blob_abandon(struct kv *kv, uint64_t blob);

/* ---- reading ---- */

/* Appends the value to `out`. NOT_FOUND, CORRUPT, LIMIT (out too small), FAILED. A snapshot of
 * NULL reads what is applied now. */
MUST_USE enum result kv_get(struct kv *kv, const struct kv_snapshot *at, struct slice key,
                            struct buf *out);
/* n keys at once: ret_found[i] tells whether ret_values[i] (appended) was there. */
MUST_USE enum result kv_multi_get(struct kv *kv, const struct kv_snapshot *at, size_t n,
                                  const struct slice *keys, struct buf *ret_values,
                                  bool *ret_found);
/* Bytes [from, from+len) of a blob (clamped to its end), appended to out. */
MUST_USE enum result kv_blob_read(struct kv *kv, uint64_t blob, uint64_t from, uint64_t len,
                                  struct buf *out);
/* The length in bytes. */
MUST_USE enum result kv_blob_size(struct kv *kv, uint64_t blob, uint64_t *ret);

struct kv_snapshot *kv_snapshot_new(struct kv *kv);
void kv_snapshot_free(struct kv_snapshot *s);

/* All keys that begin with `prefix`, in byte order, from the first >= `from` (SLICE_NONE: from the
 * prefix). The iterator reads as of its creation. */
struct kv_iter *kv_iter_new(struct kv *kv, const struct kv_snapshot *at, struct slice prefix,
                            struct slice from);
/* False at the end or after a failure; slices are valid until the next call. */
bool kv_iter_next(struct kv_iter *it, struct slice *ret_key, struct slice *ret_value);
/* OK when the walk ended because there was no more. */
MUST_USE enum result kv_iter_free(struct kv_iter *it);

/* ---- upkeep ---- */

struct kv_stats {
    uint64_t segments, live_bytes, dead_bytes, batches, groups, cleaned_segments, moved_bytes;
    uint64_t free_disk_bytes;
    bool disk_reserved; /* in the reserve: only essential batches are taken */
};
void kv_stats_get(struct kv *kv, struct kv_stats *ret);
/* Flushes the index so that recovery starts here. */
MUST_USE enum result kv_checkpoint(struct kv *kv);
/* Cleans now what is worth cleaning (the background does so by itself); returns when done. */
MUST_USE enum result kv_clean(struct kv *kv);
/* Reads everything and verifies checksums and references; calls `report` for each damage. */
MUST_USE enum result kv_verify(struct kv *kv, void (*report)(void *arg, const char *what),
                               void *arg);

#endif
