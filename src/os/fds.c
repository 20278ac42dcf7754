#include "os/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 16 * 1024 };

void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void fd_set_nonblocking(int fd)
{
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* close_range is Linux 5.9; before that, one by one. */
static void close_from_to(unsigned from, unsigned to)
{
    if (from > to || close_range(from, to, 0) == 0)
        return;
    long most = sysconf(_SC_OPEN_MAX);
    for (unsigned fd = from; fd <= to && (long)fd < most; fd++)
        close((int)fd);
}

void fd_close_others(int keep)
{
    unsigned first = STDERR_FILENO + 1;
    if (keep < (int)first) {
        close_from_to(first, ~0u);
        return;
    }
    if ((unsigned)keep > first)
        close_from_to(first, (unsigned)keep - 1);
    close_from_to((unsigned)keep + 1, ~0u);
}

enum result fd_read_all(int fd, size_t most, struct buf *out)
{
    size_t total = 0;
    for (;;) {
        size_t room = 0;
        char *into = buf_reserve(out, PIECE, &room);
        if (!into)
            return LIMIT;
        ssize_t n = pread(fd, into, room, (off_t)total);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return FAILED;
        if (n == 0)
            return OK;
        total += (size_t)n;
        if (total > most)
            return LIMIT;
        buf_commit(out, (size_t)n);
    }
}

bool fd_write_all(int fd, struct slice s)
{
    while (s.len) {
        ssize_t n = write(fd, s.data, s.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s = slice_from(s, (size_t)n);
    }
    return true;
}

struct file_stamp file_stamp(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return (struct file_stamp){0};
    return (struct file_stamp){
        .device = st.st_dev,
        .inode = st.st_ino,
        .size = (uint64_t)st.st_size,
        .modified_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
    };
}
