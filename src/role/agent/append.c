/* append.c: "/file" in mbox form: locked as mailbox_delivery_lock says, appended, brought to the
 * disk; what did not get there whole is cut off again. local(8) "EXTERNAL FILE DELIVERY". */
#include "role/agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_TRIES = 20, LOCK_WAIT_MS = 500, STALE_LOCK_S = 500, PATH_SIZE = 4096 };

static void pause_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&t, NULL);
}

static bool wants_lock(const struct local_delivery *d, const char *name)
{
    for (size_t i = 0; i < d->conf->mailbox_delivery_lock.n; i++)
        if (slice_is(d->conf->mailbox_delivery_lock.items[i], name))
            return true;
    return false;
}

/* "PATH.lock", made only when it is not there; an abandoned one is removed. False: somebody holds
 * it. Where the folder allows nobody to make one, there is none, as in Postfix. */
static bool take_dotlock(const char *lock, bool *ret_held)
{
    struct stat st;
    for (int i = 0; i < LOCK_TRIES; i++) {
        int fd = open(lock, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0);
        if (fd >= 0) {
            close(fd);
            *ret_held = true;
            return true;
        }
        if (errno != EEXIST) /* whether there is a folder at all, the file itself will tell */
            return errno == EACCES || errno == EROFS || errno == EPERM || errno == ENOENT ||
                   errno == ENOTDIR;
        if (stat(lock, &st) == 0 && time(NULL) - st.st_mtime > STALE_LOCK_S)
            unlink(lock);
        else
            pause_ms(LOCK_WAIT_MS);
    }
    return false;
}

static bool take_fcntl_lock(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    for (int i = 0; i < LOCK_TRIES; i++) {
        if (fcntl(fd, F_SETLK, &whole) == 0)
            return true;
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return false;
        pause_ms(LOCK_WAIT_MS);
    }
    return false;
}

static void say(struct buf *answer, const char *head, const char *path, const char *why)
{
    buf_printf(answer, "%s cannot append message to file %s: %s", head, path, why);
}

/* False: the answer is given. */
static bool is_fit(const struct stat *st, const char *path, struct buf *answer)
{
    if (S_ISREG(st->st_mode) && (st->st_mode & (S_IXUSR | S_IXGRP | S_IXOTH))) {
        say(answer, "F5.7.1", path, "file is executable");
        return false;
    }
    if (S_ISDIR(st->st_mode)) {
        say(answer, "F5.2.0", path, "it is a folder (a path that ends with / is a maildir)");
        return false;
    }
    return true;
}

static void write_to(const struct local_delivery *d, int fd, const char *path, struct buf *answer)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !is_fit(&st, path, answer))
        return;
    bool regular = S_ISREG(st.st_mode);
    if (regular && wants_lock(d, "fcntl") && !take_fcntl_lock(fd)) {
        say(answer, "D4.2.0", path, "unable to lock for exclusive access");
        return;
    }
    if (regular && fstat(fd, &st) != 0)
        return;
    bool written = local_copy_write(&d->copy, fd) == OK && (!regular || fsync(fd) == 0);
    int why = errno;
    if (!written && regular && ftruncate(fd, st.st_size) != 0)
        why = errno;
    if (written)
        buf_printf(answer, "S2.0.0 delivered to file: %s", path);
    else
        say(answer, why == EDQUOT || why == EFBIG ? "F5.2.2" : "D4.2.0", path, strerror(why));
}

void local_append(const struct local_delivery *d, struct buf *answer)
{
    char path[PATH_SIZE], lock[PATH_SIZE + 8];
    bool held = false;
    if (d->text.len >= sizeof path) {
        buf_puts(answer, "F5.3.5 the path is too long");
        return;
    }
    snprintf(path, sizeof path, "%.*s", SLICE_ARG(d->text));
    snprintf(lock, sizeof lock, "%s.lock", path);
    umask(077);
    local_limit_files(d->conf);
    if (wants_lock(d, "dotlock") && !take_dotlock(lock, &held)) {
        say(answer, "D4.2.0", path, "unable to create its lock file: somebody holds it");
        return;
    }
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
    int why = errno;
    if (fd >= 0)
        write_to(d, fd, path, answer);
    else /* RFC 3463: a mailbox that is not there, or is somebody else's, is the system's fault */
        say(answer,
            why == EACCES || why == EISDIR || why == ENOTDIR || why == ENOENT ? "F5.2.0" : "D4.2.0",
            path, strerror(why));
    if (fd >= 0)
        close(fd);
    if (held)
        unlink(lock);
}
