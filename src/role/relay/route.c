/* route.c: where mail for a destination goes (RFC 5321 5.1): a host that the route names, an
 * address literal, the hosts of the MX records in order of preference, or the domain's own address.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "role/relay/hop.h"
#include "role/relay/relay.h"

struct mx {
    char host[256];
    uint16_t preference;
    uint32_t shuffle; /* order among equals: RFC 5321 5.1 asks for chance */
    size_t n[2];      /* IPv4, IPv6 */
    struct address addresses[2][8];
};

/* One look-up; its questions' answers are counted down in `open`. */
struct lookup {
    struct dest *dest;
    const struct conf *conf;
    struct route *found;    /* what the hops before came to */
    struct verdict failure; /* of the last one that came to nothing */
    struct slice rest;      /* hops still to be looked at; of the destination's name */
    unsigned generation;    /* of the settings: relay's when it began */
    bool lmtp;
    bool fallback; /* rest is of smtp_fallback_relay by now */
    bool final;    /* the domain itself says no (null MX), or has us as an MX host: no fallback */
    char name[256];
    struct slice hop; /* as it is written */
    uint16_t port;
    bool use[2]; /* IPv4, IPv6 */
    size_t n;
    struct mx mx[ROUTE_HOSTS_MAX];
    unsigned open;
    bool temporary; /* an address could not be asked for */
    bool mx_signed; /* the hosts' names can be believed: by DNSSEC, or the route has them */
};

struct address_question {
    struct lookup *lookup;
    size_t mx;
    unsigned family; /* 0: IPv4, 1: IPv6 */
};

void route_unref(struct route *r)
{
    if (--r->refs == 0)
        free(r);
}

/* Ends the look-up with what it came to. */
static void lookup_result(struct lookup *l, struct route **ret, struct verdict *ret_failure)
{
    bool found = l->found && l->found->n > 0;
    if (found && l->generation != l->dest->relay->generation)
        l->found->until_ms = 0; /* found under the old settings: it is looked for once more */
    *ret = found ? l->found : NULL;
    *ret_failure = l->failure;
    if (!found)
        free(l->found);
    conf_unref(l->conf);
    free(l);
}

/* ---- addresses ---- */

static void start_address(const struct lookup *l, struct address *a)
{
    *a = (struct address){.mx_signed = l->mx_signed, .fallback = l->fallback};
    snprintf(a->nexthop, sizeof a->nexthop, "%.*s", SLICE_ARG(l->hop));
}

static bool fill_address(const struct lookup *l, struct address *a, unsigned family,
                         const void *bytes, const char *host)
{
    uint16_t port = l->port;
    start_address(l, a);
    if (family == 0) {
        struct sockaddr_in *in = (struct sockaddr_in *)&a->sockaddr;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        memcpy(&in->sin_addr, bytes, 4);
        a->len = sizeof *in;
    } else {
        struct sockaddr_in6 *in = (struct sockaddr_in6 *)&a->sockaddr;
        in->sin6_family = AF_INET6;
        in->sin6_port = htons(port);
        memcpy(&in->sin6_addr, bytes, 16);
        a->len = sizeof *in;
    }
    size_t host_len = strnlen(host, sizeof a->host - 1);
    memcpy(a->host, host, host_len); /* the rest is zero already */
    return inet_ntop(family ? AF_INET6 : AF_INET, bytes, a->text, sizeof a->text) != NULL;
}

/* An address in digits, or a path, is not asked for. */
static bool literal(struct lookup *l, const struct hop *hop)
{
    unsigned char bytes[16];
    unsigned family;
    struct address *a = &l->found->addresses[l->found->n];
    if (hop->path) {
        start_address(l, a);
        a->path = true;
        snprintf(a->host, sizeof a->host, "%s", hop->host);
        l->found->n++;
        return true;
    }
    if (inet_pton(AF_INET, hop->host, bytes) == 1)
        family = 0;
    else if (inet_pton(AF_INET6, hop->host, bytes) == 1)
        family = 1;
    else
        return false;
    l->found->n += fill_address(l, a, family, bytes, hop->host);
    return true;
}

/* Which family goes first: as smtp_address_preference says; "any" leaves it to chance. */
static unsigned first_family(const struct lookup *l, const struct mx *mx)
{
    struct slice wish =
        l->lmtp ? l->conf->lmtp_address_preference : l->conf->smtp_address_preference;
    if (slice_is_nocase(wish, "ipv4"))
        return 0;
    if (slice_is_nocase(wish, "ipv6"))
        return 1;
    return mx->shuffle & 1;
}

static void collect_one(struct route *r, const struct mx *mx, unsigned family, size_t i,
                        size_t most)
{
    if (i < mx->n[family] && r->n < most)
        r->addresses[r->n++] = mx->addresses[family][i];
}

/* The addresses of each host in turn: the families alternating with smtp_balance_inet_protocols,
 * else all of the first family before the other; within the limits. */
static size_t collect(struct lookup *l)
{
    const struct conf *c = l->conf;
    struct route *r = l->found;
    int64_t limit = l->lmtp ? c->lmtp_mx_address_limit : c->smtp_mx_address_limit;
    size_t before = r->n, most = limit ? before + (size_t)limit : ROUTE_ADDRESSES_MAX;
    bool balance = l->lmtp ? c->lmtp_balance_inet_protocols : c->smtp_balance_inet_protocols;
    if (most > ROUTE_ADDRESSES_MAX)
        most = ROUTE_ADDRESSES_MAX;
    for (size_t m = 0; m < l->n; m++) {
        const struct mx *mx = &l->mx[m];
        unsigned first = first_family(l, mx);
        for (size_t i = 0; i < 8; i++) {
            collect_one(r, mx, first, i, most);
            if (balance)
                collect_one(r, mx, !first, i, most);
        }
        for (size_t i = 0; i < 8 && !balance; i++)
            collect_one(r, mx, !first, i, most);
    }
    return r->n - before;
}

static bool look_on(struct lookup *l); /* below */

/* A hop is done with; with the last one, so is the look-up. */
static void hop_ended(struct lookup *l)
{
    struct dest *d = l->dest;
    struct route *route;
    struct verdict failure;
    if (!look_on(l))
        return;
    lookup_result(l, &route, &failure);
    dest_routed(d, route, &failure);
}

/* A fallback that can't be used is the administrator's to mend: it returns no mail, and what was
 * wrong with the destination itself stays the reason. */
static void take_failure(struct lookup *l, const struct verdict *v)
{
    if (!l->fallback) {
        l->failure = *v;
        return;
    }
    LOG(LOG_WARNING, "relay.fallback", LOG_S("nexthop", l->hop), LOG_C("why", v->text));
    if (l->failure.outcome == SMTP_FAILED)
        verdict_set(&l->failure, SMTP_DEFERRED, "4.3.5", "%s; and no fallback relay can be used",
                    v->text);
}

static void end_failed(struct lookup *l, enum smtp_outcome o, const char *status, const char *text)
{
    struct verdict v;
    verdict_set(&v, o, status, text, l->name);
    take_failure(l, &v);
    hop_ended(l);
}

static void addresses_done(struct lookup *l)
{
    if (collect(l) > 0)
        hop_ended(l);
    else if (l->temporary)
        end_failed(l, SMTP_DEFERRED, "4.4.3", "name service error for %s: try again");
    else
        end_failed(l, SMTP_FAILED, "5.4.4", "no address found for the mail hosts of %s");
}

static void take_addresses(struct lookup *l, const struct address_question *q,
                           const struct resolver_answer *a)
{
    struct mx *mx = &l->mx[q->mx];
    size_t size = q->family ? 16 : 4;
    for (size_t i = 0; i < a->n && mx->n[q->family] < 8; i++) {
        struct address *to = &mx->addresses[q->family][mx->n[q->family]];
        if (a->records[i].len != size ||
            !fill_address(l, to, q->family, a->records[i].data, mx->host))
            continue;
        to->is_signed = a->secure;
        snprintf(to->canonical, sizeof to->canonical, "%s", a->canonical);
        mx->n[q->family]++;
    }
}

static void on_address(void *arg, const struct resolver_answer *a)
{
    struct address_question *q = arg;
    struct lookup *l = q->lookup;
    struct relay *relay = l->dest->relay;
    pthread_mutex_lock(&relay->lock);
    if (a->outcome == RESOLVER_TEMPORARY)
        l->temporary = true;
    take_addresses(l, q, a);
    free(q);
    if (--l->open == 0)
        addresses_done(l);
    pthread_mutex_unlock(&relay->lock);
}

static bool ask_address(struct lookup *l, size_t mx, unsigned family)
{
    struct address_question *q = malloc(sizeof *q);
    if (!q)
        return false;
    *q = (struct address_question){l, mx, family};
    l->open++;
    if (resolver_ask(l->dest->relay->resolver, l->mx[mx].host, family ? DNS_AAAA : DNS_A,
                     on_address, q) == OK)
        return true;
    l->open--;
    free(q);
    return false;
}

/* Asks for the addresses of all hosts at once. False: nothing could be asked. */
static bool ask_addresses(struct lookup *l)
{
    for (size_t i = 0; i < l->n; i++)
        for (unsigned family = 0; family < 2; family++)
            if (l->use[family] && !ask_address(l, i, family))
                l->temporary = true;
    return l->open > 0;
}

/* ---- MX ---- */

static int by_preference(const void *a, const void *b)
{
    const struct mx *x = a, *y = b;
    if (x->preference != y->preference)
        return x->preference < y->preference ? -1 : 1;
    return x->shuffle < y->shuffle ? -1 : x->shuffle > y->shuffle;
}

/* Where the next host goes: in place of the worst one when there are enough. */
static struct mx *room_for(struct lookup *l, uint16_t preference)
{
    struct mx *worst = &l->mx[0];
    if (l->n < ROUTE_HOSTS_MAX)
        return &l->mx[l->n++];
    for (size_t i = 1; i < l->n; i++)
        if (l->mx[i].preference > worst->preference)
            worst = &l->mx[i];
    return worst->preference > preference ? worst : NULL;
}

/* In the order of the answer where chance is not wanted. */
static uint32_t shuffle(const struct lookup *l)
{
    bool wanted = l->lmtp ? l->conf->lmtp_randomize_addresses : l->conf->smtp_randomize_addresses;
    uint32_t n;
    if (wanted && getrandom(&n, sizeof n, GRND_NONBLOCK) == sizeof n)
        return n;
    return 2 * (uint32_t)l->n + 1;
}

static void add_mx(struct lookup *l, const char *host, uint16_t preference)
{
    struct mx *mx = room_for(l, preference);
    if (!mx)
        return;
    snprintf(mx->host, sizeof mx->host, "%s", host);
    mx->preference = preference;
    mx->shuffle = shuffle(l);
    mx->n[0] = mx->n[1] = 0; /* of the hop before */
}

/* The best ROUTE_HOSTS_MAX of the records; *ret_null: RFC 7505's "no mail here". */
static void take_records(struct lookup *l, const struct resolver_answer *a, bool *ret_null)
{
    for (size_t i = 0; i < a->n; i++) {
        struct buf name;
        uint16_t preference;
        buf_init(&name, 256);
        if (resolver_mx(a->records[i], &preference, &name) == OK) {
            buf_putc(&name, 0);
            if (buf_ok(&name) && buf_len(&name) == 1)
                *ret_null = true;
            else if (buf_ok(&name))
                add_mx(l, name.mem + name.start, preference);
        }
        buf_release(&name);
    }
    qsort(l->mx, l->n, sizeof *l->mx, by_preference);
    if (l->n > 0)
        *ret_null = false; /* RFC 7505 3: a null MX stands alone */
}

/* RFC 5321 5.1: hosts that are not better than ourselves are no way forward. True: we are the best
 * one, the mail loops. */
static bool cut_at_ourselves(struct lookup *l)
{
    for (size_t i = 0; i < l->n; i++) {
        if (!slice_eq_nocase(slice_cstr(l->mx[i].host), l->conf->myhostname))
            continue;
        l->final = true; /* it is us that it falls back to */
        uint16_t ours = l->mx[i].preference;
        size_t kept = 0;
        while (kept < l->n && l->mx[kept].preference < ours)
            kept++;
        l->n = kept;
        return kept == 0;
    }
    return false;
}

static void mx_answered(struct lookup *l, const struct resolver_answer *a)
{
    bool null_mx = false;
    l->mx_signed = a->secure;
    if (a->outcome == RESOLVER_TEMPORARY) {
        end_failed(l, SMTP_DEFERRED, "4.4.3", "name service error for %s: try again");
        return;
    }
    if (a->outcome == RESOLVER_NO_NAME) {
        end_failed(l, SMTP_FAILED, "5.1.2", "domain %s does not exist");
        return;
    }
    take_records(l, a, &null_mx);
    if (null_mx) {
        l->final = true;
        end_failed(l, SMTP_FAILED, "5.1.10", "domain %s does not accept mail (null MX)");
    } else if (l->n > 0 && cut_at_ourselves(l)) {
        end_failed(l, SMTP_FAILED, "5.4.6", "mail for %s loops back to myself");
    } else {
        if (l->n == 0)
            add_mx(l, l->name, 0); /* RFC 5321 5.1: the implicit MX */
        if (!ask_addresses(l))
            addresses_done(l);
    }
}

static void on_mx(void *arg, const struct resolver_answer *a)
{
    struct lookup *l = arg;
    struct relay *relay = l->dest->relay;
    pthread_mutex_lock(&relay->lock);
    mx_answered(l, a);
    pthread_mutex_unlock(&relay->lock);
}

/* ---- the next hop ---- */

static void choose_protocols(struct lookup *l)
{
    struct slice p = l->conf->inet_protocols;
    bool all = slice_search(p, SLICE("all")) != SIZE_MAX;
    l->use[0] = all || slice_search(p, SLICE("ipv4")) != SIZE_MAX;
    l->use[1] = all || slice_search(p, SLICE("ipv6")) != SIZE_MAX;
}

/* True: the answer will come. */
static bool ask(struct lookup *l, bool exact)
{
    if (!exact)
        return resolver_ask(l->dest->relay->resolver, l->name, DNS_MX, on_mx, l) == OK;
    add_mx(l, l->name, 0);
    return ask_addresses(l);
}

/* The next hop of the destination, and behind them those of smtp_fallback_relay. */
static enum result next_hop(struct lookup *l, struct hop *ret)
{
    const struct conf *c = l->conf;
    uint16_t port = (uint16_t)(l->lmtp ? c->lmtp_tcp_port : c->smtp_port);
    enum result r = hop_next(&l->rest, l->lmtp, port, ret);
    if (r != NOT_FOUND || l->fallback || l->final)
        return r;
    l->fallback = true;
    l->rest = l->lmtp ? c->lmtp_fallback_relay : c->smtp_fallback_relay;
    return hop_next(&l->rest, l->lmtp, port, ret);
}

static void take_malformed(struct lookup *l)
{
    bool routed = slice_find(dest_route(l->dest), ':') != SIZE_MAX; /* the administrator's words */
    struct verdict v;
    verdict_set(&v, routed || l->fallback ? SMTP_DEFERRED : SMTP_FAILED,
                routed || l->fallback ? "4.3.5" : "5.1.2", "\"%.*s\" is no name of a mail host",
                SLICE_ARG(l->hop));
    take_failure(l, &v);
}

/* Looks at the hops that are left. True: it is done; false: an answer is awaited. */
static bool look_on(struct lookup *l)
{
    struct hop hop;
    struct verdict no_slots;
    verdict_set(&no_slots, SMTP_DEFERRED, "4.3.0", "out of resolver slots");
    for (;;) {
        enum result r = next_hop(l, &hop);
        if (r == NOT_FOUND || l->found->n >= ROUTE_ADDRESSES_MAX)
            return true;
        l->hop = hop.text;
        if (r != OK) {
            take_malformed(l);
            continue;
        }
        snprintf(l->name, sizeof l->name, "%s", hop.host);
        l->port = hop.port;
        l->n = l->open = 0;
        l->temporary = false;
        l->mx_signed = true; /* until MX records say otherwise */
        if (literal(l, &hop))
            continue;
        if (ask(l, hop.exact))
            return false;
        take_failure(l, &no_slots);
    }
}

bool route_find(struct dest *d, struct route **ret, struct verdict *failure)
{
    struct slice transport;
    struct lookup *l = calloc(1, sizeof *l);
    *ret = NULL;
    verdict_set(failure, SMTP_DEFERRED, "4.3.0", "out of memory");
    if (!l)
        return true;
    l->dest = d;
    l->generation = d->relay->generation;
    l->conf = role_conf(d->relay->role);
    target_route_split(dest_route(d), &transport, &l->rest);
    l->lmtp = slice_is(conf_transport_kind(l->conf, transport), "lmtp");
    l->found = calloc(1, sizeof *l->found);
    l->failure = *failure;
    if (l->found) {
        l->found->refs = 1;
        l->found->until_ms = clock_monotonic_ms() + ROUTE_TTL_MS;
        verdict_set(&l->failure, SMTP_DEFERRED, "4.3.5", "\"%.*s\" names no next hop",
                    SLICE_ARG(dest_route(d)));
        choose_protocols(l);
        if (!look_on(l))
            return false;
    }
    lookup_result(l, ret, failure);
    return true;
}
