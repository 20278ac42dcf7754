/* test_sts.c: MTA-STS as text: records, policies, the names that a policy fits, the life of an
 * entry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "proto/sts/sts.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static enum result record_of(const char *text, struct slice *ret_id)
{
    struct slice s = slice_cstr(text);
    return sts_record(&s, 1, ret_id);
}

static void records(void **state)
{
    static const char *const good[] = {"v=STSv1; id=20160831085700Z;", "v=STSv1;id=20160831085700Z",
                                       "v=STSv1 ;\tid=20160831085700Z ; ",
                                       "v=STSv1; a_b-c.d=x!y; id=20160831085700Z; id=other"};
    static const char *const broken[] = {"v=STSv1;",
                                         "v=STSv1; id=",
                                         "v=STSv1; id=a b",
                                         "v=STSv1; id=a-b",
                                         "v=STSv1; id=123456789012345678901234567890123",
                                         "v=STSv1; id",
                                         "v=STSv1; =x; id=1",
                                         "v=STSv1; id=1; x=a=b",
                                         "v=STSv1; id=1;; x=1",
                                         "v=STSv1; -x=1; id=1",
                                         "v=STSv1; id=1; x=\x80"};
    static const char *const others[] = {"",
                                         "v=STSv1",
                                         "v=STSv12; id=1",
                                         "V=STSv1; id=1",
                                         " v=STSv1; id=1",
                                         "v=spf1 -all",
                                         "v=stsv1; id=1"};
    struct slice id;
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_int_equal(record_of(good[i], &id), OK);
        assert_true(slice_is(id, "20160831085700Z"));
    }
    for (size_t i = 0; i < COUNT(broken); i++)
        assert_int_equal(record_of(broken[i], &id), INVALID);
    for (size_t i = 0; i < COUNT(others); i++)
        assert_int_equal(record_of(others[i], &id), NOT_FOUND);
}

static void record_of_several(void **state)
{
    struct slice all[] = {SLICE("v=spf1 -all"), SLICE("v=STSv1; id=1"), SLICE("v=STSv1; id=2")};
    struct slice id;
    (void)state;
    assert_int_equal(sts_record(all, 2, &id), OK);
    assert_true(slice_is(id, "1"));
    assert_int_equal(sts_record(all, 3, &id), INVALID);
    assert_int_equal(sts_record(all, 1, &id), NOT_FOUND);
    assert_int_equal(sts_record(all, 0, &id), NOT_FOUND);
}

static void policies(void **state)
{
    struct sts_policy p;
    struct error err = {""};
    (void)state;
    assert_int_equal(sts_policy_parse(SLICE("version: STSv1\r\nmode: enforce\r\nmx: a.example\r\n"
                                            "mx: *.b.example\r\nnew: thing\r\nmax_age: 604800\r\n"),
                                      &p, &err),
                     OK);
    assert_int_equal(p.mode, STS_MODE_ENFORCE);
    assert_int_equal(p.max_age, 604800);
    assert_int_equal(p.n_mx, 2);
    assert_true(slice_is(p.mx[1], "*.b.example"));
    /* LF, no line end, any order, the first of several */
    assert_int_equal(sts_policy_parse(SLICE("max_age:9999999999\nmode:testing\nmode:enforce\n"
                                            "mx:a.example \n\nversion:STSv1"),
                                      &p, &err),
                     OK);
    assert_int_equal(p.mode, STS_MODE_TESTING);
    assert_int_equal(p.max_age, STS_MAX_AGE_MAX);
    assert_true(slice_is(p.mx[0], "a.example"));
    assert_int_equal(
        sts_policy_parse(SLICE("version: STSv1\nmode: none\nmax_age: 86400\n"), &p, &err), OK);
    assert_int_equal(p.mode, STS_MODE_NONE);
}

static void policies_broken(void **state)
{
    static const char *const broken[] = {
        "",
        "<html>404</html>",
        "version: STSv1\nmode: enforce\nmax_age: 1\n",
        "version: STSv1\nmode: testing\nmax_age: 1\n",
        "version: STSv2\nmode: enforce\nmx: a.example\nmax_age: 1\n",
        "version: STSv1\nmode: Enforce\nmx: a.example\nmax_age: 1\n",
        "version: STSv1\nmode: enforce\nmx: a.example\n",
        "version: STSv1\nmx: a.example\nmax_age: 1\n",
        "mode: enforce\nmx: a.example\nmax_age: 1\n",
        "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: -1\n",
        "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1s\n",
        "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 99999999999\n",
        "version: STSv1\nmode: enforce\nmx: *\nmax_age: 1\n",
        "version: STSv1\nmode: enforce\nmx: *.*.example\nmax_age: 1\n",
        "version: STSv1\nmode: enforce\nmx: a..example\nmax_age: 1\n",
        "version: STSv1\nmode: enforce\nmx: a.example b.example\nmax_age: 1\n",
        "version: STSv1\nmode: enforce\nmx:\nmax_age: 1\n",
        "version: STSv1\nmode: enforce\nmx: a.example\nmax_age: 1\nwords\n"};
    struct sts_policy p;
    (void)state;
    for (size_t i = 0; i < COUNT(broken); i++) {
        struct error err = {""};
        assert_int_equal(sts_policy_parse(slice_cstr(broken[i]), &p, &err), INVALID);
        assert_true(err.text[0]);
    }
}

static void policy_limits(void **state)
{
    struct sts_policy p;
    struct buf b;
    (void)state;
    buf_init(&b, 1 << 20);
    buf_puts(&b, "version: STSv1\nmode: enforce\nmax_age: 1\n");
    for (int i = 0; i < STS_MX_MAX; i++)
        buf_printf(&b, "mx: a%d.example\n", i);
    assert_int_equal(sts_policy_parse(buf_slice(&b), &p, NULL), OK);
    buf_puts(&b, "mx: one.more.example\n");
    assert_int_equal(sts_policy_parse(buf_slice(&b), &p, NULL), LIMIT);
    buf_reset(&b);
    buf_puts(&b, "version: STSv1\nmode: none\nmax_age: 1\n");
    while (buf_len(&b) < STS_POLICY_BYTES_MAX)
        buf_putc(&b, '\n');
    assert_int_equal(sts_policy_parse(buf_slice(&b), &p, NULL), OK);
    buf_putc(&b, '\n');
    assert_int_equal(sts_policy_parse(buf_slice(&b), &p, NULL), LIMIT);
    buf_release(&b);
}

static void names(void **state)
{
    struct sts_policy p = {.n_mx = 2, .mx = {SLICE("Mail.example.org"), SLICE("*.example.net")}};
    (void)state;
    assert_true(sts_policy_names(&p, SLICE("mail.EXAMPLE.org")));
    assert_true(sts_policy_names(&p, SLICE("a.example.net")));
    assert_false(sts_policy_names(&p, SLICE("example.net")));
    assert_false(sts_policy_names(&p, SLICE(".example.net")));
    assert_false(sts_policy_names(&p, SLICE("a.b.example.net")));
    assert_false(sts_policy_names(&p, SLICE("aexample.net")));
    assert_false(sts_policy_names(&p, SLICE("x.mail.example.org")));
    assert_false(sts_policy_names(&p, SLICE("mail.example.org.evil.example")));
    assert_false(sts_policy_names(&p, SLICE("")));
}

static void entries(void **state)
{
    const struct slice text = SLICE("version: STSv1\nmode: none\nmx: a.example\nmax_age: 100\n");
    struct sts_policy p;
    struct sts_entry back;
    struct buf written, bytes;
    (void)state;
    assert_int_equal(sts_policy_parse(text, &p, NULL), OK);
    buf_init(&written, 1000);
    buf_init(&bytes, 1000);
    sts_policy_write(&p, &written);
    assert_true(slice_eq(buf_slice(&written), text));
    struct sts_entry e = sts_entry_fetched(&p, buf_slice(&written), SLICE("7"), 1000);
    e.failed_s = 1042;
    sts_entry_write(&e, &bytes);
    assert_int_equal(sts_entry_read(buf_slice(&bytes), &back), OK);
    assert_true(slice_eq(back.policy, text));
    assert_true(slice_is(back.id, "7"));
    assert_int_equal(back.fetched_s, 1000);
    assert_int_equal(back.until_s, 1100);
    assert_int_equal(back.failed_s, 1042);
    for (size_t n = 0; n < buf_len(&bytes) - text.len; n++)
        assert_int_equal(sts_entry_read(slice_sub(buf_slice(&bytes), 0, n), &back), CORRUPT);
    bytes.mem[bytes.start] = 2;
    assert_int_equal(sts_entry_read(buf_slice(&bytes), &back), CORRUPT);
    buf_release(&written);
    buf_release(&bytes);
}

static void life(void **state)
{
    struct sts_entry none = {.fetched_s = 0};
    struct sts_entry e = {
        .id = SLICE("1"), .policy = SLICE("x"), .fetched_s = 1000, .until_s = 1000 + 7 * 86400};
    (void)state;
    assert_false(sts_entry_holds(&none, 1000));
    assert_false(sts_entry_stale(&none, SLICE(""), 1000));
    assert_true(sts_entry_stale(&none, SLICE("1"), 1000));
    assert_true(sts_entry_holds(&e, 1000));
    assert_false(sts_entry_stale(&e, SLICE("1"), 1000 + 86399));
    assert_true(sts_entry_stale(&e, SLICE("1"), 1000 + 86400)); /* the day's refresh */
    assert_true(sts_entry_stale(&e, SLICE("2"), 1001));
    assert_true(sts_entry_holds(&e, 1001));             /* and goes on meanwhile */
    assert_false(sts_entry_stale(&e, SLICE(""), 1001)); /* the record is gone */
    assert_false(sts_entry_holds(&e, e.until_s));
    assert_true(sts_entry_stale(&e, SLICE("1"), e.until_s));
    /* A failure: not again for five minutes; the clock set back: at once. */
    e.failed_s = 2000;
    assert_false(sts_entry_stale(&e, SLICE("2"), 2000));
    assert_false(sts_entry_stale(&e, SLICE("2"), 2299));
    assert_true(sts_entry_stale(&e, SLICE("2"), 2300));
    assert_true(sts_entry_stale(&e, SLICE("2"), 1500));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records),       cmocka_unit_test(record_of_several),
        cmocka_unit_test(policies),      cmocka_unit_test(policies_broken),
        cmocka_unit_test(policy_limits), cmocka_unit_test(names),
        cmocka_unit_test(entries),       cmocka_unit_test(life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
