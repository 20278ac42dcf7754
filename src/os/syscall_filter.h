/* syscall_filter.h: the system call filter of a profile; part of sandbox.c. */
#ifndef OS_SYSCALL_FILTER_H
#define OS_SYSCALL_FILTER_H

#include "os/sandbox.h"

/* For all threads of the process. */
MUST_USE enum result seccomp_confine(enum sandbox_profile profile, struct error *err);

#endif
