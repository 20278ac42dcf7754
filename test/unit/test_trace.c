/* test_trace.c: events written, read back in order, cut to their bounds, and forgotten. */
#include "kv_world.h"

#include "base/clock.h"
#include "base/log.h"
#include "trace/trace.h"

static void put_event(struct kv *kv, uint64_t message, enum trace_event event, const char *rcpt)
{
    struct kv_batch *b = kv_batch_new(kv, 0);
    struct trace t;
    trace_begin(&t, event);
    trace_add(&t, TRACE_F_RCPT, slice_cstr(rcpt));
    trace_add(&t, TRACE_F_REPLY, SLICE("")); /* left out */
    trace_add_number(&t, TRACE_F_ATTEMPT, 7);
    trace_put(&t, b, message);
    assert_int_equal(kv_commit(b), OK);
}

struct seen {
    size_t n;
    uint64_t messages[100];
    enum trace_event events[100];
    char text[4096];
};

static bool see(void *arg, const struct trace_entry *e)
{
    struct seen *s = arg;
    struct slice rest = e->fields;
    struct trace_text f;
    assert_true(s->n < 100);
    assert_in_range(clock_realtime_s() - e->time_us / 1000000, 0, 60);
    s->messages[s->n] = e->message;
    s->events[s->n++] = e->event;
    while (trace_next(&rest, &f))
        snprintf(s->text + strlen(s->text), sizeof s->text - strlen(s->text), "%s=%.*s ",
                 trace_field_name(f.field), SLICE_ARG(f.value));
    return true;
}

static void events_in_order(void **state)
{
    struct kv *kv = open_kv();
    struct seen s = {0};
    (void)state;
    put_event(kv, 500, TRACE_ACCEPTED, "a@b.test");
    put_event(kv, 400, TRACE_ACCEPTED, "c@d.test");
    put_event(kv, 500, TRACE_SENT, "a@b.test");
    assert_int_equal(trace_each(kv, 500, see, &s), OK);
    assert_int_equal(s.n, 2);
    assert_int_equal(s.events[0], TRACE_ACCEPTED);
    assert_int_equal(s.events[1], TRACE_SENT);
    assert_string_equal(s.text, "to=a@b.test attempt=7 to=a@b.test attempt=7 ");
    assert_int_equal(trace_each(kv, 501, see, &s), NOT_FOUND);
    memset(&s, 0, sizeof s);
    assert_int_equal(trace_scan(kv, 0, see, &s), OK);
    assert_int_equal(s.n, 3);
    assert_int_equal(s.messages[0], 400);
    memset(&s, 0, sizeof s);
    assert_int_equal(trace_scan(kv, 401, see, &s), OK);
    assert_int_equal(s.n, 2);
    kv_close(kv);
}

static void bounds(void **state)
{
    struct kv *kv = open_kv();
    struct kv_batch *b = kv_batch_new(kv, 0);
    char text[1000];
    struct trace t;
    struct seen s = {0};
    size_t added = 0;
    (void)state;
    memset(text, 'x', sizeof text);
    trace_begin(&t, TRACE_ACCEPTED);
    for (; trace_has_room(&t, TRACE_TEXT_MAX + 3); added++)
        trace_add(&t, TRACE_F_TARGET, slice_of(text, sizeof text));
    assert_in_range(added, 100, 130);
    for (int i = 0; i < 10; i++)
        trace_add(&t, TRACE_F_TARGET, slice_of(text, sizeof text));
    assert_true(t.left_out > 0);
    trace_put(&t, b, 9);
    assert_int_equal(kv_commit(b), OK);
    assert_int_equal(trace_each(kv, 9, see, &s), OK);
    assert_int_equal(s.n, 1);
    kv_close(kv);
}

static void damaged_records_are_skipped(void **state)
{
    struct kv *kv = open_kv();
    struct kv_batch *b = kv_batch_new(kv, 0);
    struct seen s = {0};
    (void)state;
    char key[17] = "t\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\x01";
    kv_batch_put(b, slice_of(key, 17), SLICE("\x09\x01"));
    key[16]++;
    kv_batch_put(b, slice_of(key, 17), SLICE("\x01"));
    key[16]++;
    kv_batch_put(b, slice_of(key, 16), SLICE("\x01\x01"));
    assert_int_equal(kv_commit(b), OK);
    assert_int_equal(trace_each(kv, 5, see, &s), NOT_FOUND);
    struct slice cut = SLICE("\x01\x7f"
                             "abc");
    struct trace_text f;
    assert_false(trace_next(&cut, &f));
    struct slice newer = SLICE("\xf0\x01"
                               "a"
                               "\x0b\x01"
                               "b");
    assert_true(trace_next(&newer, &f) && slice_is(f.value, "b"));
    kv_close(kv);
}

static void forgets_what_is_old(void **state)
{
    struct kv *kv = open_kv();
    struct seen s = {0};
    uint64_t from = 0;
    size_t n = 0;
    (void)state;
    for (uint64_t id = 10; id < 20; id++)
        put_event(kv, id, TRACE_ACCEPTED, "a@b.test");
    assert_int_equal(trace_forget(kv, &from, 15, 3, &n), OK);
    assert_int_equal(n, 3);
    assert_int_equal(trace_forget(kv, &from, 15, 3, &n), OK);
    assert_int_equal(n, 2);
    assert_int_equal(from, 15);
    assert_int_equal(trace_forget(kv, &from, 15, 3, &n), OK);
    assert_int_equal(n, 0);
    assert_int_equal(trace_scan(kv, 0, see, &s), OK);
    assert_int_equal(s.n, 5);
    assert_int_equal(s.messages[0], 15);
    kv_close(kv);
}

static void age_of_ids(void **state)
{
    uint64_t now = log_id_new();
    (void)state;
    assert_in_range(clock_realtime_s() - log_id_time(now), 0, 1);
    assert_true(log_id_at(log_id_time(now)) <= now);
    assert_true(trace_wanted(now, 10));
    assert_false(trace_wanted(now, 0));
    assert_false(trace_wanted(log_id_at(clock_realtime_s() - 20), 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(events_in_order, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(bounds, make_directory, remove_directory),
        cmocka_unit_test_setup_teardown(damaged_records_are_skipped, make_directory,
                                        remove_directory),
        cmocka_unit_test_setup_teardown(forgets_what_is_old, make_directory, remove_directory),
        cmocka_unit_test(age_of_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
