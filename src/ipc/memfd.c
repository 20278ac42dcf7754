/* memfd.c: message bytes that are too many for a packet travel in sealed memory. The seals are what
 * makes it safe to map: the sender can neither shrink it (SIGBUS) nor change it behind a check. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/ipc.h"
#include "os/fds.h"

enum result ipc_memfd(struct slice bytes, int *ret_fd)
{
    int fd = memfd_create("postrider", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return FAILED;
    if (!fd_write_all(fd, bytes) ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) {
        close(fd);
        return FAILED;
    }
    *ret_fd = fd;
    return OK;
}

enum result ipc_memfd_map(int fd, uint64_t expect_size, struct slice *ret)
{
    enum { NEEDED = F_SEAL_SHRINK | F_SEAL_WRITE };
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || (seals & NEEDED) != NEEDED || fstat(fd, &st) != 0 ||
        (uint64_t)st.st_size != expect_size || expect_size > SIZE_MAX / 2)
        return INVALID;
    if (expect_size == 0) {
        *ret = SLICE("");
        return OK;
    }
    void *p = mmap(NULL, (size_t)expect_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return FAILED;
    *ret = slice_of(p, (size_t)expect_size);
    return OK;
}

void ipc_memfd_unmap(struct slice s)
{
    if (s.len)
        munmap((void *)(uintptr_t)s.data, s.len);
}
