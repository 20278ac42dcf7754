/* dest.c: a destination: the jobs that wait for it, its route, its connections. */
#include <stdlib.h>

#include "base/clock.h"
#include "role/relay/relay.h"

struct slice dest_name(const struct dest *d)
{
    return slice_of(d->name, d->name_len);
}

struct slice dest_route(const struct dest *d)
{
    struct slice rest = dest_name(d);
    return slice_split(&rest, '\n');
}

struct slice dest_sender(const struct dest *d)
{
    struct slice rest = dest_name(d);
    (void)slice_split(&rest, '\n');
    struct slice sender = slice_split(&rest, '\n');
    return sender.data ? sender : SLICE("");
}

static const char *const demands[] = {
    [TLS_DEMAND_NONE] = "", [TLS_DEMAND_REQUIRED] = "required", [TLS_DEMAND_OPTIONAL] = "optional"};

enum tls_demand dest_demand(const struct dest *d)
{
    struct slice rest = dest_name(d);
    (void)slice_split(&rest, '\n');
    (void)slice_split(&rest, '\n');
    for (enum tls_demand i = TLS_DEMAND_REQUIRED; i <= TLS_DEMAND_OPTIONAL; i++)
        if (slice_is(rest, demands[i]))
            return i;
    return TLS_DEMAND_NONE;
}

const char *dest_name_with(struct slice name, enum tls_demand demand, struct arena *a)
{
    const char *no_sender = slice_find(name, '\n') == SIZE_MAX ? "\n" : "";
    return arena_printf(a, "%.*s%s\n%s", SLICE_ARG(name), no_sender, demands[demand]);
}

static struct dest *dest_get(struct relay *relay, struct slice name)
{
    struct dest *d = map_get(&relay->dests, name);
    if (d)
        return d;
    d = calloc(1, sizeof *d + name.len + 1);
    if (!d)
        return NULL;
    d->relay = relay;
    list_init(&d->waiting);
    list_init(&d->idle);
    d->name_len = name.len;
    if (name.len)
        memcpy(d->name, name.data, name.len);
    if (map_put(&relay->dests, name, d) != OK) {
        free(d);
        return NULL;
    }
    return d;
}

static void settle(struct dest *d)
{
    if (d->n_waiting || d->conns || d->routing)
        return;
    (void)map_remove(&d->relay->dests, dest_name(d));
    if (d->route)
        route_unref(d->route);
    free(d);
}

static void fail_waiting(struct dest *d, const struct verdict *v)
{
    struct rjob *j;
    while ((j = dest_next(d)))
        job_finish_all(j, v, "");
}

static void set_route(struct dest *d, struct route *route, const struct verdict *failure)
{
    if (d->route)
        route_unref(d->route);
    d->route = route;
    if (!route) {
        struct verdict missed = *failure;
        missed.missed = failure->outcome == SMTP_DEFERRED;
        fail_waiting(d, &missed);
    }
}

/* Hands out what waits: to idle connections, then to new ones. */
static void pump(struct dest *d)
{
    while (d->n_waiting && !list_empty(&d->idle))
        outconn_give(&d->idle, dest_next(d));
    if (!d->n_waiting || d->conns >= d->limit || d->routing)
        return;
    if (!d->route || d->route->until_ms < clock_monotonic_ms()) {
        struct verdict failure;
        struct route *route;
        if (!route_find(d, &route, &failure)) {
            d->routing = true;
            return;
        }
        set_route(d, route, &failure);
    }
    while (d->n_waiting && d->conns < d->limit) {
        struct rjob *j = dest_next(d);
        if (!outconn_new(d->relay, d, j)) {
            dest_return(d, j);
            break;
        }
        d->conns++;
    }
}

void dest_submit(struct relay *relay, struct rjob *j, unsigned limit)
{
    struct dest *d = dest_get(relay, j->destination);
    if (!d) {
        ipc_answer_failure(j->from, j->call, "no memory");
        job_free(j);
        return;
    }
    d->limit = limit;
    list_push_back(&d->waiting, &j->node);
    d->n_waiting++;
    pump(d);
    settle(d);
}

void dest_routed(struct dest *d, struct route *route, const struct verdict *failure)
{
    d->routing = false;
    set_route(d, route, failure);
    pump(d);
    settle(d);
}

struct rjob *dest_next(struct dest *d)
{
    struct list_node *n = list_pop_front(&d->waiting);
    if (!n)
        return NULL;
    d->n_waiting--;
    return CONTAINER_OF(n, struct rjob, node);
}

void dest_return(struct dest *d, struct rjob *j)
{
    list_push_front(&d->waiting, &j->node);
    d->n_waiting++;
}

void dest_conn_gone(struct dest *d)
{
    d->conns--;
    pump(d);
    settle(d);
}

void dest_forget_routes(struct relay *relay)
{
    size_t at = 0;
    struct slice key;
    void *value;
    while (map_next(&relay->dests, &at, &key, &value)) {
        struct dest *d = value;
        if (d->route)
            route_unref(d->route);
        d->route = NULL;
        while (!list_empty(&d->idle))
            outconn_give(&d->idle, NULL);
    }
}

void dest_free_all(struct relay *relay)
{
    size_t at = 0;
    struct slice key;
    void *value;
    while (map_next(&relay->dests, &at, &key, &value)) {
        struct dest *d = value;
        struct rjob *j;
        while ((j = dest_next(d)))
            job_free(j);
        if (d->route)
            route_unref(d->route);
        free(d);
    }
    map_release(&relay->dests);
}
