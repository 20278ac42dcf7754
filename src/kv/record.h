/* record.h: the journal's bytes: segment headers, records and the operations in them. Pure
 * encoding and decoding without I/O; the same decoder serves the committer, recovery, the cleaner,
 * verification and the fuzzer. docs/formats/journal.md describes what is written here.
 *
 * A record is one batch: header, operations ("meta"), then the bytes of its blobs in the order of
 * the operations that carry them, padded to 8. The header's checksum covers the header, the meta's
 * the operations, and each blob has one for every 64 KiB block, kept in its operation and later in
 * the index, so that every byte is summed once and a range can be verified by itself. */
#ifndef KV_RECORD_H
#define KV_RECORD_H

#include "base/buf.h"
#include "base/cursor.h"
#include "kv/kv.h"

enum {
    JOURNAL_VERSION = 1,
    SEGMENT_HEADER = 64,
    RECORD_HEADER = 56,
    RECORD_ALIGN = 8,
    BLOB_BLOCK = 64 << 10,
    BLOB_BLOCKS_MAX = KV_BLOB_MAX / BLOB_BLOCK,
    BATCH_BYTES_MAX = 64 << 20, /* operations and blobs together */
};

/* A segment's first bytes. The salt is random: it opens every record of the segment, so that no
 * mail can hold bytes that recovery would take for a record. */
struct segment_header {
    uint64_t number;
    uint64_t salt;
    uint64_t first_seq; /* of the first record; tells whether a segment before is missing */
};

void segment_header_encode(const struct segment_header *h, char out[SEGMENT_HEADER]);
/* INVALID: not ours or damaged; LIMIT: a version that we don't know. */
MUST_USE enum result segment_header_decode(struct slice s, struct segment_header *ret);

enum record_type {
    RECORD_BATCH = 1,
    RECORD_STREAM = 2, /* one blob that a later batch may adopt; written without a sync */
};

struct record_header {
    uint64_t salt, segment, seq;
    uint64_t durable_seq; /* records up to this one were synced when this one was written */
    uint32_t type, meta_len, blob_len, meta_crc;
};

void record_header_encode(const struct record_header *h, char out[RECORD_HEADER]);
/* Checks form and limits, but neither salt nor sequence. */
MUST_USE enum result record_header_decode(struct slice s, struct record_header *ret);
/* Bytes on disk with header and padding. */
static inline uint64_t record_size(uint64_t meta_len, uint64_t blob_len)
{
    uint64_t n = RECORD_HEADER + meta_len + blob_len;
    return (n + RECORD_ALIGN - 1) & ~(uint64_t)(RECORD_ALIGN - 1);
}

enum record_op_type {
    OP_PUT = 1,
    OP_DEL,
    OP_BLOB,     /* a new blob, its bytes in this record */
    OP_BLOB_DEL, /* the blob is no longer wanted */
    OP_ADOPT,    /* a blob whose bytes were streamed before */
    OP_MOVE,     /* a blob whose bytes are copied here, if it still lies where it lay */
};

/* Where a blob's bytes are and what they must sum up to. */
struct blob_ref {
    uint64_t segment, offset;
    uint32_t len;
    uint32_t crc[BLOB_BLOCKS_MAX];
};

static inline unsigned blob_blocks(uint64_t len)
{
    return (unsigned)((len + BLOB_BLOCK - 1) / BLOB_BLOCK);
}
/* The checksum of a record's operations. */
uint32_t record_sum(struct slice meta);
void blob_sum(struct slice bytes, uint32_t *ret_crc);
/* Whether `bytes` are whole blocks of the blob from block `first` on (the last may be its end). */
MUST_USE bool blob_sum_ok(const struct blob_ref *ref, unsigned first, struct slice bytes);

struct record_op {
    enum record_op_type type;
    struct slice key, value; /* PUT, DEL */
    uint64_t id;             /* BLOB, BLOB_DEL, ADOPT, MOVE */
    struct blob_ref ref;     /* BLOB: len and crc; ADOPT: all; MOVE: where it lay */
};

void record_put_key(struct buf *meta, struct slice key, struct slice value);
void record_put_del(struct buf *meta, struct slice key);
void record_put_blob(struct buf *meta, uint64_t id, const struct blob_ref *ref);
void record_put_blob_del(struct buf *meta, uint64_t id);
/* type: OP_ADOPT or OP_MOVE. */
void record_put_placed(struct buf *meta, enum record_op_type type, uint64_t id,
                       const struct blob_ref *ref);

/* Takes the next operation; false at the end or when the bytes are malformed (c fails). */
bool record_next_op(struct cursor *c, struct record_op *ret);
static inline bool record_op_has_bytes(const struct record_op *op)
{
    return op->type == OP_BLOB || op->type == OP_MOVE;
}

/* Verifies a whole record behind a decoded header: the meta's checksum, the form of all
 * operations, that blobs fill blob_len exactly, and every block's checksum. */
MUST_USE bool record_body_ok(const struct record_header *h, struct slice meta, struct slice blobs);

/* The index's value of a blob. */
void blob_ref_encode(struct buf *out, const struct blob_ref *ref);
MUST_USE bool blob_ref_decode(struct slice s, struct blob_ref *ret);

#endif
