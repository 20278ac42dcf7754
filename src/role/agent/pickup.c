/* pickup.c: the folder maildrop: what sendmail(1) laid there while the server did not run (or could
 * not take it) is brought in at start and as it comes. A user with a thousand files waits behind
 * himself alone: of each at most PER_USER are under way. */
#include "role/agent/pickup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/map.h"

enum {
    UNDER_WAY_MAX = 6,
    PER_USER = 2,
    CHILD_MS = 10 * 60 * 1000,
    LATER_MAX = 20000, /* files whose next attempt is remembered */
    SCAN_MAX = 5000,   /* names looked at in one run */
    FIRST_LOOK_MS = 500,
    LOOK_MS = 30 * 1000,
    AGAIN_MS = 60 * 1000,
    STALE_S = 24 * 3600 /* a file that nobody finished writing */
};

struct pickup_job {
    struct agent_job job;
    struct pickup *pickup;
    struct list_node node;
    struct pickup_file file;
    uid_t uid;
};

struct pickup {
    struct io_task task; /* of the inotify fd */
    struct agent *agent;
    int watch_fd;
    DIR *dir; /* read on from where the last run stopped */
    pthread_mutex_t lock;
    struct list_node jobs;
    unsigned under_way;
    struct map later; /* name -> monotonic ms, allocated */
    bool closing;
};

/* ---- what waits ---- */

static void forget_later(struct pickup *p, const char *name)
{
    free(map_remove(&p->later, slice_cstr(name)));
}

static void remember_later(struct pickup *p, const char *name)
{
    int64_t *at = map_get(&p->later, slice_cstr(name));
    if (!at && (at = malloc(sizeof *at)) && map_put(&p->later, slice_cstr(name), at) != OK) {
        free(at);
        at = NULL;
    }
    if (at)
        *at = clock_monotonic_ms() + AGAIN_MS;
}

/* Lock held. */
static bool is_due(const struct pickup *p, const char *name, uid_t uid)
{
    const int64_t *at = map_get(&p->later, slice_cstr(name));
    unsigned same_user = 0;
    if (at && *at > clock_monotonic_ms())
        return false;
    LIST_FOR_EACH(n, &p->jobs)
    {
        const struct pickup_job *j = CONTAINER_OF(n, struct pickup_job, node);
        if (strcmp(j->file.name, name) == 0)
            return false;
        same_user += j->uid == uid;
    }
    return same_user < PER_USER;
}

/* ---- one file ---- */

static void run_in_child(const struct agent_job *job, int out)
{
    const struct pickup_job *j = CONTAINER_OF(job, struct pickup_job, job);
    struct buf answer;
    buf_init(&answer, CHILD_OUTPUT_MAX);
    pickup_run(&j->file, &answer);
    struct slice s = buf_slice(&answer);
    if (write(out, s.data, s.len) != (ssize_t)s.len)
        _exit(1);
}

static void remove_file(struct pickup *p, const char *name)
{
    if (unlinkat(dirfd(p->dir), name, 0) != 0 && errno != ENOENT)
        LOG(LOG_ERROR, "maildrop.not_removed", LOG_C("file", name), LOG_C("why", strerror(errno)));
}

static void finished(struct agent_job *job, struct slice answer, bool ended)
{
    struct pickup_job *j = CONTAINER_OF(job, struct pickup_job, job);
    struct pickup *p = j->pickup;
    char verdict = ended && answer.len ? answer.data[0] : 'L';
    struct slice words = ended && answer.len ? slice_from(answer, 1) : SLICE("its process failed");
    bool gone = verdict == 'K' || verdict == 'X';
    LOG(verdict == 'K' ? LOG_INFO : LOG_WARNING,
        verdict == 'K'   ? "maildrop.taken"
        : verdict == 'X' ? "maildrop.removed"
                         : "maildrop.waits",
        LOG_C("file", j->file.name), LOG_U("uid", j->uid), LOG_S("text", words));
    if (gone)
        remove_file(p, j->file.name);
    pthread_mutex_lock(&p->lock);
    list_remove(&j->node);
    p->under_way--;
    if (gone)
        forget_later(p, j->file.name);
    else
        remember_later(p, j->file.name);
    bool wake = !p->closing;
    if (wake)
        io_wake(&p->task);
    pthread_mutex_unlock(&p->lock);
    conf_unref(j->file.conf);
    free(j);
}

static void start(struct pickup *p, const char *name, const struct stat *st)
{
    struct pickup_job *j = calloc(1, sizeof *j);
    if (!j)
        return;
    j->job.run = run_in_child;
    j->job.done = finished;
    j->job.line = AGENT_DELIVERIES;
    j->job.timeout_ms = CHILD_MS;
    j->pickup = p;
    j->uid = st->st_uid;
    j->file.conf = role_conf(p->agent->role);
    j->file.last_try = clock_realtime_s() - st->st_mtime > j->file.conf->maximal_queue_lifetime;
    snprintf(j->file.name, sizeof j->file.name, "%s", name);
    pthread_mutex_lock(&p->lock);
    list_push_back(&p->jobs, &j->node);
    p->under_way++;
    pthread_mutex_unlock(&p->lock);
    if (agent_run(p->agent, &j->job) != OK)
        finished(&j->job, SLICE("Ltoo many jobs wait"), true);
}

/* ---- the folder ---- */

/* Hidden ones are being written; what nobody finished within a day is removed. */
static void look_at_hidden(struct pickup *p, const char *name, const struct stat *st)
{
    if (S_ISREG(st->st_mode) && clock_realtime_s() - st->st_mtime > STALE_S)
        remove_file(p, name);
}

static void look_at(struct pickup *p, const char *name)
{
    struct stat st;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        fstatat(dirfd(p->dir), name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return;
    if (name[0] == '.') {
        look_at_hidden(p, name, &st);
        return;
    }
    if (strlen(name) > PICKUP_NAME_MAX || !S_ISREG(st.st_mode)) {
        LOG(LOG_WARNING, "maildrop.removed", LOG_C("file", name), LOG_U("uid", st.st_uid),
            LOG_C("text", "no message: sendmail(1) makes none of that kind or name"));
        if (unlinkat(dirfd(p->dir), name, S_ISDIR(st.st_mode) ? AT_REMOVEDIR : 0) != 0)
            LOG(LOG_WARNING, "maildrop.not_removed", LOG_C("file", name),
                LOG_C("why", strerror(errno)));
        return;
    }
    pthread_mutex_lock(&p->lock);
    bool due = is_due(p, name, st.st_uid);
    pthread_mutex_unlock(&p->lock);
    if (due)
        start(p, name, &st);
}

static bool has_room(struct pickup *p)
{
    pthread_mutex_lock(&p->lock);
    bool room = p->under_way < UNDER_WAY_MAX;
    pthread_mutex_unlock(&p->lock);
    return room;
}

/* True: the end of the folder was reached. */
static bool scan(struct pickup *p)
{
    for (unsigned n = 0; n < SCAN_MAX && has_room(p); n++) {
        const struct dirent *e = readdir(p->dir);
        if (!e) {
            rewinddir(p->dir);
            return true;
        }
        look_at(p, e->d_name);
    }
    return false;
}

static void run(struct io_task *t, unsigned events)
{
    struct pickup *p = CONTAINER_OF(t, struct pickup, task);
    char away[4096];
    if (events & IO_READ) {
        while (read(p->watch_fd, away, sizeof away) > 0)
            ;
        rewinddir(p->dir);
    }
    bool all = scan(p);
    io_task_want(t, IO_READ);
    /* Where all places are taken the next file is looked for when one is free. */
    io_task_deadline(t, all || !has_room(p) ? LOOK_MS : 1);
}

enum result pickup_start(struct agent *a, struct pickup **ret, struct error *err)
{
    char path[4096];
    struct pickup *p = calloc(1, sizeof *p);
    const struct conf *c = role_conf(a->role);
    snprintf(path, sizeof path, "%.*s/maildrop", SLICE_ARG(c->state_directory));
    conf_unref(c);
    if (!p)
        return error_set(err, FAILED, "no memory");
    p->agent = a;
    p->dir = opendir(path);
    p->watch_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (!p->dir || p->watch_fd < 0 || inotify_add_watch(p->watch_fd, path, IN_MOVED_TO) < 0) {
        enum result r = error_set(err, FAILED, "%s: %s", path, strerror(errno));
        if (p->dir)
            closedir(p->dir);
        if (p->watch_fd >= 0)
            close(p->watch_fd);
        free(p);
        return r;
    }
    pthread_mutex_init(&p->lock, NULL);
    list_init(&p->jobs);
    map_init(&p->later, LATER_MAX);
    io_task_open(a->role->engine, &p->task, p->watch_fd, run);
    io_task_want(&p->task, IO_READ);
    io_task_deadline(&p->task, FIRST_LOOK_MS);
    *ret = p;
    return OK;
}

void pickup_stop(struct pickup *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_mutex_unlock(&p->lock);
    io_task_close(&p->task);
}

void pickup_free(struct pickup *p)
{
    size_t at = 0;
    struct slice name;
    void *value;
    if (!p)
        return;
    while (map_next(&p->later, &at, &name, &value))
        free(value);
    map_release(&p->later);
    closedir(p->dir);
    close(p->watch_fd);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
