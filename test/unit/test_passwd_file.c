/* test_passwd_file.c: reading Dovecot's passwd-file and changing one line of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/passwd_file.h"

struct problems {
    unsigned lines[16];
    char reasons[16][80];
    size_t n;
};

static void note(void *arg, unsigned line, const char *reason)
{
    struct problems *p = arg;
    assert_true(p->n < 16);
    p->lines[p->n] = line;
    snprintf(p->reasons[p->n++], sizeof p->reasons[0], "%s", reason);
}

static void fields_are_told_apart(void **state)
{
    struct passwd_file *f = NULL;
    struct problems p = {.n = 0};
    (void)state;
    static const char text[] =
        "# accounts\n"
        "\n"
        "Alice:{PLAIN}a:1000:100:Alice A:/home/a:/bin/sh:nologin quota=5 x=\r\n"
        "bob\n"
        "carol@Example.ORG:{PLAIN}c::::::postrider_scram=4096,a,b,c=\n"
        "dave:d"; /* no line end */
    assert_int_equal(passwd_file_parse(slice_of(text, sizeof text - 1), note, &p, &f), OK);
    assert_int_equal(p.n, 0);
    assert_int_equal(passwd_file_count(f), 4);
    const struct passwd_user *u = passwd_file_find(f, SLICE("aLICE"));
    assert_non_null(u);
    assert_int_equal(u->line, 3);
    assert_true(slice_is(u->name, "alice"));
    assert_true(slice_is(u->password, "{PLAIN}a"));
    assert_true(slice_is(u->uid, "1000"));
    assert_true(slice_is(u->gid, "100"));
    assert_true(slice_is(u->gecos, "Alice A"));
    assert_true(slice_is(u->home, "/home/a"));
    assert_true(slice_is(u->shell, "/bin/sh"));
    assert_true(slice_is(passwd_user_extra(u, "nologin"), "y"));
    assert_true(slice_is(passwd_user_extra(u, "quota"), "5"));
    assert_non_null(passwd_user_extra(u, "x").data);
    assert_null(passwd_user_extra(u, "quot").data);
    u = passwd_file_find(f, SLICE("bob"));
    assert_non_null(u);
    assert_int_equal(u->password.len, 0);
    u = passwd_file_find(f, SLICE("carol@example.org"));
    assert_non_null(u);
    assert_true(slice_is(passwd_user_extra(u, PASSWD_SCRAM_FIELD), "4096,a,b,c="));
    assert_true(slice_is(passwd_file_at(f, 3)->password, "d"));
    assert_null(passwd_file_at(f, 4));
    assert_null(passwd_file_find(f, SLICE("")));
    assert_null(passwd_file_find(f, SLICE("carol")));
    passwd_file_free(f);
}

static void bad_lines_are_reported_and_hide_nobody(void **state)
{
    struct passwd_file *f = NULL;
    struct problems p = {.n = 0};
    (void)state;
    static const char text[] = ":x\n"
                               "a b:x\n"
                               "../up:x\n"
                               "x/y:x\n"
                               "ok:1\n"
                               "OK:2\n"
                               "nul\0:x\n"
                               "last:3\n";
    assert_int_equal(passwd_file_parse(slice_of(text, sizeof text - 1), note, &p, &f), OK);
    assert_int_equal(p.n, 6);
    static const unsigned lines[] = {1, 2, 3, 4, 6, 7};
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(p.lines[i], lines[i]);
    assert_non_null(strstr(p.reasons[0], "empty"));
    assert_non_null(strstr(p.reasons[4], "earlier line"));
    assert_true(slice_is(passwd_file_find(f, SLICE("ok"))->password, "1"));
    assert_non_null(passwd_file_find(f, SLICE("last")));
    assert_int_equal(passwd_file_count(f), 2);
    passwd_file_free(f);
}

static void long_lines_and_names_are_refused(void **state)
{
    struct passwd_file *f = NULL;
    struct problems p = {.n = 0};
    struct buf b;
    (void)state;
    buf_init(&b, 100000);
    for (int i = 0; i < PASSWD_LINE_MAX + 1; i++)
        buf_putc(&b, 'a');
    buf_puts(&b, "\n");
    for (int i = 0; i < PASSWD_NAME_MAX + 1; i++)
        buf_putc(&b, 'b');
    buf_puts(&b, ":x\nc:x\n");
    assert_int_equal(passwd_file_parse(buf_slice(&b), note, &p, &f), OK);
    assert_int_equal(p.n, 2);
    assert_int_equal(passwd_file_count(f), 1);
    passwd_file_free(f);
    buf_release(&b);
    assert_int_equal(passwd_file_parse(SLICE_NONE, NULL, NULL, &f), OK);
    assert_int_equal(passwd_file_count(f), 0);
    passwd_file_free(f);
}

/* A folder of its own for each test that writes. */
static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/passwd-file-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/users", folder);
    return 0;
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void write_file(const char *text)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static void expect_file(const char *text)
{
    char have[4096] = "";
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    size_t n = fread(have, 1, sizeof have - 1, in);
    fclose(in);
    have[n] = '\0';
    assert_string_equal(have, text);
}

static void accounts_are_added(void **state)
{
    struct error err = {""};
    struct stat st;
    (void)state;
    assert_int_equal(passwd_file_set(path, PASSWD_CHANGE, SLICE("a"), SLICE("p"), SLICE(""), &err),
                     NOT_FOUND);
    assert_int_equal(access(path, F_OK), -1); /* CHANGE makes no file */
    assert_int_equal(
        passwd_file_set(path, PASSWD_ADD, SLICE("Alice"), SLICE("{PLAIN}p"), SLICE("s"), &err), OK);
    expect_file("alice:{PLAIN}p::::::postrider_scram=s\n");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(passwd_file_set(path, PASSWD_ADD, SLICE("aLice"), SLICE("x"), SLICE(""), &err),
                     EXISTS);
    write_file("# mine\nbob:x"); /* no line end */
    assert_int_equal(passwd_file_set(path, PASSWD_ADD, SLICE("c"), SLICE("y"), SLICE(""), &err),
                     OK);
    expect_file("# mine\nbob:x\nc:y::::::\n");
}

static void changes_leave_all_else_as_it_is(void **state)
{
    struct error err = {""};
    struct stat st;
    (void)state;
    write_file("# one: two\r\n\nBob:old:1:2:Bob B:/h:/s:quota=1 postrider_scram=zzz nologin\r\n"
               "broken line without colon or sense\ncarol:c\nbob:duplicate\n");
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(
        passwd_file_set(path, PASSWD_CHANGE, SLICE("bob"), SLICE("new"), SLICE("v"), &err), OK);
    expect_file("# one: two\r\n\n"
                "Bob:new:1:2:Bob B:/h:/s:quota=1 nologin postrider_scram=v\r\n"
                "broken line without colon or sense\ncarol:c\n");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(
        passwd_file_set(path, PASSWD_CHANGE, SLICE("carol"), SLICE("d"), SLICE(""), &err), OK);
    expect_file("# one: two\r\n\n"
                "Bob:new:1:2:Bob B:/h:/s:quota=1 nologin postrider_scram=v\r\n"
                "broken line without colon or sense\ncarol:d::::::\n");
    assert_int_equal(passwd_file_remove(path, SLICE("BOB"), &err), OK);
    expect_file("# one: two\r\n\nbroken line without colon or sense\ncarol:d::::::\n");
    assert_int_equal(passwd_file_remove(path, SLICE("bob"), &err), NOT_FOUND);
}

static void what_would_break_a_line_is_refused(void **state)
{
    struct error err = {""};
    (void)state;
    assert_int_equal(passwd_file_set(path, PASSWD_ADD, SLICE("a:b"), SLICE("p"), SLICE(""), &err),
                     INVALID);
    assert_int_equal(passwd_file_set(path, PASSWD_ADD, SLICE("a"), SLICE("p:q"), SLICE(""), &err),
                     INVALID);
    assert_int_equal(passwd_file_set(path, PASSWD_ADD, SLICE("a"), SLICE("p\nq"), SLICE(""), &err),
                     INVALID);
    assert_int_equal(passwd_file_set(path, PASSWD_ADD, SLICE("a"), SLICE("p"), SLICE("s s"), &err),
                     INVALID);
    assert_int_equal(passwd_file_set(path, PASSWD_ADD, SLICE("#a"), SLICE("p"), SLICE(""), &err),
                     INVALID);
    assert_int_equal(access(path, F_OK), -1);
}

static void links_stay_links_and_loading_works(void **state)
{
    struct error err = {""};
    struct passwd_file *f = NULL;
    struct stat st;
    char link[120];
    (void)state;
    assert_int_equal(passwd_file_load(path, NULL, NULL, &f, &err), NOT_FOUND);
    write_file("a:1\n");
    snprintf(link, sizeof link, "%s/link", folder);
    assert_int_equal(symlink("users", link), 0);
    assert_int_equal(passwd_file_set(link, PASSWD_ADD, SLICE("b"), SLICE("2"), SLICE(""), &err),
                     OK);
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(passwd_file_load(path, NULL, NULL, &f, &err), OK);
    assert_int_equal(passwd_file_count(f), 2);
    passwd_file_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_told_apart),
        cmocka_unit_test(bad_lines_are_reported_and_hide_nobody),
        cmocka_unit_test(long_lines_and_names_are_refused),
        cmocka_unit_test_setup_teardown(accounts_are_added, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(changes_leave_all_else_as_it_is, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_would_break_a_line_is_refused, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(links_stay_links_and_loading_works, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
