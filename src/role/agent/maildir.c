/* maildir.c: "/folder/": a file of its own for the message, written in tmp/, brought to the disk,
 * then moved to new/ under a name that nobody else makes. */
#include "role/agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, NAME_SIZE = 400 };

static bool make_folders(const char *base)
{
    static const char *const names[] = {"", "tmp", "new", "cur"};
    char path[PATH_SIZE + 8];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s%s", base, names[i]);
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return false;
    }
    return true;
}

static void say(struct buf *answer, int why, const char *base)
{
    bool full = why == EDQUOT || why == EFBIG;
    buf_printf(answer, "%s maildir delivery failed: %s: %s", full ? "F5.2.2" : "D4.2.0", base,
               strerror(why));
}

/* Host names go into file names: no '/' and no ':'. */
static void put_host(char *out, size_t size, struct slice host)
{
    size_t n = 0;
    for (; n + 1 < size && n < host.len; n++)
        out[n] = host.data[n] == '/' || host.data[n] == ':' ? '_' : host.data[n];
    out[n] = '\0';
}

static bool sync_folder(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool well = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return well;
}

/* Writes the file and names its final place after its inode. */
static bool write_file(const struct local_delivery *d, const char *base, const char *temporary,
                       const struct timeval *now, const char *host)
{
    struct stat st;
    char final[PATH_SIZE + NAME_SIZE], folder[PATH_SIZE + 8];
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool well = local_copy_write(&d->copy, fd) == OK && fsync(fd) == 0 && fstat(fd, &st) == 0;
    int why = errno;
    close(fd);
    if (well) {
        snprintf(final, sizeof final, "%snew/%ld.V%llxI%llxM%06ld.%s", base, (long)now->tv_sec,
                 (unsigned long long)st.st_dev, (unsigned long long)st.st_ino, (long)now->tv_usec,
                 host);
        snprintf(folder, sizeof folder, "%snew", base);
        well = rename(temporary, final) == 0 && sync_folder(folder);
        why = errno;
    }
    if (!well)
        unlink(temporary);
    errno = why;
    return well;
}

void local_maildir(const struct local_delivery *d, struct buf *answer)
{
    char base[PATH_SIZE], temporary[PATH_SIZE + NAME_SIZE], host[256];
    struct timeval now;
    if (d->text.len >= sizeof base) {
        buf_puts(answer, "F5.3.5 the path is too long");
        return;
    }
    snprintf(base, sizeof base, "%.*s", SLICE_ARG(d->text));
    umask(077);
    local_limit_files(d->conf);
    gettimeofday(&now, NULL);
    put_host(host, sizeof host, d->conf->myhostname);
    snprintf(temporary, sizeof temporary, "%stmp/%ld.P%ld.%s", base, (long)now.tv_sec,
             (long)getpid(), host);
    bool well = write_file(d, base, temporary, &now, host);
    if (!well && errno == ENOENT && make_folders(base))
        well = write_file(d, base, temporary, &now, host);
    if (well)
        buf_printf(answer, "S2.0.0 delivered to maildir: %s", base);
    else
        say(answer, errno, base);
}
