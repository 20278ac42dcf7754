/* index.c: see index.h. */
#include "kv/index.h"

#include <stdlib.h>

enum {
    WRITE_BUFFER = 8 << 20,
    DEFAULT_CACHE = 8 << 20,
    PERSISTED_TIER = 2, /* RocksDB's kPersistedTier */
    BLOOM_BITS = 10,
    DELETIONS_WINDOW = 1024, /* a table with so many deletions in such a window is compacted */
    DELETIONS_TRIGGER = 512,
    /* Of RocksDB's own log (LOG) only what it says when it is opened: 7.8 aborts at the line after
     * one that a full disk did not take. */
    LOG_HEADERS_ONLY = 5, /* its HEADER_LEVEL */
};

enum result index_result(char *text, struct error *err, const char *what)
{
    if (!text)
        return OK;
    enum result r = strncmp(text, "Corruption", 10) == 0 ? CORRUPT : FAILED;
    error_set(err, r, "%s: %s", what, text);
    rocksdb_free(text);
    return r;
}

static rocksdb_block_based_table_options_t *make_table_options(rocksdb_cache_t *cache)
{
    rocksdb_block_based_table_options_t *t = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(t, cache);
    /* Indexes and filters are counted in the cache, so that a large store's stay bounded. */
    rocksdb_block_based_options_set_cache_index_and_filter_blocks(t, 1);
    /* And in pieces: a table's whole filter does not fit into a shard of the cache once keys are
     * many and small, and would be read again for each key that is asked for. */
    rocksdb_block_based_options_set_index_type(
        t, rocksdb_block_based_table_index_type_two_level_index_search);
    rocksdb_block_based_options_set_partition_filters(t, 1);
    rocksdb_block_based_options_set_pin_top_level_index_and_filter(t, 1);
    rocksdb_block_based_options_set_pin_l0_filter_and_index_blocks_in_cache(t, 1);
    rocksdb_block_based_options_set_filter_policy(
        t, rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS));
    rocksdb_block_based_options_set_format_version(t, 5);
    rocksdb_block_based_options_set_block_size(t, 8 << 10);
    return t;
}

static rocksdb_options_t *make_options(rocksdb_block_based_table_options_t *table)
{
    rocksdb_options_t *o = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(o, 1);
    rocksdb_options_set_write_buffer_size(o, WRITE_BUFFER);
    rocksdb_options_set_max_write_buffer_number(o, 3);
    rocksdb_options_set_arena_block_size(o, 1 << 18);
    rocksdb_options_set_max_background_jobs(o, 2);
    rocksdb_options_set_max_open_files(o, 128);
    rocksdb_options_set_max_file_opening_threads(o, 2); /* not 16 for each start */
    rocksdb_options_set_compression(o, rocksdb_lz4_compression);
    rocksdb_options_set_block_based_table_factory(o, table);
    rocksdb_options_set_stats_dump_period_sec(o, 0);
    rocksdb_options_set_keep_log_file_num(o, 2);
    rocksdb_options_set_max_log_file_size(o, 1 << 20);
    rocksdb_options_set_info_log_level(o, LOG_HEADERS_ONLY);
    rocksdb_options_set_max_manifest_file_size(o, 8 << 20);
    rocksdb_options_set_target_file_size_base(o, 16 << 20);
    rocksdb_options_set_max_bytes_for_level_base(o, 64 << 20);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(o, 1);
    rocksdb_options_set_skip_stats_update_on_db_open(o, 1);
    rocksdb_options_add_compact_on_deletion_collector_factory(o, DELETIONS_WINDOW,
                                                              DELETIONS_TRIGGER);
    return o;
}

enum result index_open(struct index *ix, const char *path, size_t cache_bytes, struct error *err)
{
    char *text = NULL;
    *ix = (struct index){0};
    ix->cache = rocksdb_cache_create_lru(cache_bytes ? cache_bytes : DEFAULT_CACHE);
    ix->table = make_table_options(ix->cache);
    ix->options = make_options(ix->table);
    ix->read = rocksdb_readoptions_create();
    ix->read_persisted = rocksdb_readoptions_create();
    rocksdb_readoptions_set_read_tier(ix->read_persisted, PERSISTED_TIER);
    ix->write = rocksdb_writeoptions_create();
    rocksdb_writeoptions_disable_WAL(ix->write, 1);
    ix->flush = rocksdb_flushoptions_create();
    rocksdb_flushoptions_set_wait(ix->flush, 1);
    ix->db = rocksdb_open(ix->options, path, &text);
    enum result r = index_result(text, err, path);
    if (r != OK)
        index_close(ix);
    return r;
}

void index_close(struct index *ix)
{
    if (ix->db)
        rocksdb_close(ix->db);
    rocksdb_flushoptions_destroy(ix->flush);
    rocksdb_writeoptions_destroy(ix->write);
    rocksdb_readoptions_destroy(ix->read_persisted);
    rocksdb_readoptions_destroy(ix->read);
    rocksdb_options_destroy(ix->options);
    rocksdb_block_based_options_destroy(ix->table);
    rocksdb_cache_destroy(ix->cache);
    *ix = (struct index){0};
}

enum result index_get(struct index *ix, const rocksdb_readoptions_t *read, struct slice key,
                      struct buf *out)
{
    char *text = NULL;
    size_t len = 0;
    rocksdb_pinnableslice_t *v =
        rocksdb_get_pinned(ix->db, read ? read : ix->read, key.data, key.len, &text);
    enum result r = index_result(text, NULL, "get");
    if (r != OK || !v)
        return r != OK ? r : NOT_FOUND;
    const char *data = rocksdb_pinnableslice_value(v, &len);
    buf_append(out, slice_of(data, len));
    rocksdb_pinnableslice_destroy(v);
    return buf_ok(out) ? OK : LIMIT;
}

enum result index_get_blob(struct index *ix, uint64_t id, struct blob_ref *ret)
{
    struct index_key key = index_key_blob(id);
    char *text = NULL;
    size_t len = 0;
    rocksdb_pinnableslice_t *v = rocksdb_get_pinned(ix->db, ix->read, key.bytes, key.len, &text);
    enum result r = index_result(text, NULL, "get");
    if (r != OK || !v)
        return r != OK ? r : NOT_FOUND;
    const char *data = rocksdb_pinnableslice_value(v, &len);
    if (!blob_ref_decode(slice_of(data, len), ret))
        r = CORRUPT;
    rocksdb_pinnableslice_destroy(v);
    return r;
}

enum result index_get_state(struct index *ix, bool persisted, struct index_state *ret)
{
    struct index_key key = index_key_state();
    struct buf b;
    buf_init(&b, 256);
    enum result r =
        index_get(ix, persisted ? ix->read_persisted : ix->read, index_key_slice(&key), &b);
    if (r == OK) {
        struct cursor c = cursor_of(buf_slice(&b));
        struct index_state s;
        s.seq = cursor_le64(&c);
        s.segment = cursor_le64(&c);
        s.offset = cursor_le64(&c);
        s.next_blob = cursor_le64(&c);
        if (cursor_done(&c))
            *ret = s;
        else
            r = CORRUPT;
    }
    buf_release(&b);
    return r;
}

enum result index_flush(struct index *ix, struct error *err)
{
    char *text = NULL;
    rocksdb_flush(ix->db, ix->flush, &text);
    return index_result(text, err, "flush index");
}

enum result index_each_live(struct index *ix, void (*f)(void *arg, uint64_t number, uint64_t live),
                            void *arg)
{
    rocksdb_iterator_t *it = rocksdb_create_iterator(ix->db, ix->read);
    char *text = NULL;
    for (rocksdb_iter_seek(it, "\xffs", 2); rocksdb_iter_valid(it); rocksdb_iter_next(it)) {
        size_t key_len, value_len;
        const char *key = rocksdb_iter_key(it, &key_len);
        const char *value = rocksdb_iter_value(it, &value_len);
        if (key_len != 10 || memcmp(key, "\xffs", 2) != 0)
            break;
        struct cursor k = cursor_of(slice_of(key + 2, 8));
        struct cursor v = cursor_of(slice_of(value, value_len));
        uint64_t number = cursor_be64(&k), live = cursor_le64(&v);
        f(arg, number, live);
    }
    rocksdb_iter_get_error(it, &text);
    rocksdb_iter_destroy(it);
    return index_result(text, NULL, "walk");
}

static struct index_key key_numbered(char kind, uint64_t n)
{
    struct index_key k = {.bytes = {(char)0xff, kind}, .len = 10};
    for (int i = 0; i < 8; i++)
        k.bytes[2 + i] = (char)(n >> (56 - 8 * i));
    return k;
}

struct index_key index_key_blob(uint64_t id)
{
    return key_numbered('b', id);
}

struct index_key index_key_live(uint64_t segment)
{
    return key_numbered('s', segment);
}

struct index_key index_key_state(void)
{
    return (struct index_key){.bytes = {(char)0xff, 'p'}, .len = 2};
}

static void store_le64(char *p, uint64_t n)
{
    for (int i = 0; i < 8; i++)
        p[i] = (char)(n >> (8 * i));
}

void index_put_state(rocksdb_writebatch_t *wb, const struct index_state *s)
{
    struct index_key key = index_key_state();
    char value[32];
    store_le64(value, s->seq);
    store_le64(value + 8, s->segment);
    store_le64(value + 16, s->offset);
    store_le64(value + 24, s->next_blob);
    rocksdb_writebatch_put(wb, key.bytes, key.len, value, sizeof value);
}

void index_put_live(rocksdb_writebatch_t *wb, uint64_t segment, uint64_t live)
{
    struct index_key key = index_key_live(segment);
    char value[8];
    store_le64(value, live);
    rocksdb_writebatch_put(wb, key.bytes, key.len, value, sizeof value);
}
