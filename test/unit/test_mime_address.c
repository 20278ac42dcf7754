/* test_mime_address.c: SMTP's addresses, domains, and the lists in header fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "mime/address.h"

static void assert_slice(struct slice s, const char *want)
{
    if (!slice_is(s, want))
        fail_msg("\"%.*s\" is not \"%s\"", SLICE_ARG(s), want);
}

static void mailboxes_are_parsed(void **state)
{
    static const struct {
        const char *text, *local, *domain;
    } good[] = {
        {"user@example.org", "user", "example.org"},
        {"a.b-c_d+e=f@x.y", "a.b-c_d+e=f", "x.y"},
        {"\"quoted local\"@example.org", "\"quoted local\"", "example.org"},
        {"\"a\\\"b\\\\c\"@example.org", "\"a\\\"b\\\\c\"", "example.org"},
        {"\"\"@example.org", "\"\"", "example.org"},
        {"\"a@b\"@c.d", "\"a@b\"", "c.d"},
        {"x@[192.0.2.1]", "x", "[192.0.2.1]"},
        {"x@[IPv6:2001:db8::1]", "x", "[IPv6:2001:db8::1]"},
        {"!#$%&'*/?^`{|}~@localhost", "!#$%&'*/?^`{|}~", "localhost"},
        {"x@under_score.example", "x", "under_score.example"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct address a;
        if (address_parse(slice_cstr(good[i].text), 0, &a) != OK)
            fail_msg("refused: %s", good[i].text);
        assert_slice(a.local, good[i].local);
        assert_slice(a.domain, good[i].domain);
    }
}

static void malformed_mailboxes_are_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "@",
                                      "user",
                                      "user@",
                                      "@example.org",
                                      "a b@c.d",
                                      "a@b@c",
                                      ".a@b.c",
                                      "a.@b.c",
                                      "a..b@c.d",
                                      "a@.b",
                                      "a@b.",
                                      "a@b..c",
                                      "a@-b.c",
                                      "a@b-.c",
                                      "a@b c",
                                      "\"a@b.c",
                                      "\"a\"b@c.d",
                                      "a@[1.2.3]",
                                      "a@[1.2.3.4",
                                      "a@[999.1.1.1]",
                                      "a@[IPv6:1:2]",
                                      "a@[x:y]",
                                      "a@[]",
                                      "a@b.c ",
                                      " a@b.c",
                                      "a(x)@b.c",
                                      "<a@b.c>",
                                      "a,b@c.d",
                                      "\"\\\"@b.c",
                                      "a@b!c",
                                      "\"a\r\nb\"@c",
                                      "a@b\r\n",
                                      "a@exa\001mple"};
    struct address a;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (address_parse(slice_cstr(bad[i]), ADDRESS_UTF8, &a) == OK)
            fail_msg("accepted: %s", bad[i]);
    assert_int_not_equal(address_parse(slice_of("a\0b@c.d", 7), 0, &a), OK);
    assert_int_not_equal(address_parse(slice_of("a@c\0.d", 6), 0, &a), OK);
}

static void sizes_are_limited(void **state)
{
    char text[400];
    struct address a;
    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text + 64, "@b.c", 4);
    assert_int_equal(address_parse(slice_of(text, 68), 0, &a), OK);
    memset(text, 'x', sizeof text);
    memcpy(text + 65, "@b.c", 4);
    assert_int_equal(address_parse(slice_of(text, 69), 0, &a), LIMIT);
    memset(text, 'x', sizeof text);
    memcpy(text, "a@", 2);
    for (size_t i = 50; i < 254; i += 50)
        text[i] = '.';
    assert_int_equal(address_parse(slice_of(text, 254), 0, &a), OK);
    assert_int_equal(address_parse(slice_of(text, 255), 0, &a), LIMIT);
    assert_int_equal(address_parse(slice_of(text, 300), 0, &a), LIMIT);
    /* A label has at most 63 characters. */
    memset(text, 'x', sizeof text);
    memcpy(text, "a@", 2);
    assert_int_equal(address_parse(slice_of(text, 65), 0, &a), OK);
    assert_int_equal(address_parse(slice_of(text, 66), 0, &a), INVALID);
}

static void utf8_needs_permission(void **state)
{
    struct address a;
    (void)state;
    struct slice s = SLICE("j\xc3\xb6rg@b\xc3\xbc"
                           "cher.example");
    assert_int_equal(address_parse(s, 0, &a), INVALID);
    assert_int_equal(address_parse(s, ADDRESS_UTF8, &a), OK);
    assert_true(a.utf8);
    assert_int_equal(address_parse(SLICE("j\xc3@x.y"), ADDRESS_UTF8, &a), INVALID);
    assert_int_equal(address_parse(SLICE("\"j\xff\"@x.y"), ADDRESS_UTF8, &a), INVALID);
    assert_int_equal(address_parse(SLICE("j@\xc3.y"), ADDRESS_UTF8, &a), INVALID);
    assert_int_equal(address_parse(SLICE("a@b.c"), ADDRESS_UTF8, &a), OK);
    assert_false(a.utf8);
}

static enum result path(const char *text, unsigned options, struct address *a, const char *rest)
{
    struct cursor c = cursor_of(slice_cstr(text));
    enum result r = address_parse_path(&c, options, a);
    assert_slice(c.rest, r == OK ? rest : text);
    return r;
}

static void paths_are_parsed(void **state)
{
    struct address a;
    (void)state;
    assert_int_equal(path("<a@b.c> SIZE=1", 0, &a, " SIZE=1"), OK);
    assert_slice(a.local, "a");
    assert_int_equal(path("<>", 0, &a, ""), INVALID);
    assert_int_equal(path("<> BODY=8BITMIME", ADDRESS_NULL, &a, " BODY=8BITMIME"), OK);
    assert_int_equal(a.local.len + a.domain.len, 0);
    assert_int_equal(path("<Postmaster>", 0, &a, ""), INVALID);
    assert_int_equal(path("<Postmaster>", ADDRESS_NO_DOMAIN, &a, ""), OK);
    assert_slice(a.local, "Postmaster");
    assert_int_equal(a.domain.len, 0);
    /* RFC 5321 appendix C: a source route is dropped. */
    assert_int_equal(path("<@a.b,@c.d:user@example.org>", 0, &a, ""), OK);
    assert_slice(a.local, "user");
    assert_int_equal(path("<@a.b:user@example.org>x", 0, &a, "x"), OK);
    assert_int_equal(path("<@a.b user@example.org>", 0, &a, ""), INVALID);
    assert_int_equal(path("<@:user@example.org>", 0, &a, ""), INVALID);
    assert_int_equal(path("<a@b.c", 0, &a, ""), INVALID);
    assert_int_equal(path("a@b.c", 0, &a, ""), INVALID);
    assert_int_equal(path("a@b.c SIZE=3", ADDRESS_BARE, &a, " SIZE=3"), OK);
    assert_int_equal(path("< a@b.c>", 0, &a, ""), INVALID);
    assert_int_equal(path("", ADDRESS_BARE | ADDRESS_NULL, &a, ""), INVALID);
    assert_int_equal(path("<\"a>b\"@c.d>", 0, &a, ""), OK);
    assert_slice(a.local, "\"a>b\"");
}

static void assert_normal(const char *text, const char *want, bool folded)
{
    struct address a;
    struct buf out;
    buf_init(&out, 1000);
    assert_int_equal(address_parse(slice_cstr(text), ADDRESS_UTF8 | ADDRESS_NO_DOMAIN, &a), OK);
    assert_int_equal(folded ? address_folded(&a, &out) : address_normal(&a, &out), OK);
    assert_slice(buf_slice(&out), want);
    buf_release(&out);
}

static void addresses_have_a_normal_form(void **state)
{
    (void)state;
    assert_normal("User@EXAMPLE.org", "User@example.org", false);
    assert_normal("User@EXAMPLE.org", "user@example.org", true);
    assert_normal("\"user\"@x.y", "user@x.y", false);
    assert_normal("\"us\\er\"@x.y", "user@x.y", false);
    assert_normal("\"us er\"@x.y", "\"us er\"@x.y", false);
    assert_normal("\"a..b\"@x.y", "\"a..b\"@x.y", false);
    assert_normal("\"a\\\"b\"@x.y", "\"a\\\"b\"@x.y", false);
    assert_normal("\"\"@x.y", "\"\"@x.y", false);
    assert_normal("x@b\xc3\xbc"
                  "cher.example",
                  "x@xn--bcher-kva.example", false);
    assert_normal("x@B\xc3\x9c"
                  "CHER.example",
                  "x@xn--bcher-kva.example", false);
    assert_normal("J\xc3\x96RG@x.y", "jo\xcc\x88rg@x.y", true);
    assert_normal("Postmaster", "postmaster", true);
    assert_normal("x@[IPv6:2001:DB8::1]", "x@[ipv6:2001:db8::1]", false);
}

static void domains_are_compared(void **state)
{
    (void)state;
    assert_true(domain_equal(SLICE("Example.ORG"), SLICE("example.org")));
    assert_true(domain_equal(SLICE("b\xc3\xbc"
                                   "cher.example"),
                             SLICE("XN--BCHER-KVA.example")));
    assert_false(domain_equal(SLICE("a.b"), SLICE("a.c")));
    assert_true(domain_valid(SLICE("a"), false));
    assert_false(domain_valid(SLICE(""), false));
    assert_false(domain_valid(SLICE("a."), false));
    assert_false(domain_valid(SLICE("b\xc3\xbc.x"), false));
    assert_true(domain_valid(SLICE("b\xc3\xbc.x"), true));
    assert_true(domain_is_literal(SLICE("[::1]")) == false);
    assert_true(domain_is_literal(SLICE("[IPv6:::1]")));
}

static void details_are_split(void **state)
{
    static const struct {
        const char *local, *delimiters, *user, *detail;
    } cases[] = {{"user+detail", "+", "user", "detail"},
                 {"user", "+", "user", NULL},
                 {"user+", "+", "user", ""},
                 {"+user", "+", "+user", NULL},
                 {"a-b+c", "+-", "a", "b+c"},
                 {"a+b+c", "+", "a", "b+c"},
                 {"user+x", "", "user+x", NULL},
                 {"mailer-daemon", "-", "mailer-daemon", NULL},
                 {"", "+", "", NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice user, detail;
        address_split_detail(slice_cstr(cases[i].local), slice_cstr(cases[i].delimiters), &user,
                             &detail);
        assert_slice(user, cases[i].user);
        assert_int_equal(detail.data != NULL, cases[i].detail != NULL);
        assert_slice(detail, cases[i].detail ? cases[i].detail : "");
    }
}

/* ---- lists ---- */

static bool show_item(void *arg, const struct address_item *item)
{
    struct buf *out = arg;
    static const char *const open[] = {"", "group ", "end"};
    buf_printf(out, "%s%.*s|%.*s|%.*s|%.*s;", open[item->kind], SLICE_ARG(item->name),
               SLICE_ARG(item->route), SLICE_ARG(item->local), SLICE_ARG(item->domain));
    return true;
}

static void assert_list(const char *text, bool sound, const char *want)
{
    struct buf out;
    buf_init(&out, 100000);
    bool was_sound = address_list_each(slice_cstr(text), show_item, &out);
    assert_slice(buf_slice(&out), want);
    if (was_sound != sound)
        fail_msg("sound: %d, for %s", was_sound, text);
    buf_release(&out);
}

static void lists_are_read(void **state)
{
    (void)state;
    assert_list("a@b.c", true, "||a|b.c;");
    assert_list("Joe Q. Public <john.q.public@example.com>", true,
                "Joe Q. Public||john.q.public|example.com;");
    assert_list("<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>", true,
                "||boss|nil.test;Giant; \"Big\" Box||sysservices|example.net;");
    assert_list("A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;", true,
                "group A Group|||;Ed Jones||c|a.test;||joe|where.test;John||jdoe|one.test;end|||;");
    assert_list("Undisclosed recipients:;", true, "group Undisclosed recipients|||;end|||;");
    /* RFC 5322 A.5 */
    assert_list("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", true,
                "Pete||pete|silly.test;");
    assert_list("Chris Jones <c@(Chris's host.)public.example>,\r\n  joe@example.org,\r\n"
                "   John <jdoe@one.test> (my dear friend); ",
                false, "Chris Jones||c|public.example;||joe|example.org;John||jdoe|one.test;");
    assert_list("(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;", true,
                "group Hidden recipients|||;end|||;");
    /* RFC 5322 A.6 */
    assert_list("Mary Smith <@node.test,@other.test:mary@example.net>, , jdoe@test   . example",
                true, "Mary Smith|@node.test,@other.test|mary|example.net;||jdoe|test.example;");
    assert_list("bob@y (Bob B.)", true, "Bob B.||bob|y;");
    assert_list("\"a b\"@c.d", true, "||a b|c.d;");
    assert_list("x@[IPv6:::1], <y@[1.2.3.4]>", true, "||x|[IPv6:::1];||y|[1.2.3.4];");
    assert_list("=?utf-8?q?J=C3=B6rg?= =?utf-8?q?_X?= <j@x.y>", true,
                "=?utf-8?q?J=C3=B6rg?= =?utf-8?q?_X?=||j|x.y;");
}

static void broken_lists_are_read_too(void **state)
{
    (void)state;
    assert_list("", true, "");
    assert_list(" , ,", true, "");
    assert_list("me@here.example <me@here.example>", true, "me@here.example||me|here.example;");
    assert_list("nobody", false, "||nobody|;");
    assert_list("a b c", false, "||abc|;");
    assert_list("<>", false, "|||;");
    assert_list("a@", false, "||a|;");
    assert_list("@b", false, "|||b;");
    assert_list("x <a@b", true, "x||a|b;");
    assert_list("x <a@b c d>, e@f", true, "x||a|bcd;||e|f;");
    assert_list("\"open <a@b>", false, "||open <a@b>|;");
    assert_list("(open <a@b>", true, "");
    assert_list("g: a@b", false, "group g|||;||a|b;end|||;");
    assert_list("a@b;c@d", false, "||a|b;||c|d;");
    assert_list("a@b@c", false, "||a|c;");
    assert_list("))]\\>", false, "");
    assert_list("<a@b> <c@d>", false, "||a|b;");
    assert_list("J\xf6rg <j@x>", true, "J\xf6rg||j|x;");
}

static bool count_item(void *arg, const struct address_item *item)
{
    (void)item;
    return ++*(size_t *)arg < 1000000;
}

static void lists_are_bounded(void **state)
{
    size_t len = 2 * 1024 * 1024, n = 0;
    char *text = malloc(len);
    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < len; i++)
        text[i] = i % 2 ? ',' : 'a';
    assert_false(address_list_each(slice_of(text, len), count_item, &n));
    assert_true(n <= ADDRESS_LIST_MAX + 1);
    memset(text, '(', len);
    n = 0;
    (void)address_list_each(slice_of(text, len), count_item, &n);
    memset(text, '<', len);
    (void)address_list_each(slice_of(text, len), count_item, &n);
    memset(text, '@', len);
    (void)address_list_each(slice_of(text, len), count_item, &n);
    memset(text, ':', len);
    (void)address_list_each(slice_of(text, len), count_item, &n);
    memset(text, '"', len);
    (void)address_list_each(slice_of(text, len), count_item, &n);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mailboxes_are_parsed), cmocka_unit_test(malformed_mailboxes_are_refused),
        cmocka_unit_test(sizes_are_limited),    cmocka_unit_test(utf8_needs_permission),
        cmocka_unit_test(paths_are_parsed),     cmocka_unit_test(addresses_have_a_normal_form),
        cmocka_unit_test(domains_are_compared), cmocka_unit_test(details_are_split),
        cmocka_unit_test(lists_are_read),       cmocka_unit_test(broken_lists_are_read_too),
        cmocka_unit_test(lists_are_bounded),
    };
    return cmocka_run_group_tests_name("mime_address", tests, NULL, NULL);
}
