/* test_tls_policy.c: how much TLS a next hop must have, and what its certificate must show. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "policy/tls_policy.h"

static struct slice hostname = {"hostname", 8};
static struct slice secure[] = {{"nexthop", 7}, {"dot-nexthop", 11}};
static struct slice prints[] = {{"AA:BB", 5}};
static const struct tls_policy_settings normal = {.level = {"may", 3},
                                                  .verify_match = {&hostname, 1},
                                                  .secure_match = {secure, 2},
                                                  .servername = {"", 0},
                                                  .insecure_mx = {"dane", 4}};

/* What tls_policy_find makes of a table with these entries. */
static enum result find(const struct tls_policy_settings *s, const char *entries,
                        const char *nexthop, struct arena *a, struct tls_policy *ret,
                        struct error *err)
{
    char spec[2048];
    const struct table *t;
    snprintf(spec, sizeof spec, "inline:{%s}", entries);
    assert_int_equal(table_open(slice_cstr(spec), NULL, NULL, NULL, &t, err), OK);
    struct tables maps = {&t, 1};
    enum result r = tls_policy_find(s, &maps, slice_cstr(nexthop), a, ret, err);
    if (r == OK) { /* the table is closed: what is kept of it must be the arena's */
        ret->where = arena_dup(a, ret->where);
    }
    table_close(t);
    return r;
}

static void is(const char *entries, const char *nexthop, enum tls_level want)
{
    struct arena a;
    struct tls_policy p;
    struct error err = {""};
    arena_init(&a, 65536);
    assert_int_equal(find(&normal, entries, nexthop, &a, &p, &err), OK);
    assert_string_equal(tls_level_name(p.level), tls_level_name(want));
    arena_release(&a);
}

static void the_nearest_entry_counts(void **state)
{
    (void)state;
    const char *entries = "{example.org=secure} {.example.org=encrypt} {.sub.example.org=none} "
                          "{[mx.test]:587=verify} {[mx.test]=none} {.test=secure}";
    is(entries, "example.org", TLS_LEVEL_SECURE);
    is(entries, "EXAMPLE.org", TLS_LEVEL_SECURE);
    is(entries, "a.example.org", TLS_LEVEL_ENCRYPT);
    is(entries, "a.sub.example.org", TLS_LEVEL_NONE);
    is(entries, "sub.example.org", TLS_LEVEL_ENCRYPT);
    is(entries, "myexample.org", TLS_LEVEL_MAY);
    is(entries, "org", TLS_LEVEL_MAY);
    is(entries, "other.test", TLS_LEVEL_SECURE);
    is(entries, "[mx.test]:587", TLS_LEVEL_VERIFY);
    is(entries, "[mx.test]", TLS_LEVEL_NONE);
    is(entries, "[mx.test]:25", TLS_LEVEL_MAY); /* words of the route's own: no parents */
    is(entries, "other.test:25", TLS_LEVEL_MAY);
    is(entries, "", TLS_LEVEL_MAY);
    is(entries, "192.0.2.1", TLS_LEVEL_MAY);
}

static void fails(const struct tls_policy_settings *s, const char *entry, const char *why)
{
    struct arena a;
    struct tls_policy p;
    struct error err = {""};
    char entries[1024];
    snprintf(entries, sizeof entries, "{ x.test = %s }", entry);
    arena_init(&a, 65536);
    assert_int_equal(find(s, entries, "x.test", &a, &p, &err), INVALID);
    if (!strstr(err.text, why))
        fail_msg("\"%s\" is not said of \"%s\" but \"%s\"", why, entry, err.text);
    arena_release(&a);
}

static void what_is_wrong_is_an_error(void **state)
{
    (void)state;
    fails(&normal, "mya", "`mya` is no level");
    fails(&normal, "encrypt, ,protocol=x", "`protocol` is no attribute");
    fails(&normal, "encrypt protocols", "`protocols` is not name=value");
    fails(&normal, "encrypt =x", "is not name=value");
    fails(&normal, "encrypt protocols=TLSv9", "lists no versions");
    fails(&normal, "may protocols=>=TLSv1.2 protocols=TLSv1.3", "`protocols` is there twice");
    fails(&normal, "encrypt ciphers=strong", "is no grade");
    fails(&normal, "encrypt ciphers=high ciphers=low", "there twice");
    fails(&normal, "encrypt exclude=RC4 exclude=", "there twice");
    fails(&normal, "encrypt exclude=RC4;ALL", "names no ciphers");
    fails(&normal, "encrypt match=mail.test", "no meaning at this level");
    fails(&normal, "dane match=mail.test", "no meaning at this level");
    fails(&normal, "verify match=", "has no value");
    fails(&normal, "verify match=:", "has no value");

    fails(&normal, "secure servername=a..b", "is no name of a host");
    fails(&normal, "secure servername=a servername=b", "there twice");
    fails(&normal, "secure tafile=/etc/ssl/x.pem", "is not served");
    fails(&normal, "secure connection_reuse=maybe", "neither yes nor no");
    fails(&normal, "fingerprint", "without a fingerprint");
    fails(&(struct tls_policy_settings){.level = {"may", 3}}, "verify", "without a name");
}

static void wrong_settings_are_errors(void **state)
{
    struct arena a;
    struct tls_policy p;
    struct error err = {""};
    struct tls_policy_settings s = normal;
    const struct tables none = {NULL, 0};
    (void)state;
    arena_init(&a, 4096);
    s.level = SLICE("strict");
    assert_int_equal(tls_policy_find(&s, &none, SLICE("x.test"), &a, &p, &err), INVALID);
    s.level = SLICE("secure");
    s.servername = SLICE("a b");
    assert_int_equal(tls_policy_find(&s, &none, SLICE("x.test"), &a, &p, &err), INVALID);
    s.servername = SLICE("");
    s.secure_match.n = 0;
    assert_int_equal(tls_policy_find(&s, &none, SLICE("x.test"), &a, &p, &err), INVALID);
    s.level = SLICE("");
    assert_int_equal(tls_policy_find(&s, &none, SLICE("x.test"), &a, &p, &err), OK);
    assert_int_equal(p.level, TLS_LEVEL_NONE);
    arena_release(&a);
}

static void a_table_that_fails_is_no_answer(void **state)
{
    struct arena a;
    struct tls_policy p;
    struct error err = {""};
    const struct table *t;
    (void)state;
    arena_init(&a, 4096);
    assert_int_equal(table_open(SLICE("fail:it is down"), NULL, NULL, NULL, &t, &err), OK);
    const struct tables maps = {&t, 1};
    assert_int_equal(tls_policy_find(&normal, &maps, SLICE("x.test"), &a, &p, &err), FAILED);
    table_close(t);
    arena_release(&a);
}

static void attributes_are_kept(void **state)
{
    struct arena a;
    struct tls_policy p;
    struct error err = {""};
    (void)state;
    arena_init(&a, 65536);
    assert_int_equal(find(&normal,
                          "{ x.test = Encrypt protocols=TLSv1.3, ciphers=HIGH exclude=aNULL:RC4 "
                          "servername=mail.x.test connection_reuse=yes }",
                          "x.test", &a, &p, &err),
                     OK);
    assert_int_equal(p.level, TLS_LEVEL_ENCRYPT);
    assert_true(slice_is(p.protocols, "TLSv1.3") && slice_is(p.ciphers, "high"));
    assert_true(p.own_exclude && p.exclude.n == 1 && slice_is(p.exclude.items[0], "aNULL:RC4"));
    assert_true(slice_is(p.servername, "mail.x.test"));
    assert_null(p.ignored);
    assert_int_equal(find(&normal, "{ x.test = none ciphers=high }", "x.test", &a, &p, &err), OK);
    assert_non_null(p.ignored);
    assert_int_equal(find(&normal, "{ x.test = fingerprint match=aa:bb|CC:DD match=EE:FF }",
                          "x.test", &a, &p, &err),
                     OK);
    assert_int_equal(p.match.n, 3);
    assert_true(slice_is(p.match.items[1], "CC:DD") && slice_is(p.match.items[2], "EE:FF"));
    struct tls_policy_settings s = normal;
    s.fingerprint_match = (struct slice_list){prints, 1};
    assert_int_equal(find(&s, "{ x.test = fingerprint }", "x.test", &a, &p, &err), OK);
    assert_true(p.match.n == 1 && slice_is(p.match.items[0], "AA:BB"));
    arena_release(&a);
}

static void named(const char *entry, const char *nexthop, const char *want)
{
    struct arena a;
    struct tls_policy p;
    struct error err = {""};
    char entries[512], got[512] = "";
    struct slice_list names;
    snprintf(entries, sizeof entries, "{ %s = %s }", nexthop, entry);
    arena_init(&a, 65536);
    assert_int_equal(find(&normal, entries, nexthop, &a, &p, &err), OK);
    const struct tls_peer_names who = {tls_nexthop_name(slice_cstr(nexthop)), SLICE("mx1.test")};
    assert_int_equal(tls_policy_names(&p, &who, &a, &names), OK);
    for (size_t i = 0; i < names.n; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%.*s", i ? " " : "",
                 SLICE_ARG(names.items[i]));
    assert_string_equal(got, want);
    arena_release(&a);
}

static void names_to_match(void **state)
{
    (void)state;
    named("verify", "example.org", "mx1.test");
    named("secure", "example.org", "example.org .example.org");
    named("secure", "[mail.example.org]:587", "mail.example.org .mail.example.org");
    named("secure match=hostname:.x.test:.", "a.test", "mx1.test .x.test");
    named("verify match=nexthop match=b.test", "a.test", "a.test b.test");
    named("encrypt", "a.test", "");
}

static void server_names(void **state)
{
    const struct tls_peer_names who = {SLICE("example.org"), SLICE("mx1.test")};
    (void)state;
    struct tls_policy p = {.servername = SLICE("")};
    assert_true(slice_is(tls_policy_servername(&p, &who), ""));
    p.servername = SLICE("hostname");
    assert_true(slice_is(tls_policy_servername(&p, &who), "mx1.test"));
    p.servername = SLICE("nexthop");
    assert_true(slice_is(tls_policy_servername(&p, &who), "example.org"));
    p.servername = SLICE("c.test");
    assert_true(slice_is(tls_policy_servername(&p, &who), "c.test"));
}

/* "": the mail waits. */
static void settles(const char *level, enum tlsa_found found, bool mx_signed, const char *insecure,
                    const char *want)
{
    struct tls_policy p = {.level = TLS_LEVEL_NONE};
    struct tls_policy_settings s = normal;
    struct error err = {""};
    s.insecure_mx = slice_cstr(insecure);
    assert_int_equal(tls_level_parse(slice_cstr(level), &p.level), OK);
    enum result r = tls_policy_dane(&s, &p, found, mx_signed, &err);
    assert_string_equal(r == OK ? tls_level_name(p.level) : "", want);
    assert_int_equal(r == OK, err.text[0] == 0);
}

static void dane_by_what_is_found(void **state)
{
    (void)state;
    settles("dane", TLSA_NONE, true, "dane", "may");
    settles("dane", TLSA_UNUSABLE, true, "dane", "encrypt");
    settles("dane", TLSA_USABLE, true, "dane", "dane");
    settles("dane", TLSA_USABLE, false, "dane", "dane");
    settles("dane", TLSA_USABLE, false, "encrypt", "encrypt");
    settles("dane", TLSA_USABLE, false, "may", "may");
    settles("dane", TLSA_UNUSABLE, false, "encrypt", "encrypt");
    settles("dane-only", TLSA_NONE, true, "dane", "");
    settles("dane-only", TLSA_UNUSABLE, true, "dane", "");
    settles("dane-only", TLSA_USABLE, true, "dane", "dane");
    settles("dane-only", TLSA_USABLE, false, "dane", "");
    settles("secure", TLSA_NONE, false, "dane", "secure");
    settles("may", TLSA_USABLE, true, "dane", "may");
}

static void required(const char *level, bool mx_signed, const char *want, const char *names)
{
    const struct tls_peer_names who = {SLICE("example.org"), SLICE("mx1.test")};
    struct tls_policy p = {.servername = SLICE("")};
    struct slice_list list;
    struct arena a;
    char text[200] = "";
    arena_init(&a, 65536);
    assert_int_equal(tls_level_parse(slice_cstr(level), &p.level), OK);
    assert_int_equal(tls_policy_require(&p, mx_signed, &a), OK);
    assert_string_equal(tls_level_name(p.level), want);
    assert_int_equal(tls_policy_names(&p, &who, &a, &list), OK);
    for (size_t i = 0; i < list.n; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.*s", i ? " " : "",
                 SLICE_ARG(list.items[i]));
    assert_string_equal(text, names);
    arena_release(&a);
}

static void requiretls_wants_a_known_server(void **state)
{
    (void)state;
    required("none", true, "verify", "mx1.test");
    required("may", true, "verify", "mx1.test");
    required("encrypt", false, "secure", "example.org .example.org");
    /* What the policy has already is at least as much. */
    required("dane", false, "dane", "");
    required("fingerprint", true, "fingerprint", "");
    required("secure", true, "secure", "");
}

static void relaxed(const char *level, const char *where, const char *want)
{
    struct tls_policy p = {.where = slice_cstr(where)};
    assert_int_equal(tls_level_parse(slice_cstr(level), &p.level), OK);
    tls_policy_relax(&p);
    assert_string_equal(tls_level_name(p.level), want);
}

static void tls_required_no_leaves_the_administrators_word(void **state)
{
    (void)state;
    relaxed("dane", "", "may");
    relaxed("dane", "hash:/etc/postfix/tls_policy:1", "dane");
    relaxed("dane-only", "", "dane-only");
    relaxed("encrypt", "", "encrypt");
    relaxed("verify", "", "verify");
    relaxed("none", "", "none");
}

static void tlsa_records(void **state)
{
    (void)state;
    char record[80] = {3, 1, 1};
    assert_true(tlsa_usable(slice_of(record, 35)));
    assert_false(tlsa_usable(slice_of(record, 34)));
    assert_false(tlsa_usable(slice_of(record, 36)));
    assert_false(tlsa_usable(slice_of(record, 3)));
    assert_false(tlsa_usable(SLICE_NONE));
    record[2] = 2;
    assert_true(tlsa_usable(slice_of(record, 67)));
    record[2] = 3;
    assert_false(tlsa_usable(slice_of(record, 67)));
    record[2] = 0;
    assert_true(tlsa_usable(slice_of(record, 50)));
    record[0] = 2;
    assert_true(tlsa_usable(slice_of(record, 50)));
    record[1] = 2;
    assert_false(tlsa_usable(slice_of(record, 50)));
    record[1] = 0;
    record[0] = 1;
    assert_false(tlsa_usable(slice_of(record, 50)));
    record[0] = (char)0x83;
    assert_false(tlsa_usable(slice_of(record, 50)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_entry_counts),
        cmocka_unit_test(what_is_wrong_is_an_error),
        cmocka_unit_test(wrong_settings_are_errors),
        cmocka_unit_test(a_table_that_fails_is_no_answer),
        cmocka_unit_test(attributes_are_kept),
        cmocka_unit_test(names_to_match),
        cmocka_unit_test(server_names),
        cmocka_unit_test(dane_by_what_is_found),
        cmocka_unit_test(tlsa_records),
        cmocka_unit_test(requiretls_wants_a_known_server),
        cmocka_unit_test(tls_required_no_leaves_the_administrators_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
