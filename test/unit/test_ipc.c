/* test_ipc.c: messages there and back; what is malformed ends the channel and nothing else; every
 * request gets exactly one answer, also when the peer dies, is replaced, or does not keep up. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "ipc/ipc.h"

static struct ipc_message sample(void)
{
    static struct slice items[3] = {{"a", 1}, {"", 0}, {"a\0b", 3}};
    struct ipc_message m = {.type = IPC_RCPT_RESULT, .call = 7};
    m.RCPT_RESULT.code = 554;
    m.RCPT_RESULT.enhanced = SLICE("5.7.1");
    m.RCPT_RESULT.targets = (struct slice_list){items, 3};
    m.RCPT_RESULT.grant = SLICE("xyz");
    return m;
}

static void messages_come_back_as_they_went(void **state)
{
    struct ipc_message m = sample(), back;
    struct arena a;
    struct buf out;
    (void)state;
    arena_init(&a, 100000);
    buf_init(&out, IPC_PACKET_MAX);
    assert_int_equal(ipc_encode(&m, &out), OK);
    assert_int_equal(ipc_decode(buf_slice(&out), &a, &back), OK);
    assert_int_equal(back.type, IPC_RCPT_RESULT);
    assert_true(back.call == 7);
    assert_int_equal(back.RCPT_RESULT.code, 554);
    assert_true(slice_is(back.RCPT_RESULT.enhanced, "5.7.1"));
    assert_int_equal(back.RCPT_RESULT.text.len, 0);
    assert_int_equal(back.RCPT_RESULT.targets.n, 3);
    assert_true(slice_eq(back.RCPT_RESULT.targets.items[2], slice_of("a\0b", 3)));
    assert_true(slice_is(back.RCPT_RESULT.grant, "xyz"));
    arena_release(&a);
    buf_release(&out);
}

static void every_cut_and_addition_is_malformed(void **state)
{
    struct ipc_message m = sample(), back;
    struct arena a;
    struct buf out;
    (void)state;
    arena_init(&a, 100000);
    buf_init(&out, IPC_PACKET_MAX);
    assert_int_equal(ipc_encode(&m, &out), OK);
    for (size_t n = 0; n < buf_len(&out); n++)
        assert_int_equal(ipc_decode(slice_sub(buf_slice(&out), 0, n), &a, &back), INVALID);
    buf_putc(&out, 0);
    assert_int_equal(ipc_decode(buf_slice(&out), &a, &back), INVALID);
    /* Unknown types; a list that claims more than is there. */
    assert_int_equal(ipc_decode(SLICE("\0\0\0\0\0\0\0\0\0\0"), &a, &back), INVALID);
    assert_int_equal(ipc_decode(SLICE("\xff\xff\0\0\0\0\0\0\0\0"), &a, &back), INVALID);
    buf_reset(&out);
    buf_put_le16(&out, IPC_STATUS_RESULT);
    buf_put_le64(&out, 0);
    buf_put_le32(&out, 0xffffffff);
    assert_int_equal(ipc_decode(buf_slice(&out), &a, &back), INVALID);
    assert_false(arena_failed(&a));
    arena_release(&a);
    buf_release(&out);
}

static void limits_hold_when_encoding(void **state)
{
    static char big[IPC_MESSAGE_MAX];
    static struct slice items[IPC_LIST_MAX + 1];
    struct ipc_message m = {.type = IPC_EXPAND};
    struct buf out;
    (void)state;
    buf_init(&out, IPC_MESSAGE_MAX);
    m.EXPAND.address = slice_of(big, sizeof big);
    assert_int_equal(ipc_encode(&m, &out), LIMIT);
    m.EXPAND.address = slice_of(big, sizeof big - 14);
    assert_int_equal(ipc_encode(&m, &out), OK);
    buf_reset(&out);
    m = (struct ipc_message){.type = IPC_STATUS_RESULT};
    m.STATUS_RESULT.items = (struct slice_list){items, IPC_LIST_MAX + 1};
    assert_int_equal(ipc_encode(&m, &out), LIMIT);
    m.STATUS_RESULT.items.n = IPC_LIST_MAX;
    assert_int_equal(ipc_encode(&m, &out), OK);
    m.type = IPC_NO_TYPE;
    assert_int_equal(ipc_encode(&m, &out), INVALID);
    buf_release(&out);
}

/* --- channels --- */

enum { REQUESTS = 3000 };
static struct io_engine *engine;
static struct ipc_channel *near, *far;
static atomic_int answered[REQUESTS], results, failures, downs;
static atomic_int delay_answers; /* far keeps the calls instead of answering */
static uint64_t kept[REQUESTS];
static atomic_int n_kept;

static void setup_channels(void)
{
    struct error err;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(io_engine_new(3, &engine, &err), OK);
    near = far = NULL;
    results = failures = downs = delay_answers = n_kept = 0;
    memset(answered, 0, sizeof answered);
    extern void far_request(void *, struct ipc_channel *, struct ipc_message *);
    extern void went_down(void *, struct ipc_channel *);
    assert_int_equal(
        ipc_channel_new(engine, fds[0], ROLE_MAILBOX, far_request, NULL, went_down, &near), OK);
    assert_int_equal(ipc_channel_new(engine, fds[1], ROLE_EDGE, far_request, NULL, went_down, &far),
                     OK);
}

void went_down(void *arg, struct ipc_channel *c);
void went_down(void *arg, struct ipc_channel *c)
{
    (void)arg;
    (void)c;
    downs++;
}

static void answer_expand(struct ipc_channel *c, uint64_t call, uint32_t code)
{
    struct ipc_message m = {.type = IPC_EXPAND_RESULT};
    m.EXPAND_RESULT.code = code;
    ipc_answer(c, call, &m);
}

void far_request(void *arg, struct ipc_channel *c, struct ipc_message *m);
void far_request(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
    (void)arg;
    if (m->type == IPC_STOP) {
        io_engine_stop(engine);
    } else if (m->type == IPC_EXPAND && delay_answers) {
        kept[n_kept++] = m->call;
    } else if (m->type == IPC_EXPAND) {
        answer_expand(c, m->call, (uint32_t)m->EXPAND.address.len);
    } else if (m->type == IPC_STATUS) {
        /* The wrong type. */
        answer_expand(c, m->call, 1);
    } else if (m->type == IPC_SECRET) {
        char text[6] = "";
        assert_int_equal(m->n_fds, 2);
        assert_int_equal(read(m->fds[0], text, 5), 5);
        assert_string_equal(text, "hello");
        io_engine_stop(engine);
    }
}

static void count_answer(void *arg, struct ipc_message *m)
{
    atomic_int *mine = arg;
    assert_int_equal(atomic_fetch_add(mine, 1), 0);
    if (m->type == IPC_FAILURE)
        failures++;
    else
        results++;
    if (results + failures == REQUESTS)
        io_engine_stop(engine);
}

static void send_requests(int from, int to)
{
    static const char address[100];
    for (int i = from; i < to; i++) {
        struct ipc_message m = {.type = IPC_EXPAND};
        m.EXPAND.address = slice_of(address, (size_t)i % 100);
        ipc_request(near, &m, count_answer, &answered[i]);
    }
}

static void *send_half(void *arg)
{
    int from = *(int *)arg;
    send_requests(from, from + REQUESTS / 2);
    return NULL;
}

static void *run_engine(void *arg)
{
    (void)arg;
    io_engine_run(engine);
    return NULL;
}

static void close_all(void)
{
    ipc_channel_close(near);
    ipc_channel_close(far);
    io_engine_free(engine);
}

static void every_request_is_answered_once(void **state)
{
    pthread_t threads[3];
    int from[2] = {0, REQUESTS / 2};
    (void)state;
    setup_channels();
    pthread_create(&threads[2], NULL, run_engine, NULL);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, send_half, &from[i]);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(results, REQUESTS);
    close_all();
}

static void a_slow_peer_is_waited_for(void **state)
{
    (void)state;
    setup_channels();
    /* The engine does not run yet: the socket fills up and the rest is queued. */
    send_requests(0, REQUESTS);
    io_engine_run(engine);
    assert_int_equal(results, REQUESTS);
    close_all();
}

static void the_queue_has_a_limit(void **state)
{
    static char big[60000];
    struct ipc_message m = {.type = IPC_FAILURE};
    enum result r = OK;
    int sent = 0;
    (void)state;
    setup_channels();
    m.FAILURE.text = slice_of(big, sizeof big);
    for (; r == OK && sent < 10000; sent++)
        r = ipc_send(near, &m);
    assert_int_equal(r, FAILED);
    assert_in_range(sent, 16 * 1024 * 1024 / 61000, 16 * 1024 * 1024 / 60000 + 60);
    send_requests(0, 1);
    assert_int_equal(failures, 0); /* small enough to fit still */
    m.type = IPC_EXPAND;
    m.EXPAND.address = slice_of(big, sizeof big);
    ipc_request(near, &m, count_answer, &answered[1]);
    assert_int_equal(failures, 1);
    close_all();
    assert_int_equal(failures, 2);
}

static void a_sender_of_much_waits_for_room(void **state)
{
    static char big[60000];
    struct ipc_message m = {.type = IPC_FAILURE};
    pthread_t thread;
    (void)state;
    setup_channels();
    m.FAILURE.text = slice_of(big, sizeof big);
    assert_int_equal(ipc_wait_room(near, 0, 0), OK);
    for (int i = 0; i < 200; i++)
        assert_int_equal(ipc_send(near, &m), OK);
    assert_int_equal(ipc_wait_room(near, 1 << 20, 20), BUSY); /* the engine does not run yet */
    pthread_create(&thread, NULL, run_engine, NULL);
    for (int i = 0; i < 1000; i++) { /* several times what may be queued */
        assert_int_equal(ipc_wait_room(near, 1 << 20, 10000), OK);
        assert_int_equal(ipc_send(near, &m), OK);
    }
    ipc_channel_cut(near);
    assert_int_equal(ipc_wait_room(near, 1 << 20, 10000), CLOSED);
    io_engine_stop(engine);
    pthread_join(thread, NULL);
    close_all();
}

static void death_of_the_peer_answers_failure(void **state)
{
    pthread_t thread;
    (void)state;
    setup_channels();
    delay_answers = 1;
    send_requests(0, REQUESTS - 1);
    pthread_create(&thread, NULL, run_engine, NULL);
    while (n_kept < REQUESTS - 1)
        usleep(1000);
    ipc_channel_close(far); /* as its process ends */
    while (downs < 1)
        usleep(1000);
    assert_int_equal(failures, REQUESTS - 1);
    assert_false(ipc_channel_up(near));
    send_requests(REQUESTS - 1, REQUESTS); /* at once, and stops the engine */
    pthread_join(thread, NULL);
    assert_int_equal(failures, REQUESTS);
    ipc_channel_close(near);
    io_engine_free(engine);
}

static void a_replaced_channel_works_on(void **state)
{
    pthread_t thread;
    int fds[2];
    (void)state;
    setup_channels();
    delay_answers = 1;
    send_requests(0, 100);
    pthread_create(&thread, NULL, run_engine, NULL);
    while (n_kept < 100)
        usleep(1000);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    delay_answers = 0;
    ipc_channel_replace(near, fds[0]);
    assert_true(ipc_channel_up(near));
    send_requests(100, REQUESTS - 1);
    ipc_channel_replace(far, fds[1]);
    while (results < REQUESTS - 101 || failures < 100)
        usleep(1000);
    /* Late answers to calls of the old connection reach nobody. */
    for (int i = 0; i < 100; i++)
        answer_expand(far, kept[i], 1);
    send_requests(REQUESTS - 1, REQUESTS);
    pthread_join(thread, NULL);
    assert_int_equal(results, REQUESTS - 100);
    assert_int_equal(failures, 100);
    close_all();
}

static void expect_failure(void *arg, struct ipc_message *m)
{
    assert_int_equal(m->type, IPC_FAILURE);
    ++*(atomic_int *)arg;
}

static void malformed_packets_end_the_channel(void **state)
{
    static const char *const packets[] = {"", "x", "\1\0\0\0\0\0\0\0\0\0\0"};
    static const char long_without_memory[] = "\xff\xff\0\0\0\0\0\0\0\0";
    (void)state;
    for (size_t i = 0; i < 6; i++) {
        struct error err;
        pthread_t thread;
        int fds[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
        assert_int_equal(io_engine_new(2, &engine, &err), OK);
        downs = failures = 0;
        assert_int_equal(
            ipc_channel_new(engine, fds[0], ROLE_EDGE, far_request, NULL, went_down, &near), OK);
        struct ipc_message m = {.type = IPC_EXPAND};
        ipc_request(near, &m, expect_failure, &failures);
        struct buf out;
        buf_init(&out, 1000);
        struct ipc_message wrong = {.type = IPC_EXPAND_RESULT, .call = (uint64_t)1 << 63 | 999};
        if (i == 3) /* an answer to nothing */
            assert_int_equal(ipc_encode(&wrong, &out), OK);
        else if (i == 4) { /* a call number that no channel makes */
            wrong.call = (uint64_t)1 << 60;
            assert_int_equal(ipc_encode(&wrong, &out), OK);
        } else if (i == 5)
            buf_append(&out, slice_of(long_without_memory, 10));
        else
            buf_append(&out, slice_of(packets[i], i == 2 ? 11 : i));
        assert_int_equal(send(fds[1], buf_slice(&out).data, buf_len(&out), 0),
                         (ssize_t)buf_len(&out));
        buf_release(&out);
        pthread_create(&thread, NULL, run_engine, NULL);
        while (downs < 1)
            usleep(1000);
        assert_int_equal(failures, 1);
        io_engine_stop(engine);
        pthread_join(thread, NULL);
        ipc_channel_close(near);
        io_engine_free(engine);
        close(fds[1]);
    }
}

static void an_answer_of_another_type_is_a_failure(void **state)
{
    pthread_t thread;
    (void)state;
    setup_channels();
    struct ipc_message m = {.type = IPC_STATUS};
    ipc_request(near, &m, expect_failure, &failures);
    pthread_create(&thread, NULL, run_engine, NULL);
    while (downs < 2)
        usleep(1000);
    assert_int_equal(failures, 1);
    io_engine_stop(engine);
    pthread_join(thread, NULL);
    close_all();
}

static void descriptors_travel_along(void **state)
{
    int fds[2];
    (void)state;
    setup_channels();
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "hello", 5), 5);
    struct ipc_message m = {.type = IPC_SECRET, .n_fds = 2, .fds = {fds[0], fds[1]}};
    assert_int_equal(ipc_send(near, &m), OK);
    close(fds[0]);
    close(fds[1]);
    io_engine_run(engine);
    close_all();
}

static void long_messages_go_in_sealed_memory(void **state)
{
    static char long_text[IPC_MESSAGE_MAX / 2];
    static const size_t lengths[] = {IPC_PACKET_MAX - 14, IPC_PACKET_MAX - 13, sizeof long_text};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        setup_channels();
        delay_answers = 0;
        results = REQUESTS - 1; /* the one answer ends it */
        struct ipc_message m = {.type = IPC_EXPAND};
        m.EXPAND.address = slice_of(long_text, lengths[i]);
        ipc_request(near, &m, count_answer, &answered[0]);
        io_engine_run(engine);
        assert_int_equal(results, REQUESTS);
        assert_int_equal(failures, 0);
        close_all();
    }
}

static void sealed_memory_is_checked(void **state)
{
    struct slice s;
    int fd;
    (void)state;
    assert_int_equal(ipc_memfd(SLICE("0123456789"), &fd), OK);
    assert_int_equal(ipc_memfd_map(fd, 9, &s), INVALID);
    assert_int_equal(ipc_memfd_map(fd, 10, &s), OK);
    assert_true(slice_is(s, "0123456789"));
    assert_int_equal(write(fd, "x", 1), -1);
    assert_int_equal(ftruncate(fd, 1), -1);
    ipc_memfd_unmap(s);
    close(fd);
    fd = memfd_create("unsealed", MFD_CLOEXEC);
    assert_int_equal(write(fd, "0123456789", 10), 10);
    assert_int_equal(ipc_memfd_map(fd, 10, &s), INVALID);
    close(fd);
    assert_int_equal(ipc_memfd(SLICE(""), &fd), OK);
    assert_int_equal(ipc_memfd_map(fd, 0, &s), OK);
    assert_int_equal(s.len, 0);
    ipc_memfd_unmap(s);
    close(fd);
}

static void routes_are_told_from_domains(void **state)
{
    static const char *const cases[][3] = {
        {"smtp:[mx.test]:587", "smtp", "[mx.test]:587"},
        {"relay:mx.test:25", "relay", "mx.test:25"},
        {"lmtp:unix:/run/x", "lmtp", "unix:/run/x"},
        {"my-smtp_2:", "my-smtp_2", ""},
        {"far.test", "", "far.test"},
        {"[192.0.2.1]", "", "[192.0.2.1]"},
        {"[ipv6:2001:db8::1]", "", "[ipv6:2001:db8::1]"},
        {"", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice transport, nexthop;
        target_route_split(slice_cstr(cases[i][0]), &transport, &nexthop);
        assert_true(slice_is(transport, cases[i][1]) && slice_is(nexthop, cases[i][2]));
    }
}

static void served_targets_have_one_form(void **state)
{
    static const char *const good[] = {"command - 9:list@h.tt /bin/x -a \"b c\"",
                                       "file #1000 0: /var/x",
                                       "via - -",
                                       "via 0: 3:a b",
                                       "via 5:a@b.c -",
                                       "command ~bob 1:x y",
                                       "remote x@y.z\tsmtp:[a]:26"};
    static const char *const bad[] = {
        "command", "command -", "command - 3:ab", "command - 2:ab", "command - 2:ab ",
        "via 1:a", "via - - ",  "via 9:a -",      "file - x:y /z",  "file  2:ab /z"};
    struct target t;
    struct buf out;
    (void)state;
    buf_init(&out, 256);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(target_parse(slice_cstr(good[i]), &t), OK);
        buf_reset(&out);
        target_format(&t, &out);
        assert_true(slice_is(buf_slice(&out), good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(target_parse(slice_cstr(bad[i]), &t), INVALID);
    buf_release(&out);
}

static void targets_have_one_form(void **state)
{
    struct target t;
    struct buf out;
    (void)state;
    buf_init(&out, 1000);
    assert_int_equal(target_parse(SLICE("local bob lists"), &t), OK);
    assert_true(t.local && slice_is(t.account, "bob") && slice_is(t.detail, "lists"));
    target_format(&t, &out);
    assert_true(slice_is(buf_slice(&out), "local bob lists"));
    buf_reset(&out);
    assert_int_equal(target_parse(SLICE("local bob "), &t), OK);
    assert_int_equal(t.detail.len, 0);
    assert_int_equal(target_parse(SLICE("local bob"), &t), OK);
    assert_int_equal(target_parse(SLICE("remote x@y.z"), &t), OK);
    assert_true(!t.local && slice_is(t.address, "x@y.z"));
    target_format(&t, &out);
    assert_true(slice_is(buf_slice(&out), "remote x@y.z"));
    buf_reset(&out);
    assert_int_equal(target_parse(SLICE("bcc remote \"a b\"@y.z\terror:5.1.1 gone away"), &t), OK);
    assert_true(t.bcc && slice_is(t.address, "\"a b\"@y.z"));
    assert_true(slice_is(t.route, "error:5.1.1 gone away"));
    target_format(&t, &out);
    assert_true(slice_is(buf_slice(&out), "bcc 0: remote \"a b\"@y.z\terror:5.1.1 gone away"));
    buf_reset(&out);
    assert_int_equal(target_parse(SLICE("bcc 7:o p@y.z local bob "), &t), OK);
    assert_true(t.bcc && t.local && slice_is(t.copy_for, "o p@y.z") && slice_is(t.account, "bob"));
    target_format(&t, &out);
    assert_true(slice_is(buf_slice(&out), "bcc 7:o p@y.z local bob "));
    assert_int_equal(target_parse(SLICE("bcc 70:o p@y.z local bob "), &t), INVALID);
    assert_int_equal(target_parse(SLICE("bcc 7:o p@y.zlocal bob "), &t), INVALID);
    assert_int_equal(target_parse(SLICE("bcc 7:o p@y.z"), &t), INVALID);
    buf_reset(&out);
    assert_int_equal(target_parse(SLICE("for 3:o@h command ~u 3:i@h /bin/x y"), &t), OK);
    assert_true(slice_is(t.delivered, "o@h") && slice_is(t.address, "i@h"));
    assert_true(t.kind == TARGET_COMMAND && slice_is(t.text, "/bin/x y"));
    target_format(&t, &out);
    assert_true(slice_is(buf_slice(&out), "for 3:o@h command ~u 3:i@h /bin/x y"));
    assert_int_equal(target_parse(SLICE("for 3:o@h local bob "), &t), INVALID);
    assert_int_equal(target_parse(SLICE("for 30:o@h command ~u 3:i@h x"), &t), INVALID);
    assert_int_equal(target_parse(SLICE("for 3:o@h"), &t), INVALID);
    assert_int_equal(target_parse(SLICE("remote \tsmtp:x"), &t), INVALID);
    assert_int_equal(target_parse(SLICE("bcc"), &t), INVALID);
    assert_int_equal(target_parse(SLICE("remote "), &t), INVALID);
    assert_int_equal(target_parse(SLICE("remote"), &t), INVALID);
    assert_int_equal(target_parse(SLICE("local  x"), &t), INVALID);
    assert_int_equal(target_parse(SLICE(""), &t), INVALID);
    assert_int_equal(target_parse(SLICE("pipe x"), &t), INVALID);
    buf_release(&out);
}

static void the_command_line_speaks_without_an_engine(void **state)
{
    struct ipc_message m = {.type = IPC_CONTROL}, back;
    struct slice words[2] = {SLICE("queue"), SLICE("list")};
    struct arena a;
    struct buf packet;
    int fds[2];
    (void)state;
    arena_init(&a, 100000);
    buf_init(&packet, IPC_PACKET_MAX);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
    m.CONTROL.words = (struct slice_list){words, 2};
    assert_int_equal(ipc_send_blocking(fds[0], &m), OK);
    assert_int_equal(ipc_receive_blocking(fds[1], &a, &packet, &back), OK);
    assert_int_equal(back.type, IPC_CONTROL);
    assert_true(slice_is(back.CONTROL.words.items[1], "list"));
    close(fds[0]);
    assert_int_equal(ipc_receive_blocking(fds[1], &a, &packet, &back), CLOSED);
    close(fds[1]);
    arena_release(&a);
    buf_release(&packet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_back_as_they_went),
        cmocka_unit_test(every_cut_and_addition_is_malformed),
        cmocka_unit_test(limits_hold_when_encoding),
        cmocka_unit_test(every_request_is_answered_once),
        cmocka_unit_test(a_slow_peer_is_waited_for),
        cmocka_unit_test(a_sender_of_much_waits_for_room),
        cmocka_unit_test(the_queue_has_a_limit),
        cmocka_unit_test(death_of_the_peer_answers_failure),
        cmocka_unit_test(a_replaced_channel_works_on),
        cmocka_unit_test(malformed_packets_end_the_channel),
        cmocka_unit_test(an_answer_of_another_type_is_a_failure),
        cmocka_unit_test(descriptors_travel_along),
        cmocka_unit_test(long_messages_go_in_sealed_memory),
        cmocka_unit_test(sealed_memory_is_checked),
        cmocka_unit_test(targets_have_one_form),
        cmocka_unit_test(served_targets_have_one_form),
        cmocka_unit_test(routes_are_told_from_domains),
        cmocka_unit_test(the_command_line_speaks_without_an_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
