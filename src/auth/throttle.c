#include "auth/throttle.h"

#include "base/list.h"
#include "base/map.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { KEY_MAX = 64 };

struct throttled {
    struct list_node by_age; /* the one that failed longest ago is first */
    unsigned failures, waiting;
    int64_t last_ms;
    size_t key_len;
    char key[KEY_MAX];
};

struct throttle {
    pthread_mutex_t lock;
    struct map by_key;
    struct list_node by_age;
    size_t max;
};

enum result throttle_new(size_t max_addresses, struct throttle **ret)
{
    struct throttle *t = calloc(1, sizeof *t);
    if (!t)
        return FAILED;
    pthread_mutex_init(&t->lock, NULL);
    map_init(&t->by_key, max_addresses);
    list_init(&t->by_age);
    t->max = max_addresses;
    *ret = t;
    return OK;
}

static void drop(struct throttle *t, struct throttled *a)
{
    map_remove(&t->by_key, slice_of(a->key, a->key_len));
    list_remove(&a->by_age);
    free(a);
}

void throttle_free(struct throttle *t)
{
    if (!t)
        return;
    LIST_FOR_EACH(n, &t->by_age)
    drop(t, CONTAINER_OF(n, struct throttled, by_age));
    map_release(&t->by_key);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* What counts as one client: an IPv4 address (also when mapped into IPv6), an IPv6 /64; anything
 * else (a Unix socket's "") as it is. */
static struct slice client_key(struct slice ip, char out[KEY_MAX])
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr six;
    size_t n = ip.len < KEY_MAX ? ip.len : KEY_MAX;
    if (n)
        memcpy(out, ip.data, n);
    if (ip.len >= sizeof text)
        return slice_of(out, n);
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(ip));
    if (inet_pton(AF_INET6, text, &six) != 1)
        return slice_of(out, n);
    if (IN6_IS_ADDR_V4MAPPED(&six)) {
        inet_ntop(AF_INET, six.s6_addr + 12, out, KEY_MAX);
        return slice_of(out, strlen(out));
    }
    memcpy(out, six.s6_addr, 8);
    return slice_of(out, 8);
}

/* The entry of an address, or NULL; one that was quiet for long is dropped first. */
static struct throttled *look(struct throttle *t, struct slice key, int64_t now_ms)
{
    struct throttled *a = map_get(&t->by_key, key);
    if (a && a->waiting == 0 && now_ms - a->last_ms >= THROTTLE_FORGET_MS) {
        drop(t, a);
        return NULL;
    }
    return a;
}

static struct throttled *make(struct throttle *t, struct slice key)
{
    if (t->by_key.used >= t->max && !list_empty(&t->by_age))
        drop(t, CONTAINER_OF(t->by_age.next, struct throttled, by_age));
    struct throttled *a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    memcpy(a->key, key.data, key.len);
    a->key_len = key.len;
    list_init(&a->by_age);
    if (map_put(&t->by_key, key, a) != OK) {
        free(a);
        return NULL;
    }
    return a;
}

enum result throttle_admit(struct throttle *t, struct slice ip, int64_t now_ms)
{
    char bytes[KEY_MAX];
    struct slice key = client_key(ip, bytes);
    pthread_mutex_lock(&t->lock);
    const struct throttled *a = look(t, key, now_ms);
    bool busy = a && a->waiting >= THROTTLE_WAITING_MAX;
    pthread_mutex_unlock(&t->lock);
    return busy ? BUSY : OK;
}

static int64_t delay_of(unsigned failures, int64_t base_ms)
{
    int64_t delay = base_ms;
    for (unsigned i = 1; i < failures && delay < THROTTLE_DELAY_MAX_MS; i++)
        delay *= 2;
    /* A longer base is the administrator's wish. */
    int64_t most = base_ms > THROTTLE_DELAY_MAX_MS ? base_ms : THROTTLE_DELAY_MAX_MS;
    return delay < most ? delay : most;
}

int64_t throttle_failed(struct throttle *t, struct slice ip, int64_t base_ms, int64_t now_ms)
{
    char bytes[KEY_MAX];
    struct slice key = client_key(ip, bytes);
    int64_t delay = base_ms;
    pthread_mutex_lock(&t->lock);
    struct throttled *a = look(t, key, now_ms);
    if (!a)
        a = make(t, key);
    if (a) {
        a->failures++;
        a->waiting++;
        a->last_ms = now_ms;
        list_remove(&a->by_age);
        list_push_back(&t->by_age, &a->by_age);
        delay = delay_of(a->failures, base_ms);
    }
    pthread_mutex_unlock(&t->lock);
    return delay;
}

void throttle_answered(struct throttle *t, struct slice ip)
{
    char bytes[KEY_MAX];
    struct slice key = client_key(ip, bytes);
    pthread_mutex_lock(&t->lock);
    struct throttled *a = map_get(&t->by_key, key);
    if (a && a->waiting)
        a->waiting--;
    pthread_mutex_unlock(&t->lock);
}

/* The entry stays while answers wait, so that they are still counted. */
void throttle_succeeded(struct throttle *t, struct slice ip)
{
    char bytes[KEY_MAX];
    struct slice key = client_key(ip, bytes);
    pthread_mutex_lock(&t->lock);
    struct throttled *a = map_get(&t->by_key, key);
    if (a && a->waiting)
        a->failures = 0;
    else if (a)
        drop(t, a);
    pthread_mutex_unlock(&t->lock);
}

unsigned throttle_failures(struct throttle *t, struct slice ip, int64_t now_ms)
{
    char bytes[KEY_MAX];
    struct slice key = client_key(ip, bytes);
    pthread_mutex_lock(&t->lock);
    const struct throttled *a = look(t, key, now_ms);
    unsigned failures = a ? a->failures : 0;
    pthread_mutex_unlock(&t->lock);
    return failures;
}

size_t throttle_addresses(struct throttle *t)
{
    pthread_mutex_lock(&t->lock);
    size_t n = t->by_key.used;
    pthread_mutex_unlock(&t->lock);
    return n;
}
