/* test_deliver.c: DELIVER with a store that refuses what it is told to: a recipient gets all of its
 * targets or none, and the others are served. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <stdlib.h>

#include "base/clock.h"
#include "mime/summary.h"
#include "role/mailbox/feed.h"
#include "role/mailbox/incoming.h"
#include "role/mailbox/mailbox.h"
#include "role/mailbox/quota.h"

struct account {
    char name[64];
};
struct delivery {
    char log[1024];
};

static struct delivery stored; /* the last that was submitted */
static char all_stored[2048];
static bool marks;
static const char *text_of_message = "Return-Path: <>\r\nSubject: x\r\n\r\nbody\r\n";
static const char *sender = ""; /* of the message; "": copies are noted without their senders */
static unsigned submitted, abandoned, open_accounts;
static enum result add_answer;
static char replies[1024];
static struct grant_key key;

static void note(char *log, const char *format, ...)
{
    size_t n = strlen(log);
    va_list ap;
    va_start(ap, format);
    vsnprintf(log + n, sizeof stored.log - n, format, ap);
    va_end(ap);
}

/* ---- the store and the queue as the test wants them ---- */

enum result account_open(struct store *s, struct slice name, struct account **ret)
{
    (void)s;
    if (slice_is(name, "broken"))
        return FAILED;
    *ret = calloc(1, sizeof **ret);
    assert_non_null(*ret);
    snprintf((*ret)->name, sizeof(*ret)->name, "%.*s", SLICE_ARG(name));
    open_accounts++;
    return OK;
}

void account_unref(struct account *a)
{
    open_accounts--;
    free(a);
}

static const char *full; /* the account whose mailbox is full */
static bool too_large;

enum result account_admits(struct account *a, struct slice mailbox, uint64_t bytes, bool may_exceed)
{
    assert_true(slice_is(mailbox, "INBOX") && bytes > 0 && may_exceed);
    return full && strcmp(a->name, full) == 0 ? LIMIT : OK;
}

bool quota_reply(struct mailbox_quota *q, struct slice rcpt, struct buf *out)
{
    (void)q;
    buf_printf(out, "5.2.2 <%.*s> full", SLICE_ARG(rcpt));
    return true;
}

bool quota_too_large(struct mailbox_quota *q, uint64_t size)
{
    (void)q, (void)size;
    return too_large;
}

enum result delivery_new(struct store *s, uint64_t id, struct delivery **ret)
{
    (void)s, (void)id;
    *ret = calloc(1, sizeof **ret);
    return *ret ? OK : FAILED;
}

/* A changed copy is noted by its header's first lines. */
enum result delivery_write(struct delivery *d, struct slice bytes)
{
    size_t end = slice_search(bytes, SLICE("Subject:"));
    if (sender[0])
        note(d->log, "[%.*s]", (int)end, bytes.data);
    return OK;
}

void delivery_summary(struct delivery *d, struct slice summary)
{
    (void)d, (void)summary;
}

enum result delivery_add(struct delivery *d, const struct delivery_target *t)
{
    if (add_answer == OK)
        note(d->log, "%s;", t->account->name);
    return add_answer;
}

/* ---- reports of success: test/interop/test_dsn.py looks at them ---- */

bool incoming_is_expanded(const struct incoming *in, size_t i)
{
    (void)in, (void)i;
    return false;
}

void incoming_prepare_report(struct incoming *in)
{
    (void)in;
}

void incoming_send_report(struct incoming *in)
{
    (void)in;
}

/* ---- the journey: test/interop/test_trace.py looks at it ---- */

bool store_traces(const struct store *s, uint64_t message)
{
    (void)s, (void)message;
    return false;
}

struct kv_batch *delivery_batch(struct delivery *d)
{
    (void)d;
    return NULL;
}

void incoming_put_journey(const struct incoming *in, struct kv_batch *b)
{
    (void)in, (void)b;
}

void journey_put_copy(struct kv_batch *b, uint64_t message, uint64_t copy)
{
    (void)b, (void)message, (void)copy;
}

enum result delivery_submit(struct delivery *d, store_done_fn *done, void *arg)
{
    stored = *d;
    strncat(all_stored, d->log, sizeof all_stored - strlen(all_stored) - 1);
    submitted++;
    free(d);
    done(arg, OK);
    return OK;
}

void delivery_abandon(struct delivery *d)
{
    abandoned++;
    free(d);
}

enum result queue_add(struct queue *q, struct delivery *d, const struct queue_envelope *e)
{
    (void)q;
    for (size_t i = 0; i < e->n_rcpts; i++)
        note(d->log, "%.*s%.*s%.*s|%.*s|%.*s;", SLICE_ARG(sender[0] ? e->sender : SLICE("")),
             sender[0] != 0, ">", SLICE_ARG(e->rcpts[i].address), SLICE_ARG(e->rcpts[i].route),
             SLICE_ARG(e->rcpts[i].dsn_notify));
    return OK;
}

void queue_added(struct queue *q, uint64_t message, enum result r)
{
    (void)q, (void)message, (void)r;
}

void feed_kick(struct feed *f)
{
    (void)f;
}

void ipc_answer(struct ipc_channel *c, uint64_t call, struct ipc_message *m)
{
    (void)c, (void)call;
    for (size_t i = 0; i < m->DELIVER_RESULT.codes.n; i++)
        note(replies, "%.*s ", SLICE_ARG(m->DELIVER_RESULT.codes.items[i]));
}

void ipc_answer_failure(struct ipc_channel *c, uint64_t call, const char *text)
{
    (void)c, (void)call;
    note(replies, "failure: %s", text);
}

/* ---- a message for recipients whose targets are given, "a,b" each ---- */

enum { RCPTS_MAX = 4, TARGETS_MAX = 8 };

static void drop_line(void *arg, struct slice line)
{
    (void)arg, (void)line;
}

static void deliver(const char *const *targets, size_t n)
{
    struct slice rcpts[RCPTS_MAX], counts[RCPTS_MAX], grants[RCPTS_MAX], none[RCPTS_MAX];
    struct slice all[TARGETS_MAX];
    struct grant grant[RCPTS_MAX];
    char names[RCPTS_MAX][16], numbers[RCPTS_MAX][16];
    size_t at = 0;
    struct role role = {.grant_key = key};
    struct mailbox_role m = {.role = &role, .lock = PTHREAD_MUTEX_INITIALIZER, .marks = marks};
    struct ipc_message msg = {.type = IPC_DELIVER};
    const struct slice text = slice_cstr(text_of_message);
    struct buf summary;
    for (size_t i = 0; i < n; i++) {
        size_t first = at;
        struct slice rest = slice_cstr(targets[i]);
        while (rest.data)
            all[at++] = slice_split(&rest, ',');
        snprintf(names[i], sizeof names[i], "r%zu@here.test", i);
        snprintf(numbers[i], sizeof numbers[i], "%zu", at - first);
        rcpts[i] = slice_cstr(names[i]);
        counts[i] = slice_cstr(numbers[i]);
        none[i] = SLICE("");
        struct slice_list mine = {all + first, at - first};
        assert_int_equal(grant_rcpt_make(&key, 1, rcpts[i], mine, clock_realtime_s(), &grant[i]),
                         OK);
        grants[i] = grant_slice(&grant[i]);
    }
    buf_init(&summary, SUMMARY_BYTES_MAX);
    assert_int_equal(summary_build(text, &summary), OK);
    msg.DELIVER = (struct ipc_DELIVER){.conn = 1,
                                       .message_id = 2,
                                       .sender = slice_cstr(sender),
                                       .rcpts = {rcpts, n},
                                       .target_counts = {counts, n},
                                       .targets = {all, at},
                                       .grants = {grants, n},
                                       .rules = {none, n},
                                       .dsn_notify = {none, n},
                                       .dsn_orcpt = {none, n},
                                       .size = text.len,
                                       .message = text,
                                       .summary = buf_slice(&summary)};
    replies[0] = stored.log[0] = all_stored[0] = 0;
    submitted = abandoned = 0;
    mailbox_deliver(&m, NULL, &msg);
    buf_release(&summary);
    assert_int_equal(open_accounts, 0);
}

static int setup(void **state)
{
    (void)state;
    add_answer = OK;
    log_set_sink(drop_line, NULL);
    return grant_key_new(&key) == OK ? 0 : 1;
}

static void all_targets_are_stored(void **state)
{
    static const char *const targets[] = {"local alice ,remote x@far.test",
                                          "local bob ,remote y@far.test\tsmtp:[hub]:26"};
    (void)state;
    deliver(targets, 2);
    assert_string_equal(replies, "250 250 ");
    assert_string_equal(stored.log, "alice;bob;x@far.test||;y@far.test|smtp:[hub]:26|;");
}

/* What is refused will be sent again: a target that stayed would get the message twice. */
static void a_recipient_gets_all_or_nothing(void **state)
{
    static const char *const targets[] = {"local alice ,remote x@far.test,local broken ",
                                          "local bob "};
    static const char *const alone[] = {"local alice ,local broken "};
    (void)state;
    deliver(targets, 2);
    assert_string_equal(replies, "451 250 ");
    assert_string_equal(stored.log, "bob;");
    deliver(alone, 1);
    assert_string_equal(replies, "451 ");
    assert_int_equal(submitted, 0);
    assert_int_equal(abandoned, 1);
    add_answer = FAILED;
    deliver(targets, 2);
    assert_string_equal(replies, "451 451 ");
    assert_int_equal(submitted, 0);
}

static void copies_go_once_and_harm_nobody(void **state)
{
    static const char *const targets[] = {"local alice ,bcc local archive ,bcc remote b@far.test",
                                          "local bob ,bcc local archive ,bcc local broken "};
    (void)state;
    deliver(targets, 2);
    assert_string_equal(replies, "250 250 ");
    assert_string_equal(stored.log, "alice;archive;bob;b@far.test||NEVER;");
}

/* What a list sends on in its own name is a message of its own; the others share one. */
static void what_goes_on_in_another_name_is_a_copy(void **state)
{
    static const char *const targets[] = {
        "local alice ,via 11:owner-x@h.t 7:x@h.tst,remote a@far.test,local bob ,remote b@far.test,"
        "command - 5:x@h.t /bin/true",
        "remote c@far.test"};
    static const char *const too_many[] = {"via 1:a"};
    (void)state;
    sender = "s@far.test";
    deliver(targets, 2);
    assert_string_equal(replies, "250 250 ");
    assert_int_equal(submitted, 3);
    assert_string_equal(all_stored,
                        "[Return-Path: <>\r\n]alice;s@far.test>c@far.test||;"
                        "[Return-Path: <owner-x@h.t>\r\nDelivered-To: x@h.tst\r\n]"
                        "owner-x@h.t>a@far.test||;owner-x@h.t>b@far.test||;"
                        "[Return-Path: <owner-x@h.t>\r\n]bob;owner-x@h.t>x@h.t|here:|;");
    deliver(too_many, 1);
    assert_string_equal(replies, "451 ");
    sender = "";
}

/* enable_original_recipient */
static void mailboxes_are_marked_and_loops_refused(void **state)
{
    static const char *const targets[] = {"local alice ", "local bob ,remote x@far.test"};
    static const char *const loop[] = {"local alice ", "local bob ", "remote r2@here.test"};
    const char *before = text_of_message;
    (void)state;
    marks = true;
    sender = "s@far.test";
    deliver(targets, 2);
    assert_string_equal(replies, "250 250 ");
    assert_string_equal(
        all_stored, "[Return-Path: <>\r\n]s@far.test>x@far.test||;"
                    "[Return-Path: <s@far.test>\r\nX-Original-To: r0@here.test\r\nDelivered-To: "
                    "r0@here.test\r\n]alice;"
                    "[Return-Path: <s@far.test>\r\nX-Original-To: r1@here.test\r\nDelivered-To: "
                    "r1@here.test\r\n]bob;");
    text_of_message = "Return-Path: <>\r\nDelivered-To: r1@here.test\r\nReceived: x\r\n"
                      "Delivered-To: R0@here.test\r\nDelivered-To: r2@here.test\r\n"
                      "Subject: x\r\n\r\nbody\r\n";
    deliver(loop, 3);
    assert_string_equal(replies, "554 250 250 ");
    marks = false;
    deliver(loop, 3);
    assert_string_equal(replies, "250 250 250 ");
    text_of_message = before;
    sender = "";
}

/* A full mailbox is its recipient's alone: told at once where there is a reply for it, else by the
 * queue. */
static void full_mailboxes_are_told(void **state)
{
    static const char *const targets[] = {"local alice ", "local bob "};
    static const char *const alias[] = {"local alice ,local bob "};
    (void)state;
    full = "alice";
    deliver(targets, 1);
    assert_string_equal(replies, "552 ");
    assert_int_equal(submitted, 0);
    deliver(targets, 2);
    assert_string_equal(replies, "250 250 ");
    assert_string_equal(stored.log, "bob;r0@here.test|here:|;");
    deliver(alias, 1);
    assert_string_equal(replies, "250 ");
    assert_string_equal(stored.log, "bob;r0@here.test|here:|;");
    assert_int_equal(open_accounts, 0);
    full = NULL;
    too_large = true;
    deliver(targets, 2);
    assert_string_equal(replies, "552 552 ");
    too_large = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_targets_are_stored, setup),
        cmocka_unit_test_setup(a_recipient_gets_all_or_nothing, setup),
        cmocka_unit_test_setup(copies_go_once_and_harm_nobody, setup),
        cmocka_unit_test_setup(what_goes_on_in_another_name_is_a_copy, setup),
        cmocka_unit_test_setup(mailboxes_are_marked_and_loops_refused, setup),
        cmocka_unit_test_setup(full_mailboxes_are_told, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
