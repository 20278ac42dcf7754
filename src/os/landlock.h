/* landlock.h: rules of the Landlock security module by raw system calls; part of sandbox.c. */
#ifndef OS_LANDLOCK_H
#define OS_LANDLOCK_H

#include "base/result.h"

#include <stdbool.h>

/* No file outside `folder` (NULL: none at all); no TCP bind, and no connect unless may_connect; no
 * abstract Unix socket or signal to others: each as far as the kernel can. Returns the ABI that was
 * used, 0 when there is none. */
int landlock_confine(const char *folder, bool may_connect);

#endif
