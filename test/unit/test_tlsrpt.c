/* test_tlsrpt.c: TLS-RPT as text: records, rows as they are kept, the report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/json_read.h"
#include "proto/tlsrpt/tlsrpt.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static enum result record_of(const char *text, struct slice *rua, size_t *ret_n)
{
    struct slice s = slice_cstr(text);
    return tlsrpt_record(&s, 1, rua, ret_n);
}

static void records(void **state)
{
    static const char *const broken[] = {"v=TLSRPTv1;",
                                         "v=TLSRPTv1; rua=",
                                         "v=TLSRPTv1; rua=ftp://x.example/",
                                         "v=TLSRPTv1; rua=mailto:nobody",
                                         "v=TLSRPTv1; rua=mailto:a@[192.0.2.1]",
                                         "v=TLSRPTv1; rua=mailto:a@b.example\r\nBcc: c@d.example",
                                         "v=TLSRPTv1; rua=mailto:a%0a@b.example",
                                         "v=TLSRPTv1; rua=https:///in",
                                         "v=TLSRPTv1; rua=https://u@x.example/",
                                         "v=TLSRPTv1; rua=https://x.example:8443/",
                                         "v=TLSRPTv1; rua=http://x.example/"};
    static const char *const others[] = {"", "v=TLSRPTv1", "v=TLSRPTv12; rua=mailto:a@b.example",
                                         "v=STSv1; id=1"};
    struct slice rua[TLSRPT_RUA_MAX], part;
    size_t n = 0;
    (void)state;
    assert_int_equal(record_of("v=TLSRPTv1; x=y; rua=mailto:a@b.example?subject=x , "
                               "https://c.example/in?q=1,junk; rua=mailto:d@e.example",
                               rua, &n),
                     OK);
    assert_int_equal(n, 2);
    assert_int_equal(tlsrpt_mailto(rua[0], &part), OK);
    assert_true(slice_is(part, "a@b.example"));
    assert_true(slice_is(rua[1], "https://c.example/in?q=1"));
    assert_int_equal(tlsrpt_https(rua[1], &part), OK);
    assert_true(slice_is(part, "c.example"));
    assert_int_equal(record_of("v=TLSRPTv1;rua=mailto:a@b.example,mailto:a@b.example,mailto:a@"
                               "b.example,mailto:a@b.example,mailto:a@b.example",
                               rua, &n),
                     OK);
    assert_int_equal(n, TLSRPT_RUA_MAX);
    for (size_t i = 0; i < COUNT(broken); i++)
        assert_int_equal(record_of(broken[i], rua, &n), INVALID);
    for (size_t i = 0; i < COUNT(others); i++)
        assert_int_equal(record_of(others[i], rua, &n), NOT_FOUND);
    struct slice two[] = {SLICE("v=TLSRPTv1; rua=mailto:a@b.example"),
                          SLICE("v=TLSRPTv1; rua=mailto:c@d.example")};
    assert_int_equal(tlsrpt_record(two, 2, rua, &n), INVALID);
}

static const struct tlsrpt_row good = {.day = 20000, .domain = SLICE_NONE, .count = 7};

static struct tlsrpt_row row(const char *type, const char *mx, const char *result, uint64_t count)
{
    struct tlsrpt_row r = good;
    r.domain = SLICE("far.example");
    r.type = slice_cstr(type);
    r.mx = slice_cstr(mx);
    r.result = slice_cstr(result);
    r.count = count;
    r.policy = SLICE("");
    r.sender_ip = SLICE("192.0.2.1");
    r.mx_ip = SLICE("2001:db8::1");
    r.reason = SLICE("a \"reason\"");
    return r;
}

static void rows(void **state)
{
    struct tlsrpt_row r = row("sts", "mx.far.example", "certificate-expired", 3), back;
    struct buf key, value;
    (void)state;
    buf_init(&key, 1000);
    buf_init(&value, 1000);
    tlsrpt_row_key(&r, &key);
    tlsrpt_row_value(&r, &value);
    struct slice k = buf_slice(&key), v = buf_slice(&value);
    assert_int_equal(tlsrpt_row_read(k, v, &back), OK);
    assert_int_equal(back.day, 20000);
    assert_int_equal(back.count, 3);
    assert_true(slice_eq(back.domain, r.domain) && slice_eq(back.result, r.result));
    assert_true(slice_eq(back.reason, r.reason) && slice_eq(back.mx_ip, r.mx_ip));
    for (size_t n = 0; n < k.len; n++)
        assert_int_equal(tlsrpt_row_read(slice_sub(k, 0, n), v, &back), CORRUPT);
    for (size_t n = 0; n < v.len; n++)
        assert_int_equal(tlsrpt_row_read(k, slice_sub(v, 0, n), &back), CORRUPT);
    r.result = SLICE("invented");
    assert_false(tlsrpt_row_valid(&r));
    r = row("dane", "mx.far.example", "", 1);
    assert_false(tlsrpt_row_valid(&r));
    r = row("sts", "mx far", "", 1);
    assert_false(tlsrpt_row_valid(&r));
    r = row("sts", "", "sts-webpki-invalid", 1);
    assert_true(tlsrpt_row_valid(&r));
    buf_release(&key);
    buf_release(&value);
}

static struct json_value member(struct json_value of, const char *key)
{
    struct json_value v;
    assert_int_equal(json_find(&of, key, &v), OK);
    return v;
}

static int64_t number(struct json_value of, const char *key)
{
    int64_t n;
    struct json_value v = member(of, key);
    assert_int_equal(json_number(&v, &n), OK);
    return n;
}

static bool is(struct json_value of, const char *key, const char *text)
{
    struct json_value v = member(of, key);
    return json_is(&v, slice_cstr(text));
}

static void report(void **state)
{
    struct tlsrpt_row all[] = {row("no-policy-found", "mx.far.example", "", 5),
                               row("sts", "mx.far.example", "", 10),
                               row("sts", "mx.far.example", "certificate-host-mismatch", 2),
                               row("sts", "old.far.example", "starttls-not-supported", 1)};
    struct tlsrpt_report r = {.organization = SLICE("Us \"&\" Co"),
                              .contact = SLICE("postmaster@us.example"),
                              .id = SLICE("abc"),
                              .domain = SLICE("far.example"),
                              .day = 20000,
                              .rows = all,
                              .n_rows = COUNT(all)};
    struct json_value j, policy, failure;
    struct buf out;
    size_t at = 0;
    (void)state;
    all[1].policy = SLICE("version: STSv1\nmode: enforce\nmx: *.far.example\nmax_age: 1\n");
    buf_init(&out, 100000);
    tlsrpt_json(&r, &out);
    assert_true(buf_ok(&out));
    assert_int_equal(json_parse(buf_slice(&out), &j), OK);
    assert_true(is(j, "contact-info", "postmaster@us.example") && is(j, "report-id", "abc"));
    struct json_value range = member(j, "date-range");
    assert_true(is(range, "start-datetime", "2024-10-04T00:00:00Z"));
    assert_true(is(range, "end-datetime", "2024-10-04T23:59:59Z"));
    struct json_value policies = member(j, "policies");
    assert_true(json_next(&policies, &at, &policy));
    assert_true(is(member(policy, "policy"), "policy-type", "no-policy-found"));
    assert_int_equal(number(member(policy, "summary"), "total-successful-session-count"), 5);
    assert_true(json_next(&policies, &at, &policy));
    assert_true(is(member(policy, "policy"), "policy-domain", "far.example"));
    assert_int_equal(number(member(policy, "summary"), "total-successful-session-count"), 10);
    assert_int_equal(number(member(policy, "summary"), "total-failure-session-count"), 3);
    struct json_value lines = member(member(policy, "policy"), "policy-string"), line;
    struct json_value hosts = member(member(policy, "policy"), "mx-host");
    size_t n = 0, i = 0;
    while (json_next(&lines, &i, &line))
        n++;
    assert_int_equal(n, 4);
    i = 0;
    assert_true(json_next(&hosts, &i, &line) && json_is(&line, SLICE("*.far.example")));
    struct json_value failures = member(policy, "failure-details");
    i = 0;
    assert_true(json_next(&failures, &i, &failure));
    assert_true(is(failure, "result-type", "certificate-host-mismatch"));
    assert_int_equal(number(failure, "failed-session-count"), 2);
    assert_true(json_next(&failures, &i, &failure) && !json_next(&failures, &i, &failure));
    assert_false(json_next(&policies, &at, &policy));
    buf_release(&out);
}

static void message(void **state)
{
    struct tlsrpt_row one = row("sts", "mx.far.example", "", 5);
    struct tlsrpt_report r = {.organization = SLICE("Us"),
                              .contact = SLICE("postmaster@us.example"),
                              .id = SLICE("abc"),
                              .domain = SLICE("far.example"),
                              .day = 20000,
                              .rows = &one,
                              .n_rows = 1};
    struct buf json, gzip, out;
    (void)state;
    buf_init(&json, 10000);
    buf_init(&gzip, 10000);
    buf_init(&out, 20000);
    tlsrpt_json(&r, &json);
    assert_int_equal(tlsrpt_gzip(buf_slice(&json), &gzip), OK);
    assert_true(slice_starts(buf_slice(&gzip), SLICE("\x1f\x8b")));
    struct tlsrpt_mail m = {.from = SLICE("postmaster@us.example"),
                            .to = SLICE("a@far.example"),
                            .submitter = SLICE("mail.us.example"),
                            .gzip = buf_slice(&gzip)};
    tlsrpt_message(&r, &m, &out);
    assert_true(buf_ok(&out));
    struct slice text = buf_slice(&out);
    assert_true(slice_search(text, SLICE("\r\nTLS-Report-Domain: far.example\r\n")) != SIZE_MAX);
    assert_true(slice_search(text, SLICE("report-type=\"tlsrpt\"")) != SIZE_MAX);
    for (size_t at; (at = slice_search(text, SLICE("\r\n"))) != SIZE_MAX;
         text = slice_from(text, at + 2))
        assert_true(at <= 200 && slice_find(slice_sub(text, 0, at), '\n') == SIZE_MAX);
    buf_release(&json);
    buf_init(&json, 10);
    assert_int_equal(tlsrpt_gzip(buf_slice(&gzip), &json), LIMIT);
    buf_release(&json);
    buf_release(&gzip);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(records), cmocka_unit_test(rows),
                                       cmocka_unit_test(report), cmocka_unit_test(message)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
