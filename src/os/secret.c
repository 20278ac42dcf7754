#include "os/secret.h"

#include <string.h>
#include <sys/mman.h>

void *secret_new(size_t size)
{
    void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mem == MAP_FAILED)
        return NULL;
    if (madvise(mem, size, MADV_WIPEONFORK) == 0 && madvise(mem, size, MADV_DONTDUMP) == 0)
        return mem;
    munmap(mem, size);
    return NULL;
}

void secret_free(void *secret, size_t size)
{
    if (!secret)
        return;
    explicit_bzero(secret, size);
    munmap(secret, size);
}
