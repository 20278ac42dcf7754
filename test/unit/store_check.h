/* store_check.h: what must hold of a store's records whenever nothing is under way
 * (docs/formats/store.md). */
#ifndef TEST_STORE_CHECK_H
#define TEST_STORE_CHECK_H

#include <unistd.h>

#include "base/cursor.h"
#include "store/keys.h"
#include "store_world.h"

static inline bool key_exists(struct world *w, struct key key)
{
    struct buf value;
    buf_init(&value, KV_VALUE_MAX);
    enum result r = kv_get(w->kv, NULL, key_slice(&key), &value);
    buf_release(&value);
    assert_true(r == OK || r == NOT_FOUND);
    return r == OK;
}

static inline void check_entry(struct world *w, struct slice key, struct slice value,
                               struct head *sum)
{
    struct cursor c = cursor_of(slice_from(key, 1));
    uint64_t mailbox = cursor_be64(&c);
    uint32_t uid = cursor_be32(&c);
    struct entry e;
    assert_true(cursor_done(&c));
    assert_int_equal(entry_decode(value, uid, &e), OK);
    assert_true(key_exists(w, key_reference(e.message, mailbox, uid)));
    assert_true(key_exists(w, key_message(e.message)));
    sum->count++;
    sum->bytes += e.size;
    sum->unseen += !(e.flags & FLAG_SEEN);
    if (e.modseq > sum->modseq)
        sum->modseq = e.modseq;
    sum->uidnext = uid + 1;
}

/* The head counts its entries. Returns how many. */
static inline size_t check_mailbox(struct world *w, uint64_t mailbox, struct slice value)
{
    struct head head, sum = {0};
    assert_int_equal(head_decode(value, &head), OK);
    struct key prefix = key_entries(mailbox);
    struct kv_iter *it = kv_iter_new(w->kv, NULL, key_slice(&prefix), SLICE_NONE);
    struct slice k, v;
    while (kv_iter_next(it, &k, &v))
        check_entry(w, k, v, &sum);
    assert_int_equal(kv_iter_free(it), OK);
    assert_int_equal(head.count, sum.count);
    assert_int_equal(head.bytes, sum.bytes);
    assert_int_equal(head.unseen, sum.unseen);
    assert_true(head.modseq >= sum.modseq);
    assert_true(head.uidnext >= sum.uidnext);
    return sum.count;
}

static inline size_t check_mailboxes(struct world *w)
{
    size_t entries = 0;
    struct kv_iter *it = kv_iter_new(w->kv, NULL, SLICE("c"), SLICE_NONE);
    struct slice key, value;
    while (kv_iter_next(it, &key, &value)) {
        struct cursor c = cursor_of(slice_from(key, 9));
        if (cursor_u8(&c) == 'h')
            entries += check_mailbox(w, cursor_be64(&c), value);
    }
    assert_int_equal(kv_iter_free(it), OK);
    return entries;
}

/* Every stored message is referred to. */
static inline void check_messages(struct world *w)
{
    struct kv_iter *it = kv_iter_new(w->kv, NULL, SLICE("m"), SLICE_NONE);
    struct slice key, value;
    while (kv_iter_next(it, &key, &value)) {
        struct cursor c = cursor_of(slice_from(key, 1));
        struct key prefix = key_references(cursor_be64(&c));
        struct kv_iter *refs = kv_iter_new(w->kv, NULL, key_slice(&prefix), SLICE_NONE);
        struct slice k, v;
        assert_true(kv_iter_next(refs, &k, &v));
        assert_int_equal(kv_iter_free(refs), OK);
        struct message_record m;
        assert_int_equal(message_record_decode(value, &m), OK);
        for (size_t i = 0; i < m.n_blobs; i++) {
            uint64_t size;
            assert_int_equal(kv_blob_size(w->kv, message_record_blob(&m, i), &size), OK);
        }
    }
    assert_int_equal(kv_iter_free(it), OK);
}

static inline void check_store(struct world *w)
{
    store_settle(w->store);
    size_t entries = check_mailboxes(w);
    assert_int_equal(count_keys(w, "e"), entries);
    assert_int_equal(count_keys(w, "r"), entries);
    assert_int_equal(count_keys(w, "d"), 0);
    assert_int_equal(count_keys(w, "z"), 0);
    check_messages(w);
    struct store_stats st;
    /* A change counts a moment longer than its `done`, which the caller waited for. */
    for (int i = 0; i < 5000; i++) {
        store_stats_get(w->store, &st);
        if (st.changes_in_flight == 0)
            break;
        usleep(1000);
    }
    assert_int_equal(st.damaged_records, 0);
    assert_int_equal(st.changes_in_flight, 0);
}

#endif
