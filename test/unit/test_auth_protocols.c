/* test_auth_protocols.c: the wire forms of saslauthd and of Dovecot's authentication protocol. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "proto/auth/dovecot.h"
#include "proto/auth/saslauthd.h"

#define QUESTION "\0\5alice\0\6secret\0\4imap\0\0"

static void saslauthd_questions(void **state)
{
    struct saslauthd_question q;
    struct slice whole = SLICE(QUESTION);
    struct buf out;
    (void)state;
    for (size_t n = 0; n < whole.len; n++)
        assert_int_equal(saslauthd_parse(slice_sub(whole, 0, n), &q), BUSY);
    assert_int_equal(saslauthd_parse(whole, &q), OK);
    assert_true(slice_is(q.login, "alice") && slice_is(q.password, "secret"));
    assert_true(slice_is(q.service, "imap") && q.realm.len == 0);
    buf_init(&out, 100);
    saslauthd_put_question(&q, &out);
    assert_true(slice_eq(buf_slice(&out), whole));
    buf_release(&out);
    assert_int_equal(saslauthd_parse(SLICE(QUESTION "x"), &q), INVALID);
    assert_int_equal(saslauthd_parse(SLICE("\0\0\0\0\0\0\0\0"), &q), INVALID);
    assert_int_equal(saslauthd_parse(SLICE("\xff\xff"), &q), INVALID);
    assert_int_equal(saslauthd_parse(SLICE("\0\3a\0b\0\0\0\0\0\0"), &q), INVALID);
}

static void saslauthd_answers(void **state)
{
    bool right = false;
    struct slice text;
    (void)state;
    assert_int_equal(saslauthd_parse_answer(SLICE("\0\2OK"), &right, &text), OK);
    assert_true(right);
    assert_int_equal(saslauthd_parse_answer(SLICE("\0\7NO what"), &right, &text), OK);
    assert_false(right);
    assert_true(slice_is(text, "NO what"));
    assert_int_equal(saslauthd_parse_answer(SLICE("\0\7NO"), &right, &text), BUSY);
    assert_int_equal(saslauthd_parse_answer(SLICE("\0\2XX"), &right, &text), INVALID);
}

/* ---- Dovecot's ---- */

static struct dovecot_auth d;
static struct buf out;
static struct dovecot_request req;

static int open_dovecot(void **state)
{
    (void)state;
    buf_init(&out, DOVECOT_OUT_MAX);
    dovecot_open(&d, SLICE("MECH\tPLAIN\tplaintext\n"), 1, 2, "0a0b", &out);
    return 0;
}

static int close_dovecot(void **state)
{
    (void)state;
    dovecot_release(&d);
    buf_release(&out);
    return 0;
}

static enum dovecot_want feed(const char *text)
{
    static struct slice in;
    if (text)
        in = slice_cstr(text);
    buf_reset(&out);
    return dovecot_step(&d, &in, &out, &req);
}

static void said(const char *text)
{
    assert_int_equal(buf_len(&out), strlen(text));
    assert_memory_equal(buf_slice(&out).data, text, strlen(text));
}

static void dovecot_greets_and_logs_in(void **state)
{
    (void)state;
    said("VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t2\nCOOKIE\t0a0b\nDONE\n");
    assert_int_equal(feed("VERSION\t1\t1\nCPID\t7\nAUTH\t1\tPLAIN\tservice=smtp\tsecured\t"
                          "rip=192.0.2.1\tnologin\tresp=AGFsaWNlAHNlY3JldA==\n"),
                     DOVECOT_WANT_START);
    assert_true(slice_is(req.mechanism, "PLAIN") && slice_is(req.service, "smtp"));
    assert_true(slice_is(req.client_ip, "192.0.2.1") && req.secured && req.has_response);
    assert_true(slice_eq(req.response, SLICE("\0alice\0secret")));
    assert_int_equal(feed(NULL), DOVECOT_WANT_ANSWER);
    dovecot_right(&d, SLICE("al\tice"), &out);
    said("OK\t1\tuser=al\1tice\n");
    assert_int_equal(feed(NULL), DOVECOT_WANT_INPUT);
}

static void dovecot_exchanges_interleave(void **state)
{
    (void)state;
    assert_int_equal(feed("VERSION\t1\t1\nAUTH\t5\tLOGIN\tservice=smtp\nAUTH\t6\tCRAM-MD5\n"
                          "CONT\t5\tYWxpY2U=\nCANCEL\t6\nCONT\t6\tAAAA\n"),
                     DOVECOT_WANT_START);
    unsigned first = req.slot;
    assert_false(req.has_response);
    dovecot_challenge(&d, SLICE("Username:"), &out);
    said("CONT\t5\tVXNlcm5hbWU6\n");
    assert_int_equal(feed(NULL), DOVECOT_WANT_START);
    assert_int_not_equal(req.slot, first);
    unsigned second = req.slot;
    dovecot_challenge(&d, SLICE(""), &out);
    said("CONT\t6\t\n");
    assert_int_equal(feed(NULL), DOVECOT_WANT_STEP);
    assert_int_equal(req.slot, first);
    assert_true(slice_is(req.response, "alice"));
    dovecot_refused(&d, true, "", &out);
    said("FAIL\t5\ttemp\n");
    assert_int_equal(feed(NULL), DOVECOT_WANT_CANCEL);
    assert_int_equal(req.slot, second);
    assert_int_equal(feed(NULL), DOVECOT_WANT_INPUT);
    said("FAIL\t6\treason=Authentication request timed out\n");
}

static void dovecot_ends_with_who_breaks_it(void **state)
{
    static const char *const broken[] = {
        "AUTH\t1\tPLAIN\n", "VERSION\t2\t0\n", "VERSION\t1\t1\nAUTH\tx\tPLAIN\n",
        "VERSION\t1\t1\nCONT\t-1\t\n", "VERSION\t1\t1\nAUTH\t99999999999\tPLAIN\n"};
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        close_dovecot(NULL);
        open_dovecot(NULL);
        assert_int_equal(feed(broken[i]), DOVECOT_WANT_CLOSE);
        assert_int_equal(feed(NULL), DOVECOT_WANT_CLOSE);
    }
    close_dovecot(NULL);
    open_dovecot(NULL);
    assert_int_equal(feed("VERSION\t1\t1\nAUTH\t1\tPLAIN\tresp=%\n"), DOVECOT_WANT_INPUT);
    said("FAIL\t1\treason=Invalid base64 data in initial response\n");
    assert_int_equal(feed("AUTH\t1\tPLAIN\nAUTH\t1\tPLAIN\n"), DOVECOT_WANT_START);
    dovecot_challenge(&d, SLICE(""), &out);
    assert_int_equal(feed(NULL), DOVECOT_WANT_CLOSE); /* an id that is in use */
}

static void dovecot_has_so_many_slots(void **state)
{
    char line[64];
    (void)state;
    assert_int_equal(feed("VERSION\t1\t1\n"), DOVECOT_WANT_INPUT);
    for (unsigned i = 0; i < DOVECOT_SLOTS; i++) {
        snprintf(line, sizeof line, "AUTH\t%u\tLOGIN\n", i);
        assert_int_equal(feed(line), DOVECOT_WANT_START);
        dovecot_challenge(&d, SLICE("x"), &out);
    }
    assert_int_equal(feed("AUTH\t100\tLOGIN\n"), DOVECOT_WANT_INPUT);
    said("FAIL\t100\ttemp\treason=Too many logins under way\n");
}

/* What a refused line brought must not be taken for the next one's. */
static void dovecot_forgets_a_refused_line(void **state)
{
    (void)state;
    assert_int_equal(
        feed("VERSION\t1\t1\n"
             "AUTH\t1\tPLAIN\tservice=smtp\tsecured\trip=192.0.2.1\tresp=AGFsaWNlAHg=\tresp=!\n"
             "AUTH\t2\tLOGIN\n"),
        DOVECOT_WANT_START);
    assert_true(slice_is(req.mechanism, "LOGIN"));
    assert_false(req.has_response || req.secured);
    assert_true(req.response.len == 0 && req.service.len == 0 && req.client_ip.len == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saslauthd_questions),
        cmocka_unit_test(saslauthd_answers),
        cmocka_unit_test_setup_teardown(dovecot_greets_and_logs_in, open_dovecot, close_dovecot),
        cmocka_unit_test_setup_teardown(dovecot_exchanges_interleave, open_dovecot, close_dovecot),
        cmocka_unit_test_setup_teardown(dovecot_ends_with_who_breaks_it, open_dovecot,
                                        close_dovecot),
        cmocka_unit_test_setup_teardown(dovecot_has_so_many_slots, open_dovecot, close_dovecot),
        cmocka_unit_test_setup_teardown(dovecot_forgets_a_refused_line, open_dovecot,
                                        close_dovecot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
