/* store_world.h: a store in a temporary directory, and calls of it that wait, for the store's
 * tests. Functions are static inline so that a test need not use all of them. */
#ifndef TEST_STORE_WORLD_H
#define TEST_STORE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/log.h"
#include "store/store.h"

struct world {
    char directory[64];
    struct kv_options kv_options;
    struct store_options options;
    struct kv *kv;
    struct store *store;
};

static inline void world_open(struct world *w)
{
    struct error err = {""};
    struct kv_recovery rec;
    w->kv_options.directory = w->directory;
    if (kv_open(&w->kv_options, &w->kv, &rec, &err) != OK)
        fail_msg("kv_open: %s", err.text);
    if (store_open(w->kv, &w->options, &w->store, &err) != OK)
        fail_msg("store_open: %s", err.text);
}

static inline void world_close(struct world *w)
{
    store_close(w->store);
    kv_close(w->kv);
}

static inline struct world world_new(void)
{
    struct world w = {.directory = "/tmp/test_store.XXXXXX"};
    assert_non_null(mkdtemp(w.directory));
    world_open(&w);
    return w;
}

static inline void world_remove(struct world *w)
{
    world_close(w);
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", w->directory);
    assert_int_equal(system(command), 0);
}

/* ---- waiting ---- */

struct waiting {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    unsigned calls;
    enum result result;
};

static inline struct waiting waiting_new(void)
{
    return (struct waiting){PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, OK};
}

static inline void waiting_done(void *arg, enum result r)
{
    struct waiting *w = arg;
    pthread_mutex_lock(&w->lock);
    w->calls++;
    w->result = r;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

static inline enum result waiting_for(struct waiting *w, enum result submitted)
{
    if (submitted != OK)
        return submitted;
    pthread_mutex_lock(&w->lock);
    while (!w->calls)
        pthread_cond_wait(&w->cond, &w->lock);
    pthread_mutex_unlock(&w->lock);
    return w->result;
}

/* ---- short forms ---- */

static inline struct account *account_of(struct world *w, const char *name)
{
    struct account *a = NULL;
    assert_int_equal(account_open(w->store, slice_cstr(name), &a), OK);
    return a;
}

static inline struct mailbox *mailbox_of(struct account *a, const char *name)
{
    struct mailbox *m = NULL;
    assert_int_equal(mailbox_open(a, slice_cstr(name), &m), OK);
    return m;
}

static inline struct view *view_of(struct mailbox *m)
{
    struct view *v = NULL;
    assert_int_equal(mailbox_view(m, &v), OK);
    return v;
}

static inline enum result deliver_flags(struct world *w, struct account *a, const char *mailbox,
                                        struct slice text, uint8_t flags, uint64_t *ret_message,
                                        uint32_t *ret_uid)
{
    struct delivery *d;
    uint64_t id = log_id_new();
    enum result r = delivery_new(w->store, id, &d);
    if (r != OK)
        return r;
    r = delivery_write(d, text);
    delivery_summary(d, SLICE("summary"));
    struct delivery_target t = {
        .account = a, .mailbox = slice_cstr(mailbox), .flags = flags, .ret_uid = ret_uid};
    if (r == OK)
        r = delivery_add(d, &t);
    if (r != OK) {
        delivery_abandon(d);
        return r;
    }
    struct waiting done = waiting_new();
    r = waiting_for(&done, delivery_submit(d, waiting_done, &done));
    if (r == OK && ret_message)
        *ret_message = id;
    return r;
}

static inline uint32_t deliver(struct world *w, struct account *a, const char *mailbox,
                               struct slice text)
{
    uint32_t uid = 0;
    assert_int_equal(deliver_flags(w, a, mailbox, text, 0, NULL, &uid), OK);
    assert_int_not_equal(uid, 0);
    return uid;
}

static inline enum result store_flags(struct mailbox *m, enum flag_op op, uint8_t flags,
                                      const uint32_t *uids, size_t n)
{
    struct waiting done = waiting_new();
    return waiting_for(&done, mailbox_store_flags(m, op, flags, 0, uids, n, UINT64_MAX, NULL,
                                                  waiting_done, &done));
}

static inline enum result expunge(struct mailbox *m, const uint32_t *uids, size_t n)
{
    struct waiting done = waiting_new();
    return waiting_for(&done, mailbox_expunge(m, uids, n, false, waiting_done, &done));
}

static inline enum result copy(struct mailbox *from, struct mailbox *to, bool move,
                               const uint32_t *uids, size_t n, uint32_t *ret_uids)
{
    struct waiting done = waiting_new();
    uint32_t uidvalidity;
    return waiting_for(
        &done, mailbox_copy(from, to, move, uids, n, ret_uids, &uidvalidity, waiting_done, &done));
}

/* How many keys begin with the prefix. */
static inline size_t count_keys(struct world *w, const char *prefix)
{
    struct kv_iter *it = kv_iter_new(w->kv, NULL, slice_cstr(prefix), SLICE_NONE);
    struct slice key, value;
    size_t n = 0;
    while (kv_iter_next(it, &key, &value))
        n++;
    assert_int_equal(kv_iter_free(it), OK);
    return n;
}

#endif
