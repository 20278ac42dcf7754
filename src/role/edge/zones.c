/* zones.c: the TLS contexts of settings, by kind of connection and by the address of ours that a
 * client came to (Dovecot's `local`). */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "role/edge/edge.h"

static bool known_zone(const struct edge_settings *s, struct slice address)
{
    for (size_t i = 0; i < s->n_zones; i++)
        if (slice_eq(s->zones[i].address, address))
            return true;
    return false;
}

static void add_zone(void *arg, struct slice address)
{
    struct edge_settings *s = arg;
    if (known_zone(s, address))
        return;
    if (s->n_zones == EDGE_ZONES_MAX) {
        LOG(LOG_ERROR, "tls.address", LOG_S("address", address),
            LOG_C("why", "too many addresses with certificates of their own"));
        return;
    }
    if (!s->zones)
        s->zones = calloc(EDGE_ZONES_MAX, sizeof *s->zones);
    if (s->zones)
        s->zones[s->n_zones++].address = address; /* of s->conf */
}

void edge_tls_fill(struct edge *e, struct edge_settings *s)
{
    pthread_mutex_lock(&e->lock);
    edge_tls_addresses(e->certificates, s->conf, add_zone, s);
    for (int kind = 0; kind < EDGE_TLS_KINDS; kind++) {
        enum edge_tls_kind k = (enum edge_tls_kind)kind;
        s->tls[k] = edge_tls_new(e->certificates, s->conf, k, SLICE(""));
        for (size_t i = 0; s->tls[k] && i < s->n_zones; i++)
            s->zones[i].tls[k] = edge_tls_new(e->certificates, s->conf, k, s->zones[i].address);
    }
    pthread_mutex_unlock(&e->lock);
}

void edge_tls_release(struct edge_settings *s)
{
    for (int k = 0; k < EDGE_TLS_KINDS; k++) {
        tls_context_unref(s->tls[k]);
        for (size_t i = 0; i < s->n_zones; i++)
            tls_context_unref(s->zones[i].tls[k]);
    }
    free(s->zones);
}

/* Our address of the connection, as text; "": it has none. */
static void local_address(int fd, char text[INET6_ADDRSTRLEN])
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } a;
    socklen_t len = sizeof a;
    text[0] = 0;
    if (getsockname(fd, &a.any, &len) != 0)
        return;
    if (a.any.sa_family == AF_INET)
        inet_ntop(AF_INET, &a.v4.sin_addr, text, INET6_ADDRSTRLEN);
    else if (a.any.sa_family == AF_INET6)
        inet_ntop(AF_INET6, &a.v6.sin6_addr, text, INET6_ADDRSTRLEN);
}

struct tls_context *edge_tls_for(const struct edge_settings *s, enum edge_tls_kind kind, int fd)
{
    char text[INET6_ADDRSTRLEN];
    struct slice entry;
    if (s->n_zones)
        local_address(fd, text);
    for (size_t i = 0; i < s->n_zones; i++) {
        struct slice_list one = {&s->zones[i].address, 1};
        if (s->zones[i].tls[kind] && conf_network_match(one, slice_cstr(text), &entry))
            return s->zones[i].tls[kind];
    }
    return s->tls[kind];
}
