/* unix_socket.c: what a Unix socket needs before and behind bind: its place cleared, and who may
 * use it (socket_access). */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/fields.h"
#include "os/users.h"
#include "role/master/master.h"

bool unix_socket_clear(const struct sockaddr_un *a)
{
    struct stat st;
    if (lstat(a->sun_path, &st) != 0)
        return true;
    if (!S_ISSOCK(st.st_mode)) {
        errno = EEXIST;
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool alive = fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof *a) == 0;
    if (fd >= 0)
        close(fd);
    errno = EADDRINUSE;
    return !alive && unlink(a->sun_path) == 0;
}

void unix_socket_make_folder(const char *path)
{
    char folder[sizeof((struct sockaddr_un *)0)->sun_path];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return;
    *slash = 0;
    const struct group *sasl = getgrnam("sasl");
    if (mkdir(folder, 0700) != 0)
        return; /* it is there, or bind says why not */
    if (sasl && chown(folder, 0, sasl->gr_gid) == 0)
        chmod(folder, 0710);
    else
        chmod(folder, 0755);
}

/* What all items of that path say together; the later ones count. */
struct access {
    bool any;
    struct slice mode, user, group;
};

static struct access access_of(const struct conf *c, const char *path)
{
    struct access a = {false, SLICE("0600"), SLICE("root"), SLICE("root")};
    for (size_t i = 0; i < c->socket_access.n; i++) {
        struct slice item = c->socket_access.items[i];
        if (!slice_is(conf_field(item, "path"), path))
            continue;
        struct slice mode = conf_field(item, "mode"), user = conf_field(item, "user"),
                     group = conf_field(item, "group");
        a.any = true;
        a.mode = mode.data ? mode : a.mode;
        a.user = user.data ? user : a.user;
        a.group = group.data ? group : a.group;
    }
    return a;
}

/* Names of items are not ended by NUL. */
enum { NAME_SIZE = 64 };

static const char *ended(struct slice name, char room[NAME_SIZE])
{
    snprintf(room, NAME_SIZE, "%.*s", SLICE_ARG(name));
    return room;
}

static bool find_user(struct slice name, uid_t *ret)
{
    uint64_t number;
    char room[NAME_SIZE];
    const struct passwd *p = getpwnam(ended(name, room));
    bool numeric = !p && slice_parse_u64(name, UINT32_MAX - 1, &number) == OK;
    *ret = p ? p->pw_uid : numeric ? (uid_t)number : 0;
    return p || numeric;
}

static bool find_group(struct slice name, gid_t *ret)
{
    uint64_t number;
    char room[NAME_SIZE];
    const struct group *g = getgrnam(ended(name, room));
    bool numeric = !g && slice_parse_u64(name, UINT32_MAX - 1, &number) == OK;
    *ret = g ? g->gr_gid : numeric ? (gid_t)number : 0;
    return g || numeric;
}

static mode_t mode_of(struct slice text)
{
    char room[NAME_SIZE];
    return (mode_t)strtoul(ended(text, room), NULL, 8);
}

static void told(const char *path, const char *what, struct slice name, const char *why)
{
    LOG(LOG_WARNING, "listen.access", LOG_C("path", path), LOG_C("what", what), LOG_S("name", name),
        LOG_C("why", why));
}

/* The owner first: nobody may use it for a moment who may not later. */
void unix_socket_give(const struct conf *c, const char *path)
{
    struct access a = access_of(c, path);
    uid_t uid = 0;
    gid_t gid = 0;
    if (!a.any) {
        chmod(path, 0666); /* who may use it is decided by the folder */
        return;
    }
    if (!find_user(a.user, &uid))
        told(path, "user", a.user, "there is no such user: root owns the socket");
    if (!find_group(a.group, &gid))
        told(path, "group", a.group, "there is no such group: root's has it");
    if (user_is_root() && chown(path, uid, gid) != 0)
        told(path, "owner", a.user, strerror(errno));
    if (chmod(path, mode_of(a.mode)) != 0)
        told(path, "mode", a.mode, strerror(errno));
}
