/* test_grant.c: what auth signs holds for what was signed, in time, and logins once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "auth/grant.h"

enum { NOW = 1000000 };

static struct grant_key key, other_key;

static int make_keys(void **state)
{
    (void)state;
    return grant_key_new(&key) != OK || grant_key_new(&other_key) != OK;
}

static void logins_are_taken_once(void **state)
{
    struct grant g;
    struct grant_seen *seen = NULL;
    struct slice a = SLICE("alice"), s = SLICE("imap");
    (void)state;
    assert_int_equal(grant_seen_new(4, &seen), OK);
    assert_int_equal(grant_login_make(&key, 7, a, s, NOW, &g), OK);
    struct slice t = grant_slice(&g);
    assert_int_equal(grant_login_check(&key, seen, t, 8, a, s, NOW), DENIED);
    assert_int_equal(grant_login_check(&key, seen, t, 7, SLICE("bob"), s, NOW), DENIED);
    assert_int_equal(grant_login_check(&key, seen, t, 7, a, SLICE("pop3"), NOW), DENIED);
    /* The border between two fields is signed too. */
    assert_int_equal(grant_login_check(&key, seen, t, 7, SLICE("alicei"), SLICE("map"), NOW),
                     DENIED);
    assert_int_equal(grant_login_check(&other_key, seen, t, 7, a, s, NOW), DENIED);
    assert_int_equal(grant_login_check(&key, seen, t, 7, a, s, NOW + 60), DENIED);
    assert_int_equal(grant_login_check(&key, seen, t, 7, a, s, NOW + 59), OK);
    assert_int_equal(grant_login_check(&key, seen, t, 7, a, s, NOW + 59), DENIED);
    grant_seen_free(seen);
}

static void forged_and_malformed_grants_are_refused(void **state)
{
    struct grant g;
    struct grant_seen *seen = NULL;
    struct slice a = SLICE("alice"), s = SLICE("imap");
    (void)state;
    assert_int_equal(grant_seen_new(4, &seen), OK);
    for (size_t i = 0; i < GRANT_LEN; i++) {
        assert_int_equal(grant_login_make(&key, 7, a, s, NOW, &g), OK);
        g.bytes[i] ^= 1;
        enum result r = grant_login_check(&key, seen, grant_slice(&g), 7, a, s, NOW);
        assert_int_equal(r, i < 2 ? INVALID : DENIED);
    }
    assert_int_equal(grant_login_check(&key, seen, SLICE(""), 7, a, s, NOW), INVALID);
    assert_int_equal(
        grant_login_check(&key, seen, slice_sub(grant_slice(&g), 0, GRANT_LEN - 1), 7, a, s, NOW),
        INVALID);
    grant_seen_free(seen);
}

static void the_memory_of_used_logins_is_bounded(void **state)
{
    struct grant g[4];
    struct grant_seen *seen = NULL;
    struct slice a = SLICE("alice"), s = SLICE("imap");
    (void)state;
    assert_int_equal(grant_seen_new(3, &seen), OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(grant_login_make(&key, 7, a, s, NOW + i, &g[i]), OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(grant_login_check(&key, seen, grant_slice(&g[i]), 7, a, s, NOW), OK);
    assert_int_equal(grant_login_check(&key, seen, grant_slice(&g[3]), 7, a, s, NOW), BUSY);
    /* The first has expired, which makes room. */
    assert_int_equal(grant_login_check(&key, seen, grant_slice(&g[3]), 7, a, s, NOW + 60), OK);
    assert_int_equal(grant_login_check(&key, seen, grant_slice(&g[3]), 7, a, s, NOW + 60), DENIED);
    grant_seen_free(seen);
}

static void recipients_keep_their_targets(void **state)
{
    struct grant g;
    struct slice targets[] = {SLICE("local alice "), SLICE("remote x@example.org")};
    struct slice_list list = {targets, 2}, fewer = {targets, 1}, none = {NULL, 0};
    struct slice joined[] = {SLICE("local alice remote x@example.org")};
    struct slice rcpt = SLICE("team@example.com");
    (void)state;
    assert_int_equal(grant_rcpt_make(&key, 7, rcpt, list, NOW, &g), OK);
    struct slice t = grant_slice(&g);
    assert_int_equal(grant_rcpt_check(&key, t, 7, rcpt, list, NOW), OK);
    assert_int_equal(grant_rcpt_check(&key, t, 7, rcpt, list, NOW), OK); /* again */
    assert_int_equal(grant_rcpt_check(&key, t, 7, rcpt, fewer, NOW), DENIED);
    assert_int_equal(grant_rcpt_check(&key, t, 7, rcpt, none, NOW), DENIED);
    assert_int_equal(grant_rcpt_check(&key, t, 7, rcpt, (struct slice_list){joined, 1}, NOW),
                     DENIED);
    assert_int_equal(grant_rcpt_check(&key, t, 6, rcpt, list, NOW), DENIED);
    assert_int_equal(grant_rcpt_check(&key, t, 7, SLICE("x@example.com"), list, NOW), DENIED);
    assert_int_equal(grant_rcpt_check(&key, t, 7, rcpt, list, NOW + GRANT_RCPT_LIFE_S), DENIED);
    /* A recipient grant is no login. */
    struct grant_seen *seen = NULL;
    assert_int_equal(grant_seen_new(1, &seen), OK);
    assert_int_equal(grant_login_check(&key, seen, t, 7, SLICE(""), SLICE(""), NOW), INVALID);
    grant_seen_free(seen);
}

static void keys_travel(void **state)
{
    struct grant_key k;
    (void)state;
    assert_int_equal(grant_key_read(slice_of(key.bytes, GRANT_KEY_LEN), &k), OK);
    assert_memory_equal(k.bytes, key.bytes, GRANT_KEY_LEN);
    assert_int_equal(grant_key_read(SLICE("short"), &k), INVALID);
    grant_key_wipe(&k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logins_are_taken_once),
        cmocka_unit_test(forged_and_malformed_grants_are_refused),
        cmocka_unit_test(the_memory_of_used_logins_is_bounded),
        cmocka_unit_test(recipients_keep_their_targets),
        cmocka_unit_test(keys_travel),
    };
    return cmocka_run_group_tests(tests, make_keys, NULL);
}
