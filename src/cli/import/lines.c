/* lines.c: files whole, paths, and line ends. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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

bool path_join(char out[static PATH_BYTES], const char *a, const char *b)
{
    int n = snprintf(out, PATH_BYTES, "%s/%s", a, b);
    return n > 0 && n < PATH_BYTES;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

int list_names(const char *path, struct dirent ***ret)
{
    return scandir(path, ret, NULL, by_name);
}
