/* test_kv_clean.c: the space of dead blobs comes back, and nothing that lives is lost on the way:
 * deletions beside the cleaner, readers beside it, snapshots, damage in a segment. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "kv_world.h"

enum { BLOB = 10000 };

static uint64_t put_blob(struct kv *kv, unsigned seed)
{
    char room[BLOB];
    struct kv_batch *b = kv_batch_new(kv, 0);
    uint64_t id = kv_batch_blob(b, pattern(room, sizeof room, seed));
    assert_int_equal(kv_commit(b), OK);
    return id;
}

static void put_blobs(struct kv *kv, uint64_t *ids, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        ids[i] = put_blob(kv, i);
}

static void del_blob(struct kv *kv, uint64_t id)
{
    struct kv_batch *b = kv_batch_new(kv, KV_BATCH_ESSENTIAL);
    kv_batch_blob_del(b, id);
    assert_int_equal(kv_commit(b), OK);
}

static void assert_seeded_blob(struct kv *kv, uint64_t id, unsigned seed)
{
    char room[BLOB];
    assert_blob(kv, id, pattern(room, sizeof room, seed));
}

static void test_space_comes_back(void **state)
{
    (void)state;
    enum { N = 600 };
    uint64_t ids[N];
    struct kv_stats after;
    struct kv *kv = open_kv();
    put_blobs(kv, ids, N);
    for (unsigned i = 0; i < N; i++)
        if (i % 5)
            del_blob(kv, ids[i]);
    assert_int_equal(kv_clean(kv), OK);
    kv_stats_get(kv, &after);
    assert_int_equal(after.live_bytes, N / 5 * BLOB);
    /* 1.2 MB live: two or three segments of a megabyte hold it, besides the current one. */
    assert_true(after.segments <= 4);
    assert_true(after.moved_bytes > 0 && after.cleaned_segments > 0);
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < N; i += 5)
            assert_seeded_blob(kv, ids[i], i);
        assert_intact(kv);
        kv_close(kv);
        kv = open_kv();
    }
    kv_close(kv);
}

/* One batch of moves gathers more than the reader holds in memory at a time, so what it gathered
 * must not be borrowed from the reader. */
static void test_large_segments_move_whole(void **state)
{
    (void)state;
    enum { N = 1200 };
    static uint64_t ids[N];
    struct kv *kv = open_with((struct kv_options){.segment_bytes = 8 << 20}, NULL);
    put_blobs(kv, ids, N);
    for (unsigned i = 0; i < N; i++)
        if (i % 3)
            del_blob(kv, ids[i]);
    assert_int_equal(kv_clean(kv), OK);
    struct kv_stats stats;
    kv_stats_get(kv, &stats);
    assert_true(stats.moved_bytes > 2 << 20);
    for (unsigned i = 0; i < N; i += 3)
        assert_seeded_blob(kv, ids[i], i);
    assert_intact(kv);
    kv_close(kv);
}

/* Segments without any blob go as soon as the index is flushed. */
static void test_records_need_no_segment(void **state)
{
    (void)state;
    static char value[100000];
    struct kv *kv = open_kv();
    for (int i = 0; i < 50; i++) {
        struct kv_batch *b = kv_batch_new(kv, 0);
        kv_batch_put(b, SLICE("key"), slice_of(value, sizeof value));
        assert_int_equal(kv_commit(b), OK);
    }
    struct kv_stats stats;
    assert_int_equal(kv_clean(kv), OK);
    kv_stats_get(kv, &stats);
    assert_int_equal(stats.segments, 1);
    kv_close(kv);
    kv = open_kv();
    put(kv, "key2", "v");
    assert_value(kv, NULL, "key2", "v");
    kv_close(kv);
}

static void test_snapshot_holds_segments(void **state)
{
    (void)state;
    enum { N = 300 };
    uint64_t ids[N];
    struct kv_stats before, during, after;
    struct kv *kv = open_kv();
    put_blobs(kv, ids, N);
    kv_stats_get(kv, &before);
    struct kv_snapshot *snapshot = kv_snapshot_new(kv);
    for (unsigned i = 0; i < N; i++)
        del_blob(kv, ids[i]);
    assert_int_equal(kv_clean(kv), OK);
    kv_stats_get(kv, &during);
    assert_true(during.segments >= before.segments);
    kv_snapshot_free(snapshot);
    assert_int_equal(kv_clean(kv), OK);
    kv_stats_get(kv, &after);
    assert_int_equal(after.segments, 1);
    assert_int_equal(after.live_bytes, 0);
    kv_close(kv);
}

/* A streamed blob that a batch may still adopt keeps its segment. */
static void test_streams_hold_segments(void **state)
{
    (void)state;
    enum { N = 200 };
    uint64_t ids[N], stream;
    char room[BLOB];
    struct kv *kv = open_kv();
    assert_int_equal(kv_blob_write(kv, pattern(room, sizeof room, 4711), &stream), OK);
    put_blobs(kv, ids, N);
    for (unsigned i = 0; i < N; i++)
        del_blob(kv, ids[i]);
    assert_int_equal(kv_clean(kv), OK);
    struct kv_batch *b = kv_batch_new(kv, 0);
    kv_batch_adopt(b, stream);
    assert_int_equal(kv_commit(b), OK);
    assert_seeded_blob(kv, stream, 4711);
    assert_int_equal(kv_clean(kv), OK);
    assert_seeded_blob(kv, stream, 4711);
    kv_close(kv);
    kv = open_kv();
    assert_seeded_blob(kv, stream, 4711);
    kv_close(kv);
}

struct traffic {
    struct kv *kv;
    atomic_bool stop;
    uint64_t *kept;
    unsigned n;
    unsigned wrong;
};

static void *read_all_the_time(void *arg)
{
    struct traffic *t = arg;
    struct buf out;
    char room[BLOB];
    buf_init(&out, BLOB);
    for (unsigned i = 0; !atomic_load(&t->stop); i = (i + 1) % t->n) {
        buf_reset(&out);
        if (kv_blob_read(t->kv, t->kept[i], 0, BLOB, &out) != OK ||
            !slice_eq(buf_slice(&out), pattern(room, BLOB, 3 * i)))
            t->wrong++;
    }
    buf_release(&out);
    return NULL;
}

static void *write_and_delete(void *arg)
{
    struct traffic *t = arg;
    while (!atomic_load(&t->stop))
        del_blob(t->kv, put_blob(t->kv, 1));
    return NULL;
}

static void test_beside_traffic(void **state)
{
    (void)state;
    enum { N = 450 };
    uint64_t ids[N], kept[N / 3];
    struct kv *kv = open_kv();
    put_blobs(kv, ids, N);
    for (unsigned i = 0; i < N; i++) {
        if (i % 3 == 0)
            kept[i / 3] = ids[i];
        else
            del_blob(kv, ids[i]);
    }
    struct traffic t = {.kv = kv, .kept = kept, .n = N / 3};
    pthread_t reader, writer;
    assert_int_equal(pthread_create(&reader, NULL, read_all_the_time, &t), 0);
    assert_int_equal(pthread_create(&writer, NULL, write_and_delete, &t), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(kv_clean(kv), OK);
    atomic_store(&t.stop, true);
    pthread_join(reader, NULL);
    pthread_join(writer, NULL);
    assert_int_equal(t.wrong, 0);
    assert_int_equal(kv_clean(kv), OK);
    struct kv_stats stats;
    kv_stats_get(kv, &stats);
    assert_int_equal(stats.live_bytes, N / 3 * BLOB);
    assert_intact(kv);
    kv_close(kv);
}

/* A damaged blob is found by its reader and by kv_verify; its neighbours stay readable, and the
 * cleaner leaves the segment where it is. */
static void test_damage_is_contained(void **state)
{
    (void)state;
    enum { N = 300 };
    uint64_t ids[N];
    char path[128], byte;
    struct kv *kv = open_kv();
    put_blobs(kv, ids, N);
    kv_close(kv);
    snprintf(path, sizeof path, "%s/journal/0000000000000001.seg", directory);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, 5000), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, 5000), 1);
    close(fd);
    kv = open_kv();
    for (unsigned i = 2; i < N; i++)
        del_blob(kv, ids[i]);
    assert_int_equal(kv_clean(kv), OK);
    struct buf out;
    buf_init(&out, BLOB);
    assert_int_equal(kv_blob_read(kv, ids[0], 0, BLOB, &out), CORRUPT);
    buf_release(&out);
    assert_seeded_blob(kv, ids[1], 1);
    int damages = 0;
    print_message("expected:\n");
    assert_int_equal(kv_verify(kv, report_damage, &damages), CORRUPT);
    assert_int_equal(damages, 2); /* the record and the blob in it */
    kv_close(kv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KV_TEST(test_space_comes_back),        KV_TEST(test_large_segments_move_whole),
        KV_TEST(test_records_need_no_segment), KV_TEST(test_snapshot_holds_segments),
        KV_TEST(test_streams_hold_segments),   KV_TEST(test_beside_traffic),
        KV_TEST(test_damage_is_contained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
