/* index.h: RocksDB as the index: keys with their values, blob ids with their places, and how far
 * the journal is applied. One column family, no log of its own: what is in it and not yet flushed
 * is in the journal. The state is put with every group, so whatever RocksDB flushes knows exactly
 * up to where it goes.
 *
 * Engine keys: ff 'b' id (big-endian) = place of a blob; ff 'p' = state; ff 's' number = live bytes
 * of a segment. */
#ifndef KV_INDEX_H
#define KV_INDEX_H

#include <rocksdb/c.h>

#include "kv/record.h"

struct index {
    rocksdb_t *db;
    rocksdb_options_t *options;
    rocksdb_block_based_table_options_t *table;
    rocksdb_cache_t *cache;
    rocksdb_readoptions_t *read;
    rocksdb_readoptions_t *read_persisted; /* sees only what is flushed */
    rocksdb_writeoptions_t *write;
    rocksdb_flushoptions_t *flush;
};

/* Where the journal is applied to. */
struct index_state {
    uint64_t seq;             /* of the last applied record */
    uint64_t segment, offset; /* where the next record is */
    uint64_t next_blob;       /* ids from here on were never used */
};

MUST_USE enum result index_open(struct index *ix, const char *path, size_t cache_bytes,
                                struct error *err);
void index_close(struct index *ix);

/* Appends the value. NOT_FOUND, LIMIT, CORRUPT, FAILED. */
MUST_USE enum result index_get(struct index *ix, const rocksdb_readoptions_t *read,
                               struct slice key, struct buf *out);
MUST_USE enum result index_get_blob(struct index *ix, uint64_t id, struct blob_ref *ret);
/* persisted: as of the last flush. NOT_FOUND when nothing was ever applied. */
MUST_USE enum result index_get_state(struct index *ix, bool persisted, struct index_state *ret);
/* Flushes and waits. */
MUST_USE enum result index_flush(struct index *ix, struct error *err);
/* Calls f(number, live bytes) for each segment of which it knows. */
MUST_USE enum result
index_each_live(struct index *ix, void (*f)(void *arg, uint64_t number, uint64_t live), void *arg);

struct index_key {
    char bytes[16];
    size_t len;
};
struct index_key index_key_blob(uint64_t id);
struct index_key index_key_live(uint64_t segment);
struct index_key index_key_state(void);
static inline struct slice index_key_slice(const struct index_key *k)
{
    return slice_of(k->bytes, k->len);
}

/* Takes RocksDB's error text over: OK when it is NULL. Frees it. */
enum result index_result(char *text, struct error *err, const char *what);
void index_put_state(rocksdb_writebatch_t *wb, const struct index_state *s);
void index_put_live(rocksdb_writebatch_t *wb, uint64_t segment, uint64_t live);

#endif
