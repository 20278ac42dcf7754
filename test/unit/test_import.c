/* test_import.c: what stands beside the messages of other servers, and mbox files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "cli/import/import.h"

static void test_dovecot_uidlist(void **state)
{
    struct uidlist u;
    (void)state;
    uidlist_init(&u);
    unsigned bad = uidlist_parse_dovecot(&u, SLICE("3 V1500 N40 Gabc\n"
                                                   "7 W123 S122 Pold-uidl :1.M1.host,S=3:2,S\n"
                                                   "9 :2.M2.host\n"
                                                   "\n"
                                                   "x :3.M3.host\n"
                                                   "0 :4.M4.host\n"
                                                   "50 :5.M5.host"));
    assert_int_equal(bad, 2);
    assert_int_equal(u.uidvalidity, 1500);
    assert_int_equal(u.uidnext, 51); /* never below a UID that was given */
    struct uid_entry *e = map_get(&u.uids, SLICE("1.M1.host,S=3"));
    assert_non_null(e);
    assert_int_equal(e->uid, 7);
    assert_true(slice_is(e->uidl, "old-uidl"));
    e = map_get(&u.uids, SLICE("2.M2.host"));
    assert_true(e && e->uid == 9 && !e->uidl.data);
    assert_null(map_get(&u.uids, SLICE("4.M4.host")));
    uidlist_release(&u);
    uidlist_init(&u);
    assert_int_equal(uidlist_parse_dovecot(&u, SLICE("1 12 13\n5 a:2,S\n")), 0);
    e = map_get(&u.uids, SLICE("a"));
    assert_true(e && e->uid == 5 && u.uidvalidity == 12 && u.uidnext == 13);
    uidlist_release(&u);
    static const char *const wrong[] = {"",      "\n", "2 V1 N1\n", "3\n", "3 V99999999999 N1\n",
                                        "3 N4\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        uidlist_init(&u);
        assert_int_equal(uidlist_parse_dovecot(&u, slice_cstr(wrong[i])), 1);
        uidlist_release(&u);
    }
}

static void test_courier_and_keywords(void **state)
{
    struct uidlist u;
    (void)state;
    uidlist_init(&u);
    assert_int_equal(uidlist_parse_courier(&u, SLICE("1 900 12\n3 a.host\n4\nq b\n")), 2);
    struct uid_entry *e = map_get(&u.uids, SLICE("a.host"));
    assert_true(e && e->uid == 3 && u.uidvalidity == 900 && u.uidnext == 12);
    assert_int_equal(
        uidlist_parse_keywords(&u, SLICE("0 $Forwarded\n25 work\n26 no\nz no\n1 two words\n2\n")),
        4);
    assert_true(slice_is(u.keywords[0], "$Forwarded") && slice_is(u.keywords[25], "work"));
    assert_null(u.keywords[1].data);
    uidlist_release(&u);
}

static void count_name(void *arg, struct slice name)
{
    struct buf *b = arg;
    buf_append(b, name);
    buf_putc(b, '|');
}

static void test_subscriptions(void **state)
{
    char mem[100];
    struct buf b = {.mem = mem, .size = sizeof mem, .max = sizeof mem};
    (void)state;
    subscriptions_parse(SLICE("V\t2\n\nSent\nYears\t2020\n"), count_name, &b);
    subscriptions_parse(SLICE("INBOX.A\r\nB"), count_name, &b);
    assert_true(slice_is(buf_slice(&b), "Sent|Years\t2020|INBOX.A|B|"));
}

static void test_uidl_format(void **state)
{
    char mem[100];
    struct buf b = {.mem = mem, .size = sizeof mem, .max = sizeof mem};
    (void)state;
    assert_true(uidl_format(SLICE("%08Xu%08Xv"), 0x16b, 0xabc, SLICE(""), &b));
    assert_true(slice_is(buf_slice(&b), "0000016b00000abc"));
    buf_reset(&b);
    assert_true(uidl_format(SLICE("%v-%u.%f"), 7, 8, SLICE("file"), &b));
    assert_true(slice_is(buf_slice(&b), "8-7.file"));
    buf_reset(&b);
    assert_false(uidl_format(SLICE("%u"), 0, 8, SLICE(""), &b));
    assert_false(uidl_format(SLICE("%m"), 1, 8, SLICE(""), &b));
    assert_false(uidl_format(SLICE("%"), 1, 8, SLICE(""), &b));
    assert_false(uidl_format(SLICE("%99u"), 1, 8, SLICE(""), &b)); /* more than POP3 takes */
    assert_false(uidl_format(SLICE(""), 1, 8, SLICE(""), &b));
}

static void test_mbox(void **state)
{
    struct slice rest =
        SLICE("From a@b Thu Nov 13 12:00:00 2025\nSubject: 1\n\nbody\nFrom here on\n\n"
              "From here it is no line of an mbox\n>From x\n\n"
              "From  a@b  Thu Nov 13 12:00:00 +0100 2025\r\nSubject: 2\r\n\r\n\r\n"
              "From MAILER-DAEMON Thu Nov 13 12:00:00 2025 -0100\n");
    struct mbox_message m;
    (void)state;
    assert_true(mbox_next(&rest, &m));
    assert_true(slice_is(m.header, "Subject: 1\n\n"));
    assert_true(
        slice_is(m.body, "body\nFrom here on\n\nFrom here it is no line of an mbox\n>From x\n"));
    assert_int_equal(m.date, 1763035200);
    assert_true(mbox_next(&rest, &m));
    assert_true(slice_is(m.header, "Subject: 2\r\n\r\n"));
    assert_int_equal(m.date, 1763035200 - 3600);
    assert_true(mbox_next(&rest, &m));
    assert_int_equal(m.header.len, 0);
    assert_int_equal(m.date, 1763035200 + 3600);
    assert_false(mbox_next(&rest, &m));
    rest = SLICE("Subject: no mbox\n\n");
    assert_false(mbox_next(&rest, &m));
    rest = SLICE("");
    assert_false(mbox_next(&rest, &m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dovecot_uidlist),
        cmocka_unit_test(test_courier_and_keywords),
        cmocka_unit_test(test_subscriptions),
        cmocka_unit_test(test_uidl_format),
        cmocka_unit_test(test_mbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
