/* kv_world.h: what the tests of the key-value store share: a folder for each test, opening, writing
 * and checking. */
#ifndef TEST_KV_WORLD_H
#define TEST_KV_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "kv/kv.h"
#include "os/durable.h"

/* The store of the test that runs. */
static char directory[64];

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static inline int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/test_kv.XXXXXX");
    durable_fault_clear();
    return mkdtemp(directory) ? 0 : -1;
}

static inline int remove_directory(void **state)
{
    (void)state;
    durable_fault_clear();
    durable_set_free_space(UINT64_MAX);
    nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS); /* may be gone already */
    return 0;
}

static inline struct kv *open_with(struct kv_options options, struct kv_recovery *ret_recovery)
{
    struct kv *kv = NULL;
    struct error err = {""};
    options.directory = directory;
    enum result r = kv_open(&options, &kv, ret_recovery, &err);
    if (r != OK)
        print_error("%s: %s\n", result_name(r), err.text);
    assert_int_equal(r, OK);
    return kv;
}

static inline struct kv *open_kv(void)
{
    return open_with((struct kv_options){.segment_bytes = 1 << 20}, NULL);
}

static inline void put(struct kv *kv, const char *key, const char *value)
{
    struct kv_batch *b = kv_batch_new(kv, 0);
    kv_batch_put(b, slice_cstr(key), slice_cstr(value));
    assert_int_equal(kv_commit(b), OK);
}

static inline void assert_value(struct kv *kv, const struct kv_snapshot *at, const char *key,
                                const char *value)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    enum result r = kv_get(kv, at, slice_cstr(key), &out);
    if (value) {
        assert_int_equal(r, OK);
        assert_true(slice_is(buf_slice(&out), value));
    } else {
        assert_int_equal(r, NOT_FOUND);
    }
    buf_release(&out);
}

/* Bytes that differ from blob to blob and from place to place. */
static inline struct slice pattern(char *room, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1103515245u + 12345u;
        room[i] = (char)(seed >> 16);
    }
    return slice_of(room, len);
}

static inline void assert_blob(struct kv *kv, uint64_t id, struct slice want)
{
    struct buf out;
    buf_init(&out, KV_BLOB_MAX);
    assert_int_equal(kv_blob_read(kv, id, 0, UINT64_MAX, &out), OK);
    assert_true(slice_eq(buf_slice(&out), want));
    buf_release(&out);
}

static inline void remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void report_damage(void *arg, const char *what)
{
    print_error("%s\n", what);
    ++*(int *)arg;
}

static inline void assert_intact(struct kv *kv)
{
    int damages = 0;
    assert_int_equal(kv_verify(kv, report_damage, &damages), OK);
    assert_int_equal(damages, 0);
}

#define KV_TEST(f) cmocka_unit_test_setup_teardown(f, make_directory, remove_directory)

#endif
