/* test_password.c: stored passwords of every scheme against known values, and broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "auth/encode.h"
#include "base/base64.h"
#include "auth/password.h"

/* All are "secret" unless the table says another password. The values come from Python's hashlib
 * and libcrypt; the SCRAM ones for "pencil" have the salts of RFC 5802 and RFC 7677. */
static const struct {
    const char *stored, *password;
} good[] = {
    {"{PLAIN}secret", NULL},
    {"{cleartext}secret", NULL},
    {"{CRYPT}abNANd1rDfiNc", NULL},
    {"abNANd1rDfiNc", NULL},
    {"{CRYPT}$1$saltsalt$9xy1btjgzLYfb7hivXtC//", NULL},
    {"{MD5-CRYPT}$1$saltsalt$9xy1btjgzLYfb7hivXtC//", NULL},
    {"{MD5}$1$saltsalt$9xy1btjgzLYfb7hivXtC//", NULL},
    {"{SHA256-CRYPT}$5$saltstring$C3o4O1TC6aRHF4FI.QSZMXtHbaj2gSXr4sUc/3NcUi.", NULL},
    {"{SHA512-CRYPT}$6$saltstring$AIsRs/Ee56G/"
     "tC8MEHhvReZTfx8u3rXXMl6eYrjCG9ibix19DxoMBLogdTET5Ukw9Sf7eZTITsuk0Ry5qulYz.",
     NULL},
    {"{BLF-CRYPT}$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a", NULL},
    {"{CRYPT}$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a", NULL},
    {"$y$j75$saltsaltsaltsalt$DsMjm5uqUiFBUYLB9CLnX8E/M0k0mOVJBUWdpCrUik9", NULL},
    {"{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", NULL},
    {"{SHA1}e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4", NULL},
    {"{SHA.hex}E5E9FA1BA31ECD1AE84F75CAAA474F3A663F05F4", NULL},
    {"{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=", NULL},
    {"{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols", NULL},
    {"{SHA256.b64}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=", NULL},
    {"{SHA256}2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b", NULL},
    {"{SHA512.BASE64}vSsar3708Jvp9Szi2NWZZ02Bqp1qRCFpbcTZPdBhnWgs5WtNZKnvCXdhztmeD2cmW192CF5bDufKRp"
     "ayrW/isg==",
     NULL},
    {"{PLAIN-MD5}5ebe2294ecd0e0f08eab7690d2a6ee69", NULL},
    {"{LDAP-MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ==", NULL},
    {"{MD5}5ebe2294ecd0e0f08eab7690d2a6ee69", NULL},
    {"{SMD5}mc0uWpXVVe5747A4pKhGJXNhbHQ=", NULL},
    {"{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0", NULL},
    {"{SSHA.HEX}8152bc582f58c854f580cb101d3182813dec4afe73616c74", NULL},
    {"{SSHA256}+E+iFJ27Yu1ODPH1UNKUmzOmUT06dwfghQJRHHnMsO5zYWx0", NULL},
    {"{SSHA512}E491yrR9AdCoE7rbOPYS3EZgSuZpVE65AD9xko08s6floNesY/Zpe9zMVvLix4S2FiQSJ99RIkNvhHomNO9u"
     "L3NhbHQ=",
     NULL},
    {"{PBKDF2}$1$abcd$1000$a646c9b26b5c16f7ca226e2efb737a9f5024d0f0", NULL},
    {"{SCRAM-SHA-1}4096,QSXCR+Q6sek8bf92,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE=",
     "pencil"},
    {"{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
     "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=",
     "pencil"},
};

static void every_scheme_takes_the_right_password_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct error err = {""};
        struct slice stored = slice_cstr(good[i].stored);
        struct slice right = slice_cstr(good[i].password ? good[i].password : "secret");
        if (password_verify(stored, right, &err) != OK)
            fail_msg("%s: %s", good[i].stored, err.text);
        if (password_check_form(stored, &err) != OK)
            fail_msg("form of %s: %s", good[i].stored, err.text);
        assert_int_equal(password_verify(stored, SLICE("Secret"), NULL), DENIED);
        assert_int_equal(password_verify(stored, SLICE(""), NULL), DENIED);
        assert_int_equal(password_verify(stored, SLICE("secret\0x"), NULL), DENIED);
    }
}

static void broken_stored_forms_say_why(void **state)
{
    (void)state;
    static const struct {
        const char *stored, *reason;
    } bad[] = {
        {"{NOPE}x", "unknown password scheme {NOPE}"},
        {"{PLAINsecret", "without '}'"},
        {"{SHA.oct}x", "unknown encoding"},
        {"{SHA}!!!", "not base64"},
        {"{SHA}AAAA", "wrong length"},
        {"{SHA.hex}zz", "not hex"},
        {"{SSHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "wrong length"}, /* no salt */
        {"{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$x$y", "not supported"},
        {"{CRAM-MD5}00", "64 hex digits"},
        {"{SHA512-CRYPT}$5$saltstring$x", "does not begin with $6$"},
        {"{SCRAM-SHA-256}4096,AAAA,AAAA,AAAA", "SCRAM"},
        {"{SCRAM-SHA-256}99999999999,AAAA,AAAA,AAAA", "SCRAM"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error err = {""};
        assert_int_equal(password_verify(slice_cstr(bad[i].stored), SLICE("secret"), &err),
                         INVALID);
        if (!strstr(err.text, bad[i].reason))
            fail_msg("%s: \"%s\" lacks \"%s\"", bad[i].stored, err.text, bad[i].reason);
        assert_int_equal(password_check_form(slice_cstr(bad[i].stored), NULL), INVALID);
    }
    struct error err = {""};
    assert_int_equal(password_verify(SLICE("{PBKDF2}$1$a$0$00"), SLICE("secret"), &err), INVALID);
    assert_int_equal(password_verify(SLICE(""), SLICE("secret"), &err), INVALID);
    assert_int_equal(password_verify(SLICE("$9$what"), SLICE("secret"), &err), INVALID);
    char long_form[PASSWORD_STORED_MAX + 2];
    memset(long_form, 'a', sizeof long_form);
    assert_int_equal(password_verify(slice_of(long_form, sizeof long_form), SLICE("x"), &err),
                     INVALID);
}

static void locked_accounts_have_no_right_password(void **state)
{
    (void)state;
    assert_int_equal(password_verify(SLICE("!"), SLICE("secret"), NULL), DENIED);
    assert_int_equal(password_verify(SLICE("*"), SLICE("*"), NULL), DENIED);
    assert_int_equal(password_verify(SLICE("*0"), SLICE("*0"), NULL), DENIED);
    assert_int_equal(
        password_verify(SLICE("!$1$saltsalt$9xy1btjgzLYfb7hivXtC//"), SLICE("secret"), NULL),
        DENIED);
    assert_int_equal(password_verify(SLICE("{PLAIN}"), SLICE(""), NULL), DENIED);
}

static void new_hashes_verify(void **state)
{
    struct buf a, b;
    (void)state;
    buf_init(&a, 1024);
    buf_init(&b, 1024);
    assert_int_equal(password_hash(SLICE("pass word"), 1, &a, NULL), OK);
    assert_int_equal(password_hash(SLICE("pass word"), 1, &b, NULL), OK);
    assert_true(slice_starts(buf_slice(&a), SLICE("{CRYPT}$y$")));
    assert_false(slice_eq(buf_slice(&a), buf_slice(&b))); /* salted */
    assert_int_equal(password_verify(buf_slice(&a), SLICE("pass word"), NULL), OK);
    assert_int_equal(password_verify(buf_slice(&a), SLICE("pass worD"), NULL), DENIED);
    struct error err;
    assert_int_equal(password_hash(SLICE(""), 1, &a, &err), INVALID);
    assert_int_equal(password_hash(SLICE("a\0b"), 1, &a, &err), INVALID);
    assert_int_equal(password_hash(SLICE("x"), 99, &a, &err), FAILED);
    char longest[PASSWORD_MAX + 1];
    memset(longest, 'p', sizeof longest);
    assert_int_equal(password_hash(slice_of(longest, sizeof longest), 1, &a, &err), LIMIT);
    buf_release(&a);
    buf_release(&b);
    struct buf small;
    buf_init(&small, 8);
    assert_int_equal(password_hash(SLICE("x"), 1, &small, &err), LIMIT);
    buf_release(&small);
}

static void new_scram_verifiers_verify(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 1024);
    buf_puts(&b, "{SCRAM-SHA-256}");
    assert_int_equal(password_scram_sha256(SLICE("p\xc3\xa4ss"), &b, NULL), OK);
    assert_int_equal(password_verify(buf_slice(&b), SLICE("p\xc3\xa4ss"), NULL), OK);
    /* RFC 4013: the decomposed form is the same password. */
    assert_int_equal(password_verify(buf_slice(&b), SLICE("pa\xcc\x88ss"), NULL), OK);
    assert_int_equal(password_verify(buf_slice(&b), SLICE("pass"), NULL), DENIED);
    assert_int_equal(password_scram_sha256(SLICE(""), &b, NULL), INVALID);
    buf_release(&b);
}

static void base64_and_hex(void **state)
{
    unsigned char out[8];
    size_t n = 99;
    (void)state;
    assert_int_equal(base64_decode_lenient(SLICE("Zm9vYg=="), out, sizeof out, &n), OK);
    assert_int_equal(n, 4);
    assert_memory_equal(out, "foob", 4);
    assert_int_equal(base64_decode_lenient(SLICE(""), out, sizeof out, &n), OK);
    assert_int_equal(n, 0);
    assert_int_equal(base64_decode_lenient(SLICE("Zm9vYg==="), out, sizeof out, &n), INVALID);
    assert_int_equal(base64_decode_lenient(SLICE("Z"), out, sizeof out, &n), INVALID);
    assert_int_equal(base64_decode_lenient(SLICE("Zm 9"), out, sizeof out, &n), INVALID);
    assert_int_equal(base64_decode_lenient(SLICE("Zm9vYmFyZm9v"), out, 8, &n), LIMIT);
    assert_int_equal(hex_decode(SLICE("fF01"), out, 2, &n), OK);
    assert_int_equal(n, 2);
    assert_memory_equal(out, "\xff\x01", 2);
    assert_int_equal(hex_decode(SLICE("fF0"), out, 2, &n), INVALID);
    assert_int_equal(hex_decode(SLICE("fF0g"), out, 2, &n), INVALID);
    assert_int_equal(hex_decode(SLICE("fF0000"), out, 2, &n), LIMIT);
    struct buf b;
    buf_init(&b, 100);
    base64_encode(SLICE("f"), &b);
    base64_encode(SLICE("fo"), &b);
    base64_encode(SLICE("foo"), &b);
    assert_true(slice_is(buf_slice(&b), "Zg==Zm8=Zm9v")); /* RFC 4648 section 10 */
    buf_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scheme_takes_the_right_password_only),
        cmocka_unit_test(broken_stored_forms_say_why),
        cmocka_unit_test(locked_accounts_have_no_right_password),
        cmocka_unit_test(new_hashes_verify),
        cmocka_unit_test(new_scram_verifiers_verify),
        cmocka_unit_test(base64_and_hex),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
