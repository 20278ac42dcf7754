/* identity.c: with whose rights a delivery is made. root's are never used: what is root's own is
 * done as default_privs, as local(8) does it. Without root there is one user only, our own. */
#include "role/agent/agent.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

static enum result not_known(int why, struct slice user, struct error *err)
{
    bool unasked = why == EIO || why == EMFILE || why == ENFILE || why == ENOMEM || why == EAGAIN ||
                   why == ETIMEDOUT || why == ECONNREFUSED;
    if (unasked)
        return error_set(err, BUSY, "the user %.*s can't be looked up now", SLICE_ARG(user));
    return error_set(err, NOT_FOUND, "there is no user %.*s in this system", SLICE_ARG(user));
}

static void keep(struct identity *who, const struct passwd *pw)
{
    *who = (struct identity){.uid = pw->pw_uid, .gid = pw->pw_gid, .whole = true};
    snprintf(who->name, sizeof who->name, "%s", pw->pw_name);
    snprintf(who->home, sizeof who->home, "%s", pw->pw_dir ? pw->pw_dir : "");
    snprintf(who->shell, sizeof who->shell, "%s", pw->pw_shell ? pw->pw_shell : "");
}

/* A name, or "#" and a number (the owner of a file, which may have no name). */
static enum result look_up(struct slice user, struct identity *ret, struct error *err)
{
    char name[256];
    uint64_t number;
    const struct passwd *pw;
    if (user.len == 0 || user.len >= sizeof name || slice_find(user, '\0') != SIZE_MAX)
        return error_set(err, NOT_FOUND, "that is no user's name");
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(user));
    bool numeric = user.data[0] == '#';
    if (numeric && slice_parse_u64(slice_from(user, 1), UINT32_MAX - 1, &number) != OK)
        return error_set(err, NOT_FOUND, "that is no user's number");
    errno = 0;
    pw = numeric ? getpwuid((uid_t)number) : getpwnam(name);
    if (!pw)
        return not_known(errno, user, err);
    keep(ret, pw);
    return OK;
}

enum result identity_find(struct slice user, struct slice default_privs, struct identity *ret,
                          struct error *err)
{
    struct identity who = {.uid = 0};
    bool context = user.len && user.data[0] == '~';
    struct slice name = slice_from(user, context);
    bool by_default = slice_is(name, "-");
    enum result r = by_default ? OK : look_up(name, &who, err);
    if (r == OK && (by_default || who.uid == 0)) {
        struct identity root = who;
        r = look_up(default_privs, &who, err);
        if (r == OK && who.uid == 0)
            r = error_set(err, DENIED, "default_privs must not be root");
        if (context) { /* root's own .forward: root's home, not root's rights */
            root.uid = who.uid;
            root.gid = who.gid;
            who = root;
        }
    }
    if (r != OK)
        return r;
    if (geteuid() != 0 && who.uid != geteuid())
        return error_set(err, DENIED,
                         "the server must be started as root to act with the rights of %s "
                         "(without root, default_privs can only be its own user)",
                         who.name);
    who.context = context;
    *ret = who;
    return OK;
}

/* The users that the server's roles run as; Postfix's own, where it is there. */
static bool is_servers_own(const struct conf *c, const struct identity *who)
{
    struct slice users[] = {c->auth_user, c->edge_user, c->mailbox_user, c->relay_user,
                            SLICE("postfix")};
    for (size_t i = 0; i < sizeof users / sizeof *users; i++) {
        struct identity own;
        struct error err = {""};
        uint64_t number;
        bool numeric = slice_parse_u64(users[i], UINT32_MAX, &number) == OK;
        if (numeric ? number == who->uid
                    : look_up(users[i], &own, &err) == OK && own.uid == who->uid)
            return true;
    }
    return false;
}

static enum result take_group(struct slice group, struct identity *who, struct error *err)
{
    char name[256];
    const struct group *gr;
    if (group.len == 0)
        return OK;
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(group));
    errno = 0;
    gr = getgrnam(name);
    if (!gr)
        return error_set(err, errno ? BUSY : NOT_FOUND, "there is no group %s", name);
    who->gid = gr->gr_gid;
    return OK;
}

enum result identity_named(const struct conf *c, struct slice user, struct slice group,
                           struct identity *ret, struct error *err)
{
    struct identity who = {.uid = 0};
    enum result r = look_up(user, &who, err);
    if (r == OK)
        r = take_group(group, &who, err);
    if (r != OK)
        return r;
    if (who.uid == 0 || who.gid == 0)
        return error_set(err, DENIED, "user=%.*s: no command gets root's rights, or its group's",
                         SLICE_ARG(user));
    if (geteuid() == 0 && is_servers_own(c, &who))
        return error_set(err, DENIED, "user=%.*s: no command gets the server's own rights",
                         SLICE_ARG(user));
    if (geteuid() != 0 && who.uid != geteuid())
        return error_set(err, DENIED,
                         "the server must be started as root to act with the rights of %s",
                         who.name);
    *ret = who;
    return OK;
}

enum result identity_become(const struct identity *who, struct error *err)
{
    if (geteuid() != 0)
        return OK;
    gid_t group = who->gid;
    if (setgroups(1, &group) != 0 || setresgid(group, group, group) != 0 ||
        setresuid(who->uid, who->uid, who->uid) != 0 || geteuid() != who->uid || setuid(0) == 0)
        return error_set(err, FAILED, "cannot take the rights of user %u", who->uid);
    return OK;
}
