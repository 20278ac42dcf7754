/* read.c: FILE_READ: a file that names recipients (:include:, .forward), read in a child with the
 * rights of the user that it belongs to. The answer: '0' there it is, '1' there is none, '2' it
 * must not be used or can't be read; then "path NUL owner NUL" and the bytes, or the reason. */
#include "role/agent/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/recipient_file.h"
#include "os/fds.h"

enum { PATHS_MAX = 8 * 1024, PATH_SIZE = 2048, BYTES_MAX = RECIPIENT_FILE_MAX };

struct reading {
    struct agent_job job;
    struct ipc_channel *channel;
    uint64_t call;
    const struct conf *conf;
    bool forward;
    char user[300];
    size_t paths_len;
    char paths[PATHS_MAX];
};

static void free_reading(struct reading *r)
{
    conf_unref(r->conf);
    free(r);
}

/* ---- in the child ---- */

static void refuse(struct buf *out, const char *path, const char *why)
{
    buf_reset(out);
    buf_printf(out, "2%s: %s", path, why);
}

/* False: there is no such file. */
static bool read_path(const struct reading *r, const struct identity *who, const char *path,
                      struct buf *out)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return false;
    if (fd < 0 && r->forward && errno == EACCES) /* a home that is closed to its user */
        return false;
    const char *why = fd < 0 || fstat(fd, &st) != 0
                          ? strerror(errno)
                          : recipient_file_fault(&st, r->forward, who->uid);
    if (!why) {
        buf_printf(out, "0%s", path);
        buf_putc(out, '\0');
        buf_printf(out, "%u", (unsigned)st.st_uid);
        buf_putc(out, '\0');
        if (fd_read_all(fd, BYTES_MAX, out) != OK)
            why = "can't be read";
    }
    if (why)
        refuse(out, path, why);
    if (fd >= 0)
        close(fd);
    return true;
}

static void look_for(const struct reading *r, const struct identity *who, struct buf *out)
{
    char path[PATH_SIZE];
    for (size_t at = 0; at < r->paths_len; at += strlen(r->paths + at) + 1) {
        if (r->forward)
            recipient_path_expand(r->paths + at, who->home, who->shell, path, sizeof path);
        else
            snprintf(path, sizeof path, "%s", r->paths + at);
        if (path[0] != '/') {
            if (!r->forward)
                refuse(out, path, "is a relative path");
            continue;
        }
        if (read_path(r, who, path, out))
            return;
    }
    if (buf_len(out) == 0 && !r->forward)
        refuse(out, r->paths, "is not there");
    else if (buf_len(out) == 0)
        buf_puts(out, "1");
}

static void run(const struct agent_job *job, int fd)
{
    const struct reading *r = CONTAINER_OF(job, struct reading, job);
    struct identity who = {.uid = 0};
    struct error err = {""};
    struct buf out;
    buf_init(&out, BYTES_MAX + PATH_SIZE + 64);
    enum result found = identity_find(slice_cstr(r->user), r->conf->default_privs, &who, &err);
    if (found == OK)
        found = identity_become(&who, &err);
    if (r->forward && (found == NOT_FOUND || found == DENIED))
        buf_puts(&out, "1"); /* no such user, or not to be read without root */
    else if (found != OK)
        refuse(&out, r->user, err.text);
    else
        look_for(r, &who, &out);
    if (!buf_ok(&out) || !fd_write_all(fd, buf_slice(&out)))
        _exit(1);
}

/* ---- in agent ---- */

static void fill(struct ipc_FILE_RESULT *f, struct slice answer)
{
    uint64_t owner = 0;
    struct slice rest = slice_from(answer, 1);
    f->code = (uint8_t)(answer.data[0] - '0');
    f->path = f->bytes = f->reason = SLICE("");
    if (f->code == 0) {
        f->path = slice_split(&rest, '\0');
        if (slice_parse_u64(slice_split(&rest, '\0'), UINT32_MAX, &owner) != OK)
            f->code = 2;
        f->owner = (uint32_t)owner;
        f->bytes = rest.data ? rest : SLICE("");
    } else {
        f->reason = rest;
    }
}

static void done(struct agent_job *job, struct slice answer, bool ended)
{
    struct reading *r = CONTAINER_OF(job, struct reading, job);
    struct ipc_message m = {.type = IPC_FILE_RESULT};
    bool good = ended && answer.len && answer.data[0] >= '0' && answer.data[0] <= '2';
    m.FILE_RESULT = (struct ipc_FILE_RESULT){.code = 2,
                                             .path = SLICE(""),
                                             .bytes = SLICE(""),
                                             .reason = SLICE("the child was killed or failed")};
    if (good)
        fill(&m.FILE_RESULT, answer);
    ipc_answer(r->channel, r->call, &m);
    free_reading(r);
}

void agent_file_read(struct agent *a, struct ipc_channel *from, struct ipc_message *m)
{
    const struct ipc_FILE_READ *f = &m->FILE_READ;
    struct reading *r = calloc(1, sizeof *r);
    if (!r || f->user.len >= sizeof r->user || f->path.len == 0 || f->path.len >= PATHS_MAX) {
        ipc_answer_failure(from, m->call, r ? "a text is too long" : "no memory");
        free(r);
        return;
    }
    r->channel = from;
    r->call = m->call;
    r->conf = role_conf(a->role);
    r->forward = slice_is(f->kind, "forward");
    r->job = (struct agent_job){.run = run,
                                .done = done,
                                .line = AGENT_QUESTIONS,
                                .answer_max = BYTES_MAX + PATH_SIZE + 64};
    if (f->user.len)
        memcpy(r->user, f->user.data, f->user.len);
    memcpy(r->paths, f->path.data, f->path.len); /* the rest is zero: the last one ends */
    r->paths_len = f->path.len;
    if (agent_run(a, &r->job) != OK) {
        ipc_answer_failure(from, m->call, "too many questions wait");
        free_reading(r);
    }
}
