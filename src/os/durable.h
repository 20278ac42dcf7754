/* durable.h: the few system calls that durability rests on, in one place, so that tests can make
 * the Nth of them fail.
 *
 * A write that returned is not durable; only a sync that returned OK makes it so. After a sync that
 * failed nothing is known of what was written before it (the kernel may have dropped the dirty
 * pages and reports the error once): the caller gives up, restarts and recovers. */
#ifndef OS_DURABLE_H
#define OS_DURABLE_H

#include <sys/uio.h>

#include "base/slice.h"

/* Writes all of iov[0..n) (n <= 1024) at `offset`; the array is used up. *ret_written says how much
 * got there even when it fails: FULL (no space or quota), FAILED (errno says why). */
MUST_USE enum result durable_pwritev(int fd, struct iovec *iov, int n, uint64_t offset,
                                     uint64_t *ret_written);
/* fdatasync: the data and what is needed to find it. */
MUST_USE enum result durable_sync(int fd);
/* Makes the names in a directory durable: files made, renamed and removed. */
MUST_USE enum result durable_sync_dir(int dir_fd);
/* Cuts the file and makes that durable. */
MUST_USE enum result durable_truncate(int fd, uint64_t length);
/* Makes the directory with mode 0700 when missing, and its name durable. The parent must exist. */
MUST_USE enum result durable_make_dir(const char *path);
/* One owner at a time, until the fd is closed: BUSY when somebody else holds it. */
MUST_USE enum result durable_lock(int fd);
/* Free bytes for us on fd's file system; UINT64_MAX when unknown. */
uint64_t durable_free_space(int fd);

/* ---- for tests ---- */

enum durable_op { DURABLE_WRITE, DURABLE_SYNC, DURABLE_OPS };

/* From now on, counted over all threads, the nth call (1: the next) of this kind and all later
 * ones fail with `error`; a write first writes `after_bytes`. */
void durable_fault_set(enum durable_op op, uint64_t nth, int error, size_t after_bytes);
/* Calls since the last durable_fault_clear. */
uint64_t durable_fault_count(enum durable_op op);
void durable_fault_clear(void);
/* What durable_free_space says from now on; UINT64_MAX gives the file system's word back. */
void durable_set_free_space(uint64_t bytes);

#endif
