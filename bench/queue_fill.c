/* queue_fill.c: puts messages into the queue of a store that no server has open, as fast as they go
 * in: short ones with one recipient each, for next hops that P12 of run.py leaves dead. Prints the
 * id of the last one.
 *
 *   queue_fill DIRECTORY MESSAGES DESTINATIONS */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/log.h"
#include "queue/queue.h"

enum { IN_FLIGHT_MAX = 500, PORTS = 65535 };

static atomic_long in_flight;
static struct queue *queue;

static void check(enum result r, const char *what)
{
    if (r == OK)
        return;
    fprintf(stderr, "%s: %s\n", what, result_name(r));
    exit(1);
}

static void added(void *arg, enum result r)
{
    check(r, "commit");
    queue_added(queue, (uint64_t)(uintptr_t)arg, r);
    atomic_fetch_sub(&in_flight, 1);
}

static void wait_until(long most)
{
    while (atomic_load(&in_flight) > most)
        nanosleep(&(struct timespec){0, 100000}, NULL);
}

/* Addresses and next hops as the transport table of P12 pairs them. */
static uint64_t add(struct store *s, long destination)
{
    static const char text[] =
        "Return-Path: <sender@elsewhere.test>\r\nSubject: it waits\r\n\r\nHello\r\n";
    char address[64], route[64];
    uint64_t id = log_id_new();
    struct delivery *d;
    snprintf(address, sizeof address, "u@d%ld.test", destination);
    snprintf(route, sizeof route, "smtp:[127.77.0.1]:%ld", destination);
    struct queue_rcpt rcpt = {.address = slice_cstr(address), .route = slice_cstr(route)};
    struct queue_envelope e = {.message = id,
                               .sender = SLICE("sender@elsewhere.test"),
                               .size = sizeof text - 1,
                               .rcpts = &rcpt,
                               .n_rcpts = 1};
    check(delivery_new(s, id, &d), "delivery");
    check(delivery_write(d, slice_of(text, sizeof text - 1)), "write");
    check(queue_add(queue, d, &e), "queue");
    atomic_fetch_add(&in_flight, 1);
    check(delivery_submit(d, added, (void *)(uintptr_t)id), "submit");
    return id;
}

int main(int argc, char **argv)
{
    long messages = argc == 4 ? atol(argv[2]) : 0, destinations = argc == 4 ? atol(argv[3]) : 0;
    if (messages < 1 || destinations < 1 || destinations > PORTS) {
        fprintf(stderr, "usage: queue_fill DIRECTORY MESSAGES DESTINATIONS\n");
        return 2;
    }
    struct error err = {""};
    struct kv *kv;
    struct store *s;
    struct kv_recovery rec;
    check(kv_open(&(struct kv_options){.directory = argv[1]}, &kv, &rec, &err), "kv_open");
    check(store_open(kv, &(struct store_options){0}, &s, &err), "store_open");
    check(queue_open(s, &(struct queue_options){0}, &queue, &err), "queue_open");
    uint64_t id = 0;
    for (long i = 0; i < messages; i++) {
        wait_until(IN_FLIGHT_MAX);
        id = add(s, i % destinations + 1);
    }
    wait_until(0);
    queue_close(queue);
    store_close(s);
    kv_close(kv);
    puts(log_id(id).text);
    return 0;
}
