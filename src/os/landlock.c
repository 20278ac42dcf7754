/* landlock.c: Debian 12's headers know ABI 2 only; the numbers of later ones are from
 * Documentation/userspace-api/landlock.rst. */
#include "os/landlock.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct ruleset {
    uint64_t handled_access_fs;
    uint64_t handled_access_net; /* ABI 4 */
    uint64_t scoped;             /* ABI 6 */
};

struct __attribute__((packed)) path_rule {
    uint64_t allowed_access;
    int32_t parent_fd;
};

enum {
    CREATE_RULESET = 444,
    ADD_RULE = 445,
    RESTRICT_SELF = 446,
    RULE_PATH_BENEATH = 1,
    VERSION_FLAG = 1,
    NET_BIND_TCP = 1,
    NET_CONNECT_TCP = 2,
    SCOPE_ABSTRACT_UNIX = 1,
    SCOPE_SIGNAL = 2
};

/* All rights on files that an ABI knows: 13 in ABI 1, then REFER, TRUNCATE, (net), IOCTL_DEV. */
static uint64_t all_file_rights(int abi)
{
    int bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
    return ((uint64_t)1 << bits) - 1;
}

static bool allow_folder(int ruleset, const char *folder, uint64_t rights)
{
    struct path_rule rule = {rights, open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (rule.parent_fd < 0)
        return false;
    long r = syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
    return r == 0;
}

int landlock_confine(const char *folder, bool may_connect)
{
    long abi = syscall(CREATE_RULESET, NULL, 0, VERSION_FLAG);
    if (abi < 1)
        return 0;
    struct ruleset set = {.handled_access_fs = all_file_rights((int)abi)};
    if (abi >= 4)
        set.handled_access_net = NET_BIND_TCP | (may_connect ? 0 : NET_CONNECT_TCP);
    if (abi >= 6)
        set.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
    /* The kernel takes a struct that is longer than it knows as long as the rest is zero. */
    long ruleset = syscall(CREATE_RULESET, &set, sizeof set, 0);
    if (ruleset < 0)
        return 0;
    bool ok = (!folder || allow_folder((int)ruleset, folder, set.handled_access_fs)) &&
              prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
              syscall(RESTRICT_SELF, (int)ruleset, 0) == 0;
    close((int)ruleset);
    return ok ? (int)abi : 0;
}
