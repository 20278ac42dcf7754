/* file.c: a message as a file in the maildrop folder: written by sendmail(1) of an ordinary user,
 * taken apart by a process that has that user's rights. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "os/fds.h"
#include "submit/drop.h"

#define FIRST_LINE "postrider-maildrop 1"

bool drop_address_ok(struct slice address)
{
    for (size_t i = 0; i < address.len; i++) {
        unsigned char c = (unsigned char)address.data[i];
        if (c < 0x20 || c == 0x7f)
            return false;
    }
    return address.len <= DROP_ADDRESS_MAX;
}

/* ---- writing ---- */

static void put_line(struct buf *out, const char *name, struct slice value)
{
    if (!drop_address_ok(value))
        out->failed = true;
    buf_printf(out, "%s %.*s\n", name, SLICE_ARG(value));
}

static void put_option(struct buf *out, const char *name, struct slice value)
{
    if (value.len)
        put_line(out, name, value);
}

enum result drop_format_head(const struct drop *d, struct buf *out)
{
    if (d->rcpts.n == 0 || d->rcpts.n > DROP_RCPTS_MAX)
        return LIMIT;
    buf_puts(out, FIRST_LINE "\n");
    put_line(out, "sender", d->sender);
    put_option(out, "ret", d->ret);
    put_option(out, "envid", d->envid);
    put_option(out, "notify", d->notify);
    put_option(out, "smtputf8", d->smtputf8 ? SLICE("yes") : SLICE_NONE);
    put_option(out, "8bit", d->eightbit ? SLICE("yes") : SLICE_NONE);
    put_option(out, "probe", d->probe ? SLICE("yes") : SLICE_NONE);
    for (size_t i = 0; i < d->rcpts.n; i++)
        put_line(out, "rcpt", d->rcpts.items[i]);
    buf_printf(out, "size %zu\n\n", d->message.len);
    return buf_ok(out) ? OK : LIMIT;
}

static enum result fill(int fd, const struct drop *d, struct error *err)
{
    struct buf head;
    buf_init(&head, DROP_HEAD_MAX);
    enum result r = drop_format_head(d, &head);
    if (r != OK)
        error_set(err, r,
                  "the recipients are too many, or an address is too long or has control "
                  "characters");
    else if (!fd_write_all(fd, buf_slice(&head)) || !fd_write_all(fd, d->message) || fsync(fd) != 0)
        r = error_set(err, errno == ENOSPC || errno == EDQUOT ? FULL : FAILED, "writing: %s",
                      strerror(errno));
    buf_release(&head);
    return r;
}

/* The name must survive too. Who may not open the folder for reading syncs the file system. */
static bool sync_name(int folder, int file)
{
    int readable = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = readable >= 0 ? fsync(readable) == 0 : syncfs(file) == 0;
    fd_close(&readable);
    return ok;
}

static enum result write_in(int folder, const char *path, const struct drop *d, struct error *err)
{
    uint32_t random;
    char hidden[64];
    if (getrandom(&random, sizeof random, 0) != sizeof random)
        return error_set(err, FAILED, "no random numbers: %s", strerror(errno));
    snprintf(hidden, sizeof hidden, ".%s-%08x", log_id(log_id_new()).text, random);
    int fd = openat(folder, hidden, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_set(err, FAILED, "cannot make a file in %s: %s", path, strerror(errno));
    enum result r = fill(fd, d, err);
    if (r == OK && (renameat(folder, hidden, folder, hidden + 1) != 0 || !sync_name(folder, fd)))
        r = error_set(err, FAILED, "%s: %s", path, strerror(errno));
    if (r != OK) {
        unlinkat(folder, hidden, 0);
        unlinkat(folder, hidden + 1, 0);
    }
    close(fd);
    return r;
}

enum result drop_write(const char *path, const struct drop *d, struct error *err)
{
    int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return error_set(err, FAILED, "%s: %s", path, strerror(errno));
    enum result r = write_in(folder, path, d, err);
    close(folder);
    return r;
}

/* ---- reading ---- */

/* Takes "name value" apart; false: it is none of the file's lines. */
static bool take_line(struct slice line, struct drop *d, size_t rcpts_room, uint64_t *size)
{
    struct slice value = line;
    struct slice name = slice_split(&value, ' ');
    if (!value.data || !drop_address_ok(value))
        return false;
    if (slice_is(name, "rcpt")) {
        if (value.len == 0 || d->rcpts.n == rcpts_room)
            return false;
        d->rcpts.items[d->rcpts.n++] = value;
    } else if (slice_is(name, "sender"))
        d->sender = value;
    else if (slice_is(name, "ret"))
        d->ret = value;
    else if (slice_is(name, "envid"))
        d->envid = value;
    else if (slice_is(name, "notify"))
        d->notify = value;
    else if (slice_is(name, "smtputf8"))
        d->smtputf8 = true;
    else if (slice_is(name, "8bit"))
        d->eightbit = true;
    else if (slice_is(name, "probe"))
        d->probe = true;
    else
        return slice_is(name, "size") && slice_parse_u64(value, DROP_MESSAGE_MAX, size) == OK;
    return true;
}

enum result drop_parse(struct slice file, struct arena *a, struct drop *ret, struct error *err)
{
    struct drop d = {.rcpts = {arena_alloc_n(a, DROP_RCPTS_MAX, sizeof *d.rcpts.items), 0}};
    uint64_t size = UINT64_MAX;
    struct slice rest = file;
    size_t before = 0;
    if (!d.rcpts.items)
        return error_set(err, FAILED, "no memory");
    if (!slice_is(slice_split(&rest, '\n'), FIRST_LINE))
        return error_set(err, INVALID, "it does not begin with \"" FIRST_LINE "\"");
    for (unsigned number = 2;; number++) {
        struct slice line = slice_split(&rest, '\n');
        before = file.len - rest.len;
        if (!rest.data || before > DROP_HEAD_MAX)
            return error_set(err, INVALID, "its head has no end");
        if (line.len == 0)
            break;
        if (!take_line(line, &d, DROP_RCPTS_MAX, &size))
            return error_set(err, INVALID, "line %u is not understood", number);
    }
    if (size != rest.len || d.rcpts.n == 0)
        return error_set(err, INVALID,
                         size != rest.len ? "its size is not what it says" : "it has no recipient");
    d.message = rest;
    *ret = d;
    return OK;
}
