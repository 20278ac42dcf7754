/* test_server_table.c: tables that ask a server: their files, the expansions in queries and
 * results, and the answers of the simple protocols. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "auth/server.h"
#include "table/table.h"

static struct arena arena;

static int setup(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

/* "" where nothing must be asked, "!" for an error. */
static const char *expand(const char *format, const char *key, const char *value)
{
    static char text[512];
    struct buf out;
    buf_init(&out, 400);
    enum result r = server_expand(slice_cstr(format), slice_cstr(key),
                                  value ? slice_cstr(value) : SLICE_NONE, NULL, NULL, &out, NULL);
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(buf_slice(&out)));
    buf_release(&out);
    return r == OK ? text : r == NOT_FOUND ? "" : "!";
}

static void test_expand(void **state)
{
    (void)state;
    assert_string_equal(expand("<%s>", "joe@mail.example.com", NULL), "<joe@mail.example.com>");
    assert_string_equal(expand("%u at %d, 100%%", "joe@a.b", NULL), "joe at a.b, 100%");
    assert_string_equal(expand("%1 %2 %3", "joe@mail.example.com", NULL), "com example mail");
    assert_string_equal(expand("%4", "joe@mail.example.com", NULL), "");
    assert_string_equal(expand("%d", "joe", NULL), "");
    assert_string_equal(expand("%u", "joe", NULL), "joe");
    assert_string_equal(expand("%u", "@example.com", NULL), "");
    assert_string_equal(expand("%s %U %D", "joe@a.b", "x@y"), "x@y joe a.b");
    assert_string_equal(expand("%u|%d", "joe@a.b", "x@y"), "x|y");
    assert_string_equal(expand("%d", "joe@a.b", "word"), "");
    assert_string_equal(expand("%x", "joe", NULL), "!");
    assert_string_equal(expand("50%", "joe", NULL), "!");
}

static const char *parse(const char *type, const char *text, struct server_table *t)
{
    static struct error err;
    err.text[0] = '\0';
    enum result r =
        server_parse(slice_cstr(type), SLICE("/t.cf"), slice_cstr(text), &arena, t, &err);
    assert_true(r == OK || r == INVALID);
    assert_true((r == OK) == (err.text[0] == '\0'));
    return err.text;
}

static void test_files(void **state)
{
    struct server_table t;
    (void)state;
    assert_string_equal(parse("mysql", "# c\nhosts = a,\n  b\nquery = SELECT '%s'\nuser=u\n", &t),
                        "");
    assert_true(slice_is(server_value(&t, "user", ""), "u"));
    assert_true(slice_starts(server_value(&t, "hosts", ""), SLICE("a,")));
    assert_string_equal(parse("pgsql", "table = t\nselect_field = s\nwhere_field = w\n", &t), "");
    assert_true(slice_starts(t.query, SLICE("SELECT s FROM t WHERE w = '%s'")));
    assert_string_equal(parse("ldap", "search_base = dc=x\nversion = 3\n", &t), "");
    assert_true(slice_is(t.query, "(mailacceptinggeneralid=%s)"));
    assert_string_equal(
        parse("ldap", "\nsearch_bas = dc=x\n", &t),
        "/t.cf:2: ldap tables have no parameter `search_bas`: did you mean `search_base`?");
    assert_string_equal(parse("memcache", "timeout = x\n", &t),
                        "/t.cf:1: timeout = x is no number");
    assert_string_equal(parse("ldap", "bind = sasl\n", &t),
                        "/t.cf:1: bind = sasl is not served: write simple or none");
    assert_non_null(strstr(parse("sqlite", "dbpath = /x\nquery = %q\n", &t), "query: `%q`"));
    assert_non_null(strstr(parse("mysql", "password = a\n", &t), "`query` is missing"));
}

static bool needs_rights(const char *type, const char *text)
{
    struct server_table t;
    assert_string_equal(parse(type, text, &t), "");
    return server_needs_rights(&t);
}

static void test_rights(void **state)
{
    (void)state;
    assert_false(needs_rights("memcache", "memcache = inet:h:1\n"));
    assert_true(needs_rights("memcache", "memcache = unix:/run/m\n"));
    assert_false(needs_rights("pgsql", "hosts = unix:/run/p\nquery = x\npassword = p\n"));
    assert_true(needs_rights("pgsql", "hosts = postgresql://h/?sslkey=/k\nquery = x\n"));
    assert_false(needs_rights("mysql", "query = x\ntls_CAfile = /ca\n"));
    assert_true(needs_rights("mysql", "query = x\noption_file = /root/my.cnf\n"));
    assert_false(needs_rights("ldap", "search_base = dc=x\n"));
    assert_true(needs_rights("ldap", "search_base = dc=x\ntls_key = /k\n"));
    assert_true(needs_rights("sqlite", "dbpath = /x\nquery = x\n"));
}

static void test_domain(void **state)
{
    struct server_table t;
    (void)state;
    assert_string_equal(parse("mysql", "query = x\ndomain = a.test, B.test\n", &t), "");
    assert_true(server_key_allowed(&t, SLICE("joe@b.TEST")));
    assert_false(server_key_allowed(&t, SLICE("joe@c.test")));
    assert_false(server_key_allowed(&t, SLICE("@a.test")));
    assert_false(server_key_allowed(&t, SLICE("a.test")));
}

static enum result tcp(const char *answer, const char *value)
{
    struct slice got = SLICE_NONE;
    enum result r = server_read_tcp(slice_cstr(answer), &arena, &got, NULL);
    assert_true(!value || slice_is(got, value));
    return r;
}

static enum result socketmap(const char *answer, const char *value)
{
    struct slice got = SLICE_NONE;
    enum result r = server_read_socketmap(slice_cstr(answer), &arena, &got, NULL);
    assert_true(!value || slice_is(got, value));
    return r;
}

static enum result memcache(const char *answer, const char *value)
{
    struct slice got = SLICE_NONE;
    enum result r = server_read_memcache(slice_cstr(answer), SLICE("k"), &got, NULL);
    assert_true(!value || slice_is(got, value));
    return r;
}

static void test_answers(void **state)
{
    (void)state;
    assert_int_equal(tcp("200 a%20b\n", "a b"), OK);
    assert_int_equal(tcp("500 none\n", NULL), NOT_FOUND);
    assert_int_equal(tcp("400 later\n", NULL), FAILED);
    assert_int_equal(tcp("200 a", NULL), FAILED);
    assert_int_equal(tcp("200 %0\n", NULL), FAILED);
    assert_int_equal(tcp("200 %00\n", NULL), FAILED);
    assert_int_equal(tcp("\n", NULL), FAILED);
    assert_int_equal(socketmap("5:OK ab,", "ab"), OK);
    assert_int_equal(socketmap("9:NOTFOUND ,", NULL), NOT_FOUND);
    assert_int_equal(socketmap("8:TEMP now,", NULL), FAILED);
    assert_int_equal(socketmap("5:OK ab", NULL), FAILED);
    assert_int_equal(socketmap("5:OK ab.", NULL), FAILED);
    assert_int_equal(socketmap("99999999:OK", NULL), FAILED);
    assert_int_equal(memcache("VALUE k 0 2\r\nab\r\nEND\r\n", "ab"), OK);
    assert_int_equal(memcache("END\r\n", NULL), NOT_FOUND);
    assert_int_equal(memcache("VALUE other 0 2\r\nab\r\nEND\r\n", NULL), FAILED);
    assert_int_equal(memcache("VALUE k 0 3\r\nab\r\nEND\r\n", NULL), FAILED);
    assert_int_equal(memcache("SERVER_ERROR x\r\n", NULL), FAILED);
}

static void test_forms(void **state)
{
    (void)state;
    assert_int_equal(table_server_check(SLICE("tcp:host:25"), NULL), OK);
    assert_int_equal(table_server_check(SLICE("tcp:host"), NULL), INVALID);
    assert_int_equal(table_server_check(SLICE("tcp:host:70000"), NULL), INVALID);
    assert_int_equal(table_server_check(SLICE("socketmap:inet:host:25:name"), NULL), OK);
    assert_int_equal(table_server_check(SLICE("socketmap:unix:/run/x:name"), NULL), OK);
    assert_int_equal(table_server_check(SLICE("socketmap:host:25:name"), NULL), INVALID);
    assert_int_equal(table_server_check(SLICE("mysql:/x.cf"), NULL), OK);
    assert_int_equal(table_server_check(SLICE("mysql:old"), NULL), OK);
    assert_int_equal(table_server_check(SLICE("mysql:not/a/path"), NULL), INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_expand, setup, teardown),
        cmocka_unit_test_setup_teardown(test_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rights, setup, teardown),
        cmocka_unit_test_setup_teardown(test_domain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_answers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_forms, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
