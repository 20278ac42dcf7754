/* test_kv_crash.c: a process that commits from several threads is killed at any moment, again and
 * again on the same store. What it had acknowledged is there, whole, and nothing is by half.
 *
 * Each thread keeps a window of records: batch n adds record n and deletes record n - WINDOW, and
 * moves the thread's head from n - 1 to n. So a head alone tells exactly which records and blobs
 * must exist. The child is this program again, since a forked RocksDB has no threads. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "kv_world.h"

enum { THREADS = 4, WINDOW = 20, KILLS = 20, LARGEST = 30000, SEGMENT = 256 << 10 };

struct ack {
    uint64_t thread, n;
};

struct worker {
    struct kv *kv;
    uint64_t thread;
};

static size_t size_of(uint64_t n)
{
    return 1 + n * 7919 % LARGEST;
}

static struct slice record_key(char room[32], uint64_t thread, uint64_t n)
{
    snprintf(room, 32, "r%llu:%llu", (unsigned long long)thread, (unsigned long long)n);
    return slice_cstr(room);
}

static uint64_t get_number(struct kv *kv, struct slice key)
{
    struct buf out;
    uint64_t n = 0;
    buf_init(&out, sizeof n);
    if (kv_get(kv, NULL, key, &out) == OK && buf_len(&out) == sizeof n)
        memcpy(&n, buf_slice(&out).data, sizeof n);
    buf_release(&out);
    return n;
}

static struct slice head_key(char room[32], uint64_t thread)
{
    snprintf(room, 32, "h%llu", (unsigned long long)thread);
    return slice_cstr(room);
}

static void commit_one(struct worker *w, uint64_t n)
{
    char key[32], room[LARGEST];
    uint64_t id = 0, before = n - 1;
    struct slice bytes = pattern(room, size_of(n), (unsigned)(w->thread * 1000 + n));
    struct kv_batch *b = kv_batch_new(w->kv, 0);
    kv_batch_expect(b, head_key(key, w->thread),
                    n == 1 ? SLICE_NONE : slice_of(&before, sizeof before));
    kv_batch_put(b, head_key(key, w->thread), slice_of(&n, sizeof n));
    if (n % 5 == 0 && kv_blob_write(w->kv, bytes, &id) == OK)
        kv_batch_adopt(b, id);
    else
        id = kv_batch_blob(b, bytes);
    kv_batch_put(b, record_key(key, w->thread, n), slice_of(&id, sizeof id));
    if (n > WINDOW) {
        kv_batch_blob_del(b, get_number(w->kv, record_key(key, w->thread, n - WINDOW)));
        kv_batch_del(b, record_key(key, w->thread, n - WINDOW));
    }
    enum result r = kv_commit(b);
    if (r != OK) {
        fprintf(stderr, "commit %llu of thread %llu: %s\n", (unsigned long long)n,
                (unsigned long long)w->thread, result_name(r));
        _exit(3);
    }
}

static void *work(void *arg)
{
    struct worker *w = arg;
    char key[32];
    for (uint64_t n = get_number(w->kv, head_key(key, w->thread)) + 1;; n++) {
        commit_one(w, n);
        struct ack ack = {w->thread, n};
        if (write(STDOUT_FILENO, &ack, sizeof ack) != sizeof ack)
            _exit(4);
    }
    return NULL;
}

static int child(const char *path)
{
    struct kv_options options = {.directory = path, .segment_bytes = SEGMENT};
    struct worker workers[THREADS];
    pthread_t thread;
    struct kv *kv;
    struct error err;
    if (kv_open(&options, &kv, NULL, &err) != OK) {
        fprintf(stderr, "%s\n", err.text);
        return 5;
    }
    for (uint64_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){kv, i};
        if (pthread_create(&thread, NULL, work, &workers[i]) != 0)
            return 6;
    }
    for (;;)
        pause();
}

/* Runs the child for a while, kills it, and notes what it had acknowledged. */
static void run_and_kill(useconds_t lifetime, uint64_t acked[THREADS])
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        execl("/proc/self/exe", "test_kv_crash", directory, (char *)NULL);
        _exit(7);
    }
    close(fds[1]);
    /* From the first sign of life on; a child that dies of itself closes the pipe. */
    struct ack ack;
    ssize_t n = read(fds[0], &ack, sizeof ack);
    assert_int_equal(n, sizeof ack);
    acked[ack.thread] = ack.n;
    usleep(lifetime);
    kill(pid, SIGKILL);
    while ((n = read(fds[0], &ack, sizeof ack)) == sizeof ack)
        acked[ack.thread] = ack.n;
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    close(fds[0]);
}

/* Returns the bytes of the blobs that must live. */
static uint64_t check_thread(struct kv *kv, uint64_t thread, uint64_t acked)
{
    char key[32], room[LARGEST];
    uint64_t head = get_number(kv, head_key(key, thread)), live = 0, count = 0;
    struct slice k, v;
    assert_true(head >= acked);
    for (uint64_t n = head > WINDOW ? head - WINDOW + 1 : 1; n <= head; n++) {
        uint64_t id = get_number(kv, record_key(key, thread, n));
        assert_true(id != 0);
        assert_blob(kv, id, pattern(room, size_of(n), (unsigned)(thread * 1000 + n)));
        live += size_of(n);
        count++;
    }
    snprintf(key, sizeof key, "r%llu:", (unsigned long long)thread);
    struct kv_iter *it = kv_iter_new(kv, NULL, slice_cstr(key), SLICE_NONE);
    while (kv_iter_next(it, &k, &v))
        count--;
    assert_int_equal(kv_iter_free(it), OK);
    assert_int_equal(count, 0);
    return live;
}

static void test_kill(void **state)
{
    (void)state;
    uint64_t acked[THREADS] = {0}, replayed = 0, cleaned = 0;
    unsigned seed = 20;
    for (int i = 0; i < KILLS; i++) {
        struct kv_recovery recovery;
        struct kv_stats stats;
        seed = seed * 1103515245u + 12345u;
        run_and_kill(seed / 65536 % 100000, acked);
        struct kv *kv = open_with((struct kv_options){.segment_bytes = SEGMENT}, &recovery);
        uint64_t live = 0;
        for (uint64_t t = 0; t < THREADS; t++)
            live += check_thread(kv, t, acked[t]);
        kv_stats_get(kv, &stats);
        assert_int_equal(stats.live_bytes, live);
        assert_intact(kv);
        replayed += recovery.replayed_batches;
        if (i % 4 == 3)
            assert_int_equal(kv_clean(kv), OK);
        kv_stats_get(kv, &stats);
        cleaned += stats.cleaned_segments;
        kv_close(kv);
    }
    print_message("%llu batches acknowledged by the first thread, %llu replayed, %llu cleaned\n",
                  (unsigned long long)acked[0], (unsigned long long)replayed,
                  (unsigned long long)cleaned);
    assert_true(replayed > 0);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return child(argv[1]);
    const struct CMUnitTest tests[] = {KV_TEST(test_kill)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
