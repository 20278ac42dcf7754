/* test_store_import.c: mail of another server: UIDVALIDITY, UIDs, UIDLs, and that a repeated import
 * finds what is there. */
#include "store_world.h"

static struct mailbox_status adopt(struct account *a, struct mailbox_origin o)
{
    struct mailbox_status s;
    struct waiting w = waiting_new();
    assert_int_equal(waiting_for(&w, mailbox_adopt(a, &o, &s, waiting_done, &w)), OK);
    return s;
}

static enum result import(struct store *s, struct account *a, const char *origin, uint32_t uid,
                          const char *uidl, uint32_t *ret_uid)
{
    struct delivery *d;
    struct waiting w = waiting_new();
    struct delivery_target t = {.account = a,
                                .mailbox = SLICE("Old"),
                                .must_exist = true,
                                .origin = slice_cstr(origin),
                                .uidl = slice_cstr(uidl),
                                .uid = uid,
                                .ret_uid = ret_uid};
    assert_int_equal(delivery_new(s, log_id_new(), &d), OK);
    assert_int_equal(delivery_write(d, SLICE("a: b\r\n\r\n")), OK);
    assert_int_equal(delivery_add(d, &t), OK);
    return waiting_for(&w, delivery_submit(d, waiting_done, &w));
}

struct uidl_list {
    char text[200];
};

static void add_uidl(void *arg, uint32_t uid, struct slice uidl)
{
    struct uidl_list *l = arg;
    size_t n = strlen(l->text);
    snprintf(l->text + n, sizeof l->text - n, "%u=%.*s ", uid, SLICE_ARG(uidl));
}

static void check_uidls(struct account *a, const char *name, const char *expected)
{
    struct mailbox *m;
    struct uidl_list l = {""};
    assert_int_equal(mailbox_open(a, slice_cstr(name), &m), OK);
    assert_int_equal(mailbox_uidls(m, add_uidl, &l), OK);
    assert_string_equal(l.text, expected);
    mailbox_unref(m);
}

static void test_import(void **state)
{
    struct world w = world_new();
    struct account *a;
    uint32_t uid = 0;
    (void)state;
    assert_int_equal(account_open(w.store, SLICE("alice"), &a), OK);
    struct mailbox_origin o = {SLICE("Old"), 77, 0, MAILBOX_SUBSCRIBED | MAILBOX_SENT};
    struct mailbox_status s = adopt(a, o);
    assert_true(s.uidvalidity == 77 && s.uidnext == 1);
    assert_int_equal(import(w.store, a, "one", 5, "u-five", &uid), OK);
    assert_int_equal(uid, 5);
    assert_int_equal(import(w.store, a, "two", 9, "", &uid), OK);
    assert_int_equal(uid, 9);
    assert_int_equal(import(w.store, a, "one", 5, "", &uid), EXISTS);
    /* A UID that is taken, or below: the next one. */
    assert_int_equal(import(w.store, a, "three", 9, "", &uid), OK);
    assert_int_equal(uid, 10);
    o.uidnext = 40;
    s = adopt(a, o);
    assert_true(s.uidvalidity == 77 && s.uidnext == 40 && s.count == 3);
    /* Another UIDVALIDITY comes too late, and its UIDNEXT means nothing here. */
    s = adopt(a, (struct mailbox_origin){SLICE("Old"), 78, 90, 0});
    assert_true(s.uidvalidity == 77 && s.uidnext == 40);
    check_uidls(a, "Old", "5=u-five ");
    check_uidls(a, "INBOX", "");
    account_unref(a);
    world_close(&w);
    world_open(&w);
    assert_int_equal(account_open(w.store, SLICE("alice"), &a), OK);
    assert_int_equal(import(w.store, a, "two", 9, "", &uid), EXISTS);
    check_uidls(a, "Old", "5=u-five ");
    /* RFC 3501 2.3.1.1: made again, the name has a greater UIDVALIDITY. */
    assert_int_equal(mailbox_delete(a, SLICE("Old")), OK);
    s = adopt(a, (struct mailbox_origin){SLICE("Old"), 0, 0, 0});
    assert_true(s.uidvalidity > 77);
    assert_int_equal(import(w.store, a, "two", 9, "", &uid), OK);
    check_uidls(a, "Old", "");
    account_unref(a);
    world_remove(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_import)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
