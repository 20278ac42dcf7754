/* listen.c: the listening sockets, bound by root and handed to edge. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "role/master/master.h"

enum { BACKLOG = 4096 };
_Static_assert(LISTENERS_MAX == 250, "what reason() says");

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_un local;
};

static void close_keeping_errno(int fd)
{
    int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
}

/* Bound and listening, or -1 with errno. */
static int open_socket(const union address *a, socklen_t len)
{
    int on = 1;
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (a->any.sa_family != AF_UNIX)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (a->any.sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    if (bind(fd, &a->any, len) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    close_keeping_errno(fd);
    return -1;
}

static const char *reason(int error)
{
    switch (error) {
    case EADDRINUSE:
        return "another program has this port; stop it, or choose another port in `listen`";
    case EACCES:
        return "ports below 1024 need root; start as root, or choose another port in `listen`";
    case EADDRNOTAVAIL:
        return "this machine does not have this address";
    case E2BIG:
        return "there are more than 250 listeners; name fewer in `listen`";
    case EAFNOSUPPORT:
        return "this machine has no such protocol; see inet_protocols";
    default:
        return strerror(error);
    }
}

struct opening {
    const struct conf *conf;
    const struct listener_set *before;
    struct listener_set *set;
    struct slice url;
};

/* Adds a listener: taken over from before, or opened. -1 with errno when it can't be. */
static int add_listener(struct opening *o, const char *key, const union address *a, socklen_t len)
{
    if (o->set->n == LISTENERS_MAX) {
        errno = E2BIG;
        return -1;
    }
    struct listener *l = &o->set->items[o->set->n];
    l->fd = -1;
    for (size_t i = 0; o->before && i < o->before->n && l->fd < 0; i++)
        if (strcmp(o->before->items[i].key, key) == 0)
            l->fd = o->before->items[i].fd;
    if (l->fd < 0)
        l->fd = open_socket(a, len);
    if (l->fd < 0)
        return -1;
    snprintf(l->url, sizeof l->url, "%.*s", SLICE_ARG(o->url));
    snprintf(l->key, sizeof l->key, "%s", key);
    o->set->n++;
    return 0;
}

static int open_inet(struct opening *o, const char *host, uint16_t port)
{
    union address a = {0};
    char key[300];
    bool v6 = strchr(host, ':') != NULL;
    snprintf(key, sizeof key, "%s|%s|%u", o->url.data, host, port);
    if (v6) {
        a.v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
        if (inet_pton(AF_INET6, host, &a.v6.sin6_addr) != 1) {
            errno = EINVAL;
            return -1;
        }
        return add_listener(o, key, &a, sizeof a.v6);
    }
    a.v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &a.v4.sin_addr) != 1) {
        errno = EINVAL;
        return -1;
    }
    return add_listener(o, key, &a, sizeof a.v4);
}

static bool has_key(const struct listener_set *set, const char *key)
{
    for (size_t i = 0; set && i < set->n; i++)
        if (strcmp(set->items[i].key, key) == 0)
            return true;
    return false;
}

static int open_path(struct opening *o, enum listen_service service, struct slice path)
{
    union address a = {.local = {.sun_family = AF_UNIX}};
    char key[300];
    if (path.len >= sizeof a.local.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(a.local.sun_path, path.data, path.len);
    snprintf(key, sizeof key, "unix|%s", a.local.sun_path);
    if (has_key(o->set, key))
        return 0;
    if (service == LISTEN_SASLAUTHD)
        unix_socket_make_folder(a.local.sun_path);
    if (!has_key(o->before, key) && !unix_socket_clear(&a.local))
        return -1;
    int r = add_listener(o, key, &a, sizeof a.local);
    if (r == 0)
        unix_socket_give(o->conf, a.local.sun_path);
    return r;
}

/* The addresses that a host in `listen` stands for. No name service is asked: the master talks to
 * no network. */
static size_t addresses_of(const struct conf *c, const struct listen_url *u, char text[2][64])
{
    bool v4 = slice_search(c->inet_protocols, SLICE("all")) != SIZE_MAX ||
              slice_search(c->inet_protocols, SLICE("ipv4")) != SIZE_MAX;
    bool v6 = slice_search(c->inet_protocols, SLICE("all")) != SIZE_MAX ||
              slice_search(c->inet_protocols, SLICE("ipv6")) != SIZE_MAX;
    bool any = u->host.len == 0 || slice_is(u->host, "*");
    bool loopback = slice_is_nocase(u->host, "localhost");
    size_t n = 0;
    if (!any && !loopback) {
        snprintf(text[0], 64, "%.*s", SLICE_ARG(u->host));
        return 1;
    }
    if (v4)
        snprintf(text[n++], 64, any ? "0.0.0.0" : "127.0.0.1");
    if (v6)
        snprintf(text[n++], 64, any ? "::" : "::1");
    return n;
}

/* For a host that stands for both protocols one of them is enough. */
static enum result open_hosts(struct opening *o, const struct conf *c, const struct listen_url *u,
                              struct error *err)
{
    char hosts[2][64];
    size_t n = addresses_of(c, u, hosts), opened = 0;
    for (size_t i = 0; i < n; i++) {
        if (open_inet(o, hosts[i], u->port) == 0) {
            opened++;
            continue;
        }
        bool absent = errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL;
        if (n == 2 && absent && (opened || i == 0))
            continue;
        return error_set(err, FAILED, "cannot listen on %s: %.*s port %u: %s",
                         listen_service_name(u->service), SLICE_ARG(slice_cstr(hosts[i])), u->port,
                         reason(errno));
    }
    if (opened)
        return OK;
    return error_set(err, FAILED, "cannot listen on %.*s: no protocol left; see inet_protocols",
                     SLICE_ARG(o->url));
}

/* The socket of sendmail(1). Anybody may connect: it tells who does. */
static enum result open_sendmail(struct opening *o, const struct conf *c, struct error *err)
{
    char url[256];
    static const char scheme[] = "sendmail:";
    int n = snprintf(url, sizeof url, "%s%.*s/sendmail", scheme, SLICE_ARG(c->state_directory));
    o->url = slice_of(url, n > 0 && (size_t)n < sizeof url ? (size_t)n : 0);
    if (o->url.len && open_path(o, LISTEN_SENDMAIL, slice_from(o->url, sizeof scheme - 1)) == 0)
        return OK;
    return error_set(err, FAILED, "cannot listen on %.*s/sendmail: %s",
                     SLICE_ARG(c->state_directory),
                     o->url.len ? strerror(errno) : "state_directory is too long");
}

/* Dovecot opens no such port with ssl = no. */
static bool without_tls(const struct conf *c, const struct listen_url *u)
{
    return (u->service == LISTEN_POP3S || u->service == LISTEN_IMAPS) &&
           slice_is(conf_for_service(c, u->label)->ssl, "no");
}

static enum result open_one(struct opening *o, struct slice url, struct error *err)
{
    struct listen_url u;
    o->url = url;
    if (listen_parse(url, &u) != OK)
        return error_set(err, INVALID, "listen: not understood: %.*s", SLICE_ARG(url));
    if (without_tls(o->conf, &u)) {
        LOG(LOG_INFO, "listen.left_out", LOG_S("url", url), LOG_C("why", "ssl = no"));
        return OK;
    }
    if (u.path.len == 0)
        return open_hosts(o, o->conf, &u, err);
    if (open_path(o, u.service, u.path) == 0)
        return OK;
    return error_set(err, FAILED, "cannot listen on %.*s: %s", SLICE_ARG(u.path),
                     errno == EADDRINUSE ? "another program listens there" : reason(errno));
}

/* Those that may belong to another program, or whose folder may be that of one that is gone. */
static void open_free(struct opening *o)
{
    for (size_t i = 0; i < o->conf->listen_if_free.n; i++) {
        struct error why = {""};
        if (open_one(o, o->conf->listen_if_free.items[i], &why) != OK)
            LOG(LOG_WARNING, "listen.left", LOG_S("url", o->conf->listen_if_free.items[i]),
                LOG_C("why", why.text), LOG_C("then", "Postrider does not answer there"));
    }
}

enum result listen_open(const struct conf *c, const struct listener_set *before,
                        struct listener_set *ret, struct error *err)
{
    struct listener_set *set = calloc(1, sizeof *set);
    struct opening o = {c, before, set, SLICE_NONE};
    enum result r = set ? OK : error_set(err, FAILED, "no memory");
    for (size_t i = 0; r == OK && i < c->listen.n; i++)
        r = open_one(&o, c->listen.items[i], err);
    if (r == OK)
        r = open_sendmail(&o, c, err);
    if (r == OK) {
        open_free(&o);
        *ret = *set;
    } else if (set) {
        listen_close(set, before);
    }
    free(set);
    return r;
}

void listen_close(struct listener_set *set, const struct listener_set *kept)
{
    for (size_t i = 0; i < set->n; i++) {
        bool keep = false;
        for (size_t k = 0; kept && k < kept->n; k++)
            keep = keep || kept->items[k].fd == set->items[i].fd;
        if (!keep)
            close(set->items[i].fd);
    }
    set->n = 0;
}
