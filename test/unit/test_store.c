/* test_store.c: the store on a real kv: delivery, views, flags, expunge, copies, reclaiming. */
#include "store_world.h"

static struct slice message_text = {"Subject: hello\r\n\r\nbody\r\n", 24};

static void test_account_and_delivery(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    struct mailbox *m = mailbox_of(a, "inbox");
    struct view *v = view_of(m);
    assert_int_equal(view_count(v), 0);
    assert_int_equal(view_uidnext(v), 1);
    assert_int_equal(view_first_unseen(v), 0);
    assert_int_equal(deliver(&w, a, "INBOX", message_text), 1);
    assert_int_equal(deliver(&w, a, "InBox", message_text), 2);
    assert_int_equal(view_count(v), 0); /* immutable */
    view_unref(v);
    v = view_of(m);
    assert_int_equal(view_count(v), 2);
    assert_int_equal(view_uidnext(v), 3);
    assert_int_equal(view_unseen(v), 2);
    assert_int_equal(view_bytes(v), 48);
    const struct entry *e = view_entry(v, 2);
    assert_int_equal(e->uid, 2);
    assert_int_equal(e->size, 24);
    assert_true(e->modseq > view_entry(v, 1)->modseq);
    assert_int_equal(view_seek(v, 2), 2);
    assert_int_equal(view_seek(v, 3), 3);
    struct buf out;
    buf_init(&out, 1000);
    assert_int_equal(message_read(w.store, e->message, 9, 5, &out), OK);
    assert_true(slice_is(buf_slice(&out), "hello"));
    buf_reset(&out);
    assert_int_equal(message_read(w.store, e->message, 22, 500, &out), OK);
    assert_true(slice_is(buf_slice(&out), "\r\n"));
    buf_reset(&out);
    assert_int_equal(message_read(w.store, e->message, 500, 500, &out), OK);
    assert_int_equal(buf_len(&out), 0);
    assert_int_equal(message_summary(w.store, e->message, &out), OK);
    assert_true(slice_is(buf_slice(&out), "summary"));
    buf_release(&out);
    uint64_t bytes, messages, size;
    assert_int_equal(message_size(w.store, e->message, &size), OK);
    assert_int_equal(size, 24);
    assert_int_equal(account_usage(a, &bytes, &messages), OK);
    assert_int_equal(bytes, 48);
    assert_int_equal(messages, 2);
    assert_int_equal(message_size(w.store, 12345, &size), NOT_FOUND);
    view_unref(v);
    mailbox_unref(m);
    account_unref(a);
    world_remove(&w);
}

static void test_reopen(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    deliver(&w, a, "INBOX", message_text);
    deliver(&w, a, "Lists/c", message_text);
    struct mailbox *m = mailbox_of(a, "INBOX");
    struct mailbox_status before, after;
    assert_int_equal(mailbox_status(m, &before), OK);
    mailbox_unref(m);
    account_unref(a);
    world_close(&w);
    world_open(&w);
    a = account_of(&w, "alice");
    m = mailbox_of(a, "INBOX");
    assert_int_equal(mailbox_status(m, &after), OK);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(deliver(&w, a, "INBOX", message_text), 2);
    struct view *v = view_of(m);
    assert_int_equal(view_count(v), 2);
    assert_int_equal(view_uidvalidity(v), before.uidvalidity);
    view_unref(v);
    mailbox_unref(m);
    m = mailbox_of(a, "Lists/c");
    v = view_of(m);
    assert_int_equal(view_count(v), 1);
    view_unref(v);
    mailbox_unref(m);
    account_unref(a);
    world_remove(&w);
}

static void test_big_message(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    size_t n = 3 * 256 * 1024 + 77777;
    char *text = malloc(n);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)(i * 31 + i / 1000);
    static const size_t sizes[] = {0,      1,      65536,      65537,
                                   262144, 262145, 3 * 262144, 3 * 262144 + 77777};
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        uint64_t id = 0, size = 1;
        assert_int_equal(deliver_flags(&w, a, "INBOX", slice_of(text, sizes[k]), 0, &id, NULL), OK);
        assert_int_equal(message_size(w.store, id, &size), OK);
        assert_int_equal(size, sizes[k]);
        struct buf out;
        buf_init(&out, n);
        assert_int_equal(message_read(w.store, id, 0, UINT64_MAX, &out), OK);
        assert_int_equal(buf_len(&out), sizes[k]);
        assert_memory_equal(buf_slice(&out).data ? buf_slice(&out).data : "", text, sizes[k]);
        buf_reset(&out);
        if (sizes[k] > 262200) {
            assert_int_equal(message_read(w.store, id, 262100, 200, &out), OK);
            assert_memory_equal(buf_slice(&out).data, text + 262100, 45);
        }
        buf_release(&out);
    }
    struct delivery *d;
    assert_int_equal(delivery_new(w.store, log_id_new(), &d), OK);
    assert_int_equal(delivery_write(d, slice_of(text, n)), OK);
    delivery_abandon(d);
    assert_int_equal(delivery_new(w.store, log_id_new(), &d), OK);
    assert_int_equal(delivery_submit(d, NULL, NULL), INVALID); /* nobody wants it */
    free(text);
    account_unref(a);
    world_remove(&w);
}

static void test_flags(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    struct mailbox *m = mailbox_of(a, "INBOX");
    uint32_t uids[] = {3, 1, 99};
    for (int i = 0; i < 3; i++)
        deliver(&w, a, "INBOX", message_text);
    struct view *old = view_of(m);
    assert_int_equal(store_flags(m, FLAGS_ADD, FLAG_SEEN | FLAG_FLAGGED, uids, 3), OK);
    struct view *v = view_of(m);
    assert_int_equal(view_unseen(v), 1);
    assert_int_equal(view_first_unseen(v), 2);
    assert_int_equal(view_entry(v, 1)->flags, FLAG_SEEN | FLAG_FLAGGED);
    assert_int_equal(view_entry(v, 1)->modseq, view_highest_modseq(v));
    assert_int_equal(view_highest_modseq(v), view_highest_modseq(old) + 1);
    assert_int_equal(view_entry(old, 1)->flags, 0);
    view_unref(old);
    old = v;
    /* Nothing changes: no new MODSEQ. */
    assert_int_equal(store_flags(m, FLAGS_ADD, FLAG_SEEN, uids, 3), OK);
    v = view_of(m);
    assert_int_equal(view_highest_modseq(v), view_highest_modseq(old));
    view_unref(v);
    assert_int_equal(store_flags(m, FLAGS_REMOVE, FLAG_SEEN, uids, 1), OK);
    assert_int_equal(store_flags(m, FLAGS_SET, FLAG_DRAFT, uids + 1, 1), OK);
    v = view_of(m);
    assert_int_equal(view_entry(v, 3)->flags, FLAG_FLAGGED);
    assert_int_equal(view_entry(v, 1)->flags, FLAG_DRAFT);
    assert_int_equal(view_unseen(v), 3);
    struct mailbox_status st;
    assert_int_equal(mailbox_status(m, &st), OK);
    assert_int_equal(st.unseen, 3);
    view_unref(v);
    view_unref(old);
    mailbox_unref(m);
    account_unref(a);
    world_remove(&w);
}

static uint32_t refused_uid;

static void note_refused(void *arg, uint32_t uid)
{
    (void)arg;
    refused_uid = uid;
}

static void test_keywords_and_unchanged_since(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    struct mailbox *m = mailbox_of(a, "INBOX");
    for (int i = 0; i < 2; i++)
        deliver(&w, a, "INBOX", message_text);
    uint32_t bit, again, uids[] = {1, 2};
    assert_int_equal(mailbox_keyword(m, SLICE("$Forwarded"), &bit), OK);
    assert_int_equal(mailbox_keyword(m, SLICE("$FORWARDED"), &again), OK);
    assert_int_equal(bit, again);
    assert_int_equal(mailbox_keyword(m, SLICE("a b"), &again), INVALID);
    assert_int_equal(mailbox_keyword(m, SLICE(""), &again), INVALID);
    char name[80];
    memset(name, 'x', sizeof name);
    assert_int_equal(mailbox_keyword(m, slice_of(name, 65), &again), LIMIT);
    struct view *v = view_of(m);
    uint64_t since = view_entry(v, 1)->modseq;
    view_unref(v);
    struct waiting done = waiting_new();
    enum result r = mailbox_store_flags(m, FLAGS_ADD, 0, (uint64_t)1 << bit, uids, 2, since,
                                        note_refused, waiting_done, &done);
    assert_int_equal(waiting_for(&done, r), OK);
    assert_int_equal(refused_uid, 2);
    v = view_of(m);
    assert_int_equal(view_entry(v, 1)->keywords, (uint64_t)1 << bit);
    assert_int_equal(view_entry(v, 2)->keywords, 0);
    assert_int_equal(view_keyword_count(v), 1);
    assert_true(slice_is(view_keyword(v, 0), "$Forwarded"));
    view_unref(v);
    for (int i = 1; i < KEYWORDS_MAX; i++) {
        snprintf(name, sizeof name, "k%d", i);
        assert_int_equal(mailbox_keyword(m, slice_cstr(name), &again), OK);
    }
    assert_int_equal(mailbox_keyword(m, SLICE("more"), &again), LIMIT);
    /* They survive, and copies take theirs along. */
    assert_int_equal(store_flags(m, FLAGS_ADD, FLAG_SEEN, uids, 1), OK);
    mailbox_unref(m);
    account_unref(a);
    world_close(&w);
    world_open(&w);
    a = account_of(&w, "alice");
    m = mailbox_of(a, "INBOX");
    v = view_of(m);
    assert_int_equal(view_keyword_count(v), 64);
    view_unref(v);
    struct mailbox *trash = mailbox_of(a, "Trash");
    uint32_t got[2];
    assert_int_equal(copy(m, trash, false, uids, 2, got), OK);
    v = view_of(trash);
    assert_int_equal(view_keyword_count(v), 1);
    assert_int_equal(view_entry(v, 1)->keywords, 1);
    assert_int_equal(view_entry(v, 1)->flags, FLAG_SEEN);
    view_unref(v);
    mailbox_unref(trash);
    mailbox_unref(m);
    account_unref(a);
    world_remove(&w);
}

struct seen {
    size_t n_gone, n_changed;
    uint32_t gone_seq[2000], gone_uid[2000], changed_seq[2000];
};

static void note_gone(void *arg, uint32_t seq, uint32_t uid)
{
    struct seen *s = arg;
    s->gone_seq[s->n_gone] = seq;
    s->gone_uid[s->n_gone++] = uid;
}

static void note_changed(void *arg, uint32_t seq, const struct entry *e)
{
    (void)e;
    struct seen *s = arg;
    s->changed_seq[s->n_changed++] = seq;
}

static void test_expunge_and_diff(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    struct mailbox *m = mailbox_of(a, "INBOX");
    for (int i = 0; i < 600; i++)
        deliver(&w, a, "INBOX", message_text);
    struct view *old = view_of(m);
    uint32_t flagged[] = {7, 400}, dead[] = {600, 5, 300, 5, 301};
    assert_int_equal(store_flags(m, FLAGS_ADD, FLAG_SEEN, flagged, 2), OK);
    assert_int_equal(expunge(m, dead, 5), OK);
    deliver(&w, a, "INBOX", message_text);
    struct view *v = view_of(m);
    assert_int_equal(view_count(v), 597);
    assert_int_equal(view_entry(v, 597)->uid, 601);
    assert_int_equal(view_unseen(v), 595);
    struct seen *s = calloc(1, sizeof *s);
    view_diff(old, v, note_gone, note_changed, s);
    assert_int_equal(s->n_gone, 4);
    static const uint32_t gone[] = {600, 301, 300, 5};
    assert_memory_equal(s->gone_seq, gone, sizeof gone);
    assert_memory_equal(s->gone_uid, gone, sizeof gone);
    assert_int_equal(s->n_changed, 2);
    assert_int_equal(s->changed_seq[0], 6);
    assert_int_equal(s->changed_seq[1], 397);
    free(s);
    view_unref(old);
    view_unref(v);
    /* only_deleted */
    uint32_t two[] = {1, 2};
    assert_int_equal(store_flags(m, FLAGS_ADD, FLAG_DELETED, two, 1), OK);
    struct waiting done = waiting_new();
    assert_int_equal(waiting_for(&done, mailbox_expunge(m, two, 2, true, waiting_done, &done)), OK);
    v = view_of(m);
    assert_int_equal(view_entry(v, 1)->uid, 2);
    view_unref(v);
    mailbox_unref(m);
    account_unref(a);
    world_remove(&w);
}

static void note_vanished(void *arg, uint32_t uid)
{
    struct buf *out = arg;
    buf_printf(out, "%u ", uid);
}

static void test_vanished(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    struct mailbox *m = mailbox_of(a, "INBOX");
    for (int i = 0; i < 10; i++)
        deliver(&w, a, "INBOX", message_text);
    uint32_t first[] = {4, 5, 6, 9}, second[] = {1};
    assert_int_equal(expunge(m, first, 4), OK);
    struct view *v = view_of(m);
    uint64_t middle = view_highest_modseq(v);
    view_unref(v);
    assert_int_equal(expunge(m, second, 1), OK);
    struct buf out;
    buf_init(&out, 1000);
    assert_int_equal(mailbox_vanished(m, 0, note_vanished, &out), OK);
    assert_true(slice_is(buf_slice(&out), "1 4 5 6 9 "));
    buf_reset(&out);
    assert_int_equal(mailbox_vanished(m, middle, note_vanished, &out), OK);
    assert_true(slice_is(buf_slice(&out), "1 "));
    buf_release(&out);
    mailbox_unref(m);
    account_unref(a);
    world_remove(&w);
}

static void test_copy_and_move(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    struct mailbox *inbox = mailbox_of(a, "INBOX"), *trash = mailbox_of(a, "Trash");
    for (int i = 0; i < 5; i++)
        deliver(&w, a, "INBOX", message_text);
    uint32_t uids[] = {2, 77, 4}, got[3] = {9, 9, 9};
    assert_int_equal(copy(inbox, trash, false, uids, 3, got), OK);
    assert_int_equal(got[0], 1);
    assert_int_equal(got[1], 0);
    assert_int_equal(got[2], 2);
    assert_int_equal(copy(inbox, trash, true, uids, 3, got), OK);
    assert_int_equal(got[2], 4);
    struct view *i = view_of(inbox), *t = view_of(trash);
    assert_int_equal(view_count(i), 3);
    assert_int_equal(view_count(t), 4);
    assert_int_equal(view_entry(t, 1)->message, view_entry(t, 3)->message);
    view_unref(i);
    view_unref(t);
    /* Within one mailbox. */
    uint32_t three[] = {3, 5};
    assert_int_equal(copy(inbox, inbox, true, three, 2, got), OK);
    assert_int_equal(got[0], 6);
    i = view_of(inbox);
    assert_int_equal(view_count(i), 3);
    assert_int_equal(view_entry(i, 2)->uid, 6);
    assert_int_equal(view_entry(i, 3)->uid, 7);
    view_unref(i);
    struct account *b = account_of(&w, "bob");
    struct mailbox *other = mailbox_of(b, "INBOX");
    assert_int_equal(copy(inbox, other, false, three, 2, got), INVALID);
    mailbox_unref(other);
    account_unref(b);
    mailbox_unref(inbox);
    mailbox_unref(trash);
    account_unref(a);
    store_settle(w.store);
    assert_int_equal(count_keys(&w, "m"), 5);
    assert_int_equal(count_keys(&w, "r"), 7);
    assert_int_equal(count_keys(&w, "d"), 0);
    world_remove(&w);
}

/* ---- several recipients, holders, reclaiming ---- */

/* Stores a message in `to` in place of one of m. */
static enum result replace(struct world *w, struct account *a, struct mailbox *m, uint32_t uid,
                           const char *to, const char *text, uint32_t *ret_uid)
{
    struct delivery *d;
    struct delivery_target t = {
        .account = a, .mailbox = slice_cstr(to), .must_exist = true, .ret_uid = ret_uid};
    assert_int_equal(delivery_new(w->store, log_id_new(), &d), OK);
    assert_int_equal(delivery_write(d, slice_cstr(text)), OK);
    assert_int_equal(delivery_add(d, &t), OK);
    delivery_replace(d, m, uid);
    struct waiting done = waiting_new();
    return waiting_for(&done, delivery_submit(d, waiting_done, &done));
}

static void test_replace(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    struct mailbox *inbox = mailbox_of(a, "INBOX"), *drafts = mailbox_of(a, "Drafts");
    uint32_t uid = 0;
    for (int i = 0; i < 3; i++)
        deliver(&w, a, "INBOX", message_text);
    struct view *before = view_of(inbox);
    assert_int_equal(replace(&w, a, inbox, 2, "INBOX", "Subject: new\r\n\r\n", &uid), OK);
    assert_int_equal(uid, 4);
    struct view *v = view_of(inbox);
    assert_int_equal(view_count(v), 3);
    assert_int_equal(view_entry(v, 2)->uid, 3);
    assert_int_equal(view_entry(v, 3)->uid, 4);
    assert_int_equal(view_highest_modseq(v), view_highest_modseq(before) + 1);
    view_unref(v);
    /* Into another mailbox; then what it would replace is gone, and nothing happens. */
    assert_int_equal(replace(&w, a, inbox, 4, "Drafts", "Subject: newer\r\n\r\n", &uid), OK);
    assert_int_equal(uid, 1);
    assert_int_equal(replace(&w, a, inbox, 4, "Drafts", "Subject: newest\r\n\r\n", &uid), CONFLICT);
    assert_int_equal(replace(&w, a, inbox, 1, "Nowhere", "Subject: x\r\n\r\n", &uid), NOT_FOUND);
    struct mailbox_status s;
    assert_int_equal(mailbox_status(inbox, &s), OK);
    assert_int_equal(s.count, 2);
    assert_int_equal(mailbox_status(drafts, &s), OK);
    assert_int_equal(s.count, 1);
    view_unref(before);
    store_settle(w.store);
    assert_int_equal(count_keys(&w, "m"), 3);
    assert_int_equal(count_keys(&w, "r"), 3);
    mailbox_unref(inbox);
    mailbox_unref(drafts);
    account_unref(a);
    world_close(&w);
    world_open(&w);
    a = account_of(&w, "alice");
    inbox = mailbox_of(a, "INBOX");
    assert_int_equal(mailbox_status(inbox, &s), OK);
    assert_int_equal(s.count, 2);
    mailbox_unref(inbox);
    account_unref(a);
    world_remove(&w);
}

struct counting_watch {
    struct account_watch watch;
    atomic_int n;
};

static void count_change(struct account_watch *w)
{
    atomic_fetch_add(&CONTAINER_OF(w, struct counting_watch, watch)->n, 1);
}

/* Every kind of change is noticed once it is durable, and none of another account. */
static void test_account_watch(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice"), *b = account_of(&w, "bob");
    struct counting_watch c = {.watch.changed = count_change};
    struct metadata note = {SLICE("/private/comment"), SLICE("x")};
    uint32_t one[] = {1};
    account_watch(a, &c.watch);
    deliver(&w, b, "INBOX", message_text);
    assert_int_equal(atomic_load(&c.n), 0);
    deliver(&w, a, "INBOX", message_text);
    assert_int_equal(atomic_load(&c.n), 1);
    struct mailbox *m = mailbox_of(a, "INBOX");
    assert_int_equal(store_flags(m, FLAGS_ADD, FLAG_SEEN, one, 1), OK);
    assert_int_equal(expunge(m, one, 1), OK);
    assert_int_equal(atomic_load(&c.n), 3);
    assert_int_equal(mailbox_create(a, SLICE("New"), 0), OK);
    assert_int_equal(mailbox_subscribe(a, SLICE("New"), true), OK);
    assert_int_equal(mailbox_rename(a, SLICE("New"), SLICE("Old")), OK);
    assert_int_equal(metadata_set(a, SLICE("Old"), &note, 1), OK);
    assert_int_equal(mailbox_delete(a, SLICE("Old")), OK);
    assert_int_equal(atomic_load(&c.n), 8);
    assert_int_equal(mailbox_delete(a, SLICE("Old/er")), NOT_FOUND);
    assert_int_equal(atomic_load(&c.n), 8);
    account_unwatch(a, &c.watch);
    deliver(&w, a, "INBOX", message_text);
    assert_int_equal(atomic_load(&c.n), 8);
    mailbox_unref(m);
    account_unref(a);
    account_unref(b);
    world_remove(&w);
}

static void test_shared_bytes(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice"), *b = account_of(&w, "bob");
    struct delivery *d;
    uint64_t id = log_id_new();
    uint32_t uid_a = 0, uid_twice = 0, uid_b = 0;
    assert_int_equal(delivery_new(w.store, id, &d), OK);
    char text[50000];
    memset(text, 'x', sizeof text);
    assert_int_equal(delivery_write(d, slice_of(text, sizeof text)), OK);
    struct delivery_target t = {.account = a, .mailbox = SLICE("INBOX"), .ret_uid = &uid_a};
    assert_int_equal(delivery_add(d, &t), OK);
    t.ret_uid = &uid_twice;
    t.mailbox = SLICE("inbox");
    assert_int_equal(delivery_add(d, &t), OK);
    t = (struct delivery_target){.account = b, .mailbox = SLICE("New/Box"), .ret_uid = &uid_b};
    assert_int_equal(delivery_add(d, &t), OK);
    delivery_hold(d, SLICE("queue"));
    struct waiting done = waiting_new();
    assert_int_equal(waiting_for(&done, delivery_submit(d, waiting_done, &done)), OK);
    assert_int_equal(uid_a, 1);
    assert_int_equal(uid_twice, 1);
    assert_int_equal(uid_b, 1);
    assert_int_equal(count_keys(&w, "r"), 3);
    assert_int_equal(count_keys(&w, "m"), 1);
    struct kv_stats full, empty;
    kv_stats_get(w.kv, &full);
    assert_true(full.live_bytes >= 50000 && full.live_bytes < 2 * 50000);

    struct mailbox *m = mailbox_of(a, "INBOX");
    uint32_t one[] = {1};
    assert_int_equal(expunge(m, one, 1), OK);
    store_settle(w.store);
    assert_int_equal(count_keys(&w, "m"), 1);
    assert_int_equal(count_keys(&w, "d"), 0);
    struct kv_batch *batch = kv_batch_new(w.kv, KV_BATCH_ESSENTIAL);
    message_release(w.store, batch, id, SLICE("queue"));
    assert_int_equal(kv_commit(batch), OK);
    store_settle(w.store);
    assert_int_equal(count_keys(&w, "m"), 1);
    assert_int_equal(mailbox_delete(b, SLICE("New/Box")), OK);
    store_settle(w.store);
    assert_int_equal(count_keys(&w, "m"), 0);
    assert_int_equal(count_keys(&w, "r"), 0);
    assert_int_equal(count_keys(&w, "e"), 0);
    assert_int_equal(count_keys(&w, "d"), 0);
    assert_int_equal(count_keys(&w, "z"), 0);
    kv_stats_get(w.kv, &empty);
    assert_true(empty.live_bytes + 50000 <= full.live_bytes);
    mailbox_unref(m);
    account_unref(a);
    account_unref(b);
    world_remove(&w);
}

/* 100 bytes; 30 more in Trash; Spam does not count. */
static void limits_100(void *arg, struct slice account, struct slice mailbox,
                       struct store_limits *ret)
{
    (void)account;
    *ret = (struct store_limits){100, 5, *(uint64_t *)arg, slice_is(mailbox, "Spam"), true};
    if (slice_is(mailbox, "Trash"))
        ret->bytes += 30;
}

static bool counts_100(void *arg, struct slice account, struct slice mailbox)
{
    (void)arg, (void)account;
    return !slice_is(mailbox, "Spam");
}

static enum result copy_first(struct mailbox *from, struct mailbox *to, bool move)
{
    uint32_t uid = 1, copied, uidvalidity;
    struct waiting done = waiting_new();
    return waiting_for(
        &done, mailbox_copy(from, to, move, &uid, 1, &copied, &uidvalidity, waiting_done, &done));
}

/* Mailboxes with more, mailboxes that do not count, a grace for deliveries, copies. */
static void test_quota_of_mailboxes(void **state)
{
    (void)state;
    uint64_t grace = 0;
    struct world w = world_new();
    world_close(&w);
    w.options.quota = (struct store_quota){&grace, limits_100, counts_100};
    world_open(&w);
    struct account *a = account_of(&w, "alice");
    for (int i = 0; i < 4; i++)
        deliver(&w, a, "INBOX", message_text); /* 24 bytes each */
    assert_int_equal(account_admits(a, SLICE("INBOX"), 24, true), LIMIT);
    assert_int_equal(account_admits(a, SLICE("Trash"), 24, false), OK);
    assert_int_equal(account_admits(a, SLICE("Spam"), 1000, false), OK);
    grace = 20;
    assert_int_equal(account_admits(a, SLICE("INBOX"), 24, true), OK);
    assert_int_equal(account_admits(a, SLICE("INBOX"), 24, false), LIMIT);
    grace = 0;
    assert_int_equal(mailbox_create(a, SLICE("Spam"), 0), OK);
    for (int i = 0; i < 3; i++)
        deliver(&w, a, "Spam", message_text);
    struct store_limits l;
    uint64_t bytes, messages;
    assert_int_equal(account_quota(a, &l, &bytes, &messages), OK);
    assert_int_equal(bytes, 96);
    assert_int_equal(messages, 4);
    struct mailbox *inbox = mailbox_of(a, "INBOX"), *trash = mailbox_of(a, "Trash");
    assert_int_equal(copy_first(inbox, inbox, false), LIMIT);
    assert_int_equal(copy_first(inbox, trash, false), OK);
    assert_int_equal(copy_first(inbox, trash, true), OK);                 /* though it is full */
    assert_int_equal(account_admits(a, SLICE("Trash"), 0, false), LIMIT); /* five messages */
    struct mailbox *spam = mailbox_of(a, "Spam");
    assert_int_equal(copy_first(spam, trash, true), LIMIT);  /* there it begins to count */
    assert_int_equal(copy_first(trash, inbox, true), LIMIT); /* which may have less */
    assert_int_equal(copy_first(trash, spam, true), OK);
    assert_int_equal(copy_first(trash, inbox, true), OK); /* no UID 1 any more: nothing moves */
    assert_int_equal(copy_first(spam, inbox, true), LIMIT);
    mailbox_unref(spam);
    mailbox_unref(inbox);
    mailbox_unref(trash);
    account_unref(a);
    world_remove(&w);
}

static void test_quota_and_refusals(void **state)
{
    (void)state;
    uint64_t grace = 0;
    struct world w = world_new();
    world_close(&w);
    w.options.quota = (struct store_quota){&grace, limits_100, counts_100};
    world_open(&w);
    struct account *a = account_of(&w, "alice");
    for (int i = 0; i < 4; i++)
        deliver(&w, a, "INBOX", message_text);
    assert_int_equal(deliver_flags(&w, a, "INBOX", message_text, 0, NULL, NULL), LIMIT);
    uint64_t bytes, messages;
    assert_int_equal(account_usage(a, &bytes, &messages), OK);
    assert_int_equal(bytes, 96);
    struct mailbox *m = mailbox_of(a, "INBOX");
    uint32_t uids[] = {1};
    assert_int_equal(expunge(m, uids, 1), OK);
    assert_int_equal(deliver(&w, a, "INBOX", message_text), 5);
    struct delivery *d;
    assert_int_equal(delivery_new(w.store, log_id_new(), &d), OK);
    struct delivery_target t = {.account = a, .mailbox = SLICE("nowhere"), .must_exist = true};
    assert_int_equal(delivery_add(d, &t), OK);
    assert_int_equal(delivery_submit(d, NULL, NULL), NOT_FOUND);
    assert_int_equal(delivery_new(w.store, log_id_new(), &d), OK);
    t.mailbox = SLICE("bad//name");
    assert_int_equal(delivery_add(d, &t), INVALID);
    delivery_abandon(d);
    mailbox_unref(m);
    account_unref(a);
    world_remove(&w);
}

static void count_names(void *arg, struct slice name)
{
    buf_append(arg, name);
    buf_putc(arg, ' ');
}

static void test_account_delete(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice"), *b = account_of(&w, "bob");
    deliver(&w, a, "INBOX", message_text);
    deliver(&w, b, "INBOX", message_text);
    struct mailbox *m = mailbox_of(a, "INBOX"), *again;
    struct mailbox_status before, after;
    assert_int_equal(mailbox_status(m, &before), OK);
    assert_int_equal(account_delete(w.store, SLICE("alice")), OK);
    assert_int_equal(account_delete(w.store, SLICE("alice")), NOT_FOUND);
    assert_int_equal(account_delete(w.store, SLICE("carol")), NOT_FOUND);
    struct view *v;
    assert_int_equal(mailbox_view(m, &v), NOT_FOUND);
    assert_int_equal(mailbox_open(a, SLICE("INBOX"), &again), NOT_FOUND);
    assert_int_equal(deliver_flags(&w, a, "INBOX", message_text, 0, NULL, NULL), NOT_FOUND);
    struct buf out;
    buf_init(&out, 100);
    assert_int_equal(account_list(w.store, count_names, &out), OK);
    assert_true(slice_is(buf_slice(&out), "bob "));
    buf_release(&out);
    mailbox_unref(m);
    account_unref(a);
    /* A later one of that name is another one. */
    a = account_of(&w, "alice");
    m = mailbox_of(a, "INBOX");
    assert_int_equal(mailbox_status(m, &after), OK);
    assert_int_equal(after.count, 0);
    assert_true(after.uidvalidity > before.uidvalidity);
    mailbox_unref(m);
    account_unref(a);
    account_unref(b);
    store_settle(w.store);
    assert_int_equal(count_keys(&w, "m"), 1);
    assert_int_equal(count_keys(&w, "e"), 1);
    struct account *none;
    assert_int_equal(account_open(w.store, SLICE(""), &none), INVALID);
    world_remove(&w);
}

static void test_reaper_after_restart(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    for (int i = 0; i < 20; i++)
        deliver(&w, a, "Old", message_text);
    for (int i = 0; i < 20; i++)
        deliver(&w, a, "INBOX", message_text);
    struct mailbox *m = mailbox_of(a, "INBOX");
    uint32_t uids[] = {1, 2, 3, 4};
    assert_int_equal(expunge(m, uids, 4), OK);
    assert_int_equal(mailbox_delete(a, SLICE("Old")), OK);
    mailbox_unref(m);
    account_unref(a);
    world_close(&w); /* before the reaper came to it, most likely */
    world_open(&w);
    store_settle(w.store);
    assert_int_equal(count_keys(&w, "m"), 16);
    assert_int_equal(count_keys(&w, "e"), 16);
    assert_int_equal(count_keys(&w, "r"), 16);
    assert_int_equal(count_keys(&w, "d"), 0);
    assert_int_equal(count_keys(&w, "z"), 0);
    world_remove(&w);
}

struct watcher {
    struct mailbox_watch watch;
    atomic_uint calls;
};

static void note_change(struct mailbox_watch *watch)
{
    atomic_fetch_add(&CONTAINER_OF(watch, struct watcher, watch)->calls, 1);
}

static void test_watch(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    struct mailbox *m = mailbox_of(a, "Junk");
    struct watcher x = {.watch.changed = note_change};
    mailbox_watch(m, &x.watch);
    deliver(&w, a, "Junk", message_text);
    assert_int_equal(x.calls, 1);
    assert_int_equal(mailbox_delete(a, SLICE("Junk")), OK);
    assert_int_equal(x.calls, 2);
    mailbox_unwatch(m, &x.watch);
    deliver(&w, a, "Junk", message_text); /* a new one */
    assert_int_equal(x.calls, 2);
    struct buf name;
    buf_init(&name, 100);
    assert_int_equal(mailbox_name(m, &name), NOT_FOUND);
    mailbox_unref(m);
    m = mailbox_of(a, "Junk");
    assert_int_equal(mailbox_name(m, &name), OK);
    assert_true(slice_is(buf_slice(&name), "Junk"));
    buf_release(&name);
    mailbox_unref(m);
    account_unref(a);
    world_remove(&w);
}

struct got_summaries {
    size_t n;
    bool ordered;
};

static void note_summary(void *arg, size_t i, struct slice summary)
{
    struct got_summaries *g = arg;
    g->ordered &= i == g->n && slice_is(summary, i == 57 ? "" : "summary");
    g->n++;
}

static void test_summaries(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    uint64_t ids[200];
    for (int i = 0; i < 200; i++)
        assert_int_equal(deliver_flags(&w, a, "INBOX", message_text, 0, &ids[i], NULL), OK);
    ids[57] = 4711; /* not there: an empty one */
    struct got_summaries g = {0, true};
    assert_int_equal(message_summaries(w.store, ids, 200, note_summary, &g), OK);
    assert_int_equal(g.n, 200);
    assert_true(g.ordered);
    for (int i = 0; i < 28; i++) { /* no order */
        uint64_t id = ids[i];
        ids[i] = ids[199 - i];
        ids[199 - i] = id;
    }
    g = (struct got_summaries){0, true};
    assert_int_equal(message_summaries(w.store, ids, 200, note_summary, &g), OK);
    assert_int_equal(g.n, 200);
    assert_true(g.ordered);
    account_unref(a);
    world_remove(&w);
}

static void test_cache_budget(void **state)
{
    (void)state;
    struct world w = world_new();
    world_close(&w);
    w.options.view_cache_bytes = 20000;
    world_open(&w);
    struct account *a = account_of(&w, "alice");
    for (int i = 0; i < 30; i++) {
        char name[20];
        snprintf(name, sizeof name, "box%d", i);
        deliver(&w, a, name, message_text);
        struct mailbox *m = mailbox_of(a, name);
        for (int k = 0; k < 3; k++) {
            struct view *v = view_of(m);
            assert_int_equal(view_count(v), k + 1);
            view_unref(v);
            deliver(&w, a, name, message_text);
        }
        mailbox_unref(m);
    }
    struct store_stats st;
    store_stats_get(w.store, &st);
    assert_true(st.cached_view_bytes <= 3 * 20000);
    assert_int_equal(st.damaged_records, 0);
    account_unref(a);
    world_remove(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_account_and_delivery),
        cmocka_unit_test(test_reopen),
        cmocka_unit_test(test_big_message),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_keywords_and_unchanged_since),
        cmocka_unit_test(test_expunge_and_diff),
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_account_watch),
        cmocka_unit_test(test_vanished),
        cmocka_unit_test(test_copy_and_move),
        cmocka_unit_test(test_shared_bytes),
        cmocka_unit_test(test_quota_and_refusals),
        cmocka_unit_test(test_quota_of_mailboxes),
        cmocka_unit_test(test_account_delete),
        cmocka_unit_test(test_reaper_after_restart),
        cmocka_unit_test(test_watch),
        cmocka_unit_test(test_summaries),
        cmocka_unit_test(test_cache_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
