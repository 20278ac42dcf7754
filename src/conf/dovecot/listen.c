/* listen.c: which protocols Dovecot would listen for, where: `protocols`, `listen`, the listeners
 * of its service blocks, and `ssl`, together as our `listen`. */
#include <stdio.h>

#include "conf/dovecot/map.h"

enum { LISTENERS_MAX = 64, SOCKET_PATH_MAX = 107, URLS_MAX = 16384 };

/* A port (or a socket) of one protocol. */
struct listener {
    struct slice name;
    struct slice address; /* "" those of `listen` */
    uint64_t port;        /* 0: off */
    bool ssl, local;
    struct slice path; /* of a local one: a Unix socket */
};

struct protocol {
    const char *name, *service;
    const char *plain, *secure; /* our names */
    uint16_t port, ssl_port;    /* 0: none by itself */
};

static const struct protocol protocols[] = {
    {"imap", "imap-login", "imap", "imaps", 143, 993},
    {"pop3", "pop3-login", "pop3", "pop3s", 110, 995},
    {"submission", "submission-login", "submission", "submissions", 587, 0},
    {"lmtp", "lmtp", "lmtp", NULL, 0, 0},
};

struct listeners {
    struct map_dovecot *map;
    struct listener items[LISTENERS_MAX];
    size_t n;
    bool ssl;
    struct slice hosts;
    struct buf urls;
};

static bool no_tls(const struct map_dovecot *m)
{
    const struct dovecot_node *ssl = dovecot_find(m->root, "ssl");
    const struct dovecot_node *off = dovecot_find(m->root, "ssl_disable");
    return (ssl && slice_is(ssl->value, "no")) || (off && slice_is(off->value, "yes"));
}

/* Those on a port and those on a socket have names of their own. */
static struct listener *find_listener(struct listeners *l, struct slice name, bool local)
{
    for (size_t i = 0; i < l->n; i++)
        if (slice_eq(l->items[i].name, name) && l->items[i].local == local)
            return &l->items[i];
    if (l->n == LISTENERS_MAX)
        return NULL;
    l->items[l->n] = (struct listener){.name = name, .local = local};
    return &l->items[l->n++];
}

static void take_listener_setting(struct listeners *l, struct listener *to,
                                  const struct dovecot_node *n)
{
    if (slice_is(n->key, "port")) {
        if (slice_parse_u64(n->value, 65535, &to->port) != OK)
            map_error(l->map, n, "port: `%.*s` is no port", SLICE_ARG(n->value));
    } else if (slice_is(n->key, "address") || slice_is(n->key, "listen")) {
        to->address = n->value;
    } else if (slice_is(n->key, "ssl")) {
        to->ssl = map_yes(l->map, n, true);
    } else if (slice_is(n->key, "reuse_port") || slice_is(n->key, "mode") ||
               slice_is(n->key, "user") || slice_is(n->key, "group") || slice_is(n->key, "type")) {
        return; /* of sockets.c, or of no effect */
    } else {
        map_not_served(l->map, "listener", n);
    }
}

static void take_listener(struct listeners *l, const struct dovecot_node *block)
{
    bool local = slice_is(block->key, "unix_listener");
    struct listener *to = find_listener(l, block->value, local);
    if (!to) {
        map_error(l->map, block, "more than %d listeners", LISTENERS_MAX);
        return;
    }
    if (local)
        to->path = map_socket_path(l->map, block->value);
    if (to->path.len > SOCKET_PATH_MAX)
        map_error(l->map, block, "the path of the socket is too long");
    MAP_EACH(n, block)
    take_listener_setting(l, to, n);
    /* A socket whose mode is 0 is off. */
    const struct dovecot_node *mode = dovecot_find(block, "mode");
    if (local && mode && (slice_is(mode->value, "0") || slice_is(mode->value, "0000")))
        to->path = SLICE_NONE;
}

static void take_service(struct listeners *l, const struct dovecot_node *service)
{
    bool told = false;
    MAP_EACH(n, service)
    {
        if (n->block && (slice_is(n->key, "inet_listener") || slice_is(n->key, "unix_listener")))
            take_listener(l, n);
        else if (!told)
            map_not_served(l->map, "service", n);
        told = told || !n->block; /* one line about a service's processes is enough */
    }
}

/* ---- the urls ---- */

static void put_url(struct listeners *l, const char *service, struct slice host, uint64_t port)
{
    bool v6 = slice_find(host, ':') != SIZE_MAX;
    if (host.len > 1 && host.data[0] == '[')
        host = slice_sub(host, 1, host.len - 2);
    buf_printf(&l->urls, "%s%s://%s%.*s%s:%llu", buf_len(&l->urls) ? ", " : "", service,
               v6 ? "[" : "", SLICE_ARG(host), v6 ? "]" : "", (unsigned long long)port);
}

static bool next_host(struct slice *rest, struct slice *ret)
{
    size_t n = 0;
    while (rest->len && strchr(", \t", rest->data[0]))
        *rest = slice_from(*rest, 1);
    while (n < rest->len && !strchr(", \t", rest->data[n]))
        n++;
    *ret = slice_sub(*rest, 0, n);
    *rest = slice_from(*rest, n);
    return n > 0;
}

/* "*" and "::" together are all addresses. */
static void put_hosts(struct listeners *l, const char *service, struct slice hosts, uint64_t port)
{
    struct slice rest = hosts, host;
    bool v4 = false, v6 = false;
    while (next_host(&rest, &host)) {
        v4 = v4 || slice_is(host, "*");
        v6 = v6 || slice_is(host, "::") || slice_is(host, "[::]");
    }
    if (v4 || v6)
        put_url(l, service, v4 && v6 ? SLICE("") : v4 ? SLICE("0.0.0.0") : SLICE("::"), port);
    for (rest = hosts; next_host(&rest, &host);)
        if (!slice_is(host, "*") && !slice_is(host, "::") && !slice_is(host, "[::]"))
            put_url(l, service, host, port);
}

static void put_listener(struct listeners *l, const struct protocol *p, const struct listener *x)
{
    const char *service = x->ssl ? p->secure : p->plain;
    if (x->path.len && strcmp(p->name, "lmtp") == 0)
        buf_printf(&l->urls, "%slmtp:%.*s", buf_len(&l->urls) ? ", " : "", SLICE_ARG(x->path));
    else if (x->port && service && (l->ssl || !x->ssl))
        put_hosts(l, service, x->address.len ? x->address : l->hosts, x->port);
}

/* "host", "host:port", "[v6]:port" of Dovecot 1. */
static void take_old_listen(struct listener *x, struct slice text)
{
    size_t colon = slice_rfind(text, ':');
    bool bare_v6 = text.len && text.data[0] == '[' && text.data[text.len - 1] == ']';
    uint64_t port;
    if (colon != SIZE_MAX && !bare_v6 &&
        slice_parse_u64(slice_from(text, colon + 1), 65535, &port) == OK) {
        x->port = port;
        text = slice_sub(text, 0, colon);
    }
    x->address = text;
}

/* protocol imap { listen = …  ssl_listen = … }, and 0.99's imap_listen and imaps_listen. */
static void take_old(struct listeners *l, const struct protocol *p, struct listener *plain,
                     struct listener *secure)
{
    char flat[32], flat_secure[32];
    snprintf(flat, sizeof flat, "%s_listen", p->name);
    snprintf(flat_secure, sizeof flat_secure, "%ss_listen", p->name);
    MAP_EACH(n, l->map->root)
    {
        if (!n->block && slice_is(n->key, flat))
            take_old_listen(plain, n->value);
        else if (!n->block && slice_is(n->key, flat_secure))
            take_old_listen(secure, n->value);
        if (!n->block || !slice_is(n->key, "protocol") || !slice_is(n->value, p->name))
            continue;
        const struct dovecot_node *one = dovecot_find(n, "listen");
        const struct dovecot_node *two = dovecot_find(n, "ssl_listen");
        if (one)
            take_old_listen(plain, one->value);
        if (two)
            take_old_listen(secure, two->value);
    }
}

static void put_protocol(struct listeners *l, const struct protocol *p)
{
    char secure[32];
    l->n = 0;
    if (p->port) {
        snprintf(secure, sizeof secure, "%ss", p->name);
        struct listener *a = find_listener(l, slice_cstr(p->name), false);
        struct listener *b = find_listener(l, arena_dup(l->map->arena, slice_cstr(secure)), false);
        a->port = p->port;
        b->port = p->ssl_port;
        b->ssl = true;
        take_old(l, p, a, b);
    }
    MAP_EACH(n, l->map->root)
    if (n->block && slice_is(n->key, "service") && slice_is(n->value, p->service))
        take_service(l, n);
    for (size_t i = 0; i < l->n; i++)
        put_listener(l, p, &l->items[i]);
}

/* ---- which protocols ---- */

static const struct protocol *find_protocol(struct slice name)
{
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
        if (slice_is(name, protocols[i].name))
            return &protocols[i];
    return NULL;
}

/* Dovecot 1 names imaps and pop3s too: ports with TLS come with the protocol. */
static struct slice without_s(struct slice name)
{
    return slice_is(name, "imaps") || slice_is(name, "pop3s") ? slice_sub(name, 0, name.len - 1)
                                                              : name;
}

static void take_protocol(struct listeners *l, const struct dovecot_node *n, struct slice name,
                          bool *seen)
{
    const struct protocol *p = find_protocol(without_s(name));
    if (p && !seen[p - protocols]) {
        seen[p - protocols] = true;
        put_protocol(l, p);
    } else if (!p && !slice_is(name, "none")) {
        map_note(l->map, n, "protocol %.*s is not served: remove it", SLICE_ARG(name));
    }
}

/* 2.4: protocols { imap = yes }. */
static void take_protocol_block(struct listeners *l, const struct dovecot_node *block, bool *seen)
{
    MAP_EACH(n, block)
    if (map_yes(l->map, n, false))
        take_protocol(l, n, n->key, seen);
}

static const struct dovecot_node *take_protocols(struct listeners *l)
{
    bool seen[sizeof protocols / sizeof *protocols] = {false};
    const struct dovecot_node *flat = dovecot_find(l->map->root, "protocols"), *from = NULL;
    struct slice rest = flat ? flat->value : SLICE_NONE, name;
    while (flat && next_host(&rest, &name))
        take_protocol(l, flat, name, seen);
    MAP_EACH(n, l->map->root)
    if (n->block && slice_is(n->key, "protocols")) {
        take_protocol_block(l, n, seen);
        from = n;
    }
    if (!flat && !from) /* what Dovecot is built with by default */
        for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++)
            if (strcmp(protocols[i].name, "submission") != 0)
                put_protocol(l, &protocols[i]);
    return from ? from : flat;
}

void map_listeners(struct map_dovecot *m)
{
    struct listeners l = {.map = m, .ssl = !no_tls(m), .hosts = SLICE("*, ::")};
    const struct dovecot_node *listen = dovecot_find(m->root, "listen");
    if (listen)
        l.hosts = listen->value;
    buf_init(&l.urls, URLS_MAX);
    const struct dovecot_node *from = take_protocols(&l);
    if (!buf_ok(&l.urls))
        map_error(m, from ? from : m->root, "the listeners are too many");
    else
        map_set(m, from ? from : m->root, "listen", buf_slice(&l.urls));
    buf_release(&l.urls);
}
