/* packet.c: one packet with its file descriptors into and out of a SOCK_SEQPACKET socket, and the
 * blocking use of it by the command line. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/channel.h"

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
};

bool ipc_is_secret(enum ipc_type type)
{
    return type == IPC_AUTH_START || type == IPC_AUTH_TEST || type == IPC_AUTH_STEP ||
           type == IPC_PASSWORD_CHECK || type == IPC_GRANT_KEY;
}

void ipc_close_fds(int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

enum result ipc_send_packet(int fd, struct slice bytes, const int *fds, size_t n_fds, int flags)
{
    union control control;
    struct iovec iov = {(void *)(uintptr_t)bytes.data, bytes.len};
    struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
    if (n_fds) {
        h.msg_control = control.bytes;
        h.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
        memset(control.bytes, 0, h.msg_controllen);
        struct cmsghdr *cm = CMSG_FIRSTHDR(&h);
        cm->cmsg_level = SOL_SOCKET;
        cm->cmsg_type = SCM_RIGHTS;
        cm->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
        memcpy(CMSG_DATA(cm), fds, n_fds * sizeof(int));
    }
    ssize_t n;
    do
        n = sendmsg(fd, &h, flags | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n >= 0)
        return OK;
    switch (errno) {
    case EAGAIN:
    case ENOBUFS:
        return BUSY;
    case EMSGSIZE:
        return LIMIT;
    case EPIPE:
    case ECONNRESET:
    case ENOTCONN:
        return CLOSED;
    default:
        return FAILED;
    }
}

/* Takes the descriptors out of the control data. */
static size_t take_fds(struct msghdr *h, int *fds)
{
    size_t n = 0;
    for (struct cmsghdr *cm = CMSG_FIRSTHDR(h); cm; cm = CMSG_NXTHDR(h, cm)) {
        if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count && n < IPC_FDS_MAX; i++)
            memcpy(&fds[n++], CMSG_DATA(cm) + i * sizeof(int), sizeof(int));
    }
    return n;
}

enum result ipc_receive_packet(int fd, char *into, size_t size, int flags, size_t *ret_len,
                               int *fds, size_t *ret_n_fds)
{
    union control control;
    struct iovec iov = {into, size};
    struct msghdr h = {.msg_iov = &iov,
                       .msg_iovlen = 1,
                       .msg_control = control.bytes,
                       .msg_controllen = sizeof control.bytes};
    ssize_t n;
    do
        n = recvmsg(fd, &h, flags | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? BUSY : errno == ECONNRESET ? CLOSED : FAILED;
    size_t n_fds = take_fds(&h, fds);
    if (n == 0 || (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
        ipc_close_fds(fds, n_fds);
        return n == 0 ? CLOSED : INVALID;
    }
    *ret_len = (size_t)n;
    *ret_n_fds = n_fds;
    return OK;
}

enum result ipc_send_blocking(int fd, const struct ipc_message *m)
{
    struct buf out;
    buf_init(&out, IPC_PACKET_MAX);
    enum result r = ipc_encode(m, &out); /* LIMIT: these are never long */
    if (r == OK)
        r = ipc_send_packet(fd, buf_slice(&out), m->fds, m->n_fds, 0);
    buf_release(&out);
    return r;
}

enum result ipc_answer_blocking(int fd, uint64_t call, struct ipc_message *m)
{
    m->call = call | CALL_ANSWER;
    return ipc_send_blocking(fd, m);
}

enum result ipc_receive_blocking(int fd, struct arena *a, struct buf *packet,
                                 struct ipc_message *ret)
{
    size_t room = 0, len = 0, n_fds = 0;
    int fds[IPC_FDS_MAX];
    buf_reset(packet);
    char *into = buf_reserve(packet, IPC_PACKET_MAX, &room);
    if (!into)
        return FAILED;
    enum result r = ipc_receive_packet(fd, into, room, 0, &len, fds, &n_fds);
    if (r != OK)
        return r;
    buf_commit(packet, len);
    r = ipc_decode(buf_slice(packet), a, ret);
    if (r != OK) {
        ipc_close_fds(fds, n_fds);
        return r;
    }
    ret->call &= ~CALL_ANSWER;
    memcpy(ret->fds, fds, n_fds * sizeof(int));
    ret->n_fds = n_fds;
    return OK;
}
