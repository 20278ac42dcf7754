/* test_io.c: the engine: tasks run one thread at a time and never lose an event; timers; helper
 * threads; streams, plain and over TLS. No assertion depends on how fast the machine is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "base/clock.h"
#include "io/io.h"
#include "io/stream.h"
#include "io/wheel.h"

/* --- the timer wheel, alone --- */

struct timer {
    struct list_node node;
    int64_t at;
    bool fired;
};

/* Moves the wheel to `now` as the engine does, and checks that nothing fires early or twice. */
static void move_wheel(struct wheel *w, int64_t now)
{
    struct list_node due, *n;
    list_init(&due);
    wheel_expire(w, now, &due);
    while ((n = list_pop_front(&due))) {
        struct timer *t = CONTAINER_OF(n, struct timer, node);
        assert_false(t->fired);
        if (t->at > now)
            wheel_insert(w, &t->node, t->at);
        else
            t->fired = true;
    }
}

static void wheel_fires_in_time(void **state)
{
    enum { N = 2000 };
    static struct timer timers[N];
    static struct wheel w;
    unsigned seed = 1;
    int64_t now = 123456789;
    (void)state;
    wheel_init(&w, now);
    assert_true(wheel_next(&w) == INT64_MAX);
    for (int i = 0; i < N; i++) {
        seed = seed * 1103515245 + 12345;
        /* From milliseconds to days. */
        timers[i].at = now + (int64_t)(seed >> 8) % ((int64_t)1 << (i % 29));
        timers[i].fired = false;
        list_init(&timers[i].node);
        wheel_insert(&w, &timers[i].node, timers[i].at);
    }
    for (int looks = 0; wheel_next(&w) != INT64_MAX; looks++) {
        int64_t next = wheel_next(&w);
        assert_true(looks < 20 * N);
        now = next > now ? next : now;
        move_wheel(&w, now);
        /* All that is due has fired, at most one tick late. */
        for (int i = 0; i < N; i++)
            assert_true(timers[i].fired || timers[i].at > now - WHEEL_TICK_MS);
    }
    for (int i = 0; i < N; i++)
        assert_true(timers[i].fired);
}

static void wheel_forgets_what_is_removed(void **state)
{
    static struct wheel w;
    struct timer a = {.at = 1000}, b = {.at = 400000};
    (void)state;
    wheel_init(&w, 0);
    wheel_insert(&w, &a.node, a.at);
    wheel_insert(&w, &b.node, b.at);
    list_remove(&a.node);
    list_remove(&b.node);
    move_wheel(&w, 5000000);
    assert_false(a.fired || b.fired);
    assert_true(wheel_next(&w) == INT64_MAX);
}

/* --- tasks --- */

/* Many tasks that wake one another at random from all threads. */
enum { ACTORS = 200, WAKES_EACH = 300 };
struct actor {
    struct io_task task;
    atomic_int inside;
    atomic_uint wakes_given;
    unsigned runs;
    unsigned seed;
};
static struct actor actors[ACTORS];
static atomic_int wakes_left;
static struct io_engine *engine;

static void run_actor(struct io_task *t, unsigned events)
{
    struct actor *a = CONTAINER_OF(t, struct actor, task);
    assert_true(atomic_fetch_add(&a->inside, 1) == 0);
    assert_int_equal(events & ~(unsigned)IO_WAKE, 0);
    a->runs++; /* not atomic: TSan proves that runs don't overlap */
    for (int i = 0; i < 2; i++) {
        if (atomic_fetch_sub(&wakes_left, 1) <= 0)
            io_engine_stop(engine);
        a->seed = a->seed * 1103515245 + 12345;
        io_wake(&actors[(a->seed >> 16) % ACTORS].task);
    }
    atomic_fetch_sub(&a->inside, 1);
}

static void tasks_run_on_one_thread_at_a_time(void **state)
{
    struct error err;
    (void)state;
    assert_int_equal(io_engine_new(4, &engine, &err), OK);
    wakes_left = ACTORS * WAKES_EACH;
    for (unsigned i = 0; i < ACTORS; i++) {
        actors[i] = (struct actor){.seed = i};
        io_task_open(engine, &actors[i].task, -1, run_actor);
    }
    for (int i = 0; i < 8; i++)
        io_wake(&actors[i].task);
    io_engine_run(engine);
    assert_false(io_engine_running(engine));
    for (int i = 0; i < ACTORS; i++)
        io_task_close(&actors[i].task);
    io_engine_free(engine);
}

/* Pairs of tasks that send a byte to and fro; each closes itself in the end, sockets and all. */
enum { PAIRS = 60, ROUNDS = 200 };
struct player {
    struct io_task task;
    int rounds;
    bool timed;
};
static struct player players[2 * PAIRS];
static atomic_int players_left;

static void player_leaves(struct player *p)
{
    io_task_close(&p->task);
    close(p->task.fd);
    if (atomic_fetch_sub(&players_left, 1) == 1)
        io_engine_stop(engine);
}

static void run_player(struct io_task *t, unsigned events)
{
    struct player *p = CONTAINER_OF(t, struct player, task);
    char c;
    ssize_t n = 0;
    if (events & IO_WAKE)
        assert_int_equal(write(t->fd, "x", 1), 1);
    if (events & (IO_READ | IO_HANGUP)) {
        n = read(t->fd, &c, 1);
        if (n == 0 || p->rounds++ == ROUNDS) {
            player_leaves(p);
            return;
        }
        if (n == 1)
            n = write(t->fd, "x", 1);
    }
    io_task_deadline(t, 100000);
    io_task_want(t, IO_READ);
}

static void sockets_bring_every_event(void **state)
{
    struct error err;
    (void)state;
    assert_int_equal(io_engine_new(3, &engine, &err), OK);
    players_left = 2 * PAIRS;
    for (int i = 0; i < PAIRS; i++) {
        int fds[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
        for (int k = 0; k < 2; k++) {
            players[2 * i + k] = (struct player){0};
            io_task_open(engine, &players[2 * i + k].task, fds[k], run_player);
            io_task_want(&players[2 * i + k].task, IO_READ);
        }
        io_wake(&players[2 * i].task);
    }
    io_engine_run(engine);
    assert_int_equal(players_left, 0);
    io_engine_free(engine);
}

/* --- wakes from threads outside the pool, while tasks come and go --- */

struct visitor {
    struct io_task task;
    atomic_int outstanding;
    int rounds;
};
static atomic_int visitors_left;

static void *wake_from_outside(void *arg)
{
    struct visitor *v = arg;
    io_wake(&v->task);
    return NULL;
}

static void outside(void *arg)
{
    wake_from_outside(arg);
}

static void run_visitor(struct io_task *t, unsigned events)
{
    struct visitor *v = CONTAINER_OF(t, struct visitor, task);
    assert_true(events & IO_WAKE);
    if (v->rounds++ < 20) {
        assert_int_equal(io_run_blocking(engine, outside, v), OK);
        return;
    }
    io_task_close(t);
    free(v);
    if (atomic_fetch_sub(&visitors_left, 1) == 1)
        io_engine_stop(engine);
}

static void helpers_wake_tasks(void **state)
{
    struct error err;
    (void)state;
    assert_int_equal(io_engine_new(0, &engine, &err), OK);
    visitors_left = 100;
    for (int i = 0; i < 100; i++) {
        struct visitor *v = calloc(1, sizeof *v);
        io_task_open(engine, &v->task, -1, run_visitor);
        io_wake(&v->task);
    }
    io_engine_run(engine);
    assert_int_equal(visitors_left, 0);
    io_engine_free(engine);
}

/* --- deadlines --- */

struct sleeper {
    struct io_task task;
    int64_t due;
    bool woken;
    int timers;
};
static struct sleeper sleepers[50];
static atomic_int sleepers_left;

/* On a busy machine the deadline may have passed when the wake comes: then both come as one call.
 */
static void run_sleeper(struct io_task *t, unsigned events)
{
    struct sleeper *s = CONTAINER_OF(t, struct sleeper, task);
    if (s->due == 0) { /* further away, nearer again, taken away, set */
        assert_int_equal(events, IO_WAKE);
        io_task_deadline(t, 50000);
        io_task_deadline(t, 20);
        io_task_deadline(t, 0);
        io_task_deadline(t, 100000);
        s->due = clock_monotonic_ms() + 10;
        io_task_deadline(t, 10);
        io_wake(t);
        return;
    }
    assert_int_equal(events & ~(IO_WAKE | IO_TIMER), 0);
    if (events & IO_WAKE) {
        assert_false(s->woken);
        s->woken = true;
    }
    if (!(events & IO_TIMER))
        return;
    assert_true(clock_monotonic_ms() >= s->due);
    assert_int_equal(++s->timers, 1);
    assert_true(s->woken);
    io_task_deadline(t, 60000);
    io_task_close(t);
    if (atomic_fetch_sub(&sleepers_left, 1) == 1)
        io_engine_stop(engine);
}

static void deadlines_come_once(void **state)
{
    struct error err;
    (void)state;
    assert_int_equal(io_engine_new(2, &engine, &err), OK);
    sleepers_left = 50;
    for (int i = 0; i < 50; i++) {
        sleepers[i] = (struct sleeper){0};
        io_task_open(engine, &sleepers[i].task, -1, run_sleeper);
        io_wake(&sleepers[i].task);
    }
    io_engine_run(engine);
    assert_int_equal(sleepers_left, 0);
    io_engine_free(engine);
}

/* --- streams --- */

static void plain_streams_carry_bytes(void **state)
{
    struct stream a, b;
    struct buf in, out;
    int fds[2];
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    stream_init(&a, fds[0]);
    stream_init(&b, fds[1]);
    buf_init(&in, 10);
    buf_init(&out, 1 << 22);
    assert_int_equal(stream_read(&b, &in, 100), BUSY);
    assert_int_equal(b.wants, IO_READ);
    buf_puts(&out, "hello, world");
    assert_int_equal(stream_write(&a, &out), OK);
    assert_int_equal(buf_len(&out), 0);
    assert_int_equal(stream_read(&b, &in, 5), OK);
    assert_true(slice_is(buf_slice(&in), "hello"));
    assert_int_equal(stream_read(&b, &in, 100), OK);
    assert_true(slice_is(buf_slice(&in), "hello, wor"));
    assert_int_equal(stream_read(&b, &in, 100), LIMIT);
    while (buf_len(&out) < 1 << 21)
        buf_puts(&out, "0123456789abcdef");
    assert_int_equal(stream_write(&a, &out), BUSY);
    assert_int_equal(a.wants, IO_WRITE);
    stream_close(&b);
    assert_int_equal(stream_write(&a, &out), CLOSED);
    stream_close(&a);
    buf_release(&in);
    buf_release(&out);
}

/* --- compression --- */

/* Two ends of a connection, compressed on both. */
static void open_compressed(struct stream *a, struct stream *b)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    stream_init(a, fds[0]);
    stream_init(b, fds[1]);
    assert_int_equal(stream_start_deflate(a, SLICE_NONE), OK);
    assert_int_equal(stream_start_deflate(b, SLICE_NONE), OK);
}

static void compressed_streams_carry_bytes(void **state)
{
    struct stream a, b;
    struct buf in, out;
    (void)state;
    open_compressed(&a, &b);
    buf_init(&in, 1 << 21);
    buf_init(&out, 1 << 21);
    unsigned seed = 1;
    /* Some of it can't be compressed, so that the socket fills up. */
    for (int i = 0; i < 1500000; i++) {
        seed = seed * 1103515245 + 12345;
        buf_putc(&out, (char)(i % 3 ? seed >> 16 : 'x'));
    }
    struct buf copy;
    buf_init(&copy, 1 << 21);
    buf_append(&copy, buf_slice(&out));
    enum result r = stream_write(&a, &out);
    assert_int_equal(r, BUSY);
    while (r == BUSY || buf_len(&in) < buf_len(&copy)) {
        r = r == BUSY ? stream_write(&a, &out) : r;
        enum result read = stream_read(&b, &in, 10000);
        assert_true(read == OK || read == BUSY);
        stream_rest(&b); /* in the middle of blocks it must keep what it has */
    }
    assert_int_equal(r, OK);
    assert_false(stream_unsent(&a));
    assert_true(slice_eq(buf_slice(&in), buf_slice(&copy)));
    stream_close(&a);
    assert_int_equal(stream_read(&b, &in, 10), CLOSED);
    stream_close(&b);
    buf_release(&in);
    buf_release(&out);
    buf_release(&copy);
}

/* A client that refers to all that it has sent, and flushes in each way, between rests. */
static void compression_rests_between_commands(void **state)
{
    static const int flushes[] = {Z_SYNC_FLUSH, Z_PARTIAL_FLUSH, Z_FULL_FLUSH, Z_BLOCK};
    struct stream a, b;
    struct buf in;
    char text[100], packed[400];
    z_stream z = {0};
    (void)state;
    open_compressed(&a, &b);
    buf_init(&in, 1000);
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
    for (int i = 0; i < 4000; i++) {
        int len = snprintf(text, sizeof text, "a%d UID FETCH %d (FLAGS ENVELOPE)\r\n", i, i * 7);
        z.next_in = (Bytef *)text;
        z.avail_in = (uInt)len;
        z.next_out = (Bytef *)packed;
        z.avail_out = sizeof packed;
        assert_int_equal(deflate(&z, flushes[i % 4]), Z_OK);
        size_t n = sizeof packed - z.avail_out;
        assert_int_equal(write(a.fd, packed, n), n);
        enum result r = stream_read(&b, &in, 1000);
        /* Z_BLOCK may keep a few bits back. */
        assert_true(r == OK || (r == BUSY && flushes[i % 4] == Z_BLOCK));
        if (flushes[i % 4] == Z_SYNC_FLUSH) {
            assert_true(slice_ends_nocase(buf_slice(&in), slice_of(text, (size_t)len)));
            buf_reset(&in);
        }
        stream_rest(&b);
    }
    deflateEnd(&z);
    stream_close(&a);
    stream_close(&b);
    buf_release(&in);
}

/* 100 MiB in 100 KiB: expanded as far as there is room, and no further. */
static void compression_bombs_wait(void **state)
{
    enum { ALL = 100 << 20, MOST = 80 * 1024 };
    struct stream a, b;
    struct buf in;
    z_stream z = {0};
    static char zeros[1 << 20], packed[200 * 1024];
    size_t total = 0;
    (void)state;
    z.next_out = (Bytef *)packed;
    z.avail_out = sizeof packed;
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
    for (int i = 0; i < ALL >> 20; i++) {
        z.next_in = (Bytef *)zeros;
        z.avail_in = sizeof zeros;
        assert_int_equal(deflate(&z, i + 1 < ALL >> 20 ? Z_NO_FLUSH : Z_FINISH),
                         i + 1 < ALL >> 20 ? Z_OK : Z_STREAM_END);
    }
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    stream_init(&a, fds[0]);
    stream_init(&b, fds[1]);
    assert_int_equal(stream_start_deflate(&b, slice_of(packed, sizeof packed - z.avail_out)), OK);
    buf_init(&in, MOST);
    for (;;) {
        enum result r;
        while ((r = stream_read(&b, &in, 16 * 1024)) == OK)
            ;
        total += buf_len(&in);
        buf_clear(&in);
        if (r == CLOSED)
            break;
        assert_int_equal(r, LIMIT);
        assert_true(stream_pending(&b));
    }
    assert_int_equal(total, ALL);
    deflateEnd(&z);
    stream_close(&a);
    stream_close(&b);
}

static void broken_compression_ends_a_stream(void **state)
{
    struct stream a, b;
    struct buf in;
    (void)state;
    open_compressed(&a, &b);
    buf_init(&in, 1000);
    assert_int_equal(write(a.fd, "a1 NOOP\r\n", 9), 9);
    assert_int_equal(stream_read(&b, &in, 1000), CORRUPT);
    assert_int_equal(stream_start_deflate(&b, SLICE_NONE), INVALID);
    stream_close(&a);
    stream_close(&b);
    buf_release(&in);
}

static struct tls_context *server_context(void)
{
    struct buf cert, key;
    struct tls_context *c;
    struct error err;
    buf_init(&cert, 100000);
    buf_init(&key, 100000);
    assert_int_equal(tls_self_signed("mail.example.org", 30, &cert, &key, &err), OK);
    struct tls_identity *id, *none;
    assert_int_equal(tls_identity_pair(buf_slice(&cert), buf_slice(&key), &id, &err), OK);
    assert_int_equal(tls_server_new(NULL, &c, &err), OK);
    assert_int_equal(tls_server_add(c, SLICE(""), id, "default", &err), OK);
    tls_identity_unref(id);
    /* Broken ones are told apart. */
    assert_int_equal(tls_identity_pair(SLICE("x"), buf_slice(&key), &none, &err), FAILED);
    assert_int_equal(tls_identity_pair(buf_slice(&cert), SLICE("x"), &none, &err), FAILED);
    buf_release(&cert);
    buf_release(&key);
    return c;
}

struct tls_pair {
    struct stream server, client;
};

static void open_pair(struct tls_pair *p, struct tls_context *server, struct tls_context *client)
{
    int fds[2];
    struct error err;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    stream_init(&p->server, fds[0]);
    stream_init(&p->client, fds[1]);
    assert_int_equal(stream_start_tls(&p->server, server, NULL, &err), OK);
    assert_int_equal(stream_start_tls(&p->client, client, "mail.example.org", &err), OK);
}

/* Both sides in turn until both are done or one fails. */
static enum result shake_hands(struct tls_pair *p, struct error *client_err)
{
    enum result c = BUSY, s = BUSY;
    struct error server_err;
    for (int i = 0; i < 20 && (c == BUSY || s == BUSY); i++) {
        c = c == BUSY ? stream_handshake(&p->client, client_err) : c;
        s = s == BUSY ? stream_handshake(&p->server, &server_err) : s;
    }
    return c != OK ? c : s;
}

static void tls_streams_carry_bytes(void **state)
{
    struct tls_context *server = server_context(), *client;
    struct tls_pair p;
    struct buf in, out;
    struct error err;
    (void)state;
    assert_int_equal(tls_client_new(NULL, &client, &err), OK);
    open_pair(&p, server, client);
    assert_int_equal(shake_hands(&p, &err), OK);
    buf_init(&in, 1 << 20);
    buf_init(&out, 1 << 20);
    tls_describe(p.server.tls, &out);
    assert_true(slice_starts(buf_slice(&out), SLICE("TLSv1.3 ")));
    buf_reset(&out);
    while (buf_len(&out) < 500000)
        buf_puts(&out, "0123456789abcdef");
    size_t total = buf_len(&out);
    for (int i = 0; i < 1000 && buf_len(&in) < total; i++) {
        enum result r = stream_write(&p.server, &out);
        assert_true(r == OK || r == BUSY);
        while ((r = stream_read(&p.client, &in, 10000)) == OK)
            ;
        assert_int_equal(r, BUSY);
        assert_false(stream_pending(&p.client));
    }
    assert_int_equal(buf_len(&in), total);
    stream_close(&p.server);
    assert_int_equal(stream_read(&p.client, &in, 10), CLOSED);
    stream_close(&p.client);
    buf_release(&in);
    buf_release(&out);
    tls_context_unref(server);
    tls_context_unref(client);
}

static void tls_refuses_what_it_must(void **state)
{
    struct tls_context *server = server_context(), *client;
    struct tls_pair p;
    struct error err = {"nothing"};
    (void)state;
    assert_int_equal(tls_client_new(NULL, &client, &err), OK);
    /* A peer that does not speak TLS, and one that leaves. */
    open_pair(&p, server, client);
    assert_int_equal(send(p.client.fd, "EHLO x\r\n", 8, 0), 8);
    assert_int_equal(stream_handshake(&p.server, &err), FAILED);
    stream_close(&p.server);
    assert_int_equal(stream_handshake(&p.client, &err), FAILED);
    stream_close(&p.client);
    tls_context_unref(server);
    tls_context_unref(client);
}

/* A server's context with a certificate for mail.example.org, which is returned too. */
static struct tls_context *server_with(struct buf *cert)
{
    struct buf key;
    struct tls_context *c;
    struct tls_identity *id;
    struct error err;
    buf_init(cert, 100000);
    buf_init(&key, 100000);
    assert_int_equal(tls_self_signed("mail.example.org", 30, cert, &key, &err), OK);
    assert_int_equal(tls_identity_pair(buf_slice(cert), buf_slice(&key), &id, &err), OK);
    assert_int_equal(tls_server_new(NULL, &c, &err), OK);
    assert_int_equal(tls_server_add(c, SLICE(""), id, "default", &err), OK);
    tls_identity_unref(id);
    buf_release(&key);
    return c;
}

static void servers_certificates_are_told_apart(void **state)
{
    struct buf cert;
    struct tls_context *server = server_with(&cert), *client;
    struct tls_pair p;
    struct error err = {""};
    const char *why = "";
    char print[TLS_FINGERPRINT_MAX];
    unsigned n;
    (void)state;
    assert_int_equal(tls_client_new(NULL, &client, &err), OK);
    open_pair(&p, server, client);
    assert_int_equal(shake_hands(&p, &err), OK);
    assert_false(tls_peer_trusted(p.client.tls, &why));
    assert_non_null(strstr(why, "self-signed"));
    assert_true(tls_peer_has_name(p.client.tls, "mail.example.org"));
    assert_true(tls_peer_has_name(p.client.tls, "MAIL.example.org"));
    assert_true(tls_peer_has_name(p.client.tls, ".example.org"));
    assert_false(tls_peer_has_name(p.client.tls, "example.org"));
    assert_false(tls_peer_has_name(p.client.tls, ".mail.example.org"));
    assert_false(tls_peer_has_name(p.client.tls, "192.0.2.1"));
    assert_false(tls_peer_has_name(p.client.tls, ""));
    assert_true(tls_peer_fingerprint(p.client.tls, "sha256", false, print));
    assert_false(tls_dane_matched(p.client.tls, &why));
    stream_close(&p.server);
    stream_close(&p.client);
    assert_int_equal(tls_add_authorities(client, SLICE("no PEM"), &n, &err), INVALID);
    assert_int_equal(tls_add_authorities(client, buf_slice(&cert), &n, &err), OK);
    assert_int_equal(n, 1);
    open_pair(&p, server, client);
    assert_int_equal(shake_hands(&p, &err), OK);
    assert_true(tls_peer_trusted(p.client.tls, &why));
    stream_close(&p.server);
    stream_close(&p.client);
    tls_context_unref(server);
    tls_context_unref(client);
    buf_release(&cert);
}

/* One connection with the session of `key`, on which the client reads (tickets come with it). */
static bool resumes(struct tls_context *server, struct tls_context *client, const char *key)
{
    struct tls_pair p;
    struct error err = {""};
    struct buf in, out;
    buf_init(&in, 100);
    buf_init(&out, 100);
    buf_puts(&out, "220 ready\r\n");
    open_pair(&p, server, client);
    tls_resume(p.client.tls, slice_cstr(key));
    assert_int_equal(shake_hands(&p, &err), OK);
    assert_int_equal(stream_write(&p.server, &out), OK);
    assert_int_equal(stream_read(&p.client, &in, 100), OK);
    const char *why = "";
    assert_false(tls_peer_trusted(p.client.tls, &why)); /* as it was the first time */
    assert_true(tls_peer_has_name(p.client.tls, "mail.example.org"));
    bool resumed = tls_resumed(p.client.tls);
    stream_close(&p.client);
    stream_close(&p.server);
    buf_release(&in);
    buf_release(&out);
    return resumed;
}

static void sessions_are_resumed(void **state)
{
    struct buf cert;
    struct tls_context *server = server_with(&cert), *client, *forgetful;
    struct tls_rules old = {.versions = TLS_VERSION_1_2};
    struct error err = {""};
    (void)state;
    assert_int_equal(tls_client_new(NULL, &client, &err), OK);
    assert_false(resumes(server, client, "a")); /* nothing keeps any */
    assert_false(resumes(server, client, "a"));
    assert_int_equal(tls_client_resume(client, 3600, &err), OK);
    assert_false(resumes(server, client, "a"));
    assert_true(resumes(server, client, "a"));
    assert_true(resumes(server, client, "a"));
    assert_false(resumes(server, client, "b"));
    assert_int_equal(tls_client_new(&old, &forgetful, &err), OK);
    assert_int_equal(tls_client_resume(forgetful, 0, &err), OK);
    assert_false(resumes(server, forgetful, "a"));
    assert_false(resumes(server, forgetful, "a")); /* too old */
    tls_context_unref(forgetful);
    assert_int_equal(tls_client_new(&old, &forgetful, &err), OK);
    assert_int_equal(tls_client_resume(forgetful, 3600, &err), OK);
    assert_false(resumes(server, forgetful, "a"));
    assert_true(resumes(server, forgetful, "a"));
    assert_true(resumes(server, forgetful, "a"));
    tls_context_unref(forgetful);
    tls_context_unref(client);
    tls_context_unref(server);
    buf_release(&cert);
}

/* Does the server's certificate fit a TLSA record of these bytes? */
static bool dane_takes(struct tls_context *server, struct tls_context *client, const char *base,
                       struct slice record)
{
    struct tls_pair p;
    struct error err = {""};
    const char *why = "";
    open_pair(&p, server, client);
    assert_int_equal(tls_dane_start(p.client.tls, base, &err), OK);
    assert_int_equal(tls_dane_name(p.client.tls, "other.example.org", &err), OK);
    assert_int_equal(tls_dane_record(p.client.tls, record, &err), OK);
    assert_int_equal(tls_dane_record(p.client.tls, SLICE("\3\1\1"), &err), INVALID);
    assert_int_equal(tls_dane_record(p.client.tls, SLICE("\3\1\1too short"), &err), INVALID);
    assert_int_equal(shake_hands(&p, &err), OK);
    bool matched = tls_dane_matched(p.client.tls, &why);
    assert_int_equal(matched, strcmp(why, "ok") == 0);
    stream_close(&p.server);
    stream_close(&p.client);
    return matched;
}

static void dane_matches_records(void **state)
{
    struct buf cert;
    struct tls_context *server = server_with(&cert), *client;
    struct error err = {""};
    unsigned char record[35] = {3, 0, 1};
    (void)state;
    assert_int_equal(tls_client_new(NULL, &client, &err), OK);
    BIO *bio = BIO_new_mem_buf(buf_slice(&cert).data, (int)buf_len(&cert));
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    assert_int_equal(X509_digest(x, EVP_sha256(), record + 3, NULL), 1);
    X509_free(x);
    BIO_free(bio);
    struct slice text = slice_of(record, sizeof record);
    assert_true(dane_takes(server, client, "mail.example.org", text));
    assert_true(dane_takes(server, client, "another.test", text)); /* DANE-EE: by itself */
    record[0] = 2; /* an authority stands above the server's own certificate */
    assert_false(dane_takes(server, client, "mail.example.org", text));
    record[0] = 3;
    record[10] ^= 1;
    assert_false(dane_takes(server, client, "mail.example.org", text));
    tls_context_unref(server);
    tls_context_unref(client);
    buf_release(&cert);
}

/* Which certificate a client gets that asks for this name; "" when the handshake fails. */
static void shows(struct tls_context *server, const char *name, const char *expect)
{
    struct tls_context *client;
    struct error err = {""};
    struct tls_pair p;
    int fds[2];
    assert_int_equal(tls_client_new(NULL, &client, &err), OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    stream_init(&p.server, fds[0]);
    stream_init(&p.client, fds[1]);
    assert_int_equal(stream_start_tls(&p.server, server, NULL, &err), OK);
    assert_int_equal(stream_start_tls(&p.client, client, name, &err), OK);
    assert_int_equal(shake_hands(&p, &err), OK);
    assert_string_equal(tls_certificate_label(p.server.tls), expect);
    assert_string_equal(tls_asked_name(p.server.tls), name ? name : "");
    stream_close(&p.server);
    stream_close(&p.client);
    tls_context_unref(client);
}

static void certificates_by_name(void **state)
{
    static const char *const names[] = {"mail.a.test", "*.a.test", ".a.test", ".deep.a.test"};
    struct buf cert, key, chain;
    struct tls_identity *id, *none;
    struct tls_context *c;
    struct error err;
    (void)state;
    buf_init(&cert, 100000);
    buf_init(&key, 100000);
    buf_init(&chain, 200000);
    assert_int_equal(tls_self_signed("x.test", 30, &cert, &key, &err), OK);
    buf_append(&chain, buf_slice(&key));
    buf_append(&chain, buf_slice(&cert));
    assert_int_equal(tls_identity_chain(buf_slice(&chain), &id, &err), OK);
    assert_int_equal(tls_server_new(NULL, &c, &err), OK);
    assert_int_equal(tls_server_add(c, SLICE(""), id, "default", &err), OK);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(tls_server_add(c, slice_cstr(names[i]), id, names[i], &err), OK);
    tls_identity_unref(id);
    shows(c, NULL, "default");
    shows(c, "a.test", "default");
    shows(c, "MAIL.a.test", "mail.a.test");
    shows(c, "other.a.test", "*.a.test");
    shows(c, "x.y.a.test", ".a.test");
    shows(c, "x.deep.a.test", ".deep.a.test");
    shows(c, "mail.a.test.example", "default");
    tls_context_unref(c);
    /* A chain wants its key first, and that key. */
    assert_int_equal(tls_identity_chain(buf_slice(&cert), &none, &err), FAILED);
    assert_int_equal(tls_identity_chain(buf_slice(&key), &none, &err), FAILED);
    assert_int_equal(tls_identity_chain(SLICE(""), &none, &err), FAILED);
    buf_reset(&key);
    buf_reset(&chain);
    struct buf other;
    buf_init(&other, 100000);
    assert_int_equal(tls_self_signed("y.test", 30, &other, &key, &err), OK);
    buf_append(&chain, buf_slice(&key));
    buf_append(&chain, buf_slice(&cert));
    assert_int_equal(tls_identity_chain(buf_slice(&chain), &none, &err), FAILED);
    buf_release(&other);
    buf_release(&cert);
    buf_release(&key);
    buf_release(&chain);
}

/* Adds a new certificate; hash: what a client then sees that asks for seen_as. */
static void adds(struct tls_context *c, const char *name, const char *label, const char *seen_as,
                 char hash[TLS_FINGERPRINT_MAX])
{
    struct buf cert, key;
    struct tls_identity *id;
    struct tls_context *client;
    struct tls_pair p;
    struct error err = {""};
    int fds[2];
    buf_init(&cert, 100000);
    buf_init(&key, 100000);
    assert_int_equal(tls_self_signed("x.test", 30, &cert, &key, &err), OK);
    assert_int_equal(tls_identity_pair(buf_slice(&cert), buf_slice(&key), &id, &err), OK);
    assert_int_equal(tls_server_add(c, slice_cstr(name), id, label, &err), OK);
    assert_int_equal(tls_client_new(NULL, &client, &err), OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    stream_init(&p.server, fds[0]);
    stream_init(&p.client, fds[1]);
    assert_int_equal(stream_start_tls(&p.server, c, NULL, &err), OK);
    assert_int_equal(stream_start_tls(&p.client, client, seen_as, &err), OK);
    assert_int_equal(shake_hands(&p, &err), OK);
    assert_true(tls_peer_fingerprint(p.client.tls, "sha256", false, hash));
    stream_close(&p.server);
    stream_close(&p.client);
    tls_context_unref(client);
    tls_identity_unref(id);
    buf_release(&cert);
    buf_release(&key);
}

static void first_certificate_counts(void **state)
{
    static const char *const names[][2] = {{"", ""}, {"Mail.a.test", "mail.A.test"}};
    char before[TLS_FINGERPRINT_MAX], after[TLS_FINGERPRINT_MAX];
    struct tls_context *c;
    struct error err;
    (void)state;
    assert_int_equal(tls_server_new(NULL, &c, &err), OK);
    for (size_t i = 0; i < 2; i++) {
        adds(c, names[i][0], "first", "mail.a.test", before);
        adds(c, names[i][1], "second", "mail.a.test", after);
        assert_string_equal(before, after);
        shows(c, "MAIL.a.test", "first");
    }
    tls_context_unref(c);
}

static void rules_hold(void **state)
{
    struct tls_context *c;
    struct error err = {""};
    const struct tls_rules bad[] = {{.setting = "one", .ciphers = "NO-SUCH-CIPHER"},
                                    {.setting = "two", .suites = "NO_SUCH_SUITE"},
                                    {.setting = "three", .curves = "no-such-curve"}};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(tls_server_new(&bad[i], &c, &err), FAILED);
        assert_non_null(strstr(err.text, bad[i].setting));
    }
    const struct tls_rules good = {.versions = TLS_VERSION_1_0 | TLS_VERSION_1_3,
                                   .curves = "no-such-curve:X25519"};
    assert_int_equal(tls_server_new(&good, &c, &err), OK);
    tls_context_unref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wheel_fires_in_time),
        cmocka_unit_test(wheel_forgets_what_is_removed),
        cmocka_unit_test(tasks_run_on_one_thread_at_a_time),
        cmocka_unit_test(sockets_bring_every_event),
        cmocka_unit_test(helpers_wake_tasks),
        cmocka_unit_test(deadlines_come_once),
        cmocka_unit_test(plain_streams_carry_bytes),
        cmocka_unit_test(compressed_streams_carry_bytes),
        cmocka_unit_test(compression_rests_between_commands),
        cmocka_unit_test(compression_bombs_wait),
        cmocka_unit_test(broken_compression_ends_a_stream),
        cmocka_unit_test(tls_streams_carry_bytes),
        cmocka_unit_test(tls_refuses_what_it_must),
        cmocka_unit_test(servers_certificates_are_told_apart),
        cmocka_unit_test(sessions_are_resumed),
        cmocka_unit_test(dane_matches_records),
        cmocka_unit_test(certificates_by_name),
        cmocka_unit_test(first_certificate_counts),
        cmocka_unit_test(rules_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
