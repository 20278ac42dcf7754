/* test_kv.c: the key-value store's promises as its users see them: batches, order, preconditions,
 * blobs, snapshots, iterators, reopening, limits, the disk's reserve. */
#include "kv_world.h"

static void test_put_get_del(void **state)
{
    (void)state;
    struct kv *kv = open_kv();
    put(kv, "a", "1");
    put(kv, "b", "");
    assert_value(kv, NULL, "a", "1");
    assert_value(kv, NULL, "b", "");
    assert_value(kv, NULL, "c", NULL);
    struct kv_batch *b = kv_batch_new(kv, 0);
    kv_batch_put(b, SLICE("c"), SLICE("3"));
    kv_batch_del(b, SLICE("a"));
    assert_int_equal(kv_commit(b), OK);
    assert_value(kv, NULL, "a", NULL);
    assert_value(kv, NULL, "c", "3");
    kv_close(kv);
    kv = open_kv();
    assert_value(kv, NULL, "a", NULL);
    assert_value(kv, NULL, "b", "");
    assert_value(kv, NULL, "c", "3");
    kv_close(kv);
}

static void test_blobs(void **state)
{
    (void)state;
    static char room[4][KV_BLOB_MAX];
    const size_t sizes[4] = {1, BUFSIZ, (64 << 10) + 1, KV_BLOB_MAX};
    struct slice want[4];
    uint64_t ids[4];
    struct kv *kv = open_kv();
    struct kv_batch *b = kv_batch_new(kv, 0);
    for (unsigned i = 0; i < 4; i++) {
        want[i] = pattern(room[i], sizes[i], i);
        ids[i] = kv_batch_blob(b, want[i]);
        assert_true(ids[i] != 0);
    }
    assert_int_equal(kv_commit(b), OK);
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 4; i++) {
            uint64_t size;
            assert_int_equal(kv_blob_size(kv, ids[i], &size), OK);
            assert_int_equal(size, sizes[i]);
            assert_blob(kv, ids[i], want[i]);
        }
        kv_close(kv);
        kv = open_kv();
    }
    b = kv_batch_new(kv, 0);
    kv_batch_blob_del(b, ids[1]);
    kv_batch_blob_del(b, ids[1]); /* twice does no harm */
    assert_int_equal(kv_commit(b), OK);
    struct buf out;
    buf_init(&out, KV_BLOB_MAX);
    assert_int_equal(kv_blob_read(kv, ids[1], 0, 1, &out), NOT_FOUND);
    struct kv_stats stats;
    kv_stats_get(kv, &stats);
    assert_int_equal(stats.live_bytes, sizes[0] + sizes[2] + sizes[3]);
    kv_close(kv);
}

static void test_blob_ranges(void **state)
{
    (void)state;
    static char room[300000];
    struct slice want = pattern(room, sizeof room, 7);
    struct kv *kv = open_kv();
    struct kv_batch *b = kv_batch_new(kv, 0);
    uint64_t id = kv_batch_blob(b, want);
    assert_int_equal(kv_commit(b), OK);
    const uint64_t edges[] = {0, 1, 65535, 65536, 65537, 131072, 262143, 299999, 300000, 400000};
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        for (size_t j = 0; j < sizeof edges / sizeof *edges; j++) {
            struct buf out;
            buf_init(&out, KV_BLOB_MAX);
            assert_int_equal(kv_blob_read(kv, id, edges[i], edges[j], &out), OK);
            assert_true(slice_eq(buf_slice(&out), slice_sub(want, edges[i], edges[j])));
            buf_release(&out);
        }
    }
    struct buf small;
    buf_init(&small, 10);
    assert_int_equal(kv_blob_read(kv, id, 0, 11, &small), LIMIT);
    buf_clear(&small);
    assert_int_equal(kv_blob_read(kv, id, 0, 65536, &small), LIMIT);
    buf_release(&small);
    kv_close(kv);
}

static void test_preconditions(void **state)
{
    (void)state;
    struct kv *kv = open_kv();
    put(kv, "k", "1");
    struct kv_batch *b = kv_batch_new(kv, 0);
    kv_batch_expect(b, SLICE("k"), SLICE("1"));
    kv_batch_expect(b, SLICE("absent"), SLICE_NONE);
    kv_batch_put(b, SLICE("k"), SLICE("2"));
    assert_int_equal(kv_commit(b), OK);
    const struct slice wrong[] = {SLICE("1"), SLICE_NONE, SLICE("")};
    for (int i = 0; i < 3; i++) {
        b = kv_batch_new(kv, 0);
        kv_batch_expect(b, SLICE("k"), wrong[i]);
        kv_batch_put(b, SLICE("k"), SLICE("3"));
        kv_batch_put(b, SLICE("other"), SLICE("x"));
        kv_batch_blob(b, SLICE("blob"));
        assert_int_equal(kv_commit(b), CONFLICT);
    }
    assert_value(kv, NULL, "k", "2");
    kv_close(kv);
    kv = open_kv();
    assert_value(kv, NULL, "k", "2");
    assert_value(kv, NULL, "other", NULL);
    kv_close(kv);
}

struct order {
    _Atomic int next;
    _Atomic int conflicts;
};
struct submitted {
    struct order *order;
    int place;
};

static void note_order(void *arg, enum result r)
{
    struct submitted *s = arg;
    assert_int_equal(s->order->next, s->place);
    s->order->next++;
    if (r == CONFLICT)
        s->order->conflicts++;
    else
        assert_int_equal(r, OK);
}

/* Batches under way see each other's keys: only one of each pair finds what it expects. */
static void test_order_and_overlay(void **state)
{
    (void)state;
    enum { N = 500 };
    static struct submitted items[N];
    struct order order = {0};
    struct kv *kv = open_kv();
    put(kv, "n", "0");
    for (int i = 0; i < N; i++) {
        char was[16], now[16];
        snprintf(was, sizeof was, "%d", i / 2);
        snprintf(now, sizeof now, "%d", i / 2 + 1);
        struct kv_batch *b = kv_batch_new(kv, 0);
        kv_batch_expect(b, SLICE("n"), slice_cstr(was));
        kv_batch_put(b, SLICE("n"), slice_cstr(now));
        items[i] = (struct submitted){&order, i};
        assert_int_equal(kv_submit(b, note_order, &items[i]), OK);
    }
    kv_close(kv);
    assert_int_equal(order.next, N);
    assert_int_equal(order.conflicts, N / 2);
    kv = open_kv();
    assert_value(kv, NULL, "n", "250");
    kv_close(kv);
}

static void test_iterators_and_snapshots(void **state)
{
    (void)state;
    struct kv *kv = open_kv();
    const char *keys[] = {"a", "b1", "b2", "b3", "b\xff", "b\xff\xff", "c"};
    for (size_t i = 0; i < 7; i++)
        put(kv, keys[i], "v");
    struct kv_snapshot *snapshot = kv_snapshot_new(kv);
    put(kv, "b2", "new");
    put(kv, "b4", "v");
    assert_value(kv, snapshot, "b2", "v");
    assert_value(kv, snapshot, "b4", NULL);
    const struct {
        const struct kv_snapshot *at;
        const char *prefix, *from;
        const char *first, *last;
        int n;
    } walks[] = {
        {NULL, "b", NULL, "b1", "b\xff\xff", 6},
        {snapshot, "b", NULL, "b1", "b\xff\xff", 5},
        {NULL, "b", "b2", "b2", "b\xff\xff", 5},
        {NULL, "b", "a", "b1", "b\xff\xff", 6},
        {NULL, "b\xff", NULL, "b\xff", "b\xff\xff", 2},
        {NULL, "", NULL, "a", "c", 8},
        {NULL, "b", "c", NULL, NULL, 0},
        {NULL, "\xff", NULL, NULL, NULL, 0},
        {NULL, "x", NULL, NULL, NULL, 0},
    };
    for (size_t i = 0; i < sizeof walks / sizeof *walks; i++) {
        struct slice key, value;
        struct kv_iter *it =
            kv_iter_new(kv, walks[i].at, slice_cstr(walks[i].prefix), slice_cstr(walks[i].from));
        int n = 0;
        while (kv_iter_next(it, &key, &value)) {
            if (n++ == 0)
                assert_true(slice_is(key, walks[i].first));
            if (n == walks[i].n)
                assert_true(slice_is(key, walks[i].last));
        }
        assert_false(kv_iter_next(it, &key, &value));
        assert_int_equal(kv_iter_free(it), OK);
        assert_int_equal(n, walks[i].n);
    }
    kv_snapshot_free(snapshot);
    kv_close(kv);
}

static void test_multi_get(void **state)
{
    (void)state;
    struct kv *kv = open_kv();
    put(kv, "a", "1");
    put(kv, "c", "3");
    const struct slice keys[3] = {SLICE("a"), SLICE("b"), SLICE("c")};
    struct buf values[3];
    bool found[3];
    for (int i = 0; i < 3; i++)
        buf_init(&values[i], 16);
    assert_int_equal(kv_multi_get(kv, NULL, 3, keys, values, found), OK);
    assert_true(found[0] && !found[1] && found[2]);
    assert_true(slice_is(buf_slice(&values[0]), "1"));
    assert_true(slice_is(buf_slice(&values[2]), "3"));
    for (int i = 0; i < 3; i++)
        buf_release(&values[i]);
    kv_close(kv);
}

static void test_streamed_blobs(void **state)
{
    (void)state;
    static char room[3][200000];
    struct slice want[3];
    uint64_t ids[3];
    struct kv *kv = open_kv();
    for (unsigned i = 0; i < 3; i++) {
        want[i] = pattern(room[i], sizeof room[i], 100 + i);
        assert_int_equal(kv_blob_write(kv, want[i], &ids[i]), OK);
    }
    struct kv_batch *b = kv_batch_new(kv, 0);
    kv_batch_adopt(b, ids[0]);
    kv_batch_adopt(b, ids[1]);
    kv_batch_put(b, SLICE("k"), SLICE("v"));
    assert_int_equal(kv_commit(b), OK);
    assert_blob(kv, ids[0], want[0]);
    kv_blob_abandon(kv, ids[2]);
    b = kv_batch_new(kv, 0);
    kv_batch_adopt(b, ids[2]);
    assert_int_equal(kv_commit(b), NOT_FOUND);
    struct kv_stats stats;
    kv_stats_get(kv, &stats);
    assert_int_equal(stats.live_bytes, 400000);
    kv_close(kv);
    kv = open_kv();
    assert_blob(kv, ids[0], want[0]);
    assert_blob(kv, ids[1], want[1]);
    /* The orphan's id is not given out again. */
    b = kv_batch_new(kv, 0);
    assert_true(kv_batch_blob(b, SLICE("x")) > ids[2]);
    kv_batch_free(b);
    kv_close(kv);
}

static void test_limits(void **state)
{
    (void)state;
    static char big[KV_VALUE_MAX + 1];
    struct kv *kv = open_kv();
    struct kv_batch *b = kv_batch_new(kv, 0);
    kv_batch_put(b, slice_of(big, KV_KEY_MAX + 1), SLICE("v"));
    assert_int_equal(kv_commit(b), LIMIT);
    b = kv_batch_new(kv, 0);
    kv_batch_put(b, SLICE("k"), slice_of(big, sizeof big));
    assert_int_equal(kv_commit(b), LIMIT);
    b = kv_batch_new(kv, 0);
    kv_batch_put(b, SLICE(""), SLICE("v"));
    assert_int_equal(kv_commit(b), LIMIT);
    b = kv_batch_new(kv, 0);
    kv_batch_put(b, SLICE("\xff mine"), SLICE("v"));
    assert_int_equal(kv_commit(b), LIMIT);
    b = kv_batch_new(kv, 0);
    kv_batch_blob(b, slice_of(big, sizeof big));
    assert_int_equal(kv_commit(b), LIMIT);
    b = kv_batch_new(kv, 0);
    for (int i = 0; i < 65; i++)
        kv_batch_blob(b, slice_of(big, KV_BLOB_MAX));
    assert_int_equal(kv_commit(b), LIMIT);
    /* The largest of each, and a batch larger than a segment. */
    b = kv_batch_new(kv, 0);
    kv_batch_put(b, slice_of(big, KV_KEY_MAX), slice_of(big, KV_VALUE_MAX));
    uint64_t id = kv_batch_blob(b, slice_of(big, KV_BLOB_MAX));
    for (int i = 0; i < 5; i++)
        kv_batch_blob(b, slice_of(big, KV_BLOB_MAX));
    assert_int_equal(kv_commit(b), OK);
    put(kv, "k", "v");
    kv_close(kv);
    kv = open_kv();
    assert_blob(kv, id, slice_of(big, KV_BLOB_MAX));
    assert_value(kv, NULL, "k", "v");
    kv_close(kv);
}

static void test_locked(void **state)
{
    (void)state;
    struct kv *kv = open_kv(), *second = NULL;
    struct kv_options options = {.directory = directory};
    struct error err;
    assert_int_equal(kv_open(&options, &second, NULL, &err), BUSY);
    assert_null(second);
    kv_close(kv);
}

static void test_disk_reserve(void **state)
{
    (void)state;
    durable_set_free_space(10 << 20);
    struct kv *kv = open_with((struct kv_options){.reserve_bytes = 11 << 20}, NULL);
    struct kv_batch *b = kv_batch_new(kv, 0);
    kv_batch_put(b, SLICE("k"), SLICE("v"));
    assert_int_equal(kv_commit(b), FULL);
    uint64_t id;
    assert_int_equal(kv_blob_write(kv, SLICE("blob"), &id), FULL);
    b = kv_batch_new(kv, KV_BATCH_ESSENTIAL);
    kv_batch_put(b, SLICE("e"), SLICE("v"));
    assert_int_equal(kv_commit(b), OK);
    struct kv_stats stats;
    kv_stats_get(kv, &stats);
    assert_true(stats.disk_reserved);
    assert_int_equal(stats.free_disk_bytes, 10 << 20);
    assert_value(kv, NULL, "k", NULL);
    assert_value(kv, NULL, "e", "v");
    kv_close(kv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KV_TEST(test_put_get_del),
        KV_TEST(test_blobs),
        KV_TEST(test_blob_ranges),
        KV_TEST(test_preconditions),
        KV_TEST(test_order_and_overlay),
        KV_TEST(test_iterators_and_snapshots),
        KV_TEST(test_multi_get),
        KV_TEST(test_streamed_blobs),
        KV_TEST(test_limits),
        KV_TEST(test_locked),
        KV_TEST(test_disk_reserve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
