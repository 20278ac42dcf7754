/* sandbox.h: takes from a role's process what its work does not need. In this order: the empty root
 * directory, the user, no-new-privileges, Landlock, seccomp.
 *
 * seccomp is the wall that is always there: an allow list for each profile. A call that is not
 * listed fails with EPERM, so that a library that only probes goes on; those that no part of ours
 * makes and every intruder wants (execve, ptrace, process_vm_*, mount, modules, bpf …) kill the
 * process: the master logs the signal and starts a fresh one. Landlock goes as far as the kernel's
 * ABI does; the empty root directory needs root or an unprivileged user namespace. What is in force
 * is told in struct sandbox_state and shown by `status`. */
#ifndef OS_SANDBOX_H
#define OS_SANDBOX_H

#include "base/result.h"
#include "os/users.h"

enum sandbox_profile {
    SANDBOX_EDGE,    /* sockets that it was handed; accept; no socket, connect, bind, open */
    SANDBOX_RELAY,   /* socket, connect, bind (UDP ports of DNS queries); no listen, open */
    SANDBOX_MAILBOX, /* files within one folder; accept; no socket, connect */
    SANDBOX_AUTH     /* socket and connect for lookup sources; no listen, accept, open */
};

struct sandbox {
    enum sandbox_profile profile;
    bool change_user; /* started as root */
    struct os_user user;
    bool empty_root;
    const char *folder; /* MAILBOX: the only folder it sees; becomes the working directory */
};

struct sandbox_state {
    bool seccomp;
    int landlock_abi; /* 0: not there */
    bool chroot;
    unsigned uid;
};

/* First half, before the role opens what it works with: for MAILBOX, so that the store is opened by
 * who will own it and every thread that the store starts is confined by Landlock. Others may do all
 * in the second half. */
MUST_USE enum result sandbox_prepare(const struct sandbox *s, struct sandbox_state *state,
                                     struct error *err);
/* Second half: seccomp, for all threads. FAILED: the process must not go on. */
MUST_USE enum result sandbox_lock(const struct sandbox *s, struct sandbox_state *state,
                                  struct error *err);

#endif
