/* test_content.c: header_checks and body_checks: which table sees which line in which form, and
 * what each action does. What the lines are was compared with `postmap -hmq -` and `-bmq -` of
 * Postfix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <stdlib.h>

#include "content/lines.h"
#include "content/set.h"

static char events[8192];

static void note_event(void *arg, const struct content_event *e)
{
    size_t n = strlen(events);
    (void)arg;
    snprintf(events + n, sizeof events - n, "%s %s [%.*s] %.*s%s%s\n", content_class_name(e->class),
             content_action_name(e->action), SLICE_ARG(e->line), SLICE_ARG(e->text),
             e->problem ? " !" : "", e->problem ? e->problem : "");
}

static enum result no_files(void *arg, struct slice path, struct buf *out, struct error *err)
{
    (void)arg, (void)path, (void)out;
    return error_set(err, NOT_FOUND, "no files here");
}

static void on_problem(void *arg, struct slice file, unsigned line, const char *reason)
{
    (void)arg, (void)file;
    fail_msg("line %u: %s", line, reason);
}

static void on_failure(void *arg, struct slice spec, const char *why)
{
    bool *expected = arg;
    if (!expected || !*expected)
        fail_msg("%.*s: %s", SLICE_ARG(spec), why);
}

/* A server that knows two lines, and none that begins with "down". */
static enum result ask_server(void *arg, struct slice table, struct slice key, struct arena *a,
                              struct slice *ret, struct error *err)
{
    (void)arg, (void)table;
    if (slice_starts(key, SLICE("down")))
        return error_set(err, FAILED, "no server");
    if (!slice_is(key, "Subject: a b") && !slice_is(key, "drop"))
        return NOT_FOUND;
    *ret = arena_dup(a, slice_is(key, "drop") ? SLICE("IGNORE") : SLICE("PREPEND X-Asked: yes"));
    return ret->data ? OK : FAILED;
}

static struct content_set *open_set(const char *const tables[CONTENT_CLASSES])
{
    static const struct table_reader reader = {.read = no_files, .ask = ask_server};
    struct content_set *set = NULL;
    struct slice specs[CONTENT_CLASSES];
    struct content_source s = {.header_size_limit = 100,
                               .body_checks_size_limit = 60,
                               .line_length_limit = 20,
                               .reader = &reader,
                               .problem = on_problem,
                               .failed = on_failure};
    for (unsigned i = 0; i < CONTENT_CLASSES; i++) {
        specs[i] = slice_cstr(tables[i]);
        s.specs[i] = (struct slice_list){&specs[i], tables[i] ? 1 : 0};
    }
    assert_int_equal(content_set_open(&s, &set), OK);
    return set;
}

/* The message after the checks, or the verdict and its reply. */
static const char *run(const char *const tables[CONTENT_CLASSES], const char *message)
{
    static char out[4096];
    static const char *const verdicts[] = {"accept", "reject", "discard", "unavailable"};
    struct content_set *set = open_set(tables);
    struct content_result r;
    struct arena a;
    arena_init(&a, 1 << 16);
    events[0] = 0;
    assert_int_equal(content_check(&set->checks, slice_cstr(message), &a, note_event, NULL, &r),
                     OK);
    if (r.verdict != CONTENT_ACCEPT)
        snprintf(out, sizeof out, "%s %.*s", verdicts[r.verdict], SLICE_ARG(r.reply));
    else if (r.changed)
        snprintf(out, sizeof out, "%.*s", SLICE_ARG(buf_slice(&r.message)));
    else
        snprintf(out, sizeof out, "same");
    if (r.changed)
        buf_release(&r.message);
    arena_release(&a);
    content_set_unref(set);
    return out;
}

static const char mail[] = "Received: from a\r\n\tby b;\r\n  now\r\n"
                           "Subject: one\r\n"
                           "MIME-Version: 1.0\r\n"
                           "Content-Type: multipart/mixed;\r\n boundary=xx\r\n"
                           "\r\n"
                           "preamble\r\n"
                           "--xx\r\n"
                           "Content-Type: text/plain\r\n"
                           "X-Part: p\r\n"
                           "\r\n"
                           "text\r\n"
                           "--xx\r\n"
                           "Content-Type: message/rfc822\r\n"
                           "\r\n"
                           "Subject: two\r\n"
                           "Content-Type: text/plain\r\n"
                           "\r\n"
                           "inner\r\n"
                           "--xx--\r\n"
                           "epilogue\r\n";

static void every_line_has_its_class(void **state)
{
    static const char *const warn[] = {"regexp:{{/./ INFO}}", "regexp:{{/./ INFO}}",
                                       "regexp:{{/./ INFO}}", "regexp:{{/./ INFO}}"};
    (void)state;
    assert_string_equal(run(warn, mail), "same");
    assert_string_equal(events, "header_checks INFO [Received: from a\n\tby b;\n  now] \n"
                                "header_checks INFO [Subject: one] \n"
                                "mime_header_checks INFO [MIME-Version: 1.0] \n"
                                "mime_header_checks INFO [Content-Type: multipart/mixed;\n "
                                "boundary=xx] \n"
                                "body_checks INFO [preamble] \n"
                                "body_checks INFO [--xx] \n"
                                "mime_header_checks INFO [Content-Type: text/plain] \n"
                                "mime_header_checks INFO [X-Part: p] \n"
                                "body_checks INFO [text] \n"
                                "body_checks INFO [--xx] \n"
                                "mime_header_checks INFO [Content-Type: message/rfc822] \n"
                                "nested_header_checks INFO [Subject: two] \n"
                                "mime_header_checks INFO [Content-Type: text/plain] \n"
                                "body_checks INFO [inner] \n"
                                "body_checks INFO [--xx--] \n"
                                "body_checks INFO [epilogue] \n");
}

static void limits_hold(void **state)
{
    static const char *const warn[] = {"regexp:{{/./ INFO}}", NULL, NULL, "regexp:{{/./ INFO}}"};
    char header[300], expected[400];
    (void)state;
    memset(header, 'h', sizeof header);
    memcpy(header, "X: ", 3);
    strcpy(header + 200,
           "\r\n\r\n123456789012345678901234567890\r\nthree\r\nfour five six\r\nz\r\n");
    assert_string_equal(run(warn, header), "same");
    snprintf(expected, sizeof expected,
             "header_checks INFO [%.100s] \nbody_checks INFO [12345678901234567890] \n"
             "body_checks INFO [1234567890] \nbody_checks INFO [three] \n"
             "body_checks INFO [four five six] \nbody_checks INFO [z] \n",
             header);
    assert_string_equal(events, expected);
    strcpy(
        header + 200,
        "\r\n\r\n123456789012345678901234567890\r\nthree, four, five, six, seven\r\nnot seen\r\n");
    (void)run(warn, header);
    assert_null(strstr(events, "not seen"));
}

static void actions_change_the_message(void **state)
{
    static const char *const tables[] = {
        "regexp:{{/^Received:/ IGNORE}, {/^Subject: (.*)/ REPLACE Subject: [$1]}, "
        "{/^To:/ PREPEND X-To: yes}, {/^Cc:/ STRIP gone}, {/^X-Bad:/ REPLACE no header}, "
        "{/^X-Odd:/ NONSENSE}}",
        NULL, NULL, "regexp:{{/^bad/ REPLACE good}, {/^drop/ IGNORE}, {/^more/ PREPEND before}}"};
    (void)state;
    assert_string_equal(run(tables, "Received: a\r\n\tb\r\nTo: x\r\nCc: y\r\nSubject: s\r\nX-Bad: "
                                    "1\r\nX-Odd: 1\r\n\r\nbad\r\ndrop\r\nmore\r\nlast"),
                        "X-To: yes\r\nTo: x\r\nSubject: [s]\r\nX-Bad: 1\r\nX-Odd: 1\r\n\r\ngood\r\n"
                        "before\r\nmore\r\nlast");
    assert_non_null(strstr(events, "X-Bad: 1] no header !the text is no header field"));
    assert_non_null(strstr(events, "NONSENSE !unknown action"));
    assert_non_null(strstr(events, "header_checks STRIP [Cc: y] gone\n"));
    assert_null(strstr(events, "IGNORE"));
    assert_string_equal(run(tables, "From: x\r\n\r\nok\r\n"), "same");
}

static void messages_are_refused_and_dropped(void **state)
{
    static const char *const subject[] = {
        "regexp:{{/spam/ REJECT}, {/later/ REJECT 4.7.1 come back}, {/words/ reject no words}, "
        "{/junk/ DISCARD}, {/pass/ PASS}, {/other/ REDIRECT a@b.test}, {/odd/ BCC nobody}}",
        NULL, NULL, "regexp:{{/evil/ REJECT 5.7.0 body}}"};
    (void)state;
    assert_string_equal(run(subject, "Subject: spam\r\n\r\n"),
                        "reject 5.7.1 message content rejected");
    assert_string_equal(run(subject, "Subject: later\r\n\r\n"), "reject 4.7.1 come back");
    assert_string_equal(run(subject, "Subject: words\r\n\r\n"), "reject 5.7.1 no words");
    assert_string_equal(run(subject, "Subject: junk\r\n\r\nevil\r\n"), "discard ");
    assert_string_equal(run(subject, "Subject: fine\r\n\r\nevil\r\n"), "reject 5.7.0 body");
    assert_string_equal(run(subject, "Subject: pass\r\n\r\nevil\r\n"), "same");
    assert_string_equal(run(subject, "Subject: other\r\n\r\nx\r\n"), "same");
    assert_string_equal(events, "header_checks REDIRECT [Subject: other] a@b.test\n");
    (void)run(subject, "Subject: odd\r\n\r\nx\r\n");
    assert_non_null(strstr(events, "!the text is no address"));
}

/* content_run's steps: the lines of classes whose tables ask servers, and no others. */
static const char *step_through(const char *const tables[CONTENT_CLASSES], struct slice message,
                                const char *asked)
{
    static char out[1024];
    struct content_set *set = open_set(tables);
    struct content_run *run = NULL;
    struct content_question q;
    struct content_result r;
    struct arena a;
    char lines[512] = "";
    arena_init(&a, 1 << 16);
    events[0] = 0;
    assert_int_equal(content_run_new(&set->checks, message, &a, note_event, NULL, &run), OK);
    while (content_run_next(run, &q)) {
        struct table_match match = {SLICE(""), SLICE("")};
        struct error err = {""};
        size_t n = strlen(lines);
        snprintf(lines + n, sizeof lines - n, "[%.*s]", SLICE_ARG(q.line));
        enum result found = tables_find(&set->checks.tables[q.class], q.line, &a, &match, &err);
        content_run_answer(run, found, &match, err.text);
    }
    assert_string_equal(lines, asked);
    assert_int_equal(content_run_end(run, &r), OK);
    snprintf(out, sizeof out, "%d %.*s", (int)r.verdict,
             SLICE_ARG(r.changed ? buf_slice(&r.message) : SLICE("same")));
    if (r.changed)
        buf_release(&r.message);
    arena_release(&a);
    content_set_unref(set);
    return out;
}

static void servers_are_asked_in_steps(void **state)
{
    static const char *const headers[] = {"tcp:h:1", NULL, NULL, "regexp:{{/^x/ REPLACE y}}"};
    static const char *const bodies[] = {"regexp:{{/^From/ IGNORE}}", NULL, NULL,
                                         "proxy:socketmap:inet:h:1:n"};
    static const char nul[] = "Subject: a\0b\r\n\r\nx\r\n";
    static const char refused[] = "regexp:{{/^Subject/ REJECT}}";
    (void)state;
    assert_string_equal(step_through(headers, SLICE("From: f\r\nSubject: a b\r\n\r\nx\r\n"),
                                     "[From: f][Subject: a b]"),
                        "0 From: f\r\nX-Asked: yes\r\nSubject: a b\r\n\r\ny\r\n");
    /* A line does not end at a NUL. */
    assert_non_null(strstr(step_through(headers, slice_of(nul, sizeof nul - 1), "[Subject: a b]"),
                           "0 X-Asked: yes"));
    assert_string_equal(
        step_through(bodies, SLICE("From: f\r\nTo: t\r\n\r\ndrop\r\nkeep\r\n"), "[drop][keep]"),
        "0 To: t\r\n\r\nkeep\r\n");
    assert_string_equal(
        step_through(bodies, SLICE("From: f\r\n\r\ndown\r\nnot asked\r\n"), "[down]"),
        "3 \r\ndown\r\nnot asked\r\n");
    assert_non_null(strstr(events, "!no server"));
    /* What is refused before is not asked about. */
    const char *const both[] = {refused, NULL, NULL, bodies[3]};
    assert_string_equal(step_through(both, SLICE("Subject: s\r\n\r\ndrop\r\n"), ""), "1 same");
    /* In one go it is the same. */
    assert_string_equal(run(bodies, "From: f\r\n\r\ndown\r\n"), "unavailable ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_has_its_class),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(actions_change_the_message),
        cmocka_unit_test(messages_are_refused_and_dropped),
        cmocka_unit_test(servers_are_asked_in_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
