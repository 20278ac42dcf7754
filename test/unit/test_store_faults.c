/* test_store_faults.c: a full disk, a disk that fails, and kill -9 under load. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "os/durable.h"
#include "store_check.h"

static const struct slice text = {"text of a message", 17};

/* ---- the disk is nearly full ---- */

static void test_full_disk(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    struct mailbox *m = mailbox_of(a, "INBOX"), *trash = mailbox_of(a, "Trash");
    struct view *v = view_of(m); /* loaded */
    for (int i = 0; i < 5; i++)
        deliver(&w, a, "INBOX", text);
    view_unref(v);
    durable_set_free_space(1 << 20);
    struct kv_stats stats;
    for (int i = 0; i < 3000; i++) { /* it looks at the disk now and then */
        kv_stats_get(w.kv, &stats);
        if (stats.disk_reserved)
            break;
        usleep(1000);
    }
    assert_true(stats.disk_reserved);
    uint32_t uids[] = {1, 2, 3}, got[3];
    assert_int_equal(deliver_flags(&w, a, "INBOX", text, 0, NULL, NULL), FULL);
    assert_int_equal(deliver_flags(&w, a, "Trash", text, 0, NULL, NULL), FULL);
    assert_int_equal(deliver_flags(&w, a, "new", text, 0, NULL, NULL), FULL);
    assert_int_equal(copy(m, trash, false, uids, 3, got), FULL);
    struct account *none;
    assert_int_equal(account_open(w.store, SLICE("carol"), &none), FULL);
    /* Reading, flags, moving to the trash and deleting go on. */
    assert_int_equal(store_flags(m, FLAGS_ADD, FLAG_SEEN, uids, 3), OK);
    assert_int_equal(copy(m, trash, true, uids, 1, got), OK);
    assert_int_equal(got[0], 1);
    assert_int_equal(expunge(m, uids + 1, 1), OK);
    assert_int_equal(mailbox_subscribe(a, SLICE("Trash"), false), OK);
    v = view_of(m);
    assert_int_equal(view_count(v), 3);
    assert_int_equal(view_uidnext(v), 6); /* what was refused left no trace */
    view_unref(v);
    store_settle(w.store);
    assert_int_equal(count_keys(&w, "m"), 4);
    durable_set_free_space(UINT64_MAX);
    enum result r = FULL;
    for (int i = 0; r == FULL && i < 3000; i++) {
        usleep(1000);
        r = deliver_flags(&w, a, "INBOX", text, 0, NULL, &uids[0]);
    }
    assert_int_equal(r, OK);
    assert_int_equal(uids[0], 6);
    assert_int_equal(deliver(&w, a, "new", text), 1);
    mailbox_unref(m);
    mailbox_unref(trash);
    account_unref(a);
    check_store(&w);
    world_remove(&w);
}

/* ---- a sync that fails is the end, and nothing shows that is not durable ---- */

static void test_failed_sync(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    struct mailbox *m = mailbox_of(a, "INBOX");
    deliver(&w, a, "INBOX", text);
    struct view *v = view_of(m);
    view_unref(v);
    durable_fault_set(DURABLE_SYNC, 1, EIO, 0);
    assert_int_equal(deliver_flags(&w, a, "INBOX", text, 0, NULL, NULL), FAILED);
    assert_int_equal(deliver_flags(&w, a, "INBOX", text, 0, NULL, NULL), FAILED);
    uint32_t uid = 1;
    assert_int_equal(expunge(m, &uid, 1), FAILED);
    v = view_of(m);
    assert_int_equal(view_count(v), 1);
    assert_int_equal(view_uidnext(v), 2);
    view_unref(v);
    mailbox_unref(m);
    account_unref(a);
    world_close(&w);
    durable_fault_clear();
    world_open(&w);
    check_store(&w);
    world_remove(&w);
}

/* ---- kill -9 ---- */

enum { CLIENTS = 3, ACKED_MAX = 20000 };

struct client {
    struct world *world;
    int acks;
    unsigned number;
};

/* What was acknowledged goes through the pipe: the message's id, with its lowest bit's meaning told
 * by a second number: 1 is there, 0 was expunged (or is about to be). */
struct ack {
    uint64_t message, there;
};

static void tell(const struct client *c, uint64_t message, bool there)
{
    struct ack ack = {message, there};
    if (write(c->acks, &ack, sizeof ack) != sizeof ack)
        _exit(1);
}

static void *load(void *arg)
{
    struct client *c = arg;
    struct account *a = account_of(c->world, c->number % 2 ? "alice" : "bob");
    struct mailbox *m = mailbox_of(a, "INBOX");
    for (unsigned i = 0;; i++) {
        uint64_t message = 0;
        uint32_t uid = 0, got;
        if (deliver_flags(c->world, a, "INBOX", text, 0, &message, &uid) != OK)
            _exit(1);
        tell(c, message, true);
        struct mailbox *trash = i % 5 == 4 ? mailbox_of(a, "Trash") : NULL;
        if (trash && copy(m, trash, i % 2, &uid, 1, &got) != OK)
            _exit(1);
        mailbox_unref(trash);
        if (i % 3 == 2) {
            tell(c, message, false);
            if (expunge(m, &uid, 1) != OK)
                _exit(1);
        }
    }
}

static void run_until_killed(struct world *w, int acks)
{
    world_open(w);
    struct client clients[CLIENTS];
    pthread_t threads[CLIENTS];
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = (struct client){w, acks, i};
        if (pthread_create(&threads[i], NULL, load, &clients[i]) != 0)
            _exit(1);
    }
    pthread_join(threads[0], NULL);
    _exit(1);
}

static int compare_acks(const void *a, const void *b)
{
    const struct ack *x = a, *y = b;
    return (x->message > y->message) - (x->message < y->message);
}

/* Everything acknowledged and not expunged is there. */
static void check_acked(struct world *w, struct ack *acks, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool gone = false;
        for (size_t k = 0; k < n && !gone; k++)
            gone = acks[k].message == acks[i].message && !acks[k].there;
        if (gone)
            continue;
        struct buf out;
        buf_init(&out, 100);
        assert_int_equal(message_read(w->store, acks[i].message, 0, 100, &out), OK);
        assert_true(slice_eq(buf_slice(&out), text));
        buf_release(&out);
    }
}

static void one_crash(struct world *w, unsigned round, struct ack *acks, size_t *n)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ends[0]);
        run_until_killed(w, ends[1]);
    }
    close(ends[1]);
    size_t enough = *n + 20 + round * 37 % 100;
    while (*n < ACKED_MAX && read(ends[0], &acks[*n], sizeof *acks) == sizeof *acks)
        if (++*n == enough)
            kill(child, SIGKILL);
    close(ends[0]);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    world_open(w);
    check_store(w);
    qsort(acks, *n, sizeof *acks, compare_acks);
    check_acked(w, acks, *n);
    world_close(w);
}

static void test_kill(void **state)
{
    (void)state;
    struct world w = world_new();
    world_close(&w);
    struct ack *acks = calloc(ACKED_MAX, sizeof *acks);
    size_t n = 0;
    for (unsigned round = 0; round < 8; round++)
        one_crash(&w, round, acks, &n);
    free(acks);
    world_open(&w);
    world_remove(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_failed_sync),
        cmocka_unit_test(test_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
