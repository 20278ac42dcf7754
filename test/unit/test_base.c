/* test_base.c: the containers and text helpers that everything stands on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/cursor.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"

static void words_stand_apart(void **state)
{
    struct slice rest = SLICE(" ,a, bc\t,d\0e ,");
    (void)state;
    rest.len = 14;
    assert_true(slice_is(slice_word(&rest, ", \t"), "a"));
    assert_true(slice_is(slice_word(&rest, ", \t"), "bc"));
    assert_int_equal(slice_word(&rest, ", \t").len, 3); /* a NUL separates nothing */
    assert_int_equal(slice_word(&rest, ", \t").len, 0);
    assert_int_equal(rest.len, 0);
    assert_int_equal(slice_word(&rest, ", \t").len, 0);
}

static void slices_split_and_compare(void **state)
{
    (void)state;
    struct slice rest = SLICE("a,,b");
    assert_true(slice_is(slice_split(&rest, ','), "a"));
    assert_true(slice_is(slice_split(&rest, ','), ""));
    assert_true(slice_is(slice_split(&rest, ','), "b"));
    assert_null(rest.data);
    assert_true(slice_is_nocase(SLICE("RcPt"), "rcpt"));
    assert_false(slice_eq(SLICE("a"), SLICE("A")));
    assert_true(slice_cmp(SLICE("a"), SLICE("ab")) < 0);
    assert_true(slice_is(slice_trim(SLICE(" \t x y\r\n")), "x y"));
    assert_int_equal(slice_search(SLICE("abcabd"), SLICE("abd")), 3);
    assert_true(slice_search(SLICE("abc"), SLICE("x")) == SIZE_MAX);
    assert_true(slice_ends_nocase(SLICE("x.ORG"), SLICE(".org")));
    assert_true(slice_contains_nocase(SLICE("ab.ABC"), SLICE("aBc")));
    assert_false(slice_contains_nocase(SLICE("ab.AB"), SLICE("abc")));
    assert_true(slice_contains_nocase(SLICE(""), SLICE("")));
}

static void numbers_have_bounds(void **state)
{
    uint64_t n = 7;
    (void)state;
    assert_int_equal(slice_parse_u64(SLICE("18446744073709551615"), UINT64_MAX, &n), OK);
    assert_true(n == UINT64_MAX);
    assert_int_equal(slice_parse_u64(SLICE("18446744073709551616"), UINT64_MAX, &n), LIMIT);
    assert_int_equal(slice_parse_u64(SLICE("10"), 9, &n), LIMIT);
    assert_int_equal(slice_parse_u64(SLICE(""), 9, &n), INVALID);
    assert_int_equal(slice_parse_u64(SLICE("-1"), 9, &n), INVALID);
    assert_true(n == UINT64_MAX); /* untouched by failures */
}

static void arena_keeps_its_limit(void **state)
{
    struct arena a;
    (void)state;
    arena_init(&a, 10000);
    for (int i = 0; i < 90; i++)
        assert_non_null(arena_alloc(&a, 100));
    assert_true(slice_is(arena_dup(&a, SLICE("hello")), "hello"));
    assert_string_equal(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
    assert_false(arena_failed(&a));
    assert_null(arena_alloc(&a, 2000));
    assert_true(arena_failed(&a));
    assert_null(arena_alloc_n(&a, SIZE_MAX / 2, 3));
    arena_clear(&a);
    assert_non_null(arena_alloc(&a, 10000));
    arena_release(&a);
}

static void buf_appends_until_its_maximum(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 1000);
    for (int i = 0; i < 10; i++)
        buf_printf(&b, "%099d\n", i);
    assert_true(buf_ok(&b));
    assert_int_equal(buf_len(&b), 1000);
    buf_putc(&b, 'x');
    assert_false(buf_ok(&b));
    buf_consume(&b, 900);
    assert_int_equal(buf_len(&b), 100);
    assert_true(slice_ends_nocase(buf_slice(&b), SLICE("9\n")));
    buf_reset(&b);
    buf_puts(&b, "again");
    buf_prepend(&b, SLICE("once "));
    assert_true(buf_ok(&b) && slice_is(buf_slice(&b), "once again"));
    buf_clear(&b);
    assert_null(b.mem);
    buf_release(&b);
}

static void buf_slides_when_consumed(void **state)
{
    struct buf b;
    char expect = 0;
    (void)state;
    buf_init(&b, 300);
    for (int round = 0; round < 200; round++) {
        size_t room = 0;
        char *p = buf_reserve(&b, 100, &room);
        assert_non_null(p);
        assert_true(room >= 100 && room <= 300 - buf_len(&b));
        for (int i = 0; i < 100; i++)
            p[i] = (char)(round * 100 + i);
        buf_commit(&b, 100);
        struct slice s = buf_slice(&b);
        assert_int_equal(s.data[0], expect);
        size_t n = s.len > 150 ? 150 : 50;
        buf_consume(&b, n);
        expect = (char)(expect + (int)n);
    }
    buf_release(&b);
}

static void cursor_reads_what_buf_wrote(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 200);
    buf_put_le16(&b, 0x1234);
    buf_put_le32(&b, 0x89abcdef);
    buf_put_be64(&b, 0x0123456789abcdef);
    buf_put_varint(&b, 0);
    buf_put_varint(&b, 300);
    buf_put_varint(&b, UINT64_MAX);
    struct cursor c = cursor_of(buf_slice(&b));
    assert_int_equal(cursor_le16(&c), 0x1234);
    assert_int_equal(cursor_le32(&c), 0x89abcdef);
    assert_true(cursor_be64(&c) == 0x0123456789abcdef);
    assert_int_equal(cursor_varint(&c), 0);
    assert_int_equal(cursor_varint(&c), 300);
    assert_true(cursor_varint(&c) == UINT64_MAX);
    assert_true(cursor_done(&c));
    assert_int_equal(cursor_u8(&c), 0);
    assert_false(cursor_ok(&c));
    buf_release(&b);
    c = cursor_of(slice_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10));
    cursor_varint(&c);
    assert_false(cursor_ok(&c));
}

static void map_survives_churn(void **state)
{
    struct map m;
    static int values[5000];
    (void)state;
    map_init(&m, 5000);
    for (int round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < 5000; i++)
            assert_int_equal(map_put(&m, map_key_u64(&i), &values[i]), OK);
        uint64_t one = 1, beyond = 9999;
        assert_int_equal(map_put(&m, map_key_u64(&one), &values[2]), EXISTS);
        assert_int_equal(map_put(&m, map_key_u64(&beyond), &values[2]), LIMIT);
        for (uint64_t i = 0; i < 5000; i += 2)
            assert_ptr_equal(map_remove(&m, map_key_u64(&i)), &values[i]);
        for (uint64_t i = 0; i < 5000; i++)
            assert_ptr_equal(map_get(&m, map_key_u64(&i)), i % 2 ? (void *)&values[i] : NULL);
        size_t at = 0, seen = 0;
        struct slice key;
        void *value;
        while (map_next(&m, &at, &key, &value)) {
            seen++;
            assert_ptr_equal(map_remove(&m, key), value);
        }
        assert_int_equal(seen, 2500);
        assert_int_equal(m.used, 0);
    }
    map_release(&m);
}

static void lists_keep_order(void **state)
{
    struct list_node head, n[3];
    int seen = 0;
    (void)state;
    list_init(&head);
    for (int i = 0; i < 3; i++)
        list_push_back(&head, &n[i]);
    LIST_FOR_EACH(at, &head)
    {
        assert_ptr_equal(at, &n[seen++]);
        list_remove(at);
    }
    assert_int_equal(seen, 3);
    assert_true(list_empty(&head));
    assert_null(list_pop_front(&head));
}

static void take_line(void *arg, struct slice line)
{
    buf_append(arg, line);
}

static void log_lines_cannot_be_forged(void **state)
{
    struct buf out;
    (void)state;
    buf_init(&out, 64 * 1024);
    log_set_sink(take_line, &out);
    LOG(LOG_INFO, "test.event", LOG_S("from", SLICE("a\r\nb \"q\"")), LOG_U("n", 5), LOG_I("i", -3),
        LOG_C("plain", "x@y.z"), LOG_C("empty", ""));
    LOG(LOG_DEBUG, "test.hidden", LOG_U("n", 1));
    assert_true(slice_ends_nocase(
        buf_slice(&out),
        SLICE(" test.event from=\"a\\x0d\\x0ab \\\"q\\\"\" n=5 i=-3 plain=x@y.z empty=\"\"\n")));
    assert_int_equal(slice_find(buf_slice(&out), '\n'), buf_len(&out) - 1);
    buf_reset(&out);
    static const char long_value[3000];
    struct slice big = slice_of(long_value, sizeof long_value);
    LOG(LOG_INFO, "test.long", LOG_S("a", big), LOG_S("b", big), LOG_S("c", big));
    assert_true(buf_len(&out) <= 8 * 1024);
    assert_int_equal(buf_slice(&out).data[buf_len(&out) - 1], '\n');
    log_set_sink(NULL, NULL);
    buf_release(&out);
}

static void ids_are_unique_and_parse_back(void **state)
{
    uint64_t before = 0, back = 0;
    (void)state;
    for (int i = 0; i < 1000; i++) {
        uint64_t id = log_id_new();
        assert_true(id > before);
        assert_int_equal(log_id_parse(slice_cstr(log_id(id).text), &back), OK);
        assert_true(back == id);
        before = id;
    }
    assert_int_equal(log_id_parse(SLICE("zzzzzzzzzzzzz"), &back), INVALID);
    assert_int_equal(log_id_parse(SLICE("0"), &back), INVALID);
    assert_int_equal(log_id_parse(SLICE("000000000000i"), &back), INVALID);
}

static void the_clock_can_be_set(void **state)
{
    (void)state;
    clock_set_virtual(5, 7000000);
    assert_int_equal(clock_monotonic_ms(), 5);
    assert_int_equal(clock_realtime_s(), 7);
    clock_set_virtual(0, -1);
    assert_true(clock_realtime_s() > 1700000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_stand_apart),
        cmocka_unit_test(slices_split_and_compare),
        cmocka_unit_test(numbers_have_bounds),
        cmocka_unit_test(arena_keeps_its_limit),
        cmocka_unit_test(buf_appends_until_its_maximum),
        cmocka_unit_test(buf_slides_when_consumed),
        cmocka_unit_test(cursor_reads_what_buf_wrote),
        cmocka_unit_test(map_survives_churn),
        cmocka_unit_test(lists_keep_order),
        cmocka_unit_test(log_lines_cannot_be_forged),
        cmocka_unit_test(ids_are_unique_and_parse_back),
        cmocka_unit_test(the_clock_can_be_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
