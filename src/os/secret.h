/* secret.h: memory for a key that a process keeps for some of its children. */
#ifndef OS_SECRET_H
#define OS_SECRET_H

#include <stddef.h>

/* `size` zeroed bytes (rounded up to pages) that are in no core dump, and zeroed again in every
 * child that is forked while they are there (MADV_WIPEONFORK). NULL, with errno, when there is no
 * memory or the kernel can't promise that. */
void *secret_new(size_t size);
/* Wipes and gives back; NULL is allowed. */
void secret_free(void *secret, size_t size);

#endif
