/* fds.h: small things with file descriptors that several layers need. */
#ifndef OS_FDS_H
#define OS_FDS_H

#include "base/buf.h"

void fd_close(int *fd); /* and sets it to -1; -1 is left alone */
void fd_set_nonblocking(int fd);
/* Closes everything above stderr except `keep` (-1: nothing). */
void fd_close_others(int keep);
/* Appends the whole file, read from its start whatever the offset. LIMIT when it is longer than
 * `most`. */
MUST_USE enum result fd_read_all(int fd, size_t most, struct buf *out);
/* Writes all of s to a blocking fd; false: errno says why, and some of it may be written. */
MUST_USE bool fd_write_all(int fd, struct slice s);

/* What tells whether a file is still the same: it changes when the file is written or replaced. */
struct file_stamp {
    uint64_t device, inode, size;
    int64_t modified_ns;
};
/* All zero when there is no such file. */
struct file_stamp file_stamp(const char *path);
static inline bool file_stamp_eq(struct file_stamp a, struct file_stamp b)
{
    return a.device == b.device && a.inode == b.inode && a.size == b.size &&
           a.modified_ns == b.modified_ns;
}

#endif
