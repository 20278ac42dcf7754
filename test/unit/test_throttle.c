/* test_throttle.c: delays after failed logins, and the cache of right passwords; both on times that
 * the test chooses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "auth/cache.h"
#include "auth/throttle.h"

static void delays_double_up_to_a_limit(void **state)
{
    struct throttle *t = NULL;
    struct slice ip = SLICE("192.0.2.1");
    (void)state;
    assert_int_equal(throttle_new(10, &t), OK);
    static const int64_t expected[] = {2000, 4000, 8000, 15000, 15000};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(throttle_failed(t, ip, 2000, 1000), expected[i]);
        throttle_answered(t, ip);
    }
    assert_int_equal(throttle_failures(t, ip, 1000), 5);
    assert_int_equal(throttle_failed(t, SLICE("192.0.2.2"), 2000, 1000), 2000);
    throttle_succeeded(t, ip);
    assert_int_equal(throttle_failed(t, ip, 2000, 1000), 2000);
    throttle_answered(t, ip);
    /* Time forgives too. */
    assert_int_equal(throttle_failures(t, ip, 1000 + THROTTLE_FORGET_MS - 1), 1);
    assert_int_equal(throttle_failures(t, ip, 1000 + THROTTLE_FORGET_MS), 0);
    assert_int_equal(throttle_failed(t, ip, 0, 0), 0);
    assert_int_equal(throttle_failed(t, SLICE("x"), 60000, 0), 60000);
    throttle_free(t);
}

static void a_client_is_its_network(void **state)
{
    struct throttle *t = NULL;
    (void)state;
    assert_int_equal(throttle_new(10, &t), OK);
    assert_int_equal(throttle_failed(t, SLICE("2001:db8:1:2::1"), 2000, 0), 2000);
    assert_int_equal(throttle_failed(t, SLICE("2001:db8:1:2:ffff::9"), 2000, 0), 4000);
    assert_int_equal(throttle_failed(t, SLICE("2001:db8:1:3::1"), 2000, 0), 2000);
    assert_int_equal(throttle_failed(t, SLICE("::ffff:192.0.2.1"), 2000, 0), 2000);
    assert_int_equal(throttle_failed(t, SLICE("192.0.2.1"), 2000, 0), 4000);
    throttle_free(t);
}

static void trying_in_parallel_gains_nothing(void **state)
{
    struct throttle *t = NULL;
    struct slice ip = SLICE("192.0.2.1");
    (void)state;
    assert_int_equal(throttle_new(10, &t), OK);
    for (int i = 0; i < THROTTLE_WAITING_MAX; i++) {
        assert_int_equal(throttle_admit(t, ip, 0), OK);
        (void)throttle_failed(t, ip, 2000, 0);
    }
    assert_int_equal(throttle_admit(t, ip, 0), BUSY);
    assert_int_equal(throttle_admit(t, SLICE("192.0.2.2"), 0), OK);
    throttle_succeeded(t, ip); /* somebody else behind the same address */
    assert_int_equal(throttle_admit(t, ip, 0), BUSY);
    throttle_answered(t, ip);
    assert_int_equal(throttle_admit(t, ip, 0), OK);
    throttle_free(t);
}

static void the_table_is_bounded(void **state)
{
    struct throttle *t = NULL;
    char ip[32];
    (void)state;
    assert_int_equal(throttle_new(3, &t), OK);
    for (int i = 0; i < 10; i++) {
        snprintf(ip, sizeof ip, "192.0.2.%d", i);
        (void)throttle_failed(t, slice_cstr(ip), 2000, i);
    }
    assert_int_equal(throttle_addresses(t), 3);
    assert_int_equal(throttle_failures(t, SLICE("192.0.2.9"), 10), 1);
    assert_int_equal(throttle_failures(t, SLICE("192.0.2.0"), 10), 0);
    throttle_free(t);
}

static void right_passwords_are_remembered_for_a_while(void **state)
{
    struct password_cache *c = NULL;
    struct slice a = SLICE("alice"), p = SLICE("secret");
    (void)state;
    assert_int_equal(password_cache_new(2, &c), OK);
    uint64_t g = password_cache_generation(c);
    assert_false(password_cache_hit(c, a, p, 0));
    password_cache_put(c, g, a, p, 1000, 0);
    assert_true(password_cache_hit(c, a, p, 999));
    assert_false(password_cache_hit(c, a, SLICE("Secret"), 0));
    assert_false(password_cache_hit(c, SLICE("alices"), SLICE("ecret"), 0));
    assert_false(password_cache_hit(c, a, p, 1000));
    password_cache_put(c, g, a, p, 0, 0); /* switched off */
    assert_int_equal(password_cache_count(c), 0);
    password_cache_put(c, g, a, p, 1000, 0);
    password_cache_put(c, g, SLICE("bob"), p, 1000, 0);
    password_cache_put(c, g, SLICE("carol"), p, 1000, 0);
    assert_int_equal(password_cache_count(c), 2);
    assert_false(password_cache_hit(c, a, p, 0));
    password_cache_free(c);
}

static void changed_accounts_empty_the_cache(void **state)
{
    struct password_cache *c = NULL;
    struct slice a = SLICE("alice"), p = SLICE("secret");
    (void)state;
    assert_int_equal(password_cache_new(10, &c), OK);
    uint64_t before = password_cache_generation(c);
    password_cache_put(c, before, a, p, 1000, 0);
    password_cache_empty(c);
    assert_false(password_cache_hit(c, a, p, 0));
    /* A verification that began before the change proves nothing after it. */
    password_cache_put(c, before, a, p, 1000, 0);
    assert_false(password_cache_hit(c, a, p, 0));
    password_cache_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(delays_double_up_to_a_limit),
        cmocka_unit_test(a_client_is_its_network),
        cmocka_unit_test(trying_in_parallel_gains_nothing),
        cmocka_unit_test(the_table_is_bounded),
        cmocka_unit_test(right_passwords_are_remembered_for_a_while),
        cmocka_unit_test(changed_accounts_empty_the_cache),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
