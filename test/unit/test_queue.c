/* test_queue.c: the queue on a store in memory and a virtual clock: schedules to the second,
 * bundles, limits, restarts, administration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/clock.h"
#include "fake_store.h"
#include "queue/queue.h"
#include "queue/schedule.h"

enum { T0 = 1700000000, DAY = 86400 };

static struct store *store;
static struct queue *queue;
static unsigned done_calls;
static char events[4000];
static struct buf bounce_text;
static enum result bounce_answer;
static unsigned bounces;
static bool bounce_requires_tls;

static const struct queue_options options = {
    .minimal_backoff_time = 300,
    .maximal_backoff_time = 4000,
    .maximal_queue_lifetime = 5 * DAY,
    .bounce_queue_lifetime = DAY,
    .normal = {.recipients = 3, .pace = {9, 9, {1, FEEDBACK_CONSTANT}, {1, FEEDBACK_CONSTANT}, 1}}};

static void at_most(uint32_t attempts)
{
    struct queue_options o = options;
    o.normal.pace.initial = o.normal.pace.limit = attempts;
    queue_configure(queue, &o);
}

static void at(int64_t seconds)
{
    clock_set_virtual(seconds * 1000, (T0 + seconds) * 1000000);
}

static void on_done(void *arg, enum result r)
{
    (void)arg;
    assert_int_equal(r, OK);
    done_calls++;
}

static void on_event(void *owner, const struct queue_event *e)
{
    size_t used = strlen(events);
    (void)owner;
    snprintf(events + used, sizeof events - used, "%s %.*s %s %lld\n", e->what, SLICE_ARG(e->rcpt),
             e->why, e->next_s ? (long long)(e->next_s - T0) : 0);
}

static void on_bounce(void *owner, const struct queue_bounce *b,
                      void (*finished)(void *arg, enum result r), void *arg)
{
    (void)owner;
    bounces++;
    bounce_requires_tls = b->require_tls;
    buf_reset(&bounce_text);
    buf_append(&bounce_text, b->message);
    finished(arg, bounce_answer);
}

static void open_queue(void)
{
    assert_int_equal(queue_open(store, &options, &queue, NULL), OK);
    queue_set_events(queue, on_event, NULL);
    queue_set_bounce(queue, on_bounce, NULL, "mx.test", "origin.test", "Postrider");
}

static int setup(void **state)
{
    (void)state;
    at(0);
    done_calls = bounces = 0;
    events[0] = 0;
    bounce_answer = OK;
    buf_init(&bounce_text, 1 << 20);
    store = fake_store_new(true);
    open_queue();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    queue_close(queue);
    fake_store_free(store);
    buf_release(&bounce_text);
    clock_set_virtual(0, -1);
    return 0;
}

static void restart(void)
{
    fake_crash(store);
    queue_close(queue);
    open_queue();
}

static void added(void *arg, enum result r)
{
    queue_added(queue, *(uint64_t *)arg, r);
}

static struct queue_envelope envelope(const struct queue_rcpt *rcpts, size_t n)
{
    return (struct queue_envelope){.sender = SLICE("from@here.test"),
                                   .account = SLICE("from"),
                                   .size = 100,
                                   .rcpts = rcpts,
                                   .n_rcpts = n};
}

static void add(uint64_t *id, struct queue_envelope e)
{
    struct delivery *d;
    e.message = *id;
    assert_int_equal(delivery_new(store, *id, &d), OK);
    assert_int_equal(queue_add(queue, d, &e), OK);
    assert_int_equal(delivery_submit(d, added, id), OK);
}

static void add_to(uint64_t *id, const char *rcpt)
{
    struct queue_rcpt r = {.address = slice_cstr(rcpt)};
    add(id, envelope(&r, 1));
}

static struct queue_job *take(void)
{
    struct queue_job *j;
    int64_t wait;
    assert_int_equal(queue_next(queue, &j, &wait), OK);
    return j;
}

static int64_t idle(void)
{
    struct queue_job *j;
    int64_t wait = -7;
    assert_int_equal(queue_next(queue, &j, &wait), NOT_FOUND);
    return wait;
}

static void finish(struct queue_job *j, enum queue_outcome outcome)
{
    struct queue_rcpt_result results[100];
    for (size_t i = 0; i < j->envelope.n_rcpts; i++)
        results[i] =
            (struct queue_rcpt_result){outcome,
                                       outcome == QUEUE_FAILED ? SLICE("5.1.1") : SLICE("4.2.0"),
                                       SLICE("550 5.1.1 no such user"),
                                       SLICE("mx.far.test[192.0.2.1]"),
                                       SLICE("smtp"),
                                       SLICE(""),
                                       false,
                                       false};
    queue_job_done(queue, j, results, on_done, NULL);
}

static void sent_message_leaves_nothing(void **state)
{
    uint64_t id = 5;
    (void)state;
    assert_int_equal(idle(), -1);
    add_to(&id, "a@FAR.test.");
    struct queue_job *j = take();
    assert_true(slice_is(j->destination, "far.test"));
    assert_int_equal(j->attempt, 1);
    assert_int_equal(j->arrived_s, T0);
    assert_true(slice_is(j->envelope.sender, "from@here.test"));
    assert_true(slice_is(j->envelope.rcpts[0].address, "a@FAR.test."));
    assert_int_equal(idle(), -1);
    finish(j, QUEUE_SENT);
    assert_int_equal(done_calls, 1);
    assert_int_equal(idle(), -1);
    assert_int_equal(fake_count(store, "q"), 0);
    assert_int_equal(fake_released(store), 1);
    assert_string_equal(events, "sent a@FAR.test.  0\n");
}

static void backoff_doubles_to_its_limit(void **state)
{
    static const int64_t due[] = {300, 900, 2100, 4500, 8500, 12500};
    uint64_t id = 5;
    (void)state;
    add_to(&id, "a@far.test");
    for (size_t i = 0; i < sizeof due / sizeof *due; i++) {
        struct queue_job *j = take();
        assert_int_equal(j->attempt, i + 1);
        finish(j, QUEUE_DEFERRED);
        int64_t now = clock_realtime_s() - T0;
        assert_int_equal(idle(), (due[i] - now) * 1000);
        at(due[i] - 1);
        assert_int_equal(idle(), 1000);
        at(due[i]);
    }
}

static void lifetime_ends_in_a_notice(void **state)
{
    uint64_t id = 5;
    (void)state;
    fake_message(store, 5, SLICE("Subject: hello\r\n\r\nbody text\r\n"));
    add_to(&id, "a@far.test");
    at(5 * DAY - 1);
    finish(take(), QUEUE_DEFERRED);
    assert_int_equal(bounces, 0);
    at(5 * DAY + 299);
    finish(take(), QUEUE_DEFERRED);
    assert_int_equal(bounces, 1);
    assert_int_equal(fake_count(store, "q"), 0);
    assert_non_null(strstr(events, "expired a@far.test"));
    assert_true(slice_search(buf_slice(&bounce_text), SLICE("Status: 4.2.0")) != SIZE_MAX);
    assert_true(slice_search(buf_slice(&bounce_text), SLICE("body text")) != SIZE_MAX);
}

static void failed_notice_keeps_the_recipient(void **state)
{
    uint64_t id = 5;
    (void)state;
    add_to(&id, "a@far.test");
    bounce_answer = FAILED;
    finish(take(), QUEUE_FAILED);
    assert_int_equal(idle(), 300000);
    bounce_answer = OK;
    at(300);
    finish(take(), QUEUE_FAILED);
    assert_int_equal(bounces, 2);
    assert_int_equal(fake_count(store, "q"), 0);
}

static void nobody_is_told_who_must_not_be(void **state)
{
    uint64_t a = 5, b = 6, c = 7;
    struct queue_rcpt never = {.address = SLICE("n@far.test"), .dsn_notify = SLICE("NEVER")};
    struct queue_rcpt delay = {.address = SLICE("d@far.test"),
                               .dsn_notify = SLICE("SUCCESS,DELAY")};
    struct queue_rcpt rcpt = {.address = SLICE("r@far.test")};
    struct queue_envelope bounce = envelope(&rcpt, 1);
    (void)state;
    bounce.sender = SLICE("");
    bounce.bounce = true;
    add(&a, envelope(&never, 1));
    add(&b, envelope(&delay, 1));
    add(&c, bounce);
    for (int i = 0; i < 3; i++)
        finish(take(), QUEUE_FAILED);
    assert_int_equal(bounces, 0);
    assert_int_equal(fake_count(store, "q"), 0);
    assert_non_null(strstr(events, "dropped n@far.test notify"));
    assert_non_null(strstr(events, "dropped d@far.test notify"));
    assert_non_null(strstr(events, "dropped r@far.test double bounce"));
}

static bool bounce_says(const char *text)
{
    return slice_search(buf_slice(&bounce_text), slice_cstr(text)) != SIZE_MAX;
}

/* RFC 8689 5 */
static void requiretls_is_kept_and_holds_for_the_notice(void **state)
{
    uint64_t a = 5, b = 6;
    struct queue_rcpt rcpt = {.address = SLICE("r@far.test")};
    struct queue_envelope e = envelope(&rcpt, 1);
    (void)state;
    e.require_tls = true;
    e.ret = SLICE("FULL");
    add(&a, e);
    fake_commit(store);
    restart();
    fake_message(store, 5, SLICE("Subject: hello\r\n\r\nbody text\r\n"));
    struct queue_job *j = take();
    assert_true(j->envelope.require_tls);
    finish(j, QUEUE_FAILED);
    assert_true(bounces == 1 && bounce_requires_tls);
    assert_true(bounce_says("Subject: hello") && !bounce_says("body text"));
    fake_message(store, 6, SLICE("Subject: hello\r\n\r\nbody text\r\n"));
    e.require_tls = false;
    add(&b, e);
    j = take();
    assert_false(j->envelope.require_tls);
    finish(j, QUEUE_FAILED);
    assert_true(bounces == 2 && !bounce_requires_tls && bounce_says("body text"));
}

static void warn_after(uint64_t seconds)
{
    struct queue_options o = options;
    o.delay_warning_time = seconds;
    queue_configure(queue, &o);
}

static void delay_is_told_once(void **state)
{
    uint64_t id = 5;
    (void)state;
    fake_message(store, 5, SLICE("Subject: hello\r\n\r\nbody text\r\n"));
    warn_after(1000);
    add_to(&id, "a@far.test");
    finish(take(), QUEUE_DEFERRED);
    assert_int_equal(bounces, 0);
    at(1000);
    bounce_answer = FAILED; /* then the next attempt tells */
    finish(take(), QUEUE_DEFERRED);
    assert_int_equal(bounces, 1);
    bounce_answer = OK;
    at(2000);
    finish(take(), QUEUE_DEFERRED);
    assert_int_equal(bounces, 2);
    assert_true(bounce_says("Action: delayed") && bounce_says("Status: 4.2.0"));
    assert_true(bounce_says("Subject: hello") && !bounce_says("body text"));
    queue_close(queue); /* a restart does not forget it */
    open_queue();
    warn_after(1000);
    at(9000);
    finish(take(), QUEUE_DEFERRED);
    assert_int_equal(bounces, 2);
}

static void delay_is_not_told_to_who_does_not_want_it(void **state)
{
    uint64_t a = 5, b = 6, c = 7;
    struct queue_rcpt never = {.address = SLICE("n@far.test"), .dsn_notify = SLICE("NEVER")};
    struct queue_rcpt failure = {.address = SLICE("f@far.test"),
                                 .dsn_notify = SLICE("FAILURE,SUCCESS")};
    struct queue_rcpt rcpt = {.address = SLICE("r@far.test")};
    struct queue_envelope bounce = envelope(&rcpt, 1);
    (void)state;
    warn_after(10);
    bounce.sender = SLICE("");
    bounce.bounce = true;
    add(&a, envelope(&never, 1));
    add(&b, envelope(&failure, 1));
    add(&c, bounce);
    at(100);
    for (int i = 0; i < 3; i++)
        finish(take(), QUEUE_DEFERRED);
    assert_int_equal(bounces, 0);
}

static void succeed(struct queue_job *j, bool reports)
{
    struct queue_rcpt_result results[3] = {{0}};
    for (size_t i = 0; i < j->envelope.n_rcpts; i++)
        results[i] = (struct queue_rcpt_result){.outcome = QUEUE_SENT,
                                                .status = SLICE("2.0.0"),
                                                .reply = SLICE("250 ok"),
                                                .remote = SLICE("mx.far.test[192.0.2.1]"),
                                                .diag_type = SLICE("smtp"),
                                                .reports = reports};
    queue_job_done(queue, j, results, on_done, NULL);
}

static void success_is_told_where_nobody_else_does(void **state)
{
    uint64_t ids[] = {5, 6, 7, 8};
    struct queue_rcpt want = {.address = SLICE("a@far.test"), .dsn_notify = SLICE("SUCCESS")};
    struct queue_rcpt here = {.address = SLICE("b@here.test"),
                              .dsn_notify = SLICE("SUCCESS"),
                              .route = SLICE(QUEUE_HERE),
                              .served = SLICE("command x")};
    struct queue_rcpt plain = {.address = SLICE("c@far.test")};
    (void)state;
    add(&ids[0], envelope(&want, 1));
    succeed(take(), true);
    assert_int_equal(bounces, 0);
    add(&ids[1], envelope(&plain, 1));
    succeed(take(), false);
    assert_int_equal(bounces, 0);
    add(&ids[2], envelope(&want, 1));
    bounce_answer = FAILED; /* it is sent all the same, and not again */
    succeed(take(), false);
    assert_int_equal(bounces, 1);
    assert_true(bounce_says("Action: relayed") && bounce_says("Status: 2.0.0"));
    assert_int_equal(fake_count(store, "q"), 0);
    bounce_answer = OK;
    add(&ids[3], envelope(&here, 1));
    succeed(take(), false);
    assert_true(bounce_says("Action: delivered"));
    assert_int_equal(fake_count(store, "q"), 0);
}

static void bounces_live_as_long_as_bounces(void **state)
{
    uint64_t id = 5;
    struct queue_rcpt rcpt = {.address = SLICE("r@far.test")};
    struct queue_envelope bounce = envelope(&rcpt, 1);
    (void)state;
    bounce.sender = SLICE("");
    bounce.bounce = true;
    add(&id, bounce);
    at(DAY - 1);
    finish(take(), QUEUE_DEFERRED);
    assert_int_equal(fake_count(store, "qe"), 1);
    at(DAY + 299);
    finish(take(), QUEUE_DEFERRED);
    assert_int_equal(fake_count(store, "qe"), 0);
}

static void recipients_go_by_destination(void **state)
{
    struct queue_rcpt r[] = {{.address = SLICE("a@one.test")},
                             {.address = SLICE("b@two.test")},
                             {.address = SLICE("c@ONE.test")},
                             {.address = SLICE("d@one.test")},
                             {.address = SLICE("e@one.test")}};
    uint64_t id = 5;
    (void)state;
    add(&id, envelope(r, 5));
    struct queue_job *one = take(), *two = take(), *rest = take();
    if (slice_is(two->destination, "one.test")) { /* the turn-taking is not this test's matter */
        struct queue_job *t = two;
        two = rest;
        rest = t;
    }
    assert_int_equal(one->envelope.n_rcpts + rest->envelope.n_rcpts, 4);
    assert_true(slice_is(two->envelope.rcpts[0].address, "b@two.test"));
    finish(one, QUEUE_SENT);
    finish(two, QUEUE_DEFERRED);
    finish(rest, QUEUE_SENT);
    assert_int_equal(fake_released(store), 0);
    assert_int_equal(idle(), 300000);
    at(300);
    finish(take(), QUEUE_SENT);
    assert_int_equal(fake_released(store), 1);
    assert_int_equal(fake_count(store, "q"), 0);
}

static void recipients_go_by_route(void **state)
{
    struct queue_rcpt r[] = {{.address = SLICE("a@one.test"), .route = SLICE("smtp:[hub]")},
                             {.address = SLICE("b@two.test"), .route = SLICE("smtp:[hub]")},
                             {.address = SLICE("c@one.test")}};
    uint64_t id = 5;
    (void)state;
    add(&id, envelope(r, 3));
    struct queue_job *x = take(), *y = take();
    struct queue_job *hub = x->envelope.n_rcpts == 2 ? x : y, *one = hub == x ? y : x;
    assert_true(slice_is(hub->destination, "smtp:[hub]"));
    assert_int_equal(hub->envelope.n_rcpts, 2);
    assert_true(slice_is(one->destination, "one.test"));
    assert_int_equal(idle(), -1);
    finish(hub, QUEUE_SENT);
    finish(one, QUEUE_SENT);
    assert_int_equal(fake_count(store, "q"), 0);
}

/* The relayhost was another one when the message came. */
static void deferred_ones_take_the_way_of_now(void **state)
{
    struct queue_rcpt r[] = {{.address = SLICE("a@one.test"), .route = SLICE("smtp:[old]")},
                             {.address = SLICE("b@two.test"), .route = SLICE("smtp:[old]")},
                             {.address = SLICE("c@one.test"), .route = SLICE("smtp:[old]")}};
    struct slice same[3] = {SLICE("smtp:[old]"), SLICE("smtp:[old]"), SLICE("smtp:[old]")};
    struct slice now[3] = {SLICE(""), SLICE("smtp:[new]"), SLICE("")};
    uint64_t id = 5;
    (void)state;
    add(&id, envelope(r, 3));
    finish(take(), QUEUE_DEFERRED);
    at(300);
    struct queue_job *j = take();
    assert_int_equal(queue_job_reroute(queue, j, same, on_done, NULL), OK);
    done_calls = 0;
    assert_int_equal(queue_job_reroute(queue, j, now, on_done, NULL), BUSY);
    assert_int_equal(done_calls, 1);
    struct queue_job *x = take(), *y = take();
    struct queue_job *one = x->envelope.n_rcpts == 2 ? x : y, *two = one == x ? y : x;
    assert_true(slice_is(one->destination, "one.test"));
    assert_int_equal(one->envelope.n_rcpts, 2);
    assert_true(slice_is(two->destination, "smtp:[new]"));
    assert_int_equal(two->attempt, 2);
    assert_int_equal(idle(), -1);
    finish(two, QUEUE_SENT);
    finish(one, QUEUE_DEFERRED);
    restart();
    assert_int_equal(idle(), 600000);
    at(900);
    finish(take(), QUEUE_SENT);
    assert_int_equal(fake_released(store), 1);
    assert_int_equal(fake_count(store, "q"), 0);
}

static void part_of_a_bundle_stays(void **state)
{
    struct queue_rcpt r[] = {{.address = SLICE("a@one.test")},
                             {.address = SLICE("b@one.test")},
                             {.address = SLICE("c@one.test")}};
    uint64_t id = 5;
    (void)state;
    add(&id, envelope(r, 3));
    struct queue_job *j = take();
    struct queue_rcpt_result results[3] = {{QUEUE_SENT, SLICE("2.0.0"), SLICE("ok"), SLICE(""),
                                            SLICE("smtp"), SLICE(""), false, false},
                                           {QUEUE_DEFERRED, SLICE("4.2.2"), SLICE("full"),
                                            SLICE(""), SLICE("smtp"), SLICE(""), false, false},
                                           {QUEUE_FAILED, SLICE("5.1.1"), SLICE("unknown"),
                                            SLICE(""), SLICE("smtp"), SLICE(""), false, false}};
    queue_job_done(queue, j, results, on_done, NULL);
    assert_int_equal(bounces, 1);
    at(300);
    j = take();
    assert_int_equal(j->envelope.n_rcpts, 1);
    assert_true(slice_is(j->envelope.rcpts[0].address, "b@one.test"));
    finish(j, QUEUE_SENT);
    assert_int_equal(fake_count(store, "q"), 0);
}

static void destinations_have_limits_and_turns(void **state)
{
    uint64_t ids[6] = {1, 2, 3, 4, 5, 6};
    (void)state;
    at_most(2);
    for (int i = 0; i < 4; i++)
        add_to(&ids[i], "x@busy.test");
    add_to(&ids[4], "x@other.test");
    struct queue_job *a = take(), *b = take(), *c = take();
    assert_true(slice_is(a->destination, "busy.test"));
    assert_true(slice_is(b->destination, "other.test"));
    assert_true(slice_is(c->destination, "busy.test"));
    assert_int_equal(a->envelope.message, 1);
    assert_int_equal(c->envelope.message, 2);
    assert_int_equal(idle(), -1);
    finish(b, QUEUE_SENT);
    assert_int_equal(idle(), -1);
    finish(a, QUEUE_SENT);
    struct queue_job *d = take();
    assert_int_equal(d->envelope.message, 3);
    assert_int_equal(idle(), -1);
    finish(c, QUEUE_SENT);
    finish(d, QUEUE_SENT);
    finish(take(), QUEUE_SENT);
    assert_int_equal(fake_count(store, "q"), 0);
}

/* A transport's own limits hold for it alone. */
static void transports_have_limits_of_their_own(void **state)
{
    (void)state;
    static const struct queue_limit limits[] = {
        {.transport = "pipe",
         .recipients = 1,
         .pace = {1, 1, {1, FEEDBACK_CONSTANT}, {1, FEEDBACK_CONSTANT}, 1}},
        {.transport = "smtp",
         .recipients = 2,
         .pace = {9, 9, {1, FEEDBACK_CONSTANT}, {1, FEEDBACK_CONSTANT}, 1}}};
    struct queue_options own = options;
    own.limits = limits;
    own.n_limits = 2;
    queue_configure(queue, &own);
    struct queue_rcpt rcpts[] = {
        {.address = SLICE("a@p.test"), .route = SLICE("pipe:")},
        {.address = SLICE("b@p.test"), .route = SLICE("pipe:")},
        {.address = SLICE("a@x.test")},
        {.address = SLICE("b@x.test")},
        {.address = SLICE("c@x.test")},
        {.address = SLICE("a@y.test"), .route = SLICE("other:y")},
        {.address = SLICE("b@y.test"), .route = SLICE("other:y")},
        {.address = SLICE("c@y.test"), .route = SLICE("other:y")},
    };
    size_t pipe = 0, smtp = 0, other = 0;
    struct queue_job *held = NULL, *j;
    int64_t wait;
    uint64_t id = 7;
    add(&id, envelope(rcpts, 8));
    while (queue_next(queue, &j, &wait) == OK) {
        size_t n = j->envelope.n_rcpts;
        if (slice_is(j->destination, "pipe:")) {
            assert_int_equal(n, 1);
            assert_null(held); /* one at a time */
            pipe++;
            held = j;
            continue;
        }
        *(slice_is(j->destination, "other:y") ? &other : &smtp) += 1;
        assert_true(n <= (slice_is(j->destination, "other:y") ? 3u : 2u));
        finish(j, QUEUE_SENT);
    }
    assert_int_equal(pipe, 1);
    assert_int_equal(smtp, 2);
    assert_int_equal(other, 1);
    finish(held, QUEUE_SENT);
    finish(take(), QUEUE_SENT);
    assert_int_equal(idle(), -1);
}

static void restart_makes_active_due(void **state)
{
    uint64_t a = 1, b = 2, c = 3;
    (void)state;
    add_to(&a, "x@far.test");
    add_to(&b, "x@far.test");
    finish(take(), QUEUE_DEFERRED);
    struct queue_job *lost = take();
    assert_int_equal(lost->envelope.message, 2);
    add_to(&c, "x@far.test"); /* durable, never asked for */
    queue_job_abandon(queue, lost);
    restart();
    struct queue_job *again = take(), *other = take();
    assert_int_equal(again->envelope.message, 2);
    assert_int_equal(other->envelope.message, 3);
    assert_int_equal(idle(), 300000);
    queue_job_abandon(queue, again);
    queue_job_abandon(queue, other);
}

static void uncommitted_work_is_not_handed_out(void **state)
{
    uint64_t a = 1;
    (void)state;
    queue_close(queue);
    fake_store_free(store);
    store = fake_store_new(false);
    open_queue();
    add_to(&a, "x@far.test");
    assert_int_equal(idle(), -1);
    fake_commit(store);
    struct queue_job *j = take();
    finish(j, QUEUE_SENT);
    queue_kick(queue);
    assert_int_equal(idle(), -1); /* its record is still there, but it is under way */
    assert_int_equal(done_calls, 0);
    fake_commit(store);
    assert_int_equal(done_calls, 1);
    queue_kick(queue);
    assert_int_equal(idle(), -1);
    assert_int_equal(fake_count(store, "q"), 0);
}

static void abandoned_delivery_is_forgotten(void **state)
{
    struct queue_rcpt r = {.address = SLICE("x@far.test")};
    struct queue_envelope e = envelope(&r, 1);
    struct delivery *d;
    (void)state;
    e.message = 4;
    assert_int_equal(delivery_new(store, 4, &d), OK);
    assert_int_equal(queue_add(queue, d, &e), OK);
    delivery_abandon(d);
    queue_added(queue, 4, FAILED);
    assert_int_equal(idle(), -1);
    e.n_rcpts = 0;
    assert_int_equal(delivery_new(store, 4, &d), OK);
    assert_int_equal(queue_add(queue, d, &e), INVALID);
    delivery_abandon(d);
}

static void abandoned_attempt_comes_back_uncounted(void **state)
{
    uint64_t a = 1;
    (void)state;
    add_to(&a, "x@far.test");
    queue_job_abandon(queue, take());
    assert_int_equal(idle(), 10000);
    at(10);
    struct queue_job *j = take();
    assert_int_equal(j->attempt, 1);
    finish(j, QUEUE_SENT);
}

static void busy_destination_does_not_fill_the_window(void **state)
{
    static uint64_t ids[3001];
    (void)state;
    at_most(1);
    for (size_t i = 0; i < 3000; i++) {
        ids[i] = i + 1;
        add_to(&ids[i], "x@dead.test");
    }
    ids[3000] = 3001;
    add_to(&ids[3000], "x@alive.test");
    queue_kick(queue); /* from the tables alone */
    struct queue_job *a = take(), *b = take();
    assert_true(slice_is(b->destination, "alive.test"));
    finish(b, QUEUE_SENT);
    /* All of them get their turn, in order, each looked at a bounded number of times. */
    size_t before = fake_walked(store);
    for (uint64_t i = 1; i <= 3000; i++) {
        assert_int_equal(a->envelope.message, i);
        finish(a, QUEUE_SENT);
        if (i < 3000)
            a = take();
    }
    assert_true(fake_walked(store) - before < 4 * 3000);
    assert_int_equal(fake_count(store, "q"), 0);
    assert_int_equal(idle(), -1);
}

static void a_great_many_recipients_stay_in_the_tables(void **state)
{
    static struct queue_rcpt r[20000];
    static char names[20000][24];
    uint64_t id = 1;
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < 20000; i++) {
        snprintf(names[i], sizeof names[i], "u@d%zu.test", i % 10000);
        r[i].address = slice_cstr(names[i]);
    }
    add(&id, envelope(r, 20000));
    assert_int_equal(fake_count(store, "qb"), 10000);
    while (n < 1000) {
        struct queue_job *j = take();
        assert_int_equal(j->envelope.n_rcpts, 2);
        finish(j, QUEUE_SENT);
        n++;
    }
    struct queue_stats s;
    queue_stats_get(queue, &s);
    assert_int_equal(s.messages, 1);
    assert_int_equal(s.recipients, 18000);
}

/* ---- pace ---- */

static char reason_shown[200];

static void remember_reason(void *arg, const struct queue_info *i)
{
    *(struct queue_info *)arg = *i;
    snprintf(reason_shown, sizeof reason_shown, "%.*s", SLICE_ARG(i->reasons[0]));
}

static struct queue_options paced(void)
{
    struct queue_options o = options;
    o.normal.pace = (struct pace_rules){2, 5, {1, FEEDBACK_CONSTANT}, {1, FEEDBACK_CONSTANT}, 1};
    return o;
}

/* Takes all that can be had; returns how many. */
static size_t take_all(struct queue_job **jobs)
{
    size_t n = 0;
    int64_t wait;
    while (queue_next(queue, &jobs[n], &wait) == OK)
        n++;
    return n;
}

static void miss(struct queue_job *j)
{
    struct queue_rcpt_result r = {.outcome = QUEUE_DEFERRED,
                                  .status = SLICE("4.4.1"),
                                  .reply = SLICE("connection timed out"),
                                  .remote = SLICE("mx.test[192.0.2.1]"),
                                  .diag_type = SLICE("x-postrider"),
                                  .missed = true};
    queue_job_done(queue, j, &r, on_done, NULL);
}

static void add_many(uint64_t *ids, size_t n, const char *rcpt)
{
    for (size_t i = 0; i < n; i++) {
        ids[i] = i + 1;
        add_to(&ids[i], rcpt);
    }
}

static void windows_grow_and_shrink(void **state)
{
    static uint64_t ids[40];
    struct queue_job *jobs[40];
    struct queue_options o = paced();
    (void)state;
    o.normal.pace.failed_cohorts = 0;
    queue_configure(queue, &o);
    add_many(ids, 40, "x@a.test");
    assert_int_equal(take_all(jobs), 2);
    finish(jobs[0], QUEUE_SENT); /* a reply, whatever it says, is a sign of life */
    assert_int_equal(take_all(jobs + 2), 2);
    finish(jobs[1], QUEUE_FAILED);
    assert_int_equal(take_all(jobs + 4), 2);
    finish(jobs[2], QUEUE_SENT);
    assert_int_equal(take_all(jobs + 6), 2);
    finish(jobs[3], QUEUE_SENT);
    assert_int_equal(take_all(jobs + 8), 1); /* the limit */
    for (int i = 4; i < 7; i++)
        miss(jobs[i]);
    assert_int_equal(take_all(jobs + 9), 0); /* 2 at a time, which are under way */
    miss(jobs[7]);
    miss(jobs[8]);
    assert_int_equal(take_all(jobs), 1); /* never less, for nobody is declared dead here */
    finish(jobs[0], QUEUE_SENT);
}

/* What is due for a dead destination is put off without an attempt, until it has rested. */
static void the_dead_are_left_alone(void **state)
{
    static uint64_t ids[10];
    struct queue_job *jobs[10];
    struct queue_options o = paced();
    (void)state;
    queue_configure(queue, &o);
    add_many(ids, 10, "x@a.test");
    assert_int_equal(take_all(jobs), 2);
    assert_int_equal(jobs[0]->concurrency, 2);
    miss(jobs[0]);
    miss(jobs[1]);
    for (int i = 2; i < 10; i++) {
        struct queue_job *j = take();
        assert_true(j->put_off);
        queue_job_put_off(queue, j, on_done, NULL);
    }
    assert_int_equal(done_calls, 10);
    assert_int_equal(idle(), 300000);
    struct queue_info i = {0};
    assert_int_equal(queue_show(queue, 5, remember_reason, &i), OK);
    assert_int_equal(i.next_attempt_s, T0 + 300);
    assert_string_equal(reason_shown, "delivery temporarily suspended: connection timed out");
    assert_int_equal(i.attempts, 0); /* none was made of this one */
    at(298);
    add_to(&ids[0], "y@a.test"); /* a new one is not attempted either */
    struct queue_job *j = take();
    assert_true(j->put_off);
    queue_job_put_off(queue, j, on_done, NULL);
    at(300); /* rested: as in the beginning */
    assert_int_equal(take_all(jobs), 2);
    assert_false(jobs[0]->put_off);
    miss(jobs[0]);
    finish(jobs[1], QUEUE_SENT);
    j = take();
    assert_false(j->put_off);
    finish(j, QUEUE_SENT);
}

/* The back-off is by whole seconds, the rest is not: the first retry must not fall into it. */
static void the_dead_have_rested_when_mail_is_due(void **state)
{
    static uint64_t ids[4];
    struct queue_job *jobs[4];
    struct queue_options o = paced();
    (void)state;
    queue_configure(queue, &o);
    clock_set_virtual(900, T0 * 1000000ll + 900000);
    add_many(ids, 4, "x@a.test");
    assert_int_equal(take_all(jobs), 2);
    miss(jobs[0]);
    miss(jobs[1]);
    for (int i = 0; i < 2; i++)
        queue_job_put_off(queue, take(), on_done, NULL);
    clock_set_virtual(300000, (T0 + 300) * 1000000ll);
    assert_int_equal(take_all(jobs), 2);
    assert_false(jobs[0]->put_off);
    assert_int_equal(jobs[0]->attempt, 2);
    finish(jobs[0], QUEUE_SENT);
    finish(jobs[1], QUEUE_SENT);
}

/* What is put off is looked at the rarer the older it is. */
static void put_off_by_age(void **state)
{
    static uint64_t ids[3];
    struct queue_job *jobs[3];
    struct queue_options o = paced();
    struct queue_info i = {0};
    (void)state;
    queue_configure(queue, &o);
    add_many(ids, 3, "x@a.test");
    at(2000);
    assert_int_equal(take_all(jobs), 2);
    miss(jobs[0]);
    miss(jobs[1]);
    queue_job_put_off(queue, take(), on_done, NULL);
    assert_int_equal(queue_show(queue, 3, remember_reason, &i), OK);
    assert_int_equal(i.next_attempt_s, T0 + 4000);
}

static void a_flush_wakes_the_dead(void **state)
{
    static uint64_t ids[2];
    struct queue_job *jobs[2];
    struct queue_options o = paced();
    (void)state;
    queue_configure(queue, &o);
    add_many(ids, 2, "x@a.test");
    assert_int_equal(take_all(jobs), 2);
    miss(jobs[0]);
    miss(jobs[1]);
    assert_int_equal(idle(), 300000);
    assert_int_equal(queue_flush(queue, 0), OK);
    assert_int_equal(take_all(jobs), 2);
    assert_false(jobs[0]->put_off);
    finish(jobs[0], QUEUE_SENT);
    finish(jobs[1], QUEUE_SENT);
}

static void expiry_does_not_wait_for_the_dead(void **state)
{
    static uint64_t ids[3];
    struct queue_job *jobs[3];
    struct queue_options o = paced();
    (void)state;
    o.maximal_queue_lifetime = 200;
    queue_configure(queue, &o);
    add_many(ids, 2, "x@a.test");
    at(250);
    ids[2] = 3;
    add_to(&ids[2], "y@a.test");
    assert_int_equal(take_all(jobs), 2);
    miss(jobs[0]);
    miss(jobs[1]);
    assert_int_equal(bounces, 2);
    struct queue_job *j = take();
    assert_true(j->put_off);
    queue_job_put_off(queue, j, on_done, NULL);
    at(550);
    miss(take());
    assert_int_equal(bounces, 3);
    assert_true(bounce_says("connection timed out"));
}

static void destinations_wait_between_attempts(void **state)
{
    static uint64_t ids[3];
    struct queue_options o = options;
    (void)state;
    o.normal.destination_delay_s = 10;
    queue_configure(queue, &o);
    add_many(ids, 3, "x@a.test");
    struct queue_job *j = take();
    assert_int_equal(idle(), -1);
    finish(j, QUEUE_SENT);
    assert_int_equal(idle(), 10000);
    at(9);
    assert_int_equal(idle(), 1000);
    at(10);
    finish(take(), QUEUE_SENT);
    ids[0] = 9;
    add_to(&ids[0], "x@b.test");
    finish(take(), QUEUE_SENT); /* another destination does not wait for it */
    at(20);
    finish(take(), QUEUE_SENT);
    ids[0] = 10;
    add_to(&ids[0], "x@a.test"); /* the delay outlives what waited */
    assert_int_equal(idle(), 10000);
}

static void transports_wait_between_attempts(void **state)
{
    static uint64_t ids[2] = {1, 2};
    struct queue_options o = options;
    (void)state;
    o.normal.transport_delay_s = 10;
    queue_configure(queue, &o);
    add_to(&ids[0], "x@a.test");
    add_to(&ids[1], "x@b.test");
    struct queue_job *j = take();
    assert_int_equal(idle(), -1);
    finish(j, QUEUE_SENT);
    assert_int_equal(idle(), 10000);
    at(10);
    finish(take(), QUEUE_SENT);
    assert_int_equal(fake_count(store, "q"), 0);
}

/* Who comes during the pause waits for its end, and nobody is forgotten. */
static void transports_wait_for_all(void **state)
{
    static uint64_t ids[4] = {1, 2, 3, 4};
    struct queue_options o = options;
    (void)state;
    o.normal.transport_delay_s = 10;
    queue_configure(queue, &o);
    add_to(&ids[0], "x@a.test");
    add_to(&ids[1], "x@b.test");
    finish(take(), QUEUE_SENT);
    assert_int_equal(idle(), 10000);
    at(3);
    add_to(&ids[2], "x@c.test");
    assert_int_equal(idle(), 7000);
    at(5);
    add_to(&ids[3], "x@d.test");
    for (int64_t due = 10; due <= 30; due += 10) {
        assert_int_equal(idle(), (due - (due > 10 ? due - 10 : 5)) * 1000);
        at(due);
        finish(take(), QUEUE_SENT);
    }
    assert_int_equal(fake_count(store, "q"), 0);
}

/* An attempt that was not made costs no pause. */
static void no_pause_after_nothing(void **state)
{
    static uint64_t ids[3];
    struct queue_options o = options;
    (void)state;
    o.normal.transport_delay_s = o.normal.destination_delay_s = 60;
    queue_configure(queue, &o);
    add_many(ids, 3, "x@a.test");
    assert_int_equal(queue_hold(queue, 1, true), OK);
    assert_int_equal(queue_hold(queue, 2, true), OK);
    struct queue_job *j = take();
    assert_int_equal(j->envelope.message, 3);
    finish(j, QUEUE_SENT);
}

/* A place that the dead one was woken for goes to the next. */
static void the_dead_keep_no_place(void **state)
{
    static uint64_t ids[4] = {1, 2, 3, 4};
    struct queue_job *j, *jobs[4];
    struct queue_options o = options;
    (void)state;
    o.normal.processes = 1;
    o.normal.pace = (struct pace_rules){1, 2, {0, FEEDBACK_CONSTANT}, {0, FEEDBACK_CONSTANT}, 1};
    queue_configure(queue, &o);
    add_to(&ids[0], "x@a.test");
    add_to(&ids[1], "y@a.test");
    j = take();
    assert_int_equal(take_all(jobs), 0);
    add_to(&ids[2], "x@b.test");
    add_to(&ids[3], "x@c.test");
    assert_int_equal(take_all(jobs), 0);
    miss(j);
    size_t put_off = 0, sent = 0;
    for (int i = 0; i < 3; i++) {
        j = take();
        put_off += j->put_off;
        sent += !j->put_off;
        if (j->put_off)
            queue_job_put_off(queue, j, on_done, NULL);
        else
            finish(j, QUEUE_SENT);
    }
    assert_int_equal(put_off, 1);
    assert_int_equal(sent, 2);
}

static void transports_have_so_many_processes(void **state)
{
    static uint64_t ids[30];
    static char names[30][16];
    struct queue_job *jobs[30];
    struct queue_options o = options;
    size_t sent = 0, n;
    (void)state;
    o.normal.processes = 3;
    queue_configure(queue, &o);
    for (size_t i = 0; i < 30; i++) {
        ids[i] = i + 1;
        snprintf(names[i], sizeof names[i], "x@d%zu.test", i % 10);
        add_to(&ids[i], names[i]);
    }
    while ((n = take_all(jobs)) > 0) {
        assert_int_equal(n, 3);
        for (size_t i = 0; i < n; i++, sent++)
            finish(jobs[i], QUEUE_SENT);
    }
    assert_int_equal(sent, 30);
}

static void deferred_transports_wait_for_a_flush(void **state)
{
    struct queue_options o = options;
    uint64_t id = 1;
    (void)state;
    o.normal.deferred = true;
    queue_configure(queue, &o);
    add_to(&id, "x@a.test");
    struct queue_job *j = take();
    assert_true(j->put_off);
    queue_job_put_off(queue, j, on_done, NULL);
    assert_int_equal(idle(), 300000);
    struct queue_info i = {0};
    assert_int_equal(queue_show(queue, 1, remember_reason, &i), OK);
    assert_string_equal(reason_shown, "deferred transport");
    assert_int_equal(queue_flush(queue, 1), OK);
    j = take();
    assert_false(j->put_off);
    finish(j, QUEUE_DEFERRED);
    at(600);
    j = take();
    assert_true(j->put_off);
    queue_job_put_off(queue, j, on_done, NULL);
    id = 2;
    add_to(&id, "y@a.test"); /* due, and not yet put off */
    assert_int_equal(queue_flush(queue, 2), OK);
    j = take();
    assert_false(j->put_off);
    finish(j, QUEUE_SENT);
}

/* ---- fairness ---- */

static void add_mailing(uint64_t *id, size_t n, size_t domains)
{
    static struct queue_rcpt r[12000];
    static char names[12000][24];
    for (size_t i = 0; i < n; i++) {
        snprintf(names[i], sizeof names[i], "u@d%zu.test", i % domains);
        r[i] = (struct queue_rcpt){.address = slice_cstr(names[i])};
    }
    add(id, envelope(r, n));
}

/* How many attempts begin before the message's; all of them are left under way or done. */
static size_t turns_before(uint64_t message, bool finished)
{
    for (size_t n = 0;; n++) {
        struct queue_job *j = take();
        bool found = j->envelope.message == message;
        if (finished || found)
            finish(j, QUEUE_SENT);
        if (found)
            return n;
    }
}

static void a_mailing_to_many_delays_no_letter(void **state)
{
    uint64_t mailing = 1, letter = 2;
    (void)state;
    add_mailing(&mailing, 12000, 6000);
    for (int i = 0; i < 100; i++)
        finish(take(), QUEUE_SENT);
    add_to(&letter, "x@friend.test");
    assert_true(turns_before(letter, true) <= 2);
}

static void a_mailing_to_one_delays_no_letter(void **state)
{
    uint64_t mailing = 1, letter = 2;
    (void)state;
    add_mailing(&mailing, 3000, 1); /* 1000 bundles */
    finish(take(), QUEUE_SENT);
    add_to(&letter, "x@d0.test");
    assert_true(turns_before(letter, true) <= 2 * LETTER_BUNDLES);
    at(1);
    letter = 3;
    add_to(&letter, "y@d0.test");
    assert_true(turns_before(letter, true) <= 2 * LETTER_BUNDLES);
}

/* All of it is sent in the end, and nothing is looked at again and again. */
static void mailings_come_to_their_end(void **state)
{
    uint64_t ids[3] = {1, 2, 3};
    size_t n = 0;
    int64_t wait;
    struct queue_job *j;
    (void)state;
    for (int i = 0; i < 3; i++)
        add_mailing(&ids[i], i == 1 ? 3000 : 9000, i == 1 ? 1 : 3000);
    queue_kick(queue);
    size_t before = fake_walked(store);
    while (queue_next(queue, &j, &wait) == OK) {
        finish(j, QUEUE_SENT);
        n++;
    }
    assert_int_equal(n, 2 * 3000 + 1000);
    assert_true(fake_walked(store) - before < 10 * n);
    assert_int_equal(fake_count(store, "q"), 0);
}

/* ---- administration ---- */

static void remember_state(void *arg, const struct queue_info *i)
{
    *(struct queue_info *)arg = *i;
    ((struct queue_info *)arg)->rcpts = NULL;
}

static struct queue_info show(uint64_t id)
{
    struct queue_info i = {0};
    assert_int_equal(queue_show(queue, id, remember_state, &i), OK);
    return i;
}

static void hold_and_release(void **state)
{
    uint64_t a = 1;
    (void)state;
    add_to(&a, "x@far.test");
    assert_int_equal(show(1).state, QUEUE_STATE_DEFERRED);
    assert_int_equal(queue_hold(queue, 1, true), OK);
    assert_int_equal(show(1).state, QUEUE_STATE_HOLD);
    assert_int_equal(idle(), -1);
    assert_int_equal(queue_flush(queue, 0), OK);
    assert_int_equal(idle(), -1);
    restart();
    assert_int_equal(idle(), -1);
    assert_int_equal(queue_hold(queue, 1, false), OK);
    struct queue_job *j = take();
    assert_int_equal(show(1).state, QUEUE_STATE_ACTIVE);
    assert_int_equal(queue_hold(queue, 1, true), BUSY);
    assert_int_equal(queue_delete(queue, 1), BUSY);
    finish(j, QUEUE_SENT);
    assert_int_equal(queue_hold(queue, 1, true), NOT_FOUND);
    assert_int_equal(fake_count(store, "q"), 0);
}

static void flush_makes_due(void **state)
{
    uint64_t a = 1, b = 2;
    (void)state;
    add_to(&a, "x@far.test");
    add_to(&b, "y@far.test");
    finish(take(), QUEUE_DEFERRED);
    finish(take(), QUEUE_DEFERRED);
    assert_int_equal(show(1).next_attempt_s, T0 + 300);
    at(10);
    assert_int_equal(queue_flush(queue, 1), OK);
    struct queue_job *j = take();
    assert_int_equal(j->envelope.message, 1);
    assert_int_equal(j->attempt, 2);
    finish(j, QUEUE_DEFERRED);
    assert_int_equal(idle(), 290000);
    assert_int_equal(queue_flush(queue, 0), OK);
    finish(take(), QUEUE_SENT);
    finish(take(), QUEUE_SENT);
    assert_int_equal(fake_count(store, "q"), 0);
    assert_int_equal(queue_flush(queue, 1), NOT_FOUND);
}

static bool count_listed(void *arg, const struct queue_info *i)
{
    assert_int_equal(i->n_rcpts, 1);
    return ++*(unsigned *)arg < 100;
}

static void delete_and_list(void **state)
{
    static uint64_t ids[1200];
    unsigned listed = 0;
    (void)state;
    for (size_t i = 0; i < 1200; i++) {
        ids[i] = i + 1;
        add_to(&ids[i], "x@far.test");
    }
    assert_int_equal(queue_delete(queue, 7), OK);
    assert_int_equal(fake_released(store), 1);
    assert_int_equal(queue_delete(queue, 7), NOT_FOUND);
    assert_int_equal(queue_list(queue, &(struct queue_look){.each = count_listed, .arg = &listed}),
                     OK);
    assert_int_equal(listed, 100); /* stopped by the callee */
    struct queue_job *j = take();
    assert_int_equal(queue_delete(queue, 0), BUSY);
    assert_int_equal(fake_count(store, "qe"), 1);
    finish(j, QUEUE_SENT);
    assert_int_equal(fake_count(store, "q"), 0);
    int64_t wait = 0;
    for (int i = 0; i < 20 && wait == 0; i++)
        wait = idle(); /* it finds out in steps that they are gone */
    assert_int_equal(wait, -1);
}

/* Messages by number: wanted ones far apart, each told with its own recipient. */
static enum queue_wish wants_some(void *arg, const struct queue_info *i)
{
    (void)arg;
    return i->message == 80 ? QUEUE_STOP : i->message % 30 == 0 ? QUEUE_TELL : QUEUE_SKIP;
}

static bool sum_listed(void *arg, const struct queue_info *i)
{
    char address[32];
    snprintf(address, sizeof address, "u%d@far.test", (int)i->message);
    assert_int_equal(i->n_rcpts, 1);
    assert_true(slice_is(i->rcpts[0].address, address));
    *(unsigned *)arg += (unsigned)i->message;
    return true;
}

static void list_of_some(void **state)
{
    static uint64_t ids[100];
    unsigned sum = 0;
    (void)state;
    for (size_t i = 0; i < 100; i++) {
        char address[32];
        ids[i] = i + 1;
        snprintf(address, sizeof address, "u%zu@far.test", i + 1);
        add_to(&ids[i], address);
    }
    struct queue_look look = {.wants = wants_some, .each = sum_listed, .arg = &sum};
    assert_int_equal(queue_list(queue, &look), OK);
    assert_int_equal(sum, 30 + 60);
    look = (struct queue_look){.each = sum_listed, .arg = &sum, .text = SLICE("U7")};
    sum = 0;
    assert_int_equal(queue_list(queue, &look), OK);
    assert_int_equal(sum, 7 + 70 + 71 + 72 + 73 + 74 + 75 + 76 + 77 + 78 + 79);
    look.text = SLICE("nobody");
    sum = 0;
    assert_int_equal(queue_list(queue, &look), OK);
    assert_int_equal(sum, 0);
}

static void delete_of_many_bundles(void **state)
{
    static struct queue_rcpt r[1600];
    static char names[1600][24];
    uint64_t id = 1;
    (void)state;
    for (size_t i = 0; i < 1600; i++) {
        snprintf(names[i], sizeof names[i], "u@d%zu.test", i);
        r[i].address = slice_cstr(names[i]);
    }
    add(&id, envelope(r, 1600));
    assert_int_equal(show(1).total_rcpts, 1600);
    assert_int_equal(show(1).n_rcpts, QUEUE_INFO_RCPTS);
    assert_int_equal(queue_hold(queue, 1, true), OK);
    assert_int_equal(fake_count(store, "qs") + fake_count(store, "qd"), 0);
    assert_int_equal(queue_delete(queue, 1), OK);
    assert_int_equal(fake_count(store, "q"), 0);
    assert_int_equal(fake_released(store), 1);
}

/* ---- records ---- */

static bool count_any(void *arg, const struct queue_info *i)
{
    (void)i;
    ++*(unsigned *)arg;
    return true;
}

static void damage_is_contained(void **state)
{
    uint64_t a = 1, b = 2;
    struct q_key key = q_key_bundle(1, 0);
    unsigned listed = 0;
    struct queue_job *j;
    int64_t wait;
    (void)state;
    add_to(&a, "x@far.test");
    add_to(&b, "y@far.test");
    fake_put(store, q_key_slice(&key), SLICE("\x01 nonsense"));
    assert_int_equal(queue_next(queue, &j, &wait), CORRUPT);
    j = take();
    assert_int_equal(j->envelope.message, 2);
    assert_int_equal(queue_list(queue, &(struct queue_look){.each = count_any, .arg = &listed}),
                     OK);
    assert_int_equal(listed, 2);
    queue_job_abandon(queue, j);
}

static void stale_schedule_entry_goes(void **state)
{
    struct place p = {T0, 77, 0};
    struct q_key s = q_key_schedule(p), d = q_key_destination(SLICE("far.test"), p);
    (void)state;
    fake_put(store, q_key_slice(&s), SLICE("far.test"));
    fake_put(store, q_key_slice(&d), SLICE(""));
    queue_kick(queue);
    assert_int_equal(idle(), -1);
    assert_int_equal(fake_count(store, "q"), 0);
}

static void records_survive_any_bytes(void **state)
{
    struct queue_rcpt rcpt = {.address = SLICE("a@b"),
                              .original = SLICE("A@b"),
                              .dsn_notify = SLICE("NEVER"),
                              .dsn_orcpt = SLICE("rfc822;a@b")};
    struct slice reason = SLICE("later");
    struct q_bundle b = {true, true, true, true, 123, 4, SLICE("b"), 1, &rcpt, &reason}, got;
    struct arena arena;
    struct buf bytes;
    (void)state;
    arena_init(&arena, 1 << 20);
    buf_init(&bytes, 1 << 20);
    q_bundle_encode(&b, &bytes);
    assert_int_equal(q_bundle_decode(buf_slice(&bytes), &arena, &got), OK);
    assert_true(got.held && got.warned && got.flushed && got.keeps_way && got.due_s == 123 &&
                got.attempts == 4 && got.n == 1);
    assert_true(slice_is(got.rcpts[0].dsn_orcpt, "rfc822;a@b") &&
                slice_is(got.reasons[0], "later"));
    for (size_t n = 0; n < buf_len(&bytes); n++)
        assert_int_equal(q_bundle_decode(slice_sub(buf_slice(&bytes), 0, n), &arena, &got),
                         CORRUPT);
    struct q_envelope e = {.message = 1,
                           .sender = SLICE("s"),
                           .held = true,
                           .require_tls = true,
                           .size = 9,
                           .origin = {SLICE("name"), SLICE("helo"), SLICE("ESMTP"), SLICE("PLAIN"),
                                      SLICE("4711"), SLICE("x+2By@z")}},
                      back;
    buf_reset(&bytes);
    q_envelope_encode(&e, &bytes);
    assert_int_equal(q_envelope_decode(1, buf_slice(&bytes), &back), OK);
    assert_true(back.held && back.require_tls && !back.bounce && back.size == 9 &&
                slice_is(back.sender, "s"));
    assert_true(slice_is(back.origin.client_name, "name") && slice_is(back.origin.helo, "helo"));
    assert_true(slice_is(back.origin.protocol, "ESMTP") &&
                slice_is(back.origin.sasl_method, "PLAIN"));
    assert_true(slice_is(back.origin.client_port, "4711") &&
                slice_is(back.origin.sasl_sender, "x+2By@z"));
    for (size_t n = 0; n < buf_len(&bytes); n++)
        assert_int_equal(q_envelope_decode(1, slice_sub(buf_slice(&bytes), 0, n), &back), CORRUPT);
    /* What earlier releases wrote. */
    e.origin.client_port = e.origin.sasl_sender = SLICE("");
    buf_reset(&bytes);
    q_envelope_encode(&e, &bytes);
    ((char *)buf_slice(&bytes).data)[0] = 2;
    assert_int_equal(
        q_envelope_decode(1, slice_sub(buf_slice(&bytes), 0, buf_len(&bytes) - 2), &back), OK);
    assert_true(slice_is(back.origin.sasl_method, "PLAIN") && back.origin.client_port.len == 0);
    e.origin =
        (struct queue_origin){SLICE(""), SLICE(""), SLICE(""), SLICE(""), SLICE(""), SLICE("")};
    buf_reset(&bytes);
    q_envelope_encode(&e, &bytes);
    ((char *)buf_slice(&bytes).data)[0] = 1;
    assert_int_equal(
        q_envelope_decode(1, slice_sub(buf_slice(&bytes), 0, buf_len(&bytes) - 6), &back), OK);
    assert_true(slice_is(back.sender, "s") && back.origin.helo.len == 0);
    ((char *)buf_slice(&bytes).data)[0] = 4; /* of a later one */
    assert_int_equal(q_envelope_decode(1, buf_slice(&bytes), &back), CORRUPT);
    buf_release(&bytes);
    arena_release(&arena);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(sent_message_leaves_nothing),
        T(backoff_doubles_to_its_limit),
        T(lifetime_ends_in_a_notice),
        T(failed_notice_keeps_the_recipient),
        T(nobody_is_told_who_must_not_be),
        T(requiretls_is_kept_and_holds_for_the_notice),
        T(delay_is_told_once),
        T(delay_is_not_told_to_who_does_not_want_it),
        T(success_is_told_where_nobody_else_does),
        T(bounces_live_as_long_as_bounces),
        T(recipients_go_by_destination),
        T(recipients_go_by_route),
        T(deferred_ones_take_the_way_of_now),
        T(part_of_a_bundle_stays),
        T(destinations_have_limits_and_turns),
        T(transports_have_limits_of_their_own),
        T(windows_grow_and_shrink),
        T(the_dead_are_left_alone),
        T(the_dead_have_rested_when_mail_is_due),
        T(put_off_by_age),
        T(the_dead_keep_no_place),
        T(transports_wait_for_all),
        T(no_pause_after_nothing),
        T(a_flush_wakes_the_dead),
        T(expiry_does_not_wait_for_the_dead),
        T(destinations_wait_between_attempts),
        T(transports_wait_between_attempts),
        T(transports_have_so_many_processes),
        T(deferred_transports_wait_for_a_flush),
        T(a_mailing_to_many_delays_no_letter),
        T(a_mailing_to_one_delays_no_letter),
        T(mailings_come_to_their_end),
        T(restart_makes_active_due),
        T(uncommitted_work_is_not_handed_out),
        T(abandoned_delivery_is_forgotten),
        T(abandoned_attempt_comes_back_uncounted),
        T(busy_destination_does_not_fill_the_window),
        T(a_great_many_recipients_stay_in_the_tables),
        T(hold_and_release),
        T(flush_makes_due),
        T(delete_and_list),
        T(list_of_some),
        T(delete_of_many_bundles),
        T(damage_is_contained),
        T(stale_schedule_entry_goes),
        T(records_survive_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
