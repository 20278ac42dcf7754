#include "cli/running.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/control.h"
#include "conf/origin.h"
#include "os/fds.h"

static bool server_runs(struct cli *c)
{
    struct error err;
    int fd;
    if (control_open(c, &fd, &err) != OK)
        return false;
    close(fd);
    return true;
}

/* Could nobody but root and the caller have written what stands there? */
static bool is_trusted(int fd, mode_t type)
{
    struct stat st;
    return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type &&
           (st.st_uid == 0 || st.st_uid == geteuid()) && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* In the folder that was looked at, whatever becomes of its name. FAILED: told. */
static enum result read_record(const char *folder, struct buf *out)
{
    int dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd = dir < 0 ? -1 : openat(dir, "origin", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    enum result r = OK;
    if (fd < 0) {
        r = NOT_FOUND;
    } else if (!is_trusted(dir, S_IFDIR) || !is_trusted(fd, S_IFREG)) {
        r = FAILED;
        fprintf(stderr,
                "postrider: %sorigin is not used: it, or its folder, may be written by others; "
                "name the files (-c, --postfix, --dovecot, --sasl)\n",
                folder);
    } else {
        r = fd_read_all(fd, CONF_ORIGIN_MAX, out);
    }
    fd_close(&fd);
    fd_close(&dir);
    return r;
}

/* With -c only the server that was started with that file is meant. */
static bool is_meant(const struct cli *c, const struct conf_origin *o)
{
    struct buf text;
    const struct conf_origin given = {.path = c->config_path};
    if (!c->config_given)
        return true;
    buf_init(&text, CONF_ORIGIN_MAX);
    bool same = conf_origin_format(&given, &text) == OK;
    struct slice line = slice_trim(buf_slice(&text));
    slice_split(&line, ' ');
    same = same && slice_is(line, o->path);
    buf_release(&text);
    return same;
}

void cli_use_running(struct cli *c)
{
    static struct arena a; /* what c points to lives as long as the process */
    char folder[CLI_PATH_SIZE];
    struct conf_origin o;
    struct buf text;
    if (c->files_given || c->conf)
        return;
    c->files_given = true; /* where the state is may be found by loading: that asks no more */
    bool runs = server_runs(c) && cli_state_path(c, "", folder);
    conf_unref(c->conf);
    c->conf = NULL;
    if (!runs)
        return;
    arena_init(&a, 2 * CONF_ORIGIN_MAX);
    buf_init(&text, CONF_ORIGIN_MAX);
    if (read_record(folder, &text) == OK && conf_origin_parse(buf_slice(&text), &a, &o) == OK &&
        is_meant(c, &o)) {
        c->config_path = o.path;
        c->origin = o;
    }
    buf_release(&text);
}
