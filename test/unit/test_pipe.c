/* test_pipe.c: items of pipe_transports: what is taken, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "conf/pipe.h"

static struct arena arena;
static struct pipe_transport t;
static struct error why;

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

static enum result parse(const char *item)
{
    why.text[0] = 0;
    return pipe_transport_parse(slice_cstr(item), &arena, &t, &why);
}

static void refuses(const char *item, const char *reason)
{
    assert_int_equal(parse(item), INVALID);
    if (slice_search(slice_cstr(why.text), slice_cstr(reason)) == SIZE_MAX)
        fail_msg("%s: %s, not %s", item, why.text, reason);
}

static void takes_all_attributes(void **state)
{
    (void)state;
    assert_int_equal(
        parse("{name=x, flags=BDFORXhqu.>, user=vmail:mail, directory=/tmp, eol=\\r\\n, "
              "null_sender={}, size=1000, argv={/bin/prog -f {two words} ${recipient} {}}}"),
        OK);
    assert_true(slice_is(t.name, "x") && slice_is(t.user, "vmail") && slice_is(t.group, "mail"));
    assert_int_equal(t.flags, 2047);
    assert_true(slice_is(t.directory, "/tmp") && slice_is(t.eol, "\r\n"));
    assert_int_equal(t.null_sender.len, 0);
    assert_int_equal(t.size, 1000);
    assert_int_equal(t.argv.n, 5);
    assert_true(slice_is(t.argv.items[2], "two words"));
    assert_true(slice_is(t.argv.items[3], "${recipient}"));
    assert_int_equal(t.argv.items[4].len, 0);
}

static void has_defaults(void **state)
{
    (void)state;
    assert_int_equal(parse("{name=x, user=vmail, argv=/bin/prog}"), OK);
    assert_true(slice_is(t.null_sender, "MAILER-DAEMON") && slice_is(t.eol, "\n"));
    assert_true(t.flags == 0 && t.size == 0 && t.group.len == 0 && t.directory.len == 0);
}

static void decodes_escapes(void **state)
{
    (void)state;
    assert_int_equal(parse("{name=x, user=u, eol=\\012\\t\\q, argv=a}"), OK);
    assert_true(slice_is(t.eol, "\n\tq"));
    refuses("{name=x, user=u, eol=aaaaaaaaaaaaaaaaaaaaaaaaa, argv=a}", "too long");
}

static void refuses_what_it_can_not_do(void **state)
{
    (void)state;
    refuses("{name=x, argv=a}", "`user` is missing");
    refuses("{name=x, user=root, argv=a}", "root's rights");
    refuses("{name=x, user=0:0, argv=a}", "root's rights");
    refuses("{name=x, user=u}", "names no command");
    refuses("{name=x, user=u, argv={}}", "names no command");
    refuses("{user=u, argv=a}", "`name` is missing");
    refuses("{name=x, user=u, flags=DZ, argv=a}", "`Z`");
    refuses("{name=x, user=u, chroot=/x, argv=a}", "chroot is not served");
    refuses("{name=x, user=u, size=much, argv=a}", "`size`");
    refuses("{name=x, user=u, umask=022, argv=a}", "umask");
}

static void bounds_its_words(void **state)
{
    (void)state;
    static char item[20000];
    size_t n = (size_t)snprintf(item, sizeof item, "{name=x, user=u, argv={");
    for (unsigned i = 0; i <= PIPE_WORDS_MAX; i++)
        n += (size_t)snprintf(item + n, sizeof item - n, "w ");
    snprintf(item + n, sizeof item - n, "}}");
    refuses(item, "more than");
}

static void limits_recipients_where_the_message_names_one(void **state)
{
    (void)state;
    const struct conf *c;
    struct conf_errors errors;
    conf_errors_init(&errors);
    assert_int_equal(
        conf_parse(SLICE("pipe_transports = {name=one, flags=D, user=u, argv=a}, "
                         "{name=many, flags=R, user=u, argv=a}, {name=few, user=u, argv=a}\n"
                         "few/unix/default_destination_recipient_limit = 3\n"),
                   "test", &c, &errors),
        OK);
    assert_int_equal(pipe_recipient_limit(c, SLICE("one")), 1);
    assert_int_equal(pipe_recipient_limit(c, SLICE("many")), 50);
    assert_int_equal(pipe_recipient_limit(c, SLICE("few")), 3);
    conf_unref(c);
    conf_errors_release(&errors);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(takes_all_attributes), T(has_defaults),
        T(decodes_escapes),      T(refuses_what_it_can_not_do),
        T(bounds_its_words),     T(limits_recipients_where_the_message_names_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
