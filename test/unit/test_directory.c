/* test_directory.c: alias files, and where addresses lead: aliases, accounts, catch-all addresses,
 * postmaster, circles, limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "auth/databases.h"
#include "auth/directory.h"
#include "base/buf.h"

static char problems[4096];
static unsigned alias_owner;

static void note(void *arg, struct slice file, unsigned line, const char *reason)
{
    size_t n = strlen(problems);
    (void)arg;
    snprintf(problems + n, sizeof problems - n, "%.*s:%u: %s\n", SLICE_ARG(file), line, reason);
}

static const struct directory *make(const char *settings, const char *users, const char *aliases)
{
    const struct conf *c = NULL;
    const struct directory *d = NULL;
    struct conf_errors errors;
    char text[1024];
    conf_errors_init(&errors);
    snprintf(text, sizeof text,
             "myhostname = mail.home.test\nmydomain = home.test\n"
             "mydestination = home.test, mail.home.test, [192.0.2.7]\n%s",
             settings);
    if (conf_parse(slice_cstr(text), "conf", &c, &errors) != OK)
        fail_msg("%.*s", SLICE_ARG(buf_slice(&errors.text)));
    conf_errors_release(&errors);
    struct directory_file file = {SLICE("aliases"), slice_cstr(aliases), alias_owner};
    struct directory_source s = {.conf = c,
                                 .users = {SLICE("users"), slice_cstr(users), 0},
                                 .aliases = &file,
                                 .n_aliases = 1};
    problems[0] = '\0';
    assert_int_equal(directory_new(&s, note, NULL, &d), OK);
    conf_unref(c);
    return d;
}

/* "kind rule where: target, target" of an address, as one text. */
static const char *lead_with(const struct directory *d, const char *address,
                             const struct directory_system *system)
{
    static const char *const kinds[] = {"local", "unknown", "foreign",    "malformed",
                                        "ask",   "broken",  "unavailable"};
    static char out[8192];
    struct arena a;
    struct resolved r;
    arena_init(&a, 4 * 1024 * 1024);
    directory_resolve(d, slice_cstr(address), system, &a, &r);
    int n = snprintf(out, sizeof out, "%s", kinds[r.kind]);
    if (r.rule[0])
        n += snprintf(out + n, sizeof out - (size_t)n, " %s %.*s", r.rule, SLICE_ARG(r.where));
    if (r.kind == RESOLVE_ASK && r.wish)
        n += snprintf(out + n, sizeof out - (size_t)n, " %s %.*s %.*s",
                      r.wish->forward ? "forward" : "include", SLICE_ARG(r.wish->user),
                      SLICE_ARG(r.wish->path));
    else if (r.kind == RESOLVE_ASK)
        n += snprintf(out + n, sizeof out - (size_t)n, " %.*s", SLICE_ARG(r.ask));
    for (size_t i = 0; i < r.n && i < 20; i++) {
        const struct directory_target *t = &r.targets[i];
        n += snprintf(out + n, sizeof out - (size_t)n, "%s%.*s", i ? "," : ": ",
                      SLICE_ARG(t->local ? t->account : t->address));
        if (t->kind != DIRECTORY_MAIL)
            n += snprintf(out + n, sizeof out - (size_t)n, " %.*s %.*s", SLICE_ARG(t->user),
                          SLICE_ARG(t->text));
        if (t->owner.data)
            n += snprintf(out + n, sizeof out - (size_t)n, " <%.*s>", SLICE_ARG(t->owner));
        if (t->local && t->detail.len)
            n += snprintf(out + n, sizeof out - (size_t)n, "+%.*s", SLICE_ARG(t->detail));
    }
    if (r.problem)
        snprintf(out + n, sizeof out - (size_t)n, " !%.*s", SLICE_ARG(r.problem_address));
    arena_release(&a);
    return out;
}

static const char *lead(const struct directory *d, const char *address)
{
    return lead_with(d, address, NULL);
}

static const char users[] = "alice:{PLAIN}a\nbob:{PLAIN}b\nadmin:{PLAIN}c\n"
                            "carol@home.test:{PLAIN}d\nbob+own:{PLAIN}e\n";

static void accounts_are_found(void **state)
{
    const struct directory *d = make("", users, "");
    (void)state;
    assert_string_equal(lead(d, "alice@home.test"), "local users_file users:1: alice");
    assert_string_equal(lead(d, "ALICE@Home.TEST"), "local users_file users:1: alice");
    assert_string_equal(lead(d, "\"alice\"@home.test"), "local users_file users:1: alice");
    assert_string_equal(lead(d, "alice@[192.0.2.7]"), "local users_file users:1: alice");
    assert_string_equal(lead(d, "alice"), "local users_file users:1: alice"); /* myorigin */
    assert_string_equal(lead(d, "alice+Lists@home.test"), "local users_file users:1: alice+Lists");
    assert_string_equal(lead(d, "bob+own@home.test"), "local users_file users:5: bob+own");
    assert_string_equal(lead(d, "carol@home.test"), "local users_file users:4: carol@home.test");
    assert_string_equal(lead(d, "carol@mail.home.test"), "unknown");
    assert_string_equal(lead(d, "nobody@home.test"), "unknown");
    assert_string_equal(lead(d, "+x@home.test"), "unknown");
    assert_string_equal(lead(d, "x@elsewhere.test"), "foreign: x@elsewhere.test");
    assert_string_equal(lead(d, "alice@sub.home.test"), "foreign: alice@sub.home.test");
    assert_string_equal(lead(d, "alice@"), "malformed");
    assert_string_equal(lead(d, "@home.test"), "malformed");
    assert_string_equal(lead(d, "a b@home.test"), "malformed");
    assert_string_equal(lead(d, "alice@home..test"), "malformed");
    assert_string_equal(lead(d, ""), "unknown"); /* MAILER-DAEMON */
    directory_unref(d);
}

static void aliases_come_first_and_expand(void **state)
{
    const struct directory *d = make("", users,
                                     "# people\n"
                                     "team: alice, Bob@home.test,\n"
                                     "   x@elsewhere.test, team2\n"
                                     "# a comment between\n"
                                     "   , alice+list\n"
                                     "team2: bob, \"alice\"\n"
                                     "bob: bob, admin\n"
                                     "info@home.test: admin\n"
                                     "@mail.home.test: admin\n"
                                     "direct: \\bob\n");
    (void)state;
    assert_string_equal(problems, "");
    assert_int_equal(directory_alias_count(d), 6);
    assert_string_equal(lead(d, "team@home.test"),
                        "local alias_maps aliases:2: alice,bob,admin,x@elsewhere.test");
    assert_string_equal(lead(d, "TEAM+any@home.test"),
                        "local alias_maps aliases:2: alice,bob,admin,x@elsewhere.test");
    assert_string_equal(lead(d, "bob@home.test"), "local alias_maps aliases:7: bob,admin");
    assert_string_equal(lead(d, "direct@home.test"), "local alias_maps aliases:10: bob");
    assert_string_equal(lead(d, "info@home.test"), "local alias_maps aliases:8: admin");
    /* The catch-all takes what nobody has, and nothing else. */
    assert_string_equal(lead(d, "info@mail.home.test"), "local alias_maps aliases:9: admin");
    assert_string_equal(lead(d, "alice@mail.home.test"), "local users_file users:1: alice");
    assert_string_equal(lead(d, "info2@home.test"), "unknown");
    directory_unref(d);
}

static void circles_and_unknown_targets_are_told(void **state)
{
    const struct directory *d =
        make("", users, "a: b\nb: a\nc: alice, nobody\nd: d\ne: \"not an address @\"\n");
    (void)state;
    assert_string_equal(lead(d, "a@home.test"), "unknown alias_maps aliases:1 !a");
    assert_string_equal(lead(d, "d@home.test"), "unknown alias_maps aliases:4 !d");
    assert_string_equal(lead(d, "c@home.test"), "local alias_maps aliases:3: alice !nobody");
    assert_string_equal(lead(d, "e@home.test"), "unknown alias_maps aliases:5 !not an address @");
    directory_unref(d);
}

static void postmaster_is_always_there(void **state)
{
    const struct directory *d = make("", users, "");
    (void)state;
    assert_string_equal(lead(d, "postmaster@home.test"), "local users_file users:1: alice");
    assert_string_equal(lead(d, "PostMaster"), "local users_file users:1: alice");
    directory_unref(d);
    d = make("myorigin = elsewhere.test\n", users, "root: admin\n");
    assert_string_equal(lead(d, "postmaster"), "local alias_maps aliases:1: admin@elsewhere.test");
    assert_string_equal(lead(d, "bob"), "foreign: bob@elsewhere.test");
    directory_unref(d);
    d = make("", users, "postmaster: bob\n");
    assert_string_equal(lead(d, "Postmaster@[192.0.2.7]"), "local alias_maps aliases:1: bob");
    directory_unref(d);
}

static void limits_end_expansion(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 1000000);
    for (int i = 0; i < 30; i++)
        buf_printf(&b, "deep%d: deep%d\n", i, i + 1);
    buf_puts(&b, "deep30: alice\n");
    /* Every level names the next twice: without memory this would be 2^20 steps. */
    for (int i = 0; i < 15; i++)
        buf_printf(&b, "wide%d: wide%d, wide%d+x\n", i, i + 1, i + 1);
    buf_puts(&b, "wide15: alice\nhuge: ");
    for (int i = 0; i < 999; i++)
        buf_printf(&b, "u%d@x.test, ", i);
    buf_puts(&b, "alice\nhuger: huge, more@x.test\n");
    buf_putc(&b, '\0');
    const struct directory *d = make("", users, buf_slice(&b).data);
    assert_string_equal(problems, "");
    assert_int_equal(strncmp(lead(d, "deep0@home.test"), "broken", 6), 0);
    assert_string_equal(lead(d, "deep15@home.test"), "local alias_maps aliases:16: alice");
    assert_string_equal(lead(d, "wide0@home.test"), "local alias_maps aliases:32: alice");
    assert_int_equal(strncmp(lead(d, "huge@home.test"), "local", 5), 0);
    assert_int_equal(strncmp(lead(d, "huger@home.test"), "broken", 6), 0);
    directory_unref(d);
    buf_release(&b);
}

static void bad_entries_are_reported_and_skipped(void **state)
{
    const struct directory *d = make("", "alice:{NOPE}x\n",
                                     "no colon here\n"
                                     ": alice\n"
                                     "empty:\n"
                                     "cmd: |/bin/x y\n"
                                     "file: alice, /var/x y\n"
                                     "incl: :include:list\n"
                                     "half: alice, |\n"
                                     "two: alice bob\n"
                                     "open: \"alice\n"
                                     "good: alice\n"
                                     "GOOD: bob\n"
                                     "x@: alice\n"
                                     "x@bad..name: alice\n");
    (void)state;
    static const char *const expected[] = {"users:1: unknown password scheme",
                                           "aliases:1: no colon",
                                           "aliases:2: the name is empty",
                                           "aliases:3: there is no target",
                                           "aliases:4: a target holds white space",
                                           "aliases:5: a target holds white space",
                                           "aliases:6: the path behind :include:",
                                           "aliases:7: the command is missing",
                                           "aliases:8: a target holds white space",
                                           "aliases:9: a quote is not closed",
                                           "aliases:11: the name is in an earlier",
                                           "aliases:12: ",
                                           "aliases:13: "};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        if (!strstr(problems, expected[i]))
            fail_msg("no \"%s\" in:\n%s", expected[i], problems);
    assert_int_equal(directory_alias_count(d), 1);
    assert_string_equal(lead(d, "good@home.test"), "local alias_maps aliases:10: alice");
    assert_string_equal(lead(d, "half@home.test"), "unknown");
    directory_unref(d);
}

/* ---- aliases(5) beyond addresses ---- */

static void commands_and_files_are_targets(void **state)
{
    const struct directory *d =
        make("", users,
             "cmd: \"|/bin/x \\\"a, b\\\" y\", alice\n"
             "sendmail: |\"exec /bin/z -q\", /var/spool/z, /var/spool/dir/\n"
             "nested: cmd, sendmail, Bob Jones <bob>, \"quoted name\" <x@elsewhere.test>\n"
             "twice: \"|/bin/x \\\"a, b\\\" y\", cmd\n");
    (void)state;
    assert_string_equal(problems, "");
    assert_string_equal(lead(d, "cmd@home.test"),
                        "local alias_maps aliases:1: cmd@home.test - /bin/x \"a, b\" y,alice");
    assert_string_equal(lead(d, "sendmail@home.test"),
                        "local alias_maps aliases:2: sendmail@home.test - exec /bin/z -q,"
                        "sendmail@home.test - /var/spool/z,sendmail@home.test - /var/spool/dir/");
    assert_string_equal(lead(d, "nested@home.test"),
                        "local alias_maps aliases:3: cmd@mail.home.test - /bin/x \"a, b\" y,alice,"
                        "sendmail@mail.home.test - exec /bin/z -q,"
                        "sendmail@mail.home.test - /var/spool/z,"
                        "sendmail@mail.home.test - /var/spool/dir/,bob,x@elsewhere.test");
    assert_string_equal(lead(d, "twice@home.test"),
                        "local alias_maps aliases:4: twice@home.test - /bin/x \"a, b\" y,alice");
    directory_unref(d);
    alias_owner = 1000;
    d = make("allow_mail_to_files = include\n", users, "cmd: |/bin/x, /var/y\n");
    assert_string_equal(lead(d, "cmd@home.test"),
                        "local alias_maps aliases:1: cmd@home.test #1000 /bin/x !/var/y");
    directory_unref(d);
    alias_owner = 0;
}

static void owners_send_what_their_lists_send_on(void **state)
{
    static const char aliases[] = "list: x@elsewhere.test, inner, bob\n"
                                  "inner: y@elsewhere.test\n"
                                  "owner-list: admin\n"
                                  "two: z@elsewhere.test, list\n"
                                  "owner-two: alice, bob\n";
    const struct directory *d = make("", users, aliases);
    (void)state;
    assert_string_equal(lead(d, "List@home.test"),
                        "local alias_maps aliases:1: x@elsewhere.test <owner-list@home.test>,"
                        "y@elsewhere.test <owner-list@home.test>,bob <owner-list@home.test>");
    assert_string_equal(
        lead(d, "two@home.test"),
        "local alias_maps aliases:4: z@elsewhere.test <owner-two@home.test>,"
        "x@elsewhere.test <owner-list@mail.home.test>,"
        "y@elsewhere.test <owner-list@mail.home.test>,bob <owner-list@mail.home.test>");
    assert_string_equal(lead(d, "owner-list@home.test"), "local alias_maps aliases:3: admin");
    directory_unref(d);
    d = make("expand_owner_alias = yes\nreset_owner_alias = yes\n", users, aliases);
    assert_string_equal(lead(d, "list@home.test"),
                        "local alias_maps aliases:1: x@elsewhere.test <admin@home.test>,"
                        "y@elsewhere.test,bob <admin@home.test>");
    directory_unref(d);
    d = make("owner_request_special = no\n", users, aliases);
    assert_string_equal(lead(d, "inner@home.test"), "local alias_maps aliases:2: y@elsewhere.test");
    assert_string_equal(lead(d, "list@home.test"),
                        "local alias_maps aliases:1: x@elsewhere.test,y@elsewhere.test,bob");
    directory_unref(d);
}

/* ---- files that others read ---- */

struct file {
    const char *key, *bytes; /* bytes NULL: there is none; "!why": refused */
    unsigned owner;
};
static const struct file *files;

static enum account_known know_file(void *arg, const struct directory_wish *w, struct arena *a,
                                    struct directory_found *ret)
{
    char key[512];
    (void)arg, (void)a;
    snprintf(key, sizeof key, "%.*s %.*s", SLICE_ARG(w->user), SLICE_ARG(w->path));
    for (const struct file *f = files; f && f->key; f++) {
        if (strcmp(f->key, key) != 0)
            continue;
        if (!f->bytes)
            return ACCOUNT_ABSENT;
        bool refused = f->bytes[0] == '!';
        *ret = (struct directory_found){.path = SLICE("/f"),
                                        .bytes = slice_cstr(f->bytes),
                                        .owner = f->owner,
                                        .refused = slice_cstr(refused ? f->bytes + 1 : "")};
        return ACCOUNT_THERE;
    }
    return ACCOUNT_ASK;
}

static enum account_known know_everybody(void *arg, struct slice name)
{
    (void)arg;
    return slice_starts(name, SLICE("sys")) ? ACCOUNT_THERE : ACCOUNT_ABSENT;
}

static void includes_are_read(void **state)
{
    static const struct file known[] = {
        {"- /l/a", "# members\nalice, x@elsewhere.test\n\n:include:/l/b\n|/bin/x\n", 0},
        {"- /l/b", "bob\nmalformed here\n:include:/l/a\n", 0},
        {"- /l/own", "\"|/bin/x y\"\n", 1001},
        {"- /l/bad", "!/l/bad: is world writable", 0},
        {NULL, NULL, 0}};
    struct directory_system system = {.known = NULL, .file = know_file};
    const struct directory *d =
        make("allow_mail_to_commands = include\n", users,
             "list: :include:/l/a\nask: :include:/l/unknown, bob\nown: \":include: /l/own\"\n"
             "bad: :include:/l/bad\nnone: alice, :include:/l/a\n");
    (void)state;
    files = known;
    assert_string_equal(lead_with(d, "list@home.test", &system),
                        "local alias_maps aliases:1: alice,x@elsewhere.test,bob,"
                        "list@home.test - /bin/x !/f:2");
    assert_string_equal(lead_with(d, "ask@home.test", &system),
                        "ask alias_maps aliases:2 include - /l/unknown");
    assert_string_equal(lead_with(d, "own@home.test", &system),
                        "local alias_maps aliases:3: own@home.test #1001 /bin/x y");
    assert_string_equal(lead_with(d, "bad@home.test", &system),
                        "broken alias_maps aliases:4 !/l/bad");
    assert_string_equal(lead(d, "none@home.test"), "broken alias_maps aliases:5: alice !/l/a");
    directory_unref(d);
}

static void forward_files_are_followed(void **state)
{
    static const struct file known[] = {
        {"~sys1 $home/.forward", "\\sys1, x@elsewhere.test, \"|/bin/v sys1\"\n", 0},
        {"~sys2 $home/.forward", "", 0},
        {"~sys3 $home/.forward", "sys4\n", 0},
        {"~sys4 $home/.forward", "sys3, sys4\n", 0},
        {"~sys5 $home/.forward", NULL, 0},
        {NULL, NULL, 0}};
    struct directory_system system = {.known = know_everybody, .file = know_file};
    const struct directory *d =
        make("pam_service = x\nforward_path = $$home/.forward\n", users, "");
    (void)state;
    files = known;
    assert_string_equal(lead_with(d, "sys1@home.test", &system),
                        "local forward_path /f: sys1,x@elsewhere.test,"
                        "sys1@mail.home.test ~sys1 /bin/v sys1");
    assert_string_equal(lead_with(d, "sys2@home.test", &system), "local pam_service conf:4: sys2");
    assert_string_equal(lead_with(d, "sys3@home.test", &system),
                        "local forward_path /f: sys3,sys4");
    assert_string_equal(lead_with(d, "sys5@home.test", &system), "local pam_service conf:4: sys5");
    assert_string_equal(lead_with(d, "sys6@home.test", &system),
                        "ask forward ~sys6 $home/.forward");
    directory_unref(d);
}

static void nobody_s_mail_goes_to_the_relay(void **state)
{
    const struct directory *d =
        make("luser_relay = $$user+$${extension?$$extension}@hub.test\n", users, "");
    (void)state;
    assert_string_equal(lead(d, "who@home.test"), "local luser_relay conf:4: who+@hub.test");
    assert_string_equal(lead(d, "who+ext@home.test"), "local luser_relay conf:4: who+ext@hub.test");
    assert_string_equal(lead(d, "alice@home.test"), "local users_file users:1: alice");
    directory_unref(d);
}

static void logins_mean_accounts(void **state)
{
    struct arena a;
    const struct directory *d = make("", users, "alias: alice\n");
    (void)state;
    assert_true(slice_is(directory_login(d, SLICE("Alice"))->name, "alice"));
    assert_true(slice_is(directory_login(d, SLICE("alice@HOME.test"))->name, "alice"));
    assert_true(slice_is(directory_login(d, SLICE("carol@home.test"))->name, "carol@home.test"));
    assert_null(directory_login(d, SLICE("carol")));
    assert_null(directory_login(d, SLICE("alice@elsewhere.test")));
    assert_null(directory_login(d, SLICE("alias")));
    assert_null(directory_login(d, SLICE("alice+x")));
    arena_init(&a, 4096);
    assert_true(slice_is(directory_system_login(d, SLICE("Root@home.test"), &a), "root"));
    assert_null(directory_system_login(d, SLICE("root@elsewhere.test"), &a).data);
    assert_null(directory_system_login(d, SLICE("../x"), &a).data);
    arena_release(&a);
    directory_unref(d);
}

static enum account_known known(void *arg, struct slice name)
{
    (void)arg;
    return slice_is(name, "sys")   ? ACCOUNT_THERE
           : slice_is(name, "new") ? ACCOUNT_ASK
                                   : ACCOUNT_ABSENT;
}

static void system_accounts_are_asked_for(void **state)
{
    const struct directory *d = make("pam_service = mail\n", users, "both: alice, new\n");
    struct directory_system system = {.known = known};
    (void)state;
    assert_int_equal(strncmp(lead_with(d, "sys+x@home.test", &system), "local pam_service ", 18),
                     0);
    assert_string_equal(lead_with(d, "new@home.test", &system), "ask new");
    assert_int_equal(strncmp(lead_with(d, "both@home.test", &system), "ask alias_maps", 14), 0);
    assert_string_equal(lead_with(d, "gone@home.test", &system), "unknown");
    assert_string_equal(lead_with(d, "alice@home.test", &system),
                        "local users_file users:1: alice");
    directory_unref(d);
}

/* What can't be served is told when the configuration is loaded, with its place. */
static void databases_are_checked(void **state)
{
    static const char *const wrong[][2] = {
        {"passdb = {driver=pamm}", "conf:1: passdb, item 1: driver `pamm`"},
        {"passdb = {driver=shadow}, {driver=passwd-file}",
         "item 2: passwd-file: `path` is missing"},
        {"passdb = {driver=pam, service=x, servise=y}", "`servise` is no key"},
        {"userdb = passwd", "conf:1: userdb, item 1: `passwd` must be {key=value"},
        {"userdb = {driver=sql}", "userdb, item 1: sql: `config` is missing"},
        {"auth_username_format = %{lower", "conf:1: auth_username_format: "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const struct conf *c = NULL;
        struct conf_errors errors;
        conf_errors_init(&errors);
        assert_int_equal(conf_parse(slice_cstr(wrong[i][0]), "conf", &c, &errors), OK);
        assert_int_equal(auth_databases_check(c, &errors), INVALID);
        if (slice_search(buf_slice(&errors.text), slice_cstr(wrong[i][1])) == SIZE_MAX)
            fail_msg("expected `%s` in: %.*s", wrong[i][1], SLICE_ARG(buf_slice(&errors.text)));
        conf_unref(c);
        conf_errors_release(&errors);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accounts_are_found),
        cmocka_unit_test(aliases_come_first_and_expand),
        cmocka_unit_test(circles_and_unknown_targets_are_told),
        cmocka_unit_test(postmaster_is_always_there),
        cmocka_unit_test(limits_end_expansion),
        cmocka_unit_test(bad_entries_are_reported_and_skipped),
        cmocka_unit_test(commands_and_files_are_targets),
        cmocka_unit_test(owners_send_what_their_lists_send_on),
        cmocka_unit_test(includes_are_read),
        cmocka_unit_test(forward_files_are_followed),
        cmocka_unit_test(nobody_s_mail_goes_to_the_relay),
        cmocka_unit_test(logins_mean_accounts),
        cmocka_unit_test(system_accounts_are_asked_for),
        cmocka_unit_test(databases_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
