/* doveadm_server.c: asking the running server, and for which users: -u USER, -u MASK, -A. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "cli/control.h"
#include "cli/faces/doveadm.h"
#include "os/fds.h"

enum { ANSWER_MAX = 16 << 20 };

int doveadm_ask(struct doveadm *d, const char *const *words, size_t n, struct buf *out)
{
    struct error err = {""};
    buf_init(out, ANSWER_MAX);
    int fd = cli_connect(d->cli->conf->state_directory.data);
    enum result r = fd < 0 ? NOT_FOUND : control_ask(fd, words, n, out, &err);
    fd_close(&fd);
    if (r == OK)
        return 0;
    return doveadm_fatal(EX_TEMPFAIL, "%s", err.text[0] ? err.text : "the server is not running");
}

bool doveadm_has_word(struct slice text, struct slice word)
{
    while (text.data)
        if (slice_eq(slice_split(&text, ' '), word))
            return true;
    return false;
}

/* Of several users one that fails does not keep the others from their turn. */
struct turns {
    struct doveadm *d;
    doveadm_turn_fn *turn;
    void *arg;
    int status;
};

static void one_of_many(void *arg, const char *user)
{
    struct turns *t = arg;
    int status = t->turn(t->d, user, true, t->arg);
    t->status = status ? status : t->status;
}

static int no_such_user(const char *user)
{
    fprintf(stderr, "doveadm(%s): Error: User doesn't exist\n", user);
    return EX_NOUSER;
}

int doveadm_turns(struct doveadm *d, const struct doveadm_users *users, doveadm_turn_fn *turn,
                  void *arg)
{
    struct turns t = {d, turn, arg, 0};
    struct buf fields;
    const char *mask = users->all ? "*" : users->name;
    if (!mask)
        return doveadm_fatal(EX_USAGE, "USER environment is missing and -u option not used");
    if (doveadm_many(users)) {
        int status = doveadm_each_user(d, mask, one_of_many, &t);
        return status ? status : t.status;
    }
    buf_init(&fields, 64 * 1024);
    enum result r = doveadm_find_user(d, slice_cstr(mask), &fields);
    buf_release(&fields);
    if (r != OK)
        return r == NOT_FOUND ? no_such_user(mask) : EX_TEMPFAIL;
    return turn(d, mask, false, arg);
}

bool doveadm_many(const struct doveadm_users *users)
{
    return users->all || (users->name && strpbrk(users->name, "*?"));
}
