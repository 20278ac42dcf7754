/* passwd_edit.c: the account file on disk: reading it whole, and changing one line of it. A change
 * writes a new file beside the old one, syncs it, gives it the old one's owner and mode, renames it
 * over and syncs the folder: readers see the old or the new file, never half of one. Writers take
 * turns by a lock on the file itself. */
#include "auth/passwd_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fds.h"

static void wipe(struct buf *b)
{
    if (b->mem)
        explicit_bzero(b->mem, b->size);
    buf_release(b);
}

static enum result read_all(int fd, const char *path, struct buf *out, struct error *err)
{
    for (;;) {
        size_t room;
        char *p = buf_reserve(out, 1, &room);
        if (!p) {
            /* Full, or out of memory: a file of exactly the maximum is refused too. */
            return error_set(err, LIMIT, "%s: larger than %d bytes", path, PASSWD_FILE_MAX);
        }
        ssize_t n = read(fd, p, room);
        if (n == 0)
            return OK;
        if (n < 0 && errno != EINTR)
            return error_set(err, FAILED, "read %s: %s", path, strerror(errno));
        if (n > 0)
            buf_commit(out, (size_t)n);
    }
}

enum result passwd_file_load(const char *path, passwd_problem_fn *problem, void *arg,
                             struct passwd_file **ret, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set(err, errno == ENOENT ? NOT_FOUND : FAILED, "open %s: %s", path,
                         strerror(errno));
    struct buf bytes;
    buf_init(&bytes, PASSWD_FILE_MAX);
    enum result r = read_all(fd, path, &bytes, err);
    close(fd);
    if (r == OK) {
        r = passwd_file_parse(buf_slice(&bytes), problem, arg, ret);
        if (r != OK)
            (void)error_set(err, r, "%s: out of memory", path);
    }
    wipe(&bytes);
    return r;
}

/* An edit under way. `real` is the path behind symbolic links, so that a link stays one. */
struct edit {
    char real[PATH_MAX];
    int fd; /* of the old file; holds the lock */
    struct stat st;
    struct buf old, new;
};

/* The lock is on an inode that another writer may have replaced while we waited for it. */
static enum result lock_current(const char *path, int flags, struct edit *e, struct error *err)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        struct stat now;
        e->fd = open(path, flags | O_RDWR | O_CLOEXEC, 0600);
        if (e->fd < 0)
            return error_set(err, errno == ENOENT ? NOT_FOUND : FAILED, "open %s: %s", path,
                             strerror(errno));
        if (flock(e->fd, LOCK_EX) == 0 && fstat(e->fd, &e->st) == 0 && stat(path, &now) == 0 &&
            now.st_ino == e->st.st_ino && now.st_dev == e->st.st_dev)
            return OK;
        close(e->fd);
        e->fd = -1;
    }
    return error_set(err, FAILED, "lock %s: others change it all the time", path);
}

static void edit_end(struct edit *e)
{
    if (e->fd >= 0)
        close(e->fd);
    wipe(&e->old);
    wipe(&e->new);
}

static enum result edit_begin(struct edit *e, const char *path, bool create, struct error *err)
{
    e->fd = -1;
    buf_init(&e->old, PASSWD_FILE_MAX);
    buf_init(&e->new, PASSWD_FILE_MAX);
    enum result r = lock_current(path, create ? O_CREAT : 0, e, err);
    if (r == OK && !realpath(path, e->real))
        r = error_set(err, FAILED, "resolve %s: %s", path, strerror(errno));
    if (r == OK)
        r = read_all(e->fd, path, &e->old, err);
    if (r != OK)
        edit_end(e);
    return r;
}

static bool sync_folder(const char *file)
{
    char copy[PATH_MAX];
    snprintf(copy, sizeof copy, "%s", file);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool ok = fsync(fd) == 0;
    close(fd);
    return ok;
}

/* Owner first: changing it may clear mode bits. */
static bool fill_new_file(int fd, const struct edit *e)
{
    bool own = e->st.st_uid == geteuid() && e->st.st_gid == getegid();
    return (own || fchown(fd, e->st.st_uid, e->st.st_gid) == 0) &&
           fchmod(fd, e->st.st_mode & 07777) == 0 && fd_write_all(fd, buf_slice(&e->new)) &&
           fsync(fd) == 0;
}

static enum result edit_commit(struct edit *e, struct error *err)
{
    char temp[PATH_MAX + 16];
    if (!buf_ok(&e->new))
        return error_set(err, LIMIT, "%s: larger than %d bytes", e->real, PASSWD_FILE_MAX);
    snprintf(temp, sizeof temp, "%s.XXXXXX", e->real);
    int fd = mkostemp(temp, O_CLOEXEC);
    if (fd < 0)
        return error_set(err, FAILED, "create %s: %s", temp, strerror(errno));
    bool ok = fill_new_file(fd, e);
    int cause = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        cause = errno;
    }
    if (ok && rename(temp, e->real) != 0) {
        ok = false;
        cause = errno;
    }
    if (!ok) {
        unlink(temp);
        return error_set(err, FAILED, "write %s: %s", temp, strerror(cause));
    }
    if (!sync_folder(e->real))
        return error_set(err, FAILED, "sync the folder of %s: %s", e->real, strerror(errno));
    return OK;
}

static bool line_is_of(struct slice line, struct slice name)
{
    struct slice first = slice_split(&line, ':');
    return first.len && first.data[0] != '#' && slice_eq_nocase(first, name);
}

/* The extra fields without an old verifier, with the new one. */
static void put_extra(struct buf *out, struct slice extra, struct slice scram)
{
    const char *space = "";
    while (extra.data) {
        struct slice field = slice_split(&extra, ' ');
        if (field.len == 0 || slice_starts(field, SLICE(PASSWD_SCRAM_FIELD "=")))
            continue;
        buf_puts(out, space);
        buf_append(out, field);
        space = " ";
    }
    if (scram.len) {
        buf_printf(out, "%s%s=", space, PASSWD_SCRAM_FIELD);
        buf_append(out, scram);
    }
}

/* The old line with another password. `line` has no line end. */
static void put_changed(struct buf *out, struct slice line, struct slice password,
                        struct slice scram)
{
    buf_append(out, slice_split(&line, ':'));
    buf_putc(out, ':');
    buf_append(out, password);
    (void)slice_split(&line, ':');
    for (int i = 0; i < 5; i++) { /* uid gid gecos home shell */
        buf_putc(out, ':');
        buf_append(out, slice_split(&line, ':'));
    }
    buf_putc(out, ':');
    put_extra(out, line, scram);
}

/* Copies the old file, treating the lines of `name`: with a password they get it, with none they
 * go. Later lines of the same name (which never counted) go as well. Returns how many there were.
 */
static unsigned rewrite(struct edit *e, struct slice name, struct slice password,
                        struct slice scram)
{
    unsigned found = 0;
    struct slice rest = buf_slice(&e->old);
    while (rest.len) {
        size_t end = slice_find(rest, '\n');
        struct slice whole = slice_sub(rest, 0, end == SIZE_MAX ? end : end + 1);
        rest = slice_from(rest, whole.len);
        struct slice line = whole;
        while (line.len && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r'))
            line.len--;
        if (!line_is_of(line, name)) {
            buf_append(&e->new, whole);
        } else if (found++ == 0 && password.data) {
            put_changed(&e->new, line, password, scram);
            buf_append(&e->new, slice_from(whole, line.len));
        }
    }
    return found;
}

static void append_user(struct edit *e, struct slice name, struct slice password,
                        struct slice scram)
{
    struct slice old = buf_slice(&e->new);
    if (old.len && old.data[old.len - 1] != '\n')
        buf_putc(&e->new, '\n');
    for (size_t i = 0; i < name.len; i++)
        buf_putc(&e->new, ascii_lower(name.data[i]));
    buf_putc(&e->new, ':');
    buf_append(&e->new, password);
    buf_puts(&e->new, "::::::");
    put_extra(&e->new, SLICE_NONE, scram);
    buf_putc(&e->new, '\n');
}

static bool stands_in_a_line(struct slice field)
{
    for (size_t i = 0; i < field.len; i++)
        if ((unsigned char)field.data[i] < ' ' || field.data[i] == ':')
            return false;
    return true;
}

/* ADD wants the account absent, CHANGE wants it there. */
static enum result change(struct edit *e, enum passwd_mode mode, struct slice name,
                          struct slice password, struct slice scram, struct error *err)
{
    if (mode == PASSWD_CHANGE)
        return rewrite(e, name, password, scram)
                   ? edit_commit(e, err)
                   : error_set(err, NOT_FOUND, "%s: no account %.*s", e->real, SLICE_ARG(name));
    if (rewrite(e, name, password, scram))
        return error_set(err, EXISTS, "%s: the account %.*s is there already", e->real,
                         SLICE_ARG(name));
    append_user(e, name, password, scram);
    return edit_commit(e, err);
}

enum result passwd_file_set(const char *path, enum passwd_mode mode, struct slice name,
                            struct slice password, struct slice scram, struct error *err)
{
    struct edit e;
    enum result r = passwd_name_check(name, err);
    if (r != OK)
        return r;
    if (!stands_in_a_line(password) || !stands_in_a_line(scram) ||
        slice_find(scram, ' ') != SIZE_MAX)
        return error_set(err, INVALID, "the stored password holds ':' or a control character");
    if (password.len + scram.len + name.len + 64 > PASSWD_LINE_MAX)
        return error_set(err, LIMIT, "the stored password is too long");
    r = edit_begin(&e, path, mode == PASSWD_ADD, err);
    if (r != OK)
        return r;
    r = change(&e, mode, name, password.data ? password : SLICE(""), scram, err);
    edit_end(&e);
    return r;
}

enum result passwd_file_remove(const char *path, struct slice name, struct error *err)
{
    struct edit e;
    enum result r = edit_begin(&e, path, false, err);
    if (r != OK)
        return r;
    r = rewrite(&e, name, SLICE_NONE, SLICE_NONE)
            ? edit_commit(&e, err)
            : error_set(err, NOT_FOUND, "%s: no account %.*s", path, SLICE_ARG(name));
    edit_end(&e);
    return r;
}
