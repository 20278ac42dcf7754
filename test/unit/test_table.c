/* test_table.c: lookup tables: every type from a spec and files in memory, and how an address is
 * looked up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "table/table.h"

static const char *file_text; /* of every path but /none */
static char problems[4096];
static struct arena arena;

static enum result read_text(void *arg, struct slice path, struct buf *out, struct error *err)
{
    (void)arg, (void)err;
    if (slice_is(path, "/none"))
        return NOT_FOUND;
    buf_puts(out, file_text);
    return OK;
}

static const struct table_reader reader = {.read = read_text};

static void note(void *arg, struct slice file, unsigned line, const char *reason)
{
    size_t n = strlen(problems);
    (void)arg;
    snprintf(problems + n, sizeof problems - n, "%.*s:%u: %s\n", SLICE_ARG(file), line, reason);
}

static const struct table *open_text(const char *spec, const char *text)
{
    const struct table *t = NULL;
    struct error err = {""};
    file_text = text;
    problems[0] = '\0';
    if (table_open(slice_cstr(spec), &reader, note, NULL, &t, &err) != OK)
        fail_msg("%s: %s", spec, err.text);
    return t;
}

/* The value, "-" when there is none, "!" for a failure. */
static const char *ask(const struct table *t, const char *key)
{
    struct table_match m;
    enum result r = table_find(t, slice_cstr(key), &arena, &m, NULL);
    return r == OK ? m.value.data : r == NOT_FOUND ? "-" : "!";
}

static void check(const char *spec, const char *text, const char *key, const char *expected)
{
    const struct table *t = open_text(spec, text);
    const char *got = ask(t, key);
    if (strcmp(got, expected) != 0)
        fail_msg("%s of %s in `%s`: %s, not %s", key, spec, text, got, expected);
    table_close(t);
}

static void assert_refused(const char *spec, enum result expected, const char *expect)
{
    const struct table *t = NULL;
    struct error err = {""};
    assert_int_equal(table_open(slice_cstr(spec), &reader, NULL, NULL, &t, &err), expected);
    assert_null(t);
    if (!strstr(err.text, expect))
        fail_msg("%s: `%s` expected in `%s`", spec, expect, err.text);
}

static void exact_keys(void **state)
{
    (void)state;
    check("hash:/f", "a b\n", "A", "b");
    check("/f", "Ab\tx  y \r\n", "aB", "x  y");
    check("texthash:/f", "a one\n# no\n  two\n\nb c\n", "a", "one  two");
    check("texthash:/f", "a one\na two\n", "a", "one");
    check("lmdb:/f", "\"a b\"@c d\n", "\"a b\"@c", "d");
    check("texthash:/f", "a b\n", "", "-");
    check("hash:/f", "root: joe, bob\nops:eve\n", "root", "joe, bob");
    check("hash:/f", "root: joe, bob\nops:eve\n", "ops", "eve");
    check("hash:/f", "2001:db8:: x\n", "2001:db8::", "x");
    check("texthash:/f", "root: joe\n", "root", "-");
    check("proxy:hash:/f", "a b", "a", "b");
}

static void wrong_lines_are_told(void **state)
{
    (void)state;
    table_close(open_text("texthash:/f", "ok x\nbad\n\"open x\nok y\nroot: z\n\x80 x\n"));
    assert_string_equal(problems, "/f:2: expected: key, white space, value\n"
                                  "/f:3: a quote is not closed\n"
                                  "/f:5: the key ends in a colon: is this an alias file?\n"
                                  "/f:6: the line is not valid UTF-8\n"
                                  "/f:4: the key is in an earlier line already, which counts\n");
    table_close(open_text("regexp:/f", "/(/ x\nendif\nif /a/\n/b\n/b/q r\n/b/ $9\nabc d\n"));
    assert_non_null(strstr(problems, "/f:1: the expression is wrong"));
    assert_non_null(strstr(problems, "/f:2: an endif without an if"));
    assert_non_null(strstr(problems, "/f:3: an if without its endif"));
    assert_non_null(strstr(problems, "/f:4: the delimiter that ends"));
    assert_non_null(strstr(problems, "/f:5: a flag"));
    assert_non_null(strstr(problems, "/f:6: a $number beyond"));
    assert_non_null(strstr(problems, "/f:7: expected: /expression/flags"));
    table_close(open_text("cidr:/f", "10.0.0.1/8 x\n10.0.0.0/33 x\nten x\n10.0.0.0/8\n"));
    assert_non_null(strstr(problems, "/f:1: the address has bits"));
    assert_non_null(strstr(problems, "/f:2: the length behind /"));
    assert_non_null(strstr(problems, "/f:3: no network address"));
    assert_non_null(strstr(problems, "/f:4: expected: pattern"));
}

static void where_names_the_line(void **state)
{
    struct table_match m;
    (void)state;
    const struct table *t = open_text("texthash:/f", "\n\na b\n");
    assert_int_equal(table_find(t, SLICE("a"), &arena, &m, NULL), OK);
    assert_true(slice_is(m.where, "/f:3"));
    table_close(t);
    t = open_text("inline:{a=b}", "");
    assert_int_equal(table_find(t, SLICE("a"), &arena, &m, NULL), OK);
    assert_true(slice_is(m.where, "inline:{a=b}"));
    table_close(t);
}

static void simple_types(void **state)
{
    (void)state;
    check("inline:{ a=b, {C = d, e} }", "", "c", "d, e");
    check("inline:{a=b a=c}", "", "a", "c");
    check("static:OK", "", "anything", "OK");
    check("static:{ two words }", "", "x", "two words");
    check("fail:x", "", "a", "!");
    setenv("table_test", "yes", 1);
    check("environ:x", "", "TABLE_TEST", "yes");
    check("environ:x", "", "no_such_variable", "-");
    check("unionmap:{static:a, inline:{k=b}, inline:{x=y}}", "", "k", "a,b");
    check("unionmap:{inline:{x=y}}", "", "k", "-");
    check("unionmap:{static:a, fail:x}", "", "k", "!");
    check("pipemap:{inline:{a=b}, inline:{b=c}}", "", "a", "c");
    check("pipemap:{inline:{a=b}, inline:{c=d}}", "", "a", "-");
}

static void networks(void **state)
{
    const char *text = "if !10.0.0.0/8\n192.0.2.0/24 doc\n2001:db8::/33 six\nendif\n"
                       "[10.1.2.3] one\n!10.0.0.0/7 far\n10.0.0.0/8 ten\n";
    (void)state;
    check("cidr:/f", text, "192.0.2.7", "doc");
    check("cidr:/f", text, "10.1.2.3", "one");
    check("cidr:/f", text, "10.1.2.4", "ten");
    check("cidr:/f", text, "12.0.0.1", "far");
    check("cidr:/f", "2001:db8::/33 six\n", "2001:DB8:7fff::1", "six");
    check("cidr:/f", "2001:db8::/33 six\n", "2001:db8:8000::1", "-");
    check("cidr:/f", text, "host.example", "-");
    check("cidr:{{10.0.0.0/8 x}, {::/0 y}}", "", "::1", "y");
}

static void patterns(void **state)
{
    static const char *const types[] = {"regexp:/f", "pcre:/f"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        check(types[i], "/^(.*)@(.*)$/ $2:${1}$$$(1)\n", "a@b", "b:a$a");
        check(types[i], "/ABC/ x\n", "abc", "x");
        check(types[i], "/ABC/i x\n", "abc", "-");
        check(types[i], "!/abc/ x\n", "abd", "x");
        check(types[i], "if /a/\n/b/ ab\nendif\n/./ any\n", "b", "any");
        check(types[i], "if /a/\n/b/ ab\nendif\n/./ any\n", "ab", "ab");
        check(types[i], "/(a)|(b)/ <$1$2>\n", "b", "<b>");
        check(types[i], "~a/b~ x\n", "a/b", "x");
        check(types[i], "/a\\/b/ x\n", "a/b", "x");
    }
    check("regexp:/f", "/a/!/b/ x\n", "a", "x");
    check("regexp:/f", "/a/!/b/ x\n", "ab", "-");
    check("regexp:{ {/a/ x y}, {/b/ z} }", "", "b", "z");
}

/* An expression that doubles its work with each character, and a text that makes it do so. */
static void runaway_expressions_end(void **state)
{
    char text[120];
    (void)state;
    memset(text, 'a', sizeof text - 2);
    text[sizeof text - 2] = '!';
    text[sizeof text - 1] = '\0';
    check("pcre:/f", "/^(a+)+$/ x\n/!/ end\n", text, "end");
}

static void bad_specs_are_refused(void **state)
{
    (void)state;
    assert_refused("nosuch:/x", INVALID, "no table type `nosuch`: there are hash");
    assert_refused("hash:", INVALID, "write type:name");
    assert_refused("hash:relative", INVALID, "a path that begins with /");
    assert_refused("word", INVALID, "is no table");
    assert_refused("", INVALID, "is no table");
    assert_refused("inline:{a=b", INVALID, "a { without its }");
    assert_refused("inline:{a}", INVALID, "a name without =");
    assert_refused("inline:{}", INVALID, "empty");
    assert_refused("unionmap:{}", INVALID, "no table in it");
    assert_refused("regexp:{/a/ x}", INVALID, "each rule must stand in { }");
    assert_refused("hash:/none", FAILED, "/none: there is no such file");
    assert_refused("unionmap:{unionmap:{unionmap:{unionmap:{unionmap:{unionmap:{unionmap:{unionmap:"
                   "{unionmap:{static:a}}}}}}}}}",
                   FAILED, "too deep");
}

static void count_file(void *arg, struct slice path)
{
    buf_printf(arg, "%.*s;", SLICE_ARG(path));
}

static void files_are_named(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 1000);
    assert_int_equal(table_files(SLICE("proxy:unionmap:{hash:/a, pipemap:{cidr:/b,static:c}, /d, "
                                       "regexp:{{/e/ f}}}"),
                                 count_file, &b, NULL),
                     OK);
    assert_true(slice_is(buf_slice(&b), "/a;/b;/d;"));
    assert_int_equal(table_files(SLICE("hash:x"), count_file, &b, NULL), INVALID);
    buf_release(&b);
}

/* ---- several, and addresses ---- */

static void check_address(const char *text, const char *address, bool local, const char *value,
                          const char *detail)
{
    const struct table *items[] = {open_text("inline:{none=x}", ""),
                                   open_text("texthash:/f", text)};
    struct tables ts = {items, 2};
    struct table_match m = {SLICE("-"), SLICE_NONE};
    struct slice rest = SLICE("");
    enum result r =
        tables_find_address(&ts, slice_cstr(address), SLICE("+"), local, &arena, &m, &rest, NULL);
    if (r == NOT_FOUND)
        m.value = SLICE("-");
    if (!slice_is(m.value, value) || !slice_is(rest, detail))
        fail_msg("%s in `%s`: %.*s with `%.*s`", address, text, SLICE_ARG(m.value),
                 SLICE_ARG(rest));
    table_close(items[0]);
    table_close(items[1]);
}

static void addresses_in_order(void **state)
{
    const char *all = "u+x@d 1\nu@d 2\nu+x 3\nu 4\n@d 5\n";
    (void)state;
    check_address(all, "u+x@d", true, "1", "");
    check_address(all + 8, "U+X@D", true, "2", "+X");
    check_address(all + 14, "u+x@d", true, "3", "");
    check_address(all + 20, "u+x@d", true, "4", "+x");
    check_address(all + 24, "u+x@d", true, "5", "");
    check_address(all + 14, "u+x@d", false, "5", "");
    check_address("u 4\n", "u+x", false, "4", "+x");
    check_address("owner@d 1\n", "owner-x@d", false, "-", "");
    check_address("@d 5\n", "+x@d", false, "5", "");
    check_address("\"a b\"@d 1\n", "a b@d", false, "1", "");
    check_address("u@d 1\n", "u+@d", false, "1", "+");
    check_address("u@d 1\n", "x@e", true, "-", "");
}

static void patterns_see_whole_addresses_only(void **state)
{
    const struct table *items[] = {open_text("regexp:/f", "/^u@d/ bare\n/^@d/ domain\n")};
    struct tables ts = {items, 1};
    struct table_match m;
    struct slice detail;
    (void)state;
    assert_true(table_has_patterns(items[0]));
    assert_int_equal(
        tables_find_address(&ts, SLICE("u+x@d"), SLICE("+"), true, &arena, &m, &detail, NULL),
        NOT_FOUND);
    assert_int_equal(tables_find_partial(&ts, SLICE("u@d"), &arena, &m, NULL), NOT_FOUND);
    assert_int_equal(tables_find(&ts, SLICE("u@d"), &arena, &m, NULL), OK);
    table_close(items[0]);
}

static void failures_end_the_search(void **state)
{
    const struct table *items[] = {open_text("fail:x", ""), open_text("static:y", "")};
    struct tables ts = {items, 2};
    struct table_match m;
    struct error err = {""};
    (void)state;
    assert_int_equal(tables_find(&ts, SLICE("a"), &arena, &m, &err), FAILED);
    assert_string_equal(err.text, "the table fails always");
    table_close(items[0]);
    table_close(items[1]);
}

static int clear_arena(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static int make_arena(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 22);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exact_keys, make_arena, clear_arena),
        cmocka_unit_test_setup_teardown(wrong_lines_are_told, make_arena, clear_arena),
        cmocka_unit_test_setup_teardown(where_names_the_line, make_arena, clear_arena),
        cmocka_unit_test_setup_teardown(simple_types, make_arena, clear_arena),
        cmocka_unit_test_setup_teardown(networks, make_arena, clear_arena),
        cmocka_unit_test_setup_teardown(patterns, make_arena, clear_arena),
        cmocka_unit_test_setup_teardown(runaway_expressions_end, make_arena, clear_arena),
        cmocka_unit_test_setup_teardown(bad_specs_are_refused, make_arena, clear_arena),
        cmocka_unit_test_setup_teardown(files_are_named, make_arena, clear_arena),
        cmocka_unit_test_setup_teardown(addresses_in_order, make_arena, clear_arena),
        cmocka_unit_test_setup_teardown(patterns_see_whole_addresses_only, make_arena, clear_arena),
        cmocka_unit_test_setup_teardown(failures_end_the_search, make_arena, clear_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
