/* limits.c: how many SMTP connections an address has now, and how many it opened this minute. An
 * entry lives while it has connections or its minute is not over. */
#include <stdlib.h>

#include "base/clock.h"
#include "role/edge/edge.h"

enum { ADDRESSES_MAX = 1000000, SWEEP_FROM = 1000, MINUTE_MS = 60000 };

struct address_count {
    int64_t minute_began; /* clock_monotonic_ms */
    uint32_t now, this_minute;
};

static bool is_stale(const struct address_count *a, int64_t now)
{
    return a->now == 0 && now - a->minute_began >= MINUTE_MS;
}

/* Drops what is stale whenever the number of addresses has doubled since the last time, so that the
 * cost of a sweep is spread over the connections that made it necessary. */
static void sweep(struct map *m, int64_t now)
{
    size_t at = 0;
    struct slice key;
    void *value;
    if (m->used < SWEEP_FROM || (m->used & (m->used - 1)))
        return;
    while (map_next(m, &at, &key, &value))
        if (is_stale(value, now))
            free(map_remove(m, key));
}

static struct address_count *find_or_add(struct edge *e, struct slice ip, int64_t now)
{
    struct address_count *a = map_get(&e->addresses, ip);
    if (a)
        return a;
    if (e->addresses.max == 0)
        map_init(&e->addresses, ADDRESSES_MAX);
    sweep(&e->addresses, now);
    a = calloc(1, sizeof *a);
    if (a && map_put(&e->addresses, ip, a) != OK) {
        free(a);
        a = NULL;
    }
    if (a)
        a->minute_began = now;
    return a;
}

enum result edge_count_in(struct edge *e, const struct conf *c, struct slice ip,
                          const char **ret_why)
{
    int64_t now = clock_monotonic_ms();
    enum result r = OK;
    pthread_mutex_lock(&e->lock);
    struct address_count *a = find_or_add(e, ip, now);
    if (a && now - a->minute_began >= MINUTE_MS) {
        a->minute_began = now;
        a->this_minute = 0;
    }
    if (!a || (c->smtpd_client_connection_count_limit &&
               a->now >= c->smtpd_client_connection_count_limit)) {
        *ret_why = "smtpd_client_connection_count_limit";
        r = LIMIT;
    } else if (c->smtpd_client_connection_rate_limit &&
               a->this_minute >= c->smtpd_client_connection_rate_limit) {
        *ret_why = "smtpd_client_connection_rate_limit";
        r = LIMIT;
    } else {
        a->now++;
        a->this_minute++;
    }
    pthread_mutex_unlock(&e->lock);
    return r;
}

void edge_count_out(struct edge *e, struct slice ip)
{
    pthread_mutex_lock(&e->lock);
    struct address_count *a = map_get(&e->addresses, ip);
    if (a && a->now > 0 && --a->now == 0 && is_stale(a, clock_monotonic_ms()))
        free(map_remove(&e->addresses, ip));
    pthread_mutex_unlock(&e->lock);
}

void edge_free_limits(struct edge *e)
{
    size_t at = 0;
    struct slice key;
    void *value;
    while (map_next(&e->addresses, &at, &key, &value))
        free(value);
    map_release(&e->addresses);
}
