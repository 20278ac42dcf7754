/* test_store_folders.c: names of mailboxes: creation, hierarchy, deletion, renaming, subscriptions.
 */
#include "store_world.h"

static bool append_info(void *arg, const struct mailbox_info *m)
{
    struct buf *out = arg;
    buf_append(out, m->name);
    buf_puts(out, m->attrs & MAILBOX_SUBSCRIBED ? "s" : "");
    buf_puts(out, m->has_children ? "+" : "");
    buf_puts(out, m->attrs & MAILBOX_NOSELECT ? "n" : "");
    buf_puts(out, m->attrs & MAILBOX_NONEXISTENT ? "x" : "");
    buf_puts(out, m->attrs & MAILBOX_SPECIAL ? "!" : "");
    buf_putc(out, ' ');
    return true;
}

static void assert_list(struct account *a, const char *expected)
{
    struct buf out;
    buf_init(&out, 100000);
    assert_int_equal(mailbox_list(a, append_info, &out), OK);
    buf_putc(&out, '\0');
    assert_string_equal(buf_slice(&out).data, expected);
    buf_release(&out);
}

#define DEFAULTS_D "Archives! Draftss! "
#define DEFAULTS_I "INBOXs Junks! Sents! Trashs! "

static void test_create(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    assert_list(a, DEFAULTS_D DEFAULTS_I);
    assert_int_equal(mailbox_create(a, SLICE("inbox"), 0), EXISTS);
    assert_int_equal(mailbox_create(a, SLICE("a/b/c/"), 0), OK);
    assert_int_equal(mailbox_create(a, SLICE("a/b"), 0), EXISTS);
    assert_int_equal(mailbox_create(a, SLICE("a b"), MAILBOX_FLAGGED), OK);
    assert_int_equal(mailbox_create(a, SLICE("Inbox/x"), 0), OK);
    assert_list(a, DEFAULTS_D "INBOXs+ INBOX/x Junks! Sents! Trashs! a+ a/b+ a/b/c a b! ");
    account_unref(a);
    world_remove(&w);
}

static void test_names(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    static const char *const bad[] = {
        "",     "/",        "/a",       "a//b",        "a\x01",
        "a\r",  "\x7f",     "\xff\xfe", "\xc0\xaf",    "a\xe2\x80\xa8",
        "\xc2", "\xc2\x85", "a//",      "\xed\xa0\x80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(mailbox_create(a, slice_cstr(bad[i]), 0), INVALID);
    char name[1100];
    memset(name, 'n', sizeof name);
    assert_int_equal(mailbox_create(a, slice_of(name, 1001), 0), LIMIT);
    assert_int_equal(mailbox_create(a, slice_of(name, 1000), 0), OK);
    /* The same name in NFD and NFC. */
    assert_int_equal(mailbox_create(a, SLICE("u\xcc\x88"), 0), OK);
    assert_int_equal(mailbox_create(a, SLICE("\xc3\xbc"), 0), EXISTS);
    struct mailbox *m = mailbox_of(a, "u\xcc\x88"), *none;
    struct buf out;
    buf_init(&out, 100);
    assert_int_equal(mailbox_name(m, &out), OK);
    assert_true(slice_is(buf_slice(&out), "\xc3\xbc"));
    buf_release(&out);
    mailbox_unref(m);
    assert_int_equal(mailbox_open(a, SLICE("nn"), &none), NOT_FOUND);
    account_unref(a);
    world_remove(&w);
}

static void test_delete(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    assert_int_equal(mailbox_delete(a, SLICE("INBOX")), DENIED);
    assert_int_equal(mailbox_delete(a, SLICE("none")), NOT_FOUND);
    assert_int_equal(mailbox_create(a, SLICE("p/q"), 0), OK);
    assert_int_equal(mailbox_delete(a, SLICE("p")), OK);
    assert_list(a, DEFAULTS_D DEFAULTS_I "p+n p/q ");
    struct mailbox *none;
    assert_int_equal(mailbox_open(a, SLICE("p"), &none), NOT_FOUND);
    assert_int_equal(mailbox_delete(a, SLICE("p")), DENIED);
    /* Its UIDVALIDITY is another one when it comes back. */
    struct mailbox *m = mailbox_of(a, "p/q");
    struct mailbox_status before, after;
    assert_int_equal(mailbox_status(m, &before), OK);
    assert_int_equal(mailbox_delete(a, SLICE("p/q")), OK);
    assert_int_equal(mailbox_status(m, &after), NOT_FOUND);
    mailbox_unref(m);
    assert_int_equal(mailbox_create(a, SLICE("p/q"), 0), OK);
    m = mailbox_of(a, "p/q");
    assert_int_equal(mailbox_status(m, &after), OK);
    assert_true(after.uidvalidity > before.uidvalidity);
    mailbox_unref(m);
    assert_int_equal(mailbox_delete(a, SLICE("p/q")), OK);
    assert_int_equal(mailbox_delete(a, SLICE("p")), OK);
    assert_list(a, DEFAULTS_D DEFAULTS_I);
    /* A level can become a mailbox again. */
    assert_int_equal(mailbox_create(a, SLICE("p/q"), 0), OK);
    assert_int_equal(mailbox_delete(a, SLICE("p")), OK);
    assert_int_equal(mailbox_create(a, SLICE("p"), 0), OK);
    assert_list(a, DEFAULTS_D DEFAULTS_I "p+ p/q ");
    account_unref(a);
    world_remove(&w);
}

static void test_rename(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    assert_int_equal(mailbox_create(a, SLICE("x/y/z"), 0), OK);
    deliver(&w, a, "x/y", SLICE("text"));
    struct mailbox *m = mailbox_of(a, "x/y");
    assert_int_equal(mailbox_rename(a, SLICE("x"), SLICE("x/below")), INVALID);
    assert_int_equal(mailbox_rename(a, SLICE("x"), SLICE("Trash")), EXISTS);
    assert_int_equal(mailbox_rename(a, SLICE("none"), SLICE("new")), NOT_FOUND);
    assert_int_equal(mailbox_rename(a, SLICE("x"), SLICE("bad//name")), INVALID);
    assert_int_equal(mailbox_subscribe(a, SLICE("x/y"), true), OK);
    assert_int_equal(mailbox_rename(a, SLICE("x"), SLICE("n/m")), OK);
    assert_list(a, DEFAULTS_D DEFAULTS_I "n+ n/m+ n/m/y+ n/m/y/z x/ysx ");
    struct view *v = view_of(m); /* the handle goes along */
    assert_int_equal(view_count(v), 1);
    view_unref(v);
    struct buf out;
    buf_init(&out, 100);
    assert_int_equal(mailbox_name(m, &out), OK);
    assert_true(slice_is(buf_slice(&out), "n/m/y"));
    buf_release(&out);
    mailbox_unref(m);
    /* Names too long for the children are refused, and nothing changes. */
    char name[1000];
    memset(name, 'q', sizeof name);
    assert_int_equal(mailbox_rename(a, SLICE("n"), slice_of(name, 999)), LIMIT);
    assert_list(a, DEFAULTS_D DEFAULTS_I "n+ n/m+ n/m/y+ n/m/y/z x/ysx ");
    /* Up a level, over names of its own. */
    assert_int_equal(mailbox_rename(a, SLICE("n/m/y"), SLICE("y")), OK);
    assert_int_equal(mailbox_rename(a, SLICE("y"), SLICE("x/y")), OK);
    assert_list(a, DEFAULTS_D DEFAULTS_I "n+ n/m x+ x/ys+ x/y/z ");
    account_unref(a);
    world_close(&w);
    world_open(&w);
    a = account_of(&w, "alice");
    assert_list(a, DEFAULTS_D DEFAULTS_I "n+ n/m x+ x/ys+ x/y/z ");
    account_unref(a);
    world_remove(&w);
}

static void test_rename_inbox(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    assert_int_equal(mailbox_create(a, SLICE("INBOX/child"), 0), OK);
    for (int i = 0; i < 3; i++)
        deliver(&w, a, "INBOX", SLICE("text"));
    struct mailbox *inbox = mailbox_of(a, "INBOX");
    assert_int_equal(mailbox_rename(a, SLICE("inbox"), SLICE("old/mail")), OK);
    struct mailbox *old = mailbox_of(a, "old/mail");
    struct view *v = view_of(inbox);
    assert_int_equal(view_count(v), 0);
    view_unref(v);
    v = view_of(old);
    assert_int_equal(view_count(v), 3);
    view_unref(v);
    assert_int_equal(deliver(&w, a, "INBOX", SLICE("text")), 4);
    assert_int_equal(mailbox_rename(a, SLICE("inbox"), SLICE("old/mail")), EXISTS);
    assert_list(a, DEFAULTS_D "INBOXs+ INBOX/child Junks! Sents! Trashs! old+ old/mail ");
    mailbox_unref(inbox);
    mailbox_unref(old);
    account_unref(a);
    world_remove(&w);
}

static void test_subscriptions(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    assert_int_equal(mailbox_create(a, SLICE("n"), 0), OK);
    assert_int_equal(mailbox_subscribe(a, SLICE("n"), true), OK);
    assert_int_equal(mailbox_subscribe(a, SLICE("n"), true), OK);
    assert_int_equal(mailbox_subscribe(a, SLICE("ghost"), false), OK);
    assert_int_equal(mailbox_delete(a, SLICE("n")), OK);
    assert_list(a, DEFAULTS_D DEFAULTS_I "nsx ");
    assert_int_equal(mailbox_delete(a, SLICE("n")), NOT_FOUND);
    assert_int_equal(mailbox_create(a, SLICE("n"), 0), OK);
    assert_list(a, DEFAULTS_D DEFAULTS_I "ns ");
    assert_int_equal(mailbox_delete(a, SLICE("n")), OK);
    assert_int_equal(mailbox_subscribe(a, SLICE("n"), false), OK);
    assert_int_equal(mailbox_subscribe(a, SLICE("Trash"), false), OK);
    assert_list(a, DEFAULTS_D "INBOXs Junks! Sents! Trash! ");
    account_unref(a);
    world_remove(&w);
}

static bool open_it(void *arg, const struct mailbox_info *info)
{
    struct mailbox *m;
    assert_int_equal(mailbox_open(arg, info->name, &m), OK);
    assert_int_equal(mailbox_id(m), info->id);
    mailbox_unref(m);
    return !slice_is(info->name, "INBOX");
}

static void test_list_may_call_the_store(void **state)
{
    (void)state;
    struct world w = world_new();
    struct account *a = account_of(&w, "alice");
    assert_int_equal(mailbox_list(a, open_it, a), OK);
    account_unref(a);
    world_remove(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_delete),
        cmocka_unit_test(test_rename),
        cmocka_unit_test(test_rename_inbox),
        cmocka_unit_test(test_subscriptions),
        cmocka_unit_test(test_list_may_call_the_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
