/* ask_socket.c: a blocking client of a Unix socket, for a child: it is killed when it takes too
 * long (CHILD_TIMEOUT_MS), and gives up by itself before. */
#include "role/agent/agent.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { WAIT_S = 20 };

static int open_connection(const char *path, struct buf *reason)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    const struct timeval wait = {.tv_sec = WAIT_S};
    if (strlen(path) >= sizeof a.sun_path) {
        buf_printf(reason, "%.40s…: the path is too long for a socket", path);
        return -1;
    }
    memcpy(a.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) == 0 &&
        connect(fd, (const struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    buf_printf(reason, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool send_all(int fd, struct slice bytes, struct buf *reason)
{
    while (bytes.len) {
        ssize_t n = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            buf_printf(reason, "the question could not be sent: %s", strerror(errno));
            return false;
        }
        bytes = slice_from(bytes, (size_t)n);
    }
    return true;
}

int agent_ask_socket(const char *path, struct buf *question,
                     int (*read_verdict)(int fd, struct buf *reason), struct buf *reason)
{
    int code = AGENT_UNASKED, fd = open_connection(path, reason);
    if (fd >= 0) {
        if (buf_ok(question) && send_all(fd, buf_slice(question), reason))
            code = read_verdict(fd, reason);
        close(fd);
    }
    if (question->mem)
        explicit_bzero(question->mem, question->size);
    buf_release(question);
    return code;
}

bool agent_read(int fd, struct buf *in, struct buf *reason)
{
    size_t room = 0;
    char *into = buf_reserve(in, 1, &room);
    ssize_t n = -1;
    if (!into) {
        buf_puts(reason, "the answer is too long");
        return false;
    }
    do
        n = recv(fd, into, room, 0);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        buf_commit(in, (size_t)n);
        return true;
    }
    buf_puts(reason, n == 0                                    ? "closed without an answer"
                     : errno == EAGAIN || errno == EWOULDBLOCK ? "no answer in time"
                                                               : strerror(errno));
    return false;
}
