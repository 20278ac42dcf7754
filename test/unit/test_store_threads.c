/* test_store_threads.c: several threads on few mailboxes while others watch; meant for TSan too. */
#include "store_check.h"

enum { WRITERS = 4, OBSERVERS = 2, ROUNDS = 60, BOXES = 3, ACCOUNTS = 2 };

static const char *const account_names[ACCOUNTS] = {"alice", "bob"};
static const char *const box_names[BOXES] = {"INBOX", "Trash", "work"};

struct crowd {
    struct world world;
    atomic_bool stop;
    atomic_uint delivered;
};

struct worker {
    struct crowd *crowd;
    unsigned seed;
    pthread_t thread;
};

static unsigned draw(struct worker *w, unsigned below)
{
    w->seed = w->seed * 1103515245 + 12345;
    return (w->seed >> 8) % below;
}

static struct account *some_account(struct worker *w)
{
    return account_of(&w->crowd->world, account_names[draw(w, ACCOUNTS)]);
}

static void deliver_to_all(struct worker *w)
{
    struct world *world = &w->crowd->world;
    struct account *a[ACCOUNTS];
    struct delivery *d;
    assert_int_equal(delivery_new(world->store, log_id_new(), &d), OK);
    assert_int_equal(delivery_write(d, SLICE("a message")), OK);
    for (int i = 0; i < ACCOUNTS; i++) {
        a[i] = account_of(world, account_names[i]);
        struct delivery_target t = {.account = a[i],
                                    .mailbox = slice_cstr(box_names[draw(w, BOXES)])};
        assert_int_equal(delivery_add(d, &t), OK);
    }
    struct waiting done = waiting_new();
    assert_int_equal(waiting_for(&done, delivery_submit(d, waiting_done, &done)), OK);
    for (int i = 0; i < ACCOUNTS; i++)
        account_unref(a[i]);
    atomic_fetch_add(&w->crowd->delivered, ACCOUNTS);
}

static size_t some_uids(struct worker *w, struct mailbox *m, uint32_t *uids)
{
    struct view *v = view_of(m);
    size_t n = 0;
    for (uint32_t seq = 1; seq <= view_count(v) && n < 5; seq += 1 + draw(w, 4))
        uids[n++] = view_entry(v, seq)->uid;
    view_unref(v);
    return n;
}

static void change_something(struct worker *w)
{
    struct account *a = some_account(w);
    struct mailbox *m = mailbox_of(a, box_names[draw(w, BOXES)]);
    struct mailbox *to = mailbox_of(a, box_names[draw(w, BOXES)]);
    uint32_t uids[5], got[5];
    size_t n = some_uids(w, m, uids);
    switch (draw(w, 4)) {
    case 0:
        assert_int_equal(store_flags(m, FLAGS_ADD, (uint8_t)draw(w, 32), uids, n), OK);
        break;
    case 1:
        assert_int_equal(expunge(m, uids, n), OK);
        break;
    case 2:
        assert_int_equal(copy(m, to, true, uids, n, got), OK);
        break;
    default:
        assert_int_equal(copy(m, to, false, uids, n, got), OK);
    }
    mailbox_unref(m);
    mailbox_unref(to);
    account_unref(a);
}

static void make_and_delete(struct worker *w)
{
    struct account *a = some_account(w);
    char name[32];
    snprintf(name, sizeof name, "t%u", draw(w, 3));
    enum result r = mailbox_create(a, slice_cstr(name), 0);
    assert_true(r == OK || r == EXISTS);
    deliver_flags(&w->crowd->world, a, name, SLICE("text"), 0, NULL, NULL);
    r = mailbox_delete(a, slice_cstr(name));
    assert_true(r == OK || r == NOT_FOUND);
    account_unref(a);
}

static void *write_things(void *arg)
{
    struct worker *w = arg;
    for (int i = 0; i < ROUNDS; i++) {
        deliver_to_all(w);
        change_something(w);
        if (i % 10 == 0)
            make_and_delete(w);
    }
    return NULL;
}

struct watcher {
    struct mailbox_watch watch;
    atomic_uint calls;
};

static void note_change(struct mailbox_watch *watch)
{
    atomic_fetch_add(&CONTAINER_OF(watch, struct watcher, watch)->calls, 1);
}

/* What a session does: views only go forward, and the difference tells all. */
static void catch_up(struct mailbox *m, struct view **seen)
{
    struct view *v = view_of(m);
    assert_true(view_highest_modseq(v) >= view_highest_modseq(*seen));
    assert_true(view_uidnext(v) >= view_uidnext(*seen));
    uint32_t last = 0;
    uint64_t bytes = 0;
    for (uint32_t seq = 1; seq <= view_count(v); seq++) {
        const struct entry *e = view_entry(v, seq);
        assert_true(e->uid > last && e->uid < view_uidnext(v));
        assert_true(e->modseq <= view_highest_modseq(v));
        last = e->uid;
        bytes += e->size;
    }
    assert_int_equal(bytes, view_bytes(v));
    view_unref(*seen);
    *seen = v;
}

static void *observe(void *arg)
{
    struct worker *w = arg;
    struct account *a = some_account(w);
    struct mailbox *m = mailbox_of(a, box_names[draw(w, BOXES)]);
    struct watcher x = {.watch.changed = note_change};
    struct view *seen = view_of(m);
    while (!atomic_load(&w->crowd->stop)) {
        mailbox_watch(m, &x.watch);
        catch_up(m, &seen);
        usleep(500);
        mailbox_unwatch(m, &x.watch);
    }
    view_unref(seen);
    mailbox_unref(m);
    account_unref(a);
    return NULL;
}

static void start(struct worker *w, struct crowd *c, unsigned seed, void *(*run)(void *))
{
    *w = (struct worker){.crowd = c, .seed = seed};
    assert_int_equal(pthread_create(&w->thread, NULL, run, w), 0);
}

static void run_crowd(size_t cache)
{
    struct crowd c = {.world = world_new()};
    world_close(&c.world);
    c.world.options.view_cache_bytes = cache;
    world_open(&c.world);
    for (int i = 0; i < ACCOUNTS; i++) {
        struct account *a = account_of(&c.world, account_names[i]);
        assert_int_equal(mailbox_create(a, SLICE("work"), 0), OK);
        account_unref(a);
    }
    struct worker writers[WRITERS], observers[OBSERVERS];
    for (unsigned i = 0; i < OBSERVERS; i++)
        start(&observers[i], &c, 100 + i, observe);
    for (unsigned i = 0; i < WRITERS; i++)
        start(&writers[i], &c, 1 + i, write_things);
    for (unsigned i = 0; i < WRITERS; i++)
        pthread_join(writers[i].thread, NULL);
    atomic_store(&c.stop, true);
    for (unsigned i = 0; i < OBSERVERS; i++)
        pthread_join(observers[i].thread, NULL);
    assert_int_equal(atomic_load(&c.delivered), WRITERS * ROUNDS * ACCOUNTS);
    check_store(&c.world);
    world_close(&c.world);
    world_open(&c.world);
    check_store(&c.world);
    world_remove(&c.world);
}

static void test_threads(void **state)
{
    (void)state;
    run_crowd(0);
}

static void test_threads_without_cache(void **state)
{
    (void)state;
    run_crowd(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_threads_without_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
