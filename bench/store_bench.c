/* store_bench.c: the store alone: deliveries a second from 1, 8 and 64 threads over 1,000 accounts,
 * and the loading of a mailbox of 100,000 entries. Usage: store_bench DIRECTORY [deliveries].
 *
 *   store_bench fill DIRECTORY N
 *
 * delivers N messages, as fast as they go in, and kills itself with more under way: a store to
 * recover. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "store/store.h"

enum { ACCOUNTS = 1000, THREADS_MAX = 64, ENTRIES = 100000, MESSAGE = 4096 };

struct bench {
    struct store *store;
    atomic_long left;
    atomic_long in_flight;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(enum result r, const char *what)
{
    if (r == OK)
        return;
    fprintf(stderr, "%s: %s\n", what, result_name(r));
    exit(1);
}

struct signal_once {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool done;
};

static void wake(void *arg, enum result r)
{
    check(r, "commit");
    struct signal_once *s = arg;
    pthread_mutex_lock(&s->lock);
    s->done = true;
    pthread_cond_signal(&s->cond);
    pthread_mutex_unlock(&s->lock);
}

static void count_down(void *arg, enum result r)
{
    check(r, "commit");
    atomic_fetch_sub((atomic_long *)arg, 1);
}

static void deliver(struct store *s, const char *name, store_done_fn *done, void *arg)
{
    static const char text[MESSAGE] = "Subject: bench\r\n\r\n";
    struct account *a;
    struct delivery *d;
    check(account_open(s, slice_cstr(name), &a), "account");
    check(delivery_new(s, log_id_new(), &d), "delivery");
    check(delivery_write(d, slice_of(text, sizeof text)), "write");
    delivery_summary(d, slice_of(text, 1000));
    struct delivery_target t = {.account = a, .mailbox = SLICE("INBOX")};
    check(delivery_add(d, &t), "target");
    check(delivery_submit(d, done, arg), "submit");
    account_unref(a);
}

static void *client(void *arg)
{
    struct bench *b = arg;
    for (long i; (i = atomic_fetch_sub(&b->left, 1)) > 0;) {
        char name[32];
        snprintf(name, sizeof name, "user%ld", i * 7919 % ACCOUNTS);
        struct signal_once s = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
        deliver(b->store, name, wake, &s);
        pthread_mutex_lock(&s.lock);
        while (!s.done)
            pthread_cond_wait(&s.cond, &s.lock);
        pthread_mutex_unlock(&s.lock);
    }
    return NULL;
}

static void run_threads(struct store *s, int n, long deliveries)
{
    struct bench b = {.store = s, .left = deliveries};
    pthread_t threads[THREADS_MAX];
    double start = now();
    clock_t cpu = clock();
    for (int i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, client, &b) != 0)
            exit(1);
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    double took = now() - start;
    printf("%2d threads: %7.0f deliveries/s, %5.1f us of CPU each\n", n, (double)deliveries / took,
           (double)(clock() - cpu) * 1e6 / CLOCKS_PER_SEC / (double)deliveries);
}

static void make_accounts(struct store *s)
{
    for (int i = 0; i < ACCOUNTS; i++) {
        char name[32];
        snprintf(name, sizeof name, "user%d", i);
        struct account *a;
        check(account_open(s, slice_cstr(name), &a), "account");
        account_unref(a);
    }
}

/* 500 at a time are under way; returns when the last is. */
static void pour(struct store *s, long n, const char *(*name)(long i), atomic_long *in_flight)
{
    for (long i = 0; i < n; i++) {
        while (atomic_load(in_flight) > 500)
            nanosleep(&(struct timespec){0, 100000}, NULL);
        atomic_fetch_add(in_flight, 1);
        deliver(s, name(i), count_down, in_flight);
    }
}

static const char *one_name(long i)
{
    (void)i;
    return "big";
}

static const char *many_names(long i)
{
    static char name[32];
    snprintf(name, sizeof name, "user%ld", i % ACCOUNTS);
    return name;
}

static void fill(struct store *s)
{
    atomic_long in_flight = 0;
    pour(s, ENTRIES, one_name, &in_flight);
    while (atomic_load(&in_flight))
        nanosleep(&(struct timespec){0, 100000}, NULL);
}

static void load_view(struct store *s, const char *what)
{
    struct account *a;
    struct mailbox *m;
    struct view *v;
    check(account_open(s, SLICE("big"), &a), "account");
    check(mailbox_open(a, SLICE("INBOX"), &m), "mailbox");
    double start = now();
    check(mailbox_view(m, &v), "view");
    printf("view of %u entries, %s: %.1f ms\n", view_count(v), what, (now() - start) * 1e3);
    view_unref(v);
    mailbox_unref(m);
    account_unref(a);
}

static struct store *open_store(const char *directory, struct kv **ret_kv)
{
    struct error err = {""};
    struct store *s;
    struct kv_recovery rec;
    struct kv_options o = {.directory = directory};
    check(kv_open(&o, ret_kv, &rec, &err), "kv_open");
    check(store_open(*ret_kv, &(struct store_options){0}, &s, &err), "store_open");
    return s;
}

static int fill_and_die(const char *directory, long n)
{
    struct kv *kv;
    atomic_long in_flight = 0;
    pour(open_store(directory, &kv), n, many_names, &in_flight);
    return raise(SIGKILL);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: store_bench [fill] DIRECTORY [deliveries]\n");
        return 2;
    }
    if (argc == 4 && strcmp(argv[1], "fill") == 0)
        return fill_and_die(argv[2], atol(argv[3]));
    long deliveries = argc > 2 ? atol(argv[2]) : 20000;
    struct kv *kv;
    struct store *s = open_store(argv[1], &kv);
    make_accounts(s);
    run_threads(s, 1, deliveries / 10);
    run_threads(s, 8, deliveries);
    run_threads(s, 64, deliveries);
    fill(s);
    store_close(s);
    kv_close(kv);
    s = open_store(argv[1], &kv);
    load_view(s, "after reopening");
    load_view(s, "cached");
    store_close(s);
    kv_close(kv);
    return 0;
}
