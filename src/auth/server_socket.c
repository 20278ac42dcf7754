/* server_socket.c: one request and its answer over a connection of its own, within a time. */
#include "auth/server.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

void server_split_host(struct slice s, struct slice *ret_host, struct slice *ret_port)
{
    if (slice_starts(s, SLICE("inet:")))
        s = slice_from(s, 5);
    size_t colon = slice_rfind(s, ':'), close = slice_rfind(s, ']');
    bool bracket = s.len && s.data[0] == '[' && close != SIZE_MAX;
    /* More than one colon without brackets is an address of IPv6. */
    bool port = colon != SIZE_MAX && (bracket ? colon == close + 1 : colon == slice_find(s, ':'));
    *ret_port = port ? slice_from(s, colon + 1) : SLICE("");
    *ret_host = bracket ? slice_sub(s, 1, close - 1) : port ? slice_sub(s, 0, colon) : s;
}

static bool wait_for(int fd, short events, int64_t end_ms)
{
    struct pollfd p = {.fd = fd, .events = events};
    int64_t left;
    int n = -1;
    errno = ETIMEDOUT;
    while ((left = end_ms - clock_monotonic_ms()) > 0) {
        n = poll(&p, 1, (int)left);
        if (n >= 0 || errno != EINTR)
            break;
    }
    if (n == 0)
        errno = ETIMEDOUT;
    return n > 0;
}

/* Takes the descriptor over. -1: errno tells. */
static int connected(int fd, const struct sockaddr *address, socklen_t len, int64_t end_ms)
{
    int code = 0;
    socklen_t size = sizeof code;
    if (fd < 0)
        return -1;
    bool ok = connect(fd, address, len) == 0;
    if (!ok && errno == EINPROGRESS && wait_for(fd, POLLOUT, end_ms) &&
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) == 0) {
        ok = code == 0;
        errno = code;
    }
    if (ok)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static int connect_unix(struct slice path, int64_t end_ms)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    if (path.len >= sizeof to.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (path.len)
        memcpy(to.sun_path, path.data, path.len);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return connected(fd, (struct sockaddr *)&to, sizeof to, end_ms);
}

static int connect_inet(struct slice at, int64_t end_ms, const char **ret_why)
{
    struct slice host, port;
    char name[256], service[64];
    struct addrinfo *list = NULL, want = {.ai_socktype = SOCK_STREAM};
    int fd = -1;
    server_split_host(at, &host, &port);
    if (host.len >= sizeof name || port.len >= sizeof service)
        return -1;
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(host));
    snprintf(service, sizeof service, "%.*s", SLICE_ARG(port));
    int code = getaddrinfo(name, service, &want, &list);
    if (code != 0) {
        *ret_why = gai_strerror(code);
        return -1;
    }
    for (const struct addrinfo *i = list; i && fd < 0; i = i->ai_next)
        fd = connected(socket(i->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                       i->ai_addr, i->ai_addrlen, end_ms);
    freeaddrinfo(list);
    return fd;
}

static bool send_all(int fd, struct slice request, int64_t end_ms)
{
    while (request.len) {
        ssize_t n = send(fd, request.data, request.len, MSG_NOSIGNAL);
        if (n > 0)
            request = slice_from(request, (size_t)n);
        else if (errno != EINTR && (errno != EAGAIN || !wait_for(fd, POLLOUT, end_ms)))
            return false;
    }
    return true;
}

static bool receive(int fd, const struct server_exchange *x, struct buf *answer, int64_t end_ms)
{
    while (!x->complete(buf_slice(answer))) {
        size_t room;
        char *p = buf_reserve(answer, 1, &room);
        if (!p) {
            errno = EMSGSIZE;
            return false;
        }
        ssize_t n = read(fd, p, room);
        if (n > 0)
            buf_commit(answer, (size_t)n);
        else if (n == 0)
            return true; /* whoever reads it sees that it is short */
        else if (errno != EINTR && (errno != EAGAIN || !wait_for(fd, POLLIN, end_ms)))
            return false;
    }
    return true;
}

enum result server_exchange(const struct server_exchange *x, struct buf *answer, struct error *err)
{
    int64_t end_ms = clock_monotonic_ms() + (int64_t)x->timeout_s * 1000;
    const char *why = NULL;
    bool local = slice_starts(x->at, SLICE("unix:"));
    int fd = local ? connect_unix(slice_from(x->at, 5), end_ms) : connect_inet(x->at, end_ms, &why);
    if (fd < 0)
        return error_set(err, FAILED, "%.*s: %s", SLICE_ARG(x->at), why ? why : strerror(errno));
    bool told = send_all(fd, x->request, end_ms) && receive(fd, x, answer, end_ms);
    if (!told)
        (void)error_set(err, FAILED, "%.*s: %s", SLICE_ARG(x->at), strerror(errno));
    close(fd);
    return told ? OK : FAILED;
}
