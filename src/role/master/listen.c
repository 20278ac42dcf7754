/* listen.c: the listening sockets, bound by root and handed to edge. */
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "role/master/master.h"

enum { BACKLOG = 4096 };

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
    case EAFNOSUPPORT:
        return "this machine has no such protocol; see inet_protocols";
    default:
        return strerror(error);
    }
}

struct opening {
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

/* A socket left behind by a former run is removed; one that somebody answers on is not. */
static bool remove_stale(const union address *a)
{
    struct stat st;
    if (lstat(a->local.sun_path, &st) != 0)
        return true;
    if (!S_ISSOCK(st.st_mode)) {
        errno = EEXIST;
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool alive = fd >= 0 && connect(fd, &a->any, sizeof a->local) == 0;
    close_keeping_errno(fd);
    if (alive) {
        errno = EADDRINUSE;
        return false;
    }
    return unlink(a->local.sun_path) == 0;
}

/* saslauthd's folder, which is gone after each boot: for the members of group sasl where there is
 * one, as Debian has it. */
static void make_saslauthd_folder(const char *socket_path)
{
    char folder[sizeof((struct sockaddr_un *)0)->sun_path];
    snprintf(folder, sizeof folder, "%s", socket_path);
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return;
    *slash = 0;
    const struct group *sasl = getgrnam("sasl");
    if (mkdir(folder, 0700) != 0)
        return; /* it is there, or bind says why not */
    if (sasl && chown(folder, 0, sasl->gr_gid) == 0)
        chmod(folder, 0710);
    else
        chmod(folder, 0755);
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
    if (service == LISTEN_SASLAUTHD)
        make_saslauthd_folder(a.local.sun_path);
    bool known = false;
    for (size_t i = 0; o->before && i < o->before->n; i++)
        known = known || strcmp(o->before->items[i].key, key) == 0;
    if (!known && !remove_stale(&a))
        return -1;
    int r = add_listener(o, key, &a, sizeof a.local);
    if (r == 0 && !known)
        chmod(a.local.sun_path, 0666); /* who may use it is decided by the folder */
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

enum result listen_open(const struct conf *c, const struct listener_set *before,
                        struct listener_set *ret, struct error *err)
{
    struct listener_set set = {.n = 0};
    struct opening o = {before, &set, SLICE_NONE};
    enum result r = OK;
    for (size_t i = 0; i < c->listen.n && r == OK; i++) {
        struct listen_url u;
        o.url = c->listen.items[i];
        r = listen_parse(o.url, &u);
        if (r != OK)
            r = error_set(err, INVALID, "listen: not understood: %.*s", SLICE_ARG(o.url));
        else if (u.path.len == 0)
            r = open_hosts(&o, c, &u, err);
        else if (open_path(&o, u.service, u.path) != 0)
            r = error_set(err, FAILED, "cannot listen on %.*s: %s", SLICE_ARG(u.path),
                          errno == EADDRINUSE ? "another program listens there" : strerror(errno));
    }
    if (r == OK)
        r = open_sendmail(&o, c, err);
    if (r != OK) {
        listen_close(&set, before);
        return r;
    }
    *ret = set;
    return OK;
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
