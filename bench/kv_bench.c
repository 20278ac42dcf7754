/* kv_bench.c: the store alone: how many deliveries a second it makes durable, and at what cost.
 *
 * As in the project's table of figures: 1,000 accounts; 60/35/5 % of the messages have 1/10/100 KB;
 * five index records a delivery; each client waits for its delivery before it makes the next.
 * Usage: kv_bench DIRECTORY [SECONDS [CLIENTS...]]; the directory is made and filled. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "kv/kv.h"

enum { ACCOUNTS = 1000, CLIENTS_MAX = 256, LARGEST = 100000, SAMPLES_MAX = 1 << 20 };

struct bench {
    struct kv *kv;
    atomic_bool stop;
    _Atomic uint64_t deliveries, bytes, next;
    char *text;
    uint32_t *latencies_us; /* of the first SAMPLES_MAX deliveries */
    uint64_t reads;         /* ids below this are read by the readers */
};

static uint64_t mix(uint64_t n)
{
    n = (n ^ (n >> 31)) * 0x9e3779b97f4a7c15u;
    return n ^ (n >> 29);
}

static size_t size_of(uint64_t random)
{
    uint64_t percent = random % 100;
    return percent < 60 ? 1000 : percent < 95 ? 10000 : LARGEST;
}

static void put_record(struct kv_batch *b, char kind, uint64_t account, uint64_t n, size_t len)
{
    char key_room[32], value[256] = {0};
    struct buf key = {.mem = key_room, .size = sizeof key_room, .max = sizeof key_room};
    buf_putc(&key, kind);
    buf_put_be32(&key, (uint32_t)account);
    if (n)
        buf_put_be64(&key, n);
    snprintf(value, sizeof value, "%llu", (unsigned long long)n);
    kv_batch_put(b, buf_slice(&key), slice_of(value, len));
}

static enum result deliver(struct bench *bench, uint64_t n, size_t *ret_size)
{
    uint64_t random = mix(n), account = random % ACCOUNTS;
    size_t size = size_of(random >> 32);
    struct kv_batch *b = kv_batch_new(bench->kv, 0);
    kv_batch_blob(b, slice_of(bench->text + random % LARGEST, size));
    put_record(b, 'm', account, n, 120); /* the message in its mailbox */
    put_record(b, 'c', account, n, 24);  /* change log */
    put_record(b, 'h', account, 0, 48);  /* the mailbox's head */
    put_record(b, 'u', account, n, 16);  /* message id */
    put_record(b, 'j', 0, n, 80);        /* its journey */
    *ret_size = size;
    return kv_commit(b);
}

static uint64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void *client(void *arg)
{
    struct bench *bench = arg;
    while (!atomic_load(&bench->stop)) {
        uint64_t n = atomic_fetch_add(&bench->next, 1) + 1, began = now_us();
        size_t size;
        if (deliver(bench, n, &size) != OK) {
            fprintf(stderr, "delivery failed\n");
            exit(1);
        }
        uint64_t i = atomic_fetch_add(&bench->deliveries, 1);
        atomic_fetch_add(&bench->bytes, size);
        if (i < SAMPLES_MAX)
            bench->latencies_us[i] = (uint32_t)(now_us() - began);
    }
    return NULL;
}

static void *reader(void *arg)
{
    struct bench *bench = arg;
    struct buf out;
    uint64_t n = (uint64_t)pthread_self();
    buf_init(&out, LARGEST);
    while (!atomic_load(&bench->stop)) {
        n = mix(n + 1);
        buf_reset(&out);
        if (kv_blob_read(bench->kv, 1 + n % bench->reads, 0, LARGEST, &out) == OK)
            atomic_fetch_add(&bench->deliveries, 1);
    }
    buf_release(&out);
    return NULL;
}

static double cpu_seconds(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static long resident_kb(void)
{
    long pages = 0, skip;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f)
        return 0;
    if (fscanf(f, "%ld %ld", &skip, &pages) != 2)
        pages = 0;
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Returns the seconds that it ran. */
static double run_threads(struct bench *bench, void *(*f)(void *), unsigned n, unsigned seconds)
{
    pthread_t threads[CLIENTS_MAX];
    bench->stop = false;
    bench->deliveries = bench->bytes = 0;
    uint64_t began = now_us();
    for (unsigned i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, f, bench) != 0)
            exit(1);
    sleep(seconds);
    bench->stop = true;
    for (unsigned i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    return (double)(now_us() - began) / 1e6;
}

static void run(struct bench *bench, unsigned clients, unsigned seconds)
{
    struct kv_stats before, after;
    double cpu = cpu_seconds();
    kv_stats_get(bench->kv, &before);
    double took = run_threads(bench, client, clients, seconds);
    cpu = cpu_seconds() - cpu;
    kv_stats_get(bench->kv, &after);
    uint64_t n = bench->deliveries, samples = n < SAMPLES_MAX ? n : SAMPLES_MAX;
    qsort(bench->latencies_us, samples, sizeof(uint32_t), compare);
    printf("%3u clients: %6.0f deliveries/s, %3.0f us CPU each, %4.1f a group, "
           "median %u us, p99 %u us, %.0f MB/s, resident %ld KB\n",
           clients, (double)n / took, cpu * 1e6 / (double)n,
           (double)n / (double)(after.groups - before.groups), bench->latencies_us[samples / 2],
           bench->latencies_us[samples * 99 / 100], (double)bench->bytes / took / 1e6,
           resident_kb());
    fflush(stdout);
}

static void run_reads(struct bench *bench, unsigned readers)
{
    bench->reads = bench->next;
    double took = run_threads(bench, reader, readers, 1);
    printf("%3u readers: %6.0f messages/s\n", readers, (double)bench->deliveries / took);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    struct kv_recovery recovery;
    struct error err;
    unsigned seconds = argc > 2 ? (unsigned)atoi(argv[2]) : 3;
    if (argc < 2) {
        fprintf(stderr, "usage: kv_bench DIRECTORY [SECONDS [CLIENTS...]]\n");
        return 2;
    }
    struct kv_options options = {.directory = argv[1]};
    if (kv_open(&options, &bench.kv, &recovery, &err) != OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    printf("opened in %.3f s: %.1f MB replayed, resident %ld KB\n",
           (double)recovery.elapsed_us / 1e6, (double)recovery.replayed_bytes / 1e6, resident_kb());
    bench.text = malloc(2 * LARGEST);
    bench.latencies_us = malloc(SAMPLES_MAX * sizeof(uint32_t));
    for (size_t i = 0; i < 2 * LARGEST; i++)
        bench.text[i] = (char)mix(i);
    bench.next = (uint64_t)clock_realtime_us();
    uint64_t first = bench.next;
    if (argc <= 3)
        for (unsigned i = 0; i < 3; i++)
            run(&bench, (const unsigned[]){1, 8, 64}[i], seconds);
    for (int i = 3; i < argc; i++)
        run(&bench, (unsigned)atoi(argv[i]) % (CLIENTS_MAX + 1), seconds);
    bench.next -= first;
    if (bench.next > 0) {
        run_reads(&bench, 1);
        run_reads(&bench, 8);
    }
    kv_close(bench.kv);
    return 0;
}
