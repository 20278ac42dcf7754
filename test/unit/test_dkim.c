/* test_dkim.c: canonical forms by RFC 6376's examples, RFC 8463's key, what is gathered, and
 * signatures that OpenSSL verifies. (test/interop/test_dkim.py has another program verify.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/base64.h"
#include "dkim/sign.h"

/* RFC 8463 A.2's secret key as PKCS #8. */
#define RFC_8463_PEM                                                                               \
    "-----BEGIN PRIVATE KEY-----\n"                                                                \
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"                           \
    "-----END PRIVATE KEY-----\n"

static void canonical_fields(void **state)
{
    static const struct {
        const char *name, *body, *expected;
    } cases[] = {
        {"A", " X\r\n", "a:X"},
        {"B ", "", "b :"},
        {"B", " Y\t\r\n\tZ  \r\n", "b:Y Z"},
        {"Subject", "\t  \r\n  a \t b\r\n", "subject:a b"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out;
        buf_init(&out, 100);
        dkim_canon_field(slice_cstr(cases[i].name), slice_cstr(cases[i].body), &out);
        assert_true(slice_is(buf_slice(&out), cases[i].expected));
        buf_release(&out);
    }
}

static void assert_hash(const char *body, const char *expected)
{
    unsigned char hash[DKIM_HASH_LEN];
    struct buf text;
    buf_init(&text, 100);
    assert_int_equal(dkim_body_hash(slice_cstr(body), hash), OK);
    base64_encode(slice_of(hash, sizeof hash), &text);
    assert_true(slice_is(buf_slice(&text), expected));
    buf_release(&text);
}

/* The hashes were made with Python's hashlib of the forms that RFC 6376 3.4.4 describes. */
static void body_hashes(void **state)
{
    (void)state;
    const char *empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    assert_hash("", empty);
    assert_hash("\r\n\r\n", empty);
    assert_hash("  \r\n\t\r\n", empty);
    const char *example = "unak6JHq0wL+Q1HP7dW1tjBx9FLA6DffoZ0qrLwbbpo="; /* " C\r\nD E\r\n" */
    assert_hash(" C \r\nD \t E\r\n\r\n\r\n", example);
    assert_hash("\t C\r\nD E", example);
    assert_hash(" C\nD E\n", example);
}

static void gathers(void **state)
{
    static const char message[] = "Received: x\r\nTo: a@b.test\r\nFrom: A <a@Sub.Example.ORG>\r\n"
                                  "to: c@d.test\r\nSubject: s\r\n\r\nbody\r\n";
    struct dkim_parts p;
    struct arena a;
    (void)state;
    arena_init(&a, 1 << 20);
    assert_int_equal(dkim_gather(slice_cstr(message), &a, &p), OK);
    assert_true(slice_is(p.domain, "sub.example.org"));
    assert_true(slice_is(
        p.names, "from:from:reply-to:to:to:to:cc:subject:subject:date:message-id:mime-version:"
                 "content-type:content-transfer-encoding"));
    assert_true(slice_is(
        p.fields, "from:A <a@Sub.Example.ORG>\r\nto:c@d.test\r\nto:a@b.test\r\nsubject:s\r\n"));
    assert_int_equal(dkim_gather(SLICE("Subject: no From\r\n\r\n"), &a, &p), NOT_FOUND);
    assert_int_equal(dkim_gather(SLICE("From: undisclosed\r\n\r\n"), &a, &p), NOT_FOUND);
    arena_release(&a);
}

static void bounds(void **state)
{
    struct dkim_parts p;
    struct arena a;
    struct buf m;
    (void)state;
    arena_init(&a, 1 << 20);
    buf_init(&m, 1 << 20);
    buf_puts(&m, "From: a@b.test\r\n");
    for (int i = 0; i < DKIM_FIELDS_MAX + 1; i++)
        buf_puts(&m, "To: x@y.test\r\n");
    assert_int_equal(dkim_gather(buf_slice(&m), &a, &p), LIMIT);
    buf_clear(&m);
    buf_puts(&m, "From: a@b.test\r\nSubject: ");
    for (int i = 0; i < DKIM_FIELDS_BYTES_MAX; i++)
        buf_putc(&m, 'x');
    buf_puts(&m, "\r\n\r\n");
    assert_int_equal(dkim_gather(buf_slice(&m), &a, &p), LIMIT);
    buf_release(&m);
    arena_release(&a);
}

static struct dkim_key *make(enum dkim_algorithm algorithm)
{
    struct dkim_key *k = NULL;
    assert_int_equal(dkim_key_new(algorithm, &k), OK);
    return k;
}

static void keys_survive_writing(void **state)
{
    (void)state;
    for (enum dkim_algorithm algorithm = DKIM_RSA; algorithm <= DKIM_ED25519; algorithm++) {
        struct dkim_key *k = make(algorithm), *again = NULL;
        struct buf pem, record, record_again;
        struct error err = {""};
        buf_init(&pem, DKIM_PEM_MAX);
        buf_init(&record, 4096);
        buf_init(&record_again, 4096);
        assert_int_equal(dkim_key_write(k, &pem), OK);
        assert_int_equal(dkim_key_read(buf_slice(&pem), &again, &err), OK);
        assert_int_equal(dkim_key_algorithm(again), algorithm);
        assert_int_equal(dkim_key_record(k, &record), OK);
        assert_int_equal(dkim_key_record(again, &record_again), OK);
        assert_true(slice_eq(buf_slice(&record), buf_slice(&record_again)));
        buf_release(&pem);
        buf_release(&record);
        buf_release(&record_again);
        dkim_key_free(k);
        dkim_key_free(again);
    }
}

static void key_of_rfc_8463(void **state)
{
    struct dkim_key *k = NULL;
    struct error err = {""};
    struct buf record;
    (void)state;
    buf_init(&record, 1000);
    assert_int_equal(dkim_key_read(slice_cstr(RFC_8463_PEM), &k, &err), OK);
    assert_int_equal(dkim_key_record(k, &record), OK);
    assert_true(slice_is(buf_slice(&record),
                         "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="));
    buf_release(&record);
    dkim_key_free(k);
}

static void refused_keys(void **state)
{
    static const char *const bad[] = {
        "", "x", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"};
    struct dkim_key *k = NULL;
    struct error err = {""};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(dkim_key_read(slice_cstr(bad[i]), &k, &err), INVALID);
}

static void signs_for_the_nearest_domain(void **state)
{
    struct dkim_keys *keys = NULL;
    struct arena a;
    struct buf out;
    struct dkim_parts p;
    size_t n = 9;
    (void)state;
    arena_init(&a, 1 << 20);
    buf_init(&out, 1 << 16);
    assert_int_equal(dkim_keys_new(&keys), OK);
    assert_int_equal(dkim_keys_add(keys, SLICE("example.org"), SLICE("one"), make(DKIM_ED25519)),
                     OK);
    assert_int_equal(dkim_keys_add(keys, SLICE("example.org"), SLICE("two"), make(DKIM_RSA)), OK);
    assert_int_equal(
        dkim_keys_add(keys, SLICE("sub.example.org"), SLICE("sub"), make(DKIM_ED25519)), OK);
    assert_int_equal(dkim_gather(SLICE("From: a@x.example.org\r\n\r\nhi\r\n"), &a, &p), OK);
    assert_int_equal(dkim_sign(keys, &p, 1700000000, &out, &n), OK);
    assert_int_equal(n, 2);
    assert_true(slice_starts(
        buf_slice(&out),
        SLICE("DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.org;\r\n"
              "\ts=one; t=1700000000;\r\n\th=from:from:")));
    assert_true(slice_search(buf_slice(&out), SLICE("a=rsa-sha256")) != SIZE_MAX);
    buf_clear(&out);
    p.domain = SLICE("sub.example.org");
    assert_int_equal(dkim_sign(keys, &p, 0, &out, &n), OK);
    assert_int_equal(n, 1);
    buf_clear(&out);
    p.domain = SLICE("notexample.org");
    assert_int_equal(dkim_sign(keys, &p, 0, &out, &n), OK);
    assert_int_equal(n, 0);
    assert_int_equal(buf_len(&out), 0);
    dkim_keys_unref(keys);
    buf_release(&out);
    arena_release(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_fields),
        cmocka_unit_test(body_hashes),
        cmocka_unit_test(gathers),
        cmocka_unit_test(bounds),
        cmocka_unit_test(keys_survive_writing),
        cmocka_unit_test(key_of_rfc_8463),
        cmocka_unit_test(refused_keys),
        cmocka_unit_test(signs_for_the_nearest_domain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
