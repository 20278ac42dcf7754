#include "os/sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/landlock.h"
#include "os/syscall_filter.h"

/* Secrets and mail must not end in a core file, and other processes of the same user may not look
 * into this one. */
static void forbid_dumps(void)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* A folder that exists no more is as empty as a root directory can be: nothing can be made in it.
 */
static bool enter_removed_folder(const char *parent)
{
    char path[64];
    snprintf(path, sizeof path, "%s/postrider-XXXXXX", parent);
    if (!mkdtemp(path))
        return false;
    bool ok = chdir(path) == 0;
    rmdir(path);
    return ok;
}

static bool enter_empty_root(bool is_root)
{
    static const char *const parents[] = {"/run", "/tmp", "/var/tmp", "/dev/shm"};
    bool inside = false;
    for (size_t i = 0; i < sizeof parents / sizeof *parents && !inside; i++)
        inside = enter_removed_folder(parents[i]);
    if (!inside)
        return false;
    /* Without root a user namespace lends the right to change the root directory; the kernel or a
     * container may refuse it, and so it does to a process with several threads. */
    if (!is_root && unshare(CLONE_NEWUSER) != 0)
        return false;
    return chroot(".") == 0 && chdir("/") == 0;
}

/* None left, in whatever user namespace. */
static bool drop_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
    return syscall(SYS_capset, &header, none) == 0;
}

enum result sandbox_prepare(const struct sandbox *s, struct sandbox_state *state, struct error *err)
{
    bool is_root = user_is_root();
    state->uid = s->change_user ? s->user.uid : (unsigned)geteuid();
    if (s->empty_root)
        state->chroot = enter_empty_root(is_root);
    /* Entered with all rights, the folder can be used also where its parents are closed to the
     * role's user. */
    if (s->folder && chdir(s->folder) != 0)
        return error_set(err, FAILED, "%s: %s", s->folder, strerror(errno));
    if (s->change_user) {
        enum result r = user_become(s->user, err);
        if (r != OK)
            return r;
    }
    if (!drop_capabilities() || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return error_set(err, FAILED, "giving up privileges: %s", strerror(errno));
    forbid_dumps();
    bool may_connect = s->profile == SANDBOX_RELAY || s->profile == SANDBOX_AUTH;
    state->landlock_abi = landlock_confine(s->folder ? "." : NULL, may_connect);
    return OK;
}

enum result sandbox_lock(const struct sandbox *s, struct sandbox_state *state, struct error *err)
{
    enum result r = seccomp_confine(s->profile, err);
    state->seccomp = r == OK;
    return r;
}
