/* connect.c: CONNECT: relay has an empty root directory and may not name sockets itself; and a
 * relay that a stranger had taken over must not reach every socket of this host. So only these are
 * connected to: what a transport setting names (virtual_transport = lmtp:unix:/path), and what is
 * below queue_directory or named by transport_sockets (for those that stand in transport_maps). */
#include "role/agent/agent.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

static bool names_path(struct slice setting, struct slice path)
{
    size_t at = slice_search(setting, SLICE(":unix:"));
    return at != SIZE_MAX && slice_eq(slice_from(setting, at + 6), path);
}

static bool in_settings(const struct conf *c, struct slice path)
{
    const struct slice settings[] = {c->local_transport,   c->virtual_transport,
                                     c->relay_transport,   c->default_transport,
                                     c->mailbox_transport, c->fallback_transport};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (names_path(settings[i], path))
            return true;
    return false;
}

/* entry: a path, or a folder with a / behind it. */
static bool covers(struct slice entry, struct slice path)
{
    bool folder = entry.len > 1 && entry.data[entry.len - 1] == '/';
    return folder ? slice_starts(path, entry) : slice_eq(path, entry);
}

static bool is_permitted(const struct conf *c, struct slice given, struct slice path)
{
    if (in_settings(c, given))
        return true;
    if (slice_search(path, SLICE("/../")) != SIZE_MAX)
        return false;
    if (given.data[0] != '/')
        return true; /* below queue_directory */
    for (size_t i = 0; i < c->transport_sockets.n; i++)
        if (covers(c->transport_sockets.items[i], path))
            return true;
    return false;
}

/* Returns errno or 0. */
static int connect_to(const char *path, int *ret_fd)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return errno;
    snprintf(sa.sun_path, sizeof sa.sun_path, "%s", path);
    if (connect(fd, (const struct sockaddr *)&sa, sizeof sa) == 0) {
        *ret_fd = fd;
        return 0;
    }
    int failed = errno;
    close(fd);
    return failed;
}

static void answer(struct ipc_channel *to, uint64_t call, int fd, const char *reason)
{
    struct ipc_message m = {.type = IPC_CONNECT_RESULT, .n_fds = fd >= 0};
    m.CONNECT_RESULT.reason = slice_cstr(reason);
    m.fds[0] = fd;
    ipc_answer(to, call, &m);
    if (fd >= 0)
        close(fd);
}

void agent_connect_socket(struct agent *a, struct ipc_channel *from, struct ipc_message *m)
{
    struct slice given = m->CONNECT.path;
    const struct conf *c = role_conf(a->role);
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    int fd = -1;
    bool absolute = given.len && given.data[0] == '/';
    int n = absolute ? snprintf(path, sizeof path, "%.*s", SLICE_ARG(given))
                     : snprintf(path, sizeof path, "%.*s/%.*s", SLICE_ARG(c->queue_directory),
                                SLICE_ARG(given));
    if (given.len == 0 || n <= 0 || (size_t)n >= sizeof path || strlen(path) != (size_t)n) {
        answer(from, m->call, -1, "no path, or too long a path");
    } else if (!is_permitted(c, given, slice_cstr(path))) {
        LOG(LOG_ERROR, "agent.socket_refused", LOG_C("path", path),
            LOG_C("setting", "transport_sockets"));
        answer(from, m->call, -1, "transport_sockets does not permit it");
    } else {
        int failed = connect_to(path, &fd);
        answer(from, m->call, fd, failed ? strerror(failed) : "");
    }
    conf_unref(c);
}
