#include "os/users.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

enum { NAME_MAX_LEN = 64 };

static enum result by_number(uint64_t uid, struct os_user *ret)
{
    struct passwd *pw = getpwuid((uid_t)uid);
    *ret = (struct os_user){(unsigned)uid, pw ? (unsigned)pw->pw_gid : (unsigned)uid};
    return OK;
}

enum result user_find(struct slice name, struct os_user *ret, struct error *err)
{
    char text[NAME_MAX_LEN];
    uint64_t number;
    struct os_user u;
    if (name.len == 0 || name.len >= sizeof text)
        return error_set(err, INVALID, "not a user name: %.*s", SLICE_ARG(name));
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(name));
    if (slice_parse_u64(name, UINT32_MAX - 1, &number) == OK) {
        if (by_number(number, &u) != OK)
            return FAILED;
    } else {
        struct passwd *pw = getpwnam(text);
        if (!pw)
            return error_set(err, NOT_FOUND,
                             "there is no user %s: create it with `useradd --system "
                             "--no-create-home --shell /usr/sbin/nologin %s`",
                             text, text);
        u = (struct os_user){(unsigned)pw->pw_uid, (unsigned)pw->pw_gid};
    }
    if (u.uid == 0)
        return error_set(err, DENIED, "user %s is root: a role may not run as root", text);
    *ret = u;
    return OK;
}

bool user_is_root(void)
{
    return geteuid() == 0;
}

enum result user_become(struct os_user u, struct error *err)
{
    if (setgroups(0, NULL) != 0 || setresgid(u.gid, u.gid, u.gid) != 0 ||
        setresuid(u.uid, u.uid, u.uid) != 0)
        return error_set(err, FAILED, "becoming user %u: %s", u.uid, strerror(errno));
    /* Trust, but verify: a set-uid that silently did nothing would leave root behind. */
    if (setuid(0) == 0)
        return error_set(err, FAILED, "user %u can become root again", u.uid);
    return OK;
}
