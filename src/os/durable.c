/* durable.c: see durable.h. */
#include "os/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static struct {
    _Atomic uint64_t calls;
    _Atomic uint64_t fail_at; /* 0: never */
    _Atomic int error;
    _Atomic size_t after_bytes;
} faults[DURABLE_OPS];

static _Atomic uint64_t pretended_free_space = UINT64_MAX;

/* The error that this call must fail with, or 0. */
static int fault_due(enum durable_op op)
{
    uint64_t call = atomic_fetch_add(&faults[op].calls, 1) + 1;
    uint64_t at = atomic_load(&faults[op].fail_at);
    return at != 0 && call >= at ? atomic_load(&faults[op].error) : 0;
}

void durable_fault_set(enum durable_op op, uint64_t nth, int error, size_t after_bytes)
{
    atomic_store(&faults[op].error, error);
    atomic_store(&faults[op].after_bytes, after_bytes);
    atomic_store(&faults[op].fail_at, atomic_load(&faults[op].calls) + nth);
}

uint64_t durable_fault_count(enum durable_op op)
{
    return atomic_load(&faults[op].calls);
}

void durable_fault_clear(void)
{
    for (int op = 0; op < DURABLE_OPS; op++) {
        atomic_store(&faults[op].fail_at, 0);
        atomic_store(&faults[op].calls, 0);
    }
}

void durable_set_free_space(uint64_t bytes)
{
    atomic_store(&pretended_free_space, bytes);
}

static enum result result_of(int error)
{
    errno = error;
    return error == ENOSPC || error == EDQUOT ? FULL : FAILED;
}

/* Cuts the array so that it holds at most `limit` bytes. */
static int iov_limit(struct iovec *iov, int n, size_t limit)
{
    for (int i = 0; i < n; i++) {
        if (iov[i].iov_len >= limit) {
            iov[i].iov_len = limit;
            return limit > 0 ? i + 1 : i;
        }
        limit -= iov[i].iov_len;
    }
    return n;
}

enum result durable_pwritev(int fd, struct iovec *iov, int n, uint64_t offset,
                            uint64_t *ret_written)
{
    int error = fault_due(DURABLE_WRITE);
    *ret_written = 0;
    if (error)
        n = iov_limit(iov, n, atomic_load(&faults[DURABLE_WRITE].after_bytes));
    while (n > 0) {
        ssize_t got = pwritev(fd, iov, n, (off_t)(offset + *ret_written));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return result_of(errno);
        *ret_written += (uint64_t)got;
        for (; n > 0 && (size_t)got >= iov->iov_len; iov++, n--)
            got -= (ssize_t)iov->iov_len;
        if (n > 0) {
            iov->iov_base = (char *)iov->iov_base + got;
            iov->iov_len -= (size_t)got;
        }
    }
    return error ? result_of(error) : OK;
}

enum result durable_sync(int fd)
{
    int error = fault_due(DURABLE_SYNC);
    if (error)
        return result_of(error);
    /* Not repeated on EINTR: after any failure the pages may already be dropped. */
    return fdatasync(fd) == 0 ? OK : result_of(errno);
}

enum result durable_sync_dir(int dir_fd)
{
    int error = fault_due(DURABLE_SYNC);
    if (error)
        return result_of(error);
    return fsync(dir_fd) == 0 ? OK : result_of(errno);
}

enum result durable_truncate(int fd, uint64_t length)
{
    if (ftruncate(fd, (off_t)length) < 0)
        return result_of(errno);
    return durable_sync(fd);
}

enum result durable_make_dir(const char *path)
{
    char parent[PATH_MAX];
    if (mkdir(path, 0700) < 0)
        return errno == EEXIST ? OK : result_of(errno);
    if (snprintf(parent, sizeof parent, "%s", path) >= (int)sizeof parent)
        return result_of(ENAMETOOLONG);
    int fd = open(dirname(parent), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return result_of(errno);
    enum result r = durable_sync_dir(fd);
    close(fd);
    return r;
}

enum result durable_lock(int fd)
{
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return OK;
    return errno == EWOULDBLOCK ? BUSY : FAILED;
}

uint64_t durable_free_space(int fd)
{
    struct statvfs v;
    uint64_t pretended = atomic_load(&pretended_free_space);
    if (pretended != UINT64_MAX)
        return pretended;
    if (fstatvfs(fd, &v) < 0)
        return UINT64_MAX;
    return (uint64_t)v.f_bavail * v.f_frsize;
}
