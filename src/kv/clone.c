/* clone.c: see clone.h. */
#include "kv/clone.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static enum result copy_bytes(int in, int out)
{
    char chunk[65536];
    for (;;) {
        ssize_t n = read(in, chunk, sizeof chunk);
        if (n <= 0)
            return n == 0 ? OK : FAILED;
        for (ssize_t at = 0, put; at < n; at += put)
            if ((put = write(out, chunk + at, (size_t)(n - at))) < 0)
                return FAILED;
    }
}

static enum result copy_file(int from, int to, const char *name)
{
    int in = openat(from, name, O_RDONLY | O_CLOEXEC);
    int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    enum result r = in >= 0 && out >= 0 ? copy_bytes(in, out) : FAILED;
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return r;
}

static enum result clone_file(int from, int to, const char *name)
{
    if (slice_ends_nocase(slice_cstr(name), SLICE(".sst")))
        return linkat(from, name, to, name, 0) == 0 ? OK : FAILED;
    if (strcmp(name, "CURRENT") == 0 || strcmp(name, "IDENTITY") == 0 ||
        slice_starts(slice_cstr(name), SLICE("MANIFEST-")))
        return copy_file(from, to, name);
    return OK; /* RocksDB's lock, its texts, its empty log */
}

static enum result clone_files(int from, int to, struct error *err)
{
    enum result r = OK;
    int fd = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return error_set(err, FAILED, "list index: %s", strerror(errno));
    }
    for (struct dirent *e; r == OK && (e = readdir(dir));)
        if (e->d_name[0] != '.' && clone_file(from, to, e->d_name) != OK)
            r = error_set(err, FAILED, "clone index/%s: %s", e->d_name, strerror(errno));
    closedir(dir);
    return r;
}

enum result clone_index(const char *from, const char *to, struct error *err)
{
    clone_remove(to);
    int from_fd = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (from_fd < 0)
        return error_set(err, FAILED, "open %s: %s", from, strerror(errno));
    enum result r = OK;
    int to_fd = -1;
    if (mkdir(to, 0700) < 0 || (to_fd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        r = error_set(err, FAILED, "make %s: %s", to, strerror(errno));
    if (r == OK)
        r = clone_files(from_fd, to_fd, err);
    if (to_fd >= 0)
        close(to_fd);
    close(from_fd);
    return r;
}

void clone_remove(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *e; (e = readdir(dir));)
        if (e->d_name[0] != '.')
            (void)!unlinkat(fd, e->d_name, 0);
    closedir(dir);
    (void)!rmdir(path);
}
