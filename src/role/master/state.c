/* state.c: state_directory: the store's folder, sendmail's folder, the control socket, the process
 * id, where the configuration comes from, what became of the last reload, and the certificate that
 * is made when none is configured. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "conf/origin.h"
#include "io/tls.h"
#include "os/users.h"
#include "role/certificates.h"
#include "role/master/master.h"

enum { CERTIFICATE_DAYS = 3650, PEM_MAX = 64 * 1024 };

static enum result make_folder(const char *path, mode_t mode, struct error *err)
{
    struct stat st;
    if (mkdir(path, mode) == 0)
        return chmod(path, mode) == 0 ? OK : FAILED;
    int why = errno;
    if (why == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return OK;
    return error_set(err, FAILED, "cannot make the folder %s: %s", path,
                     why == EEXIST ? "there is something else of that name" : strerror(why));
}

/* The store belongs to mailbox_user: given to it when it was somebody else's (a first start, or
 * another mailbox_user, whose files the role itself could not read). */
static enum result prepare_store(const struct conf *c, const char *path, struct error *err)
{
    struct stat st;
    struct os_user user;
    enum result r = make_folder(path, 0700, err);
    if (r != OK || !user_is_root())
        return r;
    r = user_find(c->mailbox_user, &user, err);
    if (r != OK)
        return r;
    if (stat(path, &st) == 0 && st.st_uid == user.uid)
        return OK;
    if (chown(path, user.uid, user.gid) != 0)
        return error_set(err, FAILED, "cannot give %s to mailbox_user: %s", path, strerror(errno));
    return OK;
}

/* Held locked as long as the master lives: two masters on one state are one too many. */
static enum result take_pid_file(struct master *m, const char *path, struct error *err)
{
    char text[32] = "";
    m->pid_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (m->pid_fd < 0)
        return error_set(err, FAILED, "cannot write %s: %s", path, strerror(errno));
    if (flock(m->pid_fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t n = read(m->pid_fd, text, sizeof text - 1);
        struct slice pid = slice_trim(slice_of(text, n > 0 ? (size_t)n : 0));
        fd_close(&m->pid_fd); /* it is not ours to empty */
        return error_set(err, BUSY,
                         "postrider runs already with this state_directory (process %.*s)",
                         SLICE_ARG(pid));
    }
    int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
    if (ftruncate(m->pid_fd, 0) != 0 || pwrite(m->pid_fd, text, (size_t)n, 0) != n)
        return error_set(err, FAILED, "cannot write %s: %s", path, strerror(errno));
    return OK;
}

static enum result open_control(struct master *m, const char *path, struct error *err)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof a.sun_path)
        return error_set(err, LIMIT, "state_directory is too long for a socket in it: %s", path);
    strcpy(a.sun_path, path);
    unlink(path); /* the lock says that nobody else uses it */
    m->control_fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0111); /* who may do what: role/mailbox/control.c */
    bool ok = m->control_fd >= 0 &&
              bind(m->control_fd, (const struct sockaddr *)&a, sizeof a) == 0 &&
              listen(m->control_fd, 64) == 0;
    int why = errno;
    umask(before);
    return ok ? OK : error_set(err, FAILED, "cannot listen on %s: %s", path, strerror(why));
}

static void path_in_state(const struct conf *c, const char *name, char *out, size_t size)
{
    snprintf(out, size, "%.*s/%s", SLICE_ARG(c->state_directory), name);
}

static bool write_file(const char *path, mode_t mode, struct slice bytes)
{
    char temporary[4200];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    bool ok = fd >= 0 && write(fd, bytes.data, bytes.len) == (ssize_t)bytes.len && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok && rename(temporary, path) == 0;
}

/* From now on the command line uses the files that this server was started with. */
static enum result record_origin(const struct master *m, const char *path, struct error *err)
{
    struct buf text;
    buf_init(&text, CONF_ORIGIN_MAX);
    enum result r = conf_origin_format(m->origin, &text);
    if (r == INVALID)
        error_set(err, r, "the path of a configuration file has a line end in it");
    else if (r != OK || !write_file(path, 0644, buf_slice(&text)))
        r = error_set(err, FAILED, "cannot write %s: %s", path, strerror(errno));
    buf_release(&text);
    return r;
}

enum result state_prepare(struct master *m, struct error *err)
{
    char path[4096];
    path_in_state(m->conf, "", path, sizeof path);
    path[strlen(path) - 1] = 0; /* the slash */
    enum result r = make_folder(path, 0755, err);
    path_in_state(m->conf, "postrider.pid", path, sizeof path);
    if (r == OK)
        r = take_pid_file(m, path, err);
    path_in_state(m->conf, "store", path, sizeof path);
    if (r == OK)
        r = prepare_store(m->conf, path, err);
    path_in_state(m->conf, "maildrop", path, sizeof path);
    if (r == OK)
        r = make_folder(path, 01733, err); /* submit/drop.h says why */
    path_in_state(m->conf, "reload", path, sizeof path);
    if (r == OK)
        unlink(path); /* a former server's */
    path_in_state(m->conf, "control", path, sizeof path);
    if (r == OK)
        r = open_control(m, path, err);
    path_in_state(m->conf, "origin", path, sizeof path);
    if (r == OK)
        r = record_origin(m, path, err);
    return r;
}

void state_tell_reload(const struct master *m, enum conf_outcome_step step, struct slice errors)
{
    const struct conf_outcome o = {m->reloads, step, errors};
    struct buf text;
    char path[4096];
    buf_init(&text, CONF_OUTCOME_MAX);
    path_in_state(m->conf, "reload", path, sizeof path);
    conf_outcome_format(&o, &text);
    if (!buf_ok(&text) || !write_file(path, 0600, buf_slice(&text)))
        LOG(LOG_WARNING, "conf.outcome", LOG_C("path", path), LOG_C("why", strerror(errno)));
    buf_release(&text);
}

void state_release(struct master *m)
{
    char path[4096];
    if (m->control_fd >= 0) {
        path_in_state(m->conf, "control", path, sizeof path);
        unlink(path);
        path_in_state(m->conf, "origin", path, sizeof path);
        unlink(path);
        path_in_state(m->conf, "reload", path, sizeof path);
        unlink(path);
    }
    fd_close(&m->control_fd);
    if (m->pid_fd >= 0 && ftruncate(m->pid_fd, 0) != 0)
        LOG(LOG_WARNING, "state.pid_file", LOG_C("why", strerror(errno)));
    fd_close(&m->pid_fd);
}

/* In a process of its own: the master keeps OpenSSL out of what the roles are forked from. */
static int make_in_child(const char *name, const char *cert_path, const char *key_path)
{
    struct buf cert, key;
    struct error err;
    buf_init(&cert, PEM_MAX);
    buf_init(&key, PEM_MAX);
    if (tls_self_signed(name, CERTIFICATE_DAYS, &cert, &key, &err) != OK) {
        LOG(LOG_ERROR, "tls.self_signed", LOG_C("why", err.text));
        return 1;
    }
    if (!write_file(key_path, 0600, buf_slice(&key)) ||
        !write_file(cert_path, 0644, buf_slice(&cert))) {
        LOG(LOG_ERROR, "tls.self_signed", LOG_C("path", cert_path), LOG_C("why", strerror(errno)));
        return 1;
    }
    return 0;
}

static bool is_own_needed(const struct conf *c)
{
    for (int i = 0; i < CERTIFICATE_SIDES; i++) {
        enum certificate_side side = (enum certificate_side)i;
        if (!certificates_configured(c, side) && !certificates_none(c, side))
            return true;
    }
    return false;
}

enum result state_make_certificate(const struct conf *c, struct error *err)
{
    char cert[4096], key[4096];
    int status = 0;
    path_in_state(c, "self-signed.crt", cert, sizeof cert);
    path_in_state(c, "self-signed.key", key, sizeof key);
    if (!is_own_needed(c) || (access(cert, R_OK) == 0 && access(key, R_OK) == 0))
        return OK;
    pid_t pid = fork();
    if (pid == 0)
        _exit(make_in_child(c->myhostname.data, cert, key));
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        return error_set(err, FAILED, "cannot make a self-signed certificate in %.*s",
                         SLICE_ARG(c->state_directory));
    LOG(LOG_WARNING, "tls.self_signed", LOG_C("path", cert),
        LOG_C("why", "no certificate is configured"),
        LOG_C("advice", "clients can't verify it; set smtpd_tls_cert_file and "
                        "smtpd_tls_key_file"));
    return OK;
}
