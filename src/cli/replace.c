#include "cli/replace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fds.h"

static bool take_over(int fd, const struct stat *old, mode_t mode)
{
    if (!old)
        return fchmod(fd, mode) == 0;
    bool owned = fchown(fd, old->st_uid, old->st_gid) == 0 || geteuid() != 0;
    return owned && fchmod(fd, old->st_mode & 07777) == 0;
}

enum result cli_replace(const char *path, mode_t mode, struct slice bytes, struct error *err)
{
    char fresh[4096];
    struct stat st;
    bool there = stat(path, &st) == 0;
    if (!there && errno != ENOENT)
        return error_set(err, FAILED, "%s: %s", path, strerror(errno));
    if (snprintf(fresh, sizeof fresh, "%s.XXXXXX", path) >= (int)sizeof fresh)
        return error_set(err, LIMIT, "%s: the path is too long", path);
    int fd = mkstemp(fresh);
    if (fd < 0)
        return error_set(err, FAILED, "%s: %s", fresh, strerror(errno));
    bool ok = take_over(fd, there ? &st : NULL, mode) && fd_write_all(fd, bytes) &&
              fsync(fd) == 0 && rename(fresh, path) == 0;
    int why = errno;
    close(fd);
    if (ok)
        return OK;
    unlink(fresh);
    return error_set(err, FAILED, "%s: %s", path, strerror(why));
}
