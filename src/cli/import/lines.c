/* lines.c: files whole, and line ends. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/import/import.h"
#include "os/fds.h"

void crlf_append(struct buf *out, struct slice text)
{
    while (text.len) {
        size_t end = slice_find(text, '\n');
        struct slice line = slice_sub(text, 0, end);
        if (end != SIZE_MAX && line.len && line.data[line.len - 1] == '\r')
            line.len--;
        buf_append(out, line);
        if (end == SIZE_MAX)
            return;
        buf_puts(out, "\r\n");
        text = slice_from(text, end + 1);
    }
}

bool file_read(const char *path, struct buf *out, const char **ret_why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        *ret_why = strerror(errno);
        return false;
    }
    enum result r = fd_read_all(fd, IMPORT_MESSAGE_MAX, out);
    close(fd);
    *ret_why = r == LIMIT ? "larger than 1 GiB" : "can't be read";
    return r == OK;
}
