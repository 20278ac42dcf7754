/* test_kv_fault.c: the Nth write or sync fails, for every N. Whatever was acknowledged is there
 * after recovery, what was refused for lack of space is not, and nothing is there by half. */
#include <errno.h>
#include <pthread.h>

#include "kv_world.h"

enum { ROUNDS = 5, AT_ONCE = 3, BATCHES = ROUNDS * AT_ONCE, PARTS = 3 };

struct outcome {
    enum result r;
    bool known; /* `r` is set */
};

struct work {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    int open;
    struct outcome outcomes[BATCHES];
};

struct submitted {
    struct work *work;
    int i;
};

static void done(void *arg, enum result r)
{
    struct submitted *s = arg;
    pthread_mutex_lock(&s->work->lock);
    s->work->outcomes[s->i] = (struct outcome){r, true};
    s->work->open--;
    pthread_cond_signal(&s->work->wake);
    pthread_mutex_unlock(&s->work->lock);
}

static struct slice part_key(char room[16], int i, int part)
{
    snprintf(room, 16, "k%02d.%d", i, part);
    return slice_cstr(room);
}

static size_t part_size(int i, int part)
{
    return (size_t)(1000 + 5000 * part + 100 * i);
}

/* Three keys, each with a blob; the last of them was streamed. */
static struct kv_batch *make_batch(struct kv *kv, int i)
{
    static char room[BATCHES][PARTS][20000];
    struct kv_batch *b = kv_batch_new(kv, 0);
    for (int part = 0; part < PARTS; part++) {
        char key[16];
        uint64_t id = 0;
        struct slice bytes =
            pattern(room[i][part], part_size(i, part), (unsigned)(i * PARTS + part));
        if (part < 2) {
            id = kv_batch_blob(b, bytes);
        } else if (kv_blob_write(kv, bytes, &id) == OK) {
            kv_batch_adopt(b, id);
        }
        kv_batch_put(b, part_key(key, i, part), slice_of(&id, sizeof id));
    }
    return b;
}

/* Batches in groups, in segments so small that new ones are begun between. */
static void do_work(struct kv *kv, struct work *w)
{
    struct submitted submitted[BATCHES];
    for (int i = 0; i < BATCHES; i++) {
        submitted[i] = (struct submitted){w, i};
        struct kv_batch *b = make_batch(kv, i);
        pthread_mutex_lock(&w->lock);
        w->open++;
        pthread_mutex_unlock(&w->lock);
        enum result r = kv_submit(b, done, &submitted[i]);
        if (r != OK)
            done(&submitted[i], r);
        if (i % AT_ONCE < AT_ONCE - 1)
            continue;
        pthread_mutex_lock(&w->lock);
        while (w->open > 0)
            pthread_cond_wait(&w->wake, &w->lock);
        pthread_mutex_unlock(&w->lock);
    }
}

/* How many of the batch's parts are there; those that are must be intact. */
static int parts_there(struct kv *kv, int i)
{
    int n = 0;
    for (int part = 0; part < PARTS; part++) {
        char key[16], room[20000];
        struct buf value;
        uint64_t id;
        buf_init(&value, sizeof id);
        enum result r = kv_get(kv, NULL, part_key(key, i, part), &value);
        if (r == OK) {
            memcpy(&id, buf_slice(&value).data, sizeof id);
            assert_blob(kv, id, pattern(room, part_size(i, part), (unsigned)(i * PARTS + part)));
            n++;
        } else {
            assert_int_equal(r, NOT_FOUND);
        }
        buf_release(&value);
    }
    return n;
}

static void check(struct kv *kv, const struct work *w)
{
    for (int i = 0; i < BATCHES; i++) {
        int n = parts_there(kv, i);
        assert_true(n == 0 || n == PARTS);
        if (!w->outcomes[i].known) {
            assert_int_equal(n, 0);
            continue;
        }
        enum result r = w->outcomes[i].r;
        if (r == OK)
            assert_int_equal(n, PARTS);
        else if (r != FAILED) /* after FAILED nobody knows */
            assert_int_equal(n, 0);
    }
    assert_intact(kv);
}

struct fault {
    enum durable_op op;
    int error;
    size_t after_bytes;
};

static enum result open_small(struct kv **ret)
{
    struct kv_options options = {.directory = directory, .segment_bytes = 64 << 10};
    struct error err;
    return kv_open(&options, ret, NULL, &err);
}

/* Returns false when the work has ended before the fault was due. */
static bool try_fault(const struct fault *f, uint64_t nth)
{
    struct kv *kv = NULL;
    struct work w = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, {{0}}};
    durable_fault_clear();
    durable_fault_set(f->op, nth, f->error, f->after_bytes);
    enum result opened = open_small(&kv);
    if (opened == OK)
        do_work(kv, &w);
    bool reached = durable_fault_count(f->op) >= nth;
    durable_fault_clear();
    if (opened == OK && f->error == ENOSPC && f->op == DURABLE_WRITE && reached) {
        /* Space is back: the engine goes on without a restart. */
        put(kv, "afterwards", "v");
    }
    kv_close(kv);
    assert_int_equal(open_small(&kv), OK);
    check(kv, &w);
    put(kv, "again", "v");
    kv_close(kv);
    remove_tree(directory);
    return reached;
}

static void sweep(struct fault f)
{
    uint64_t nth = 1;
    while (try_fault(&f, nth))
        nth++;
    assert_true(nth > ROUNDS); /* the fault was reached at all */
}

static void test_writes_fail(void **state)
{
    (void)state;
    sweep((struct fault){DURABLE_WRITE, EIO, 0});
}

static void test_writes_fail_halfway(void **state)
{
    (void)state;
    sweep((struct fault){DURABLE_WRITE, EIO, 7000});
}

static void test_disk_full(void **state)
{
    (void)state;
    sweep((struct fault){DURABLE_WRITE, ENOSPC, 0});
}

static void test_disk_full_halfway(void **state)
{
    (void)state;
    sweep((struct fault){DURABLE_WRITE, ENOSPC, 7000});
}

static void test_syncs_fail(void **state)
{
    (void)state;
    sweep((struct fault){DURABLE_SYNC, EIO, 0});
}

/* After a failure that leaves the disk unknown, nothing is taken any more. */
static void test_failed_stays_failed(void **state)
{
    (void)state;
    struct kv *kv = open_kv();
    put(kv, "a", "1");
    durable_fault_set(DURABLE_SYNC, 1, EIO, 0);
    struct kv_batch *b = kv_batch_new(kv, 0);
    kv_batch_put(b, SLICE("b"), SLICE("2"));
    assert_int_equal(kv_commit(b), FAILED);
    durable_fault_clear();
    b = kv_batch_new(kv, KV_BATCH_ESSENTIAL);
    kv_batch_put(b, SLICE("c"), SLICE("3"));
    assert_int_equal(kv_commit(b), FAILED);
    uint64_t id;
    assert_int_equal(kv_blob_write(kv, SLICE("blob"), &id), FAILED);
    assert_value(kv, NULL, "a", "1"); /* reading goes on */
    assert_value(kv, NULL, "b", NULL);
    kv_close(kv);
    kv = open_kv();
    assert_value(kv, NULL, "a", "1");
    assert_value(kv, NULL, "c", NULL);
    kv_close(kv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        KV_TEST(test_writes_fail), KV_TEST(test_writes_fail_halfway),
        KV_TEST(test_disk_full),   KV_TEST(test_disk_full_halfway),
        KV_TEST(test_syncs_fail),  KV_TEST(test_failed_stays_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
