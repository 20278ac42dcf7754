/* test_sasl.c: the exchanges of each mechanism, step by step, and broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "sasl/sasl.h"

static enum sasl_step plain(struct sasl *s, struct slice initial)
{
    return sasl_begin(s, sasl_find(SLICE("plain")), true, initial);
}

static void plain_with_and_without_initial_response(void **state)
{
    struct sasl s;
    (void)state;
    assert_int_equal(plain(&s, SLICE("\0alice\0secret")), SASL_CHECK_PASSWORD);
    assert_string_equal(s.login, "alice");
    assert_string_equal(s.password, "secret");
    assert_string_equal(s.authzid, "");
    assert_int_equal(sasl_begin(&s, &sasl_plain, false, SLICE_NONE), SASL_CHALLENGE);
    assert_int_equal(s.challenge.len, 0);
    assert_int_equal(sasl_respond(&s, SLICE("bob\0alice\0se:cret ")), SASL_CHECK_PASSWORD);
    assert_string_equal(s.authzid, "bob");
    assert_string_equal(s.password, "se:cret ");
    sasl_end(&s);
    for (size_t i = 0; i < sizeof s.password; i++)
        assert_int_equal(s.password[i], 0);
}

static void plain_refuses_what_is_not_its_syntax(void **state)
{
    struct sasl s;
    char longest[SASL_RESPONSE_MAX + 1];
    (void)state;
    assert_int_equal(plain(&s, SLICE("")), SASL_MALFORMED);
    assert_int_equal(plain(&s, SLICE("alice")), SASL_MALFORMED);
    assert_int_equal(plain(&s, SLICE("\0alice")), SASL_MALFORMED);
    assert_int_equal(plain(&s, SLICE("\0alice\0")), SASL_MALFORMED);
    assert_int_equal(plain(&s, SLICE("\0\0secret")), SASL_MALFORMED);
    assert_int_equal(plain(&s, SLICE("\0alice\0sec\0ret")), SASL_MALFORMED);
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "\0a\0", 3);
    assert_int_equal(plain(&s, slice_of(longest, sizeof longest)), SASL_MALFORMED);
    assert_int_equal(plain(&s, slice_of(longest, 3 + SASL_PASSWORD_MAX + 1)), SASL_MALFORMED);
    assert_int_equal(plain(&s, slice_of(longest, 3 + SASL_PASSWORD_MAX)), SASL_CHECK_PASSWORD);
    memset(longest, 'x', sizeof longest);
    longest[0] = '\0';
    longest[1 + SASL_NAME_MAX + 1] = '\0';
    assert_int_equal(plain(&s, slice_of(longest, 400)), SASL_MALFORMED);
    sasl_end(&s);
}

static void login_asks_twice(void **state)
{
    struct sasl s;
    (void)state;
    assert_int_equal(sasl_begin(&s, sasl_find(SLICE("LOGIN")), false, SLICE_NONE), SASL_CHALLENGE);
    assert_true(slice_is(s.challenge, "Username:"));
    assert_int_equal(sasl_respond(&s, SLICE("alice")), SASL_CHALLENGE);
    assert_true(slice_is(s.challenge, "Password:"));
    assert_int_equal(sasl_respond(&s, SLICE("secret")), SASL_CHECK_PASSWORD);
    assert_string_equal(s.login, "alice");
    assert_string_equal(s.password, "secret");
    assert_int_equal(sasl_respond(&s, SLICE("more")), SASL_MALFORMED);
    assert_int_equal(sasl_secret(&s, SLICE("x")), SASL_WRONG);
}

static void login_takes_the_name_as_initial_response(void **state)
{
    struct sasl s;
    (void)state;
    assert_int_equal(sasl_begin(&s, &sasl_login, true, SLICE("alice")), SASL_CHALLENGE);
    assert_true(slice_is(s.challenge, "Password:"));
    assert_int_equal(sasl_respond(&s, SLICE("sec\0ret")), SASL_MALFORMED);
    assert_int_equal(sasl_begin(&s, &sasl_login, true, SLICE("")), SASL_MALFORMED);
    assert_int_equal(sasl_begin(&s, &sasl_login, true, SLICE("a\0b")), SASL_MALFORMED);
    sasl_end(&s);
}

static void unknown_mechanisms_are_not_found(void **state)
{
    (void)state;
    assert_null(sasl_find(SLICE("")));
    assert_null(sasl_find(SLICE("PLAI")));
    assert_null(sasl_find(SLICE("ANONYMOUS")));
    assert_non_null(sasl_find(SLICE("PlAiN")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_with_and_without_initial_response),
        cmocka_unit_test(plain_refuses_what_is_not_its_syntax),
        cmocka_unit_test(login_asks_twice),
        cmocka_unit_test(login_takes_the_name_as_initial_response),
        cmocka_unit_test(unknown_mechanisms_are_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
