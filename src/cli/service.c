/* service.c: the server's process. The master holds postrider.pid locked as long as it lives, so
 * that a file left behind by a crash is not taken for a running server. */
#include "cli/service.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/outcome.h"
#include "os/fds.h"

enum {
    START_MS = 120 * 1000,
    STOP_MS = 60 * 1000,
    RELOAD_MS = 10 * 1000,
    LOOK_MS = 50,
    TEXT_MAX = 4096
};
static const char unit[] = "postrider.service";

pid_t service_pid(const struct cli *c)
{
    char path[TEXT_MAX], text[32] = "";
    snprintf(path, sizeof path, "%s/postrider.pid", c->conf->state_directory.data);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    bool free_to_lock = flock(fd, LOCK_SH | LOCK_NB) == 0;
    ssize_t n = free_to_lock ? 0 : read(fd, text, sizeof text - 1);
    close(fd);
    long pid = n > 0 ? strtol(text, NULL, 10) : 0;
    return pid > 1 ? (pid_t)pid : 0;
}

/* ---- systemd ---- */

static bool is_under_systemd(pid_t pid)
{
    char path[64], text[TEXT_MAX];
    snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    fd_close(&fd);
    text[n > 0 ? n : 0] = 0;
    return access("/run/systemd/system", F_OK) == 0 && strstr(text, unit) != NULL;
}

/* The status of a program that is found on PATH; -1: it could not be run. */
static int run_program(char *const *words)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        execvp(words[0], words);
        _exit(127);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static enum result systemctl(const char *verb, struct error *err)
{
    char word[16], name[sizeof unit];
    snprintf(word, sizeof word, "%s", verb);
    memcpy(name, unit, sizeof unit);
    char *const words[] = {(char[]){"systemctl"}, word, name, NULL};
    int status = run_program(words);
    return status == 0
               ? OK
               : error_set(err, FAILED, "systemctl %s %s ended with status %d", verb, unit, status);
}

static bool systemd_knows_us(void)
{
    static const char *const folders[] = {"/etc/systemd/system", "/lib/systemd/system",
                                          "/usr/lib/systemd/system",
                                          "/usr/local/lib/systemd/system"};
    char path[128];
    if (access("/run/systemd/system", F_OK) != 0)
        return false;
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        snprintf(path, sizeof path, "%s/%s", folders[i], unit);
        if (access(path, F_OK) == 0)
            return true;
    }
    return false;
}

/* ---- start, without systemd ---- */

/* A socket on which READY=1 comes as systemd would get it (sd_notify(3)). */
static int open_notify(char *ret_name, size_t size)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int n = snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "postrider-start-%d", (int)getpid());
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&a, len) != 0)
        fd_close(&fd);
    snprintf(ret_name, size, "@%s", a.sun_path + 1);
    return fd;
}

/* With the files that this call was told of. */
static _Noreturn void exec_serve(const struct cli *c)
{
    const char *words[12] = {"postrider"};
    const struct {
        const char *option, *value;
    } files[] = {{"-c", c->origin.optional ? NULL : c->config_path},
                 {"--postfix", c->origin.postfix},
                 {"--dovecot", c->origin.dovecot},
                 {"--sasl", c->origin.sasl}};
    size_t n = 1;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i].value) {
            words[n++] = files[i].option;
            words[n++] = files[i].value;
        }
    words[n++] = "serve";
    words[n] = NULL;
    union {
        const char **in;
        char *const *out;
    } argv = {.in = words};
    execv("/proc/self/exe", argv.out);
    _exit(127);
}

static _Noreturn void be_server(const struct cli *c, const char *notify)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    setsid();
    setenv("NOTIFY_SOCKET", notify, 1);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    service_log_to_syslog();
    if (chdir("/") != 0)
        _exit(1);
    exec_serve(c);
}

static bool has_ended(pid_t pid)
{
    return waitpid(pid, NULL, WNOHANG) == pid;
}

static enum result wait_until_ready(pid_t pid, int notify, struct error *err)
{
    int64_t end = clock_monotonic_ms() + START_MS;
    char text[256];
    while (clock_monotonic_ms() < end) {
        struct pollfd p = {.fd = notify, .events = POLLIN};
        if (poll(&p, 1, LOOK_MS) > 0) {
            ssize_t n = recv(notify, text, sizeof text - 1, 0);
            text[n > 0 ? n : 0] = 0;
            if (strstr(text, "READY=1"))
                return OK;
        }
        if (has_ended(pid))
            return error_set(err, FAILED,
                             "it ended at once: see its last lines in the mail log, or run "
                             "\"postrider serve\" to see them here");
    }
    return error_set(err, FAILED, "it was not ready after %d seconds", START_MS / 1000);
}

enum result service_start(const struct cli *c, struct error *err)
{
    char name[128];
    if (systemd_knows_us())
        return systemctl("start", err);
    int notify = open_notify(name, sizeof name);
    if (notify < 0)
        return error_set(err, FAILED, "no socket: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0)
        be_server(c, name);
    enum result r = pid < 0 ? error_set(err, FAILED, "no process: %s", strerror(errno))
                            : wait_until_ready(pid, notify, err);
    close(notify);
    return r;
}

/* ---- stop and reload ---- */

static enum result signal_and_wait(const struct cli *c, pid_t pid, int number, struct error *err)
{
    int64_t end = clock_monotonic_ms() + STOP_MS;
    if (kill(pid, number) != 0)
        return error_set(err, FAILED, "process %d: %s", (int)pid, strerror(errno));
    while (service_pid(c) != 0) {
        if (clock_monotonic_ms() >= end)
            return error_set(err, FAILED, "process %d still runs after %d seconds", (int)pid,
                             STOP_MS / 1000);
        poll(NULL, 0, LOOK_MS);
    }
    return OK;
}

static enum result not_running(struct error *err)
{
    return error_set(err, NOT_FOUND, "the server is not running");
}

enum result service_stop(const struct cli *c, struct error *err)
{
    pid_t pid = service_pid(c);
    if (!pid)
        return not_running(err);
    return is_under_systemd(pid) ? systemctl("stop", err) : signal_and_wait(c, pid, SIGTERM, err);
}

/* The roles die with the master. */
enum result service_abort(const struct cli *c, struct error *err)
{
    pid_t pid = service_pid(c);
    if (!pid)
        return not_running(err);
    return signal_and_wait(c, pid, SIGKILL, err);
}

/* What became of the last reload; number 0: there was none, or nothing is known of it. The errors
 * lie in `text`. */
static struct conf_outcome last_reload(const struct cli *c, struct buf *text)
{
    struct conf_outcome o = {0, CONF_OUTCOME_READING, SLICE_NONE};
    char path[TEXT_MAX];
    snprintf(path, sizeof path, "%s/reload", c->conf->state_directory.data);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    buf_reset(text);
    if (fd < 0 || fd_read_all(fd, CONF_OUTCOME_MAX, text) != OK ||
        conf_outcome_parse(buf_slice(text), &o) != OK)
        o.number = 0;
    fd_close(&fd);
    return o;
}

static enum result reload_ended(const struct conf_outcome *o, struct error *err)
{
    if (o->step == CONF_OUTCOME_IN_FORCE)
        return OK;
    fprintf(stderr, "%.*s", SLICE_ARG(o->errors));
    return error_set(err, DENIED, "the server refused the configuration: nothing changed");
}

/* One that began before the signal may have read the files as they were: only the next counts. */
static enum result wait_for_reload(const struct cli *c, uint64_t before, struct buf *text,
                                   struct error *err)
{
    int64_t end = clock_monotonic_ms() + RELOAD_MS;
    struct conf_outcome o;
    bool ended;
    do {
        poll(NULL, 0, LOOK_MS);
        o = last_reload(c, text);
        ended = o.step == CONF_OUTCOME_IN_FORCE || o.step == CONF_OUTCOME_REFUSED;
        if (o.number > before && ended)
            return reload_ended(&o, err);
        if (!service_pid(c))
            return error_set(err, CLOSED, "the server ended: see the mail log");
    } while (clock_monotonic_ms() < end);
    return error_set(err, BUSY,
                     o.number > before && o.step == CONF_OUTCOME_TAKEN
                         ? "the server took the configuration, but after %d seconds not all of its "
                           "processes use it: see the mail log"
                         : "the server was told, but did not say within %d seconds what became of "
                           "it: see the mail log",
                     RELOAD_MS / 1000);
}

enum result service_reload(const struct cli *c, struct error *err)
{
    pid_t pid = service_pid(c);
    struct buf text;
    if (!pid)
        return not_running(err);
    buf_init(&text, CONF_OUTCOME_MAX);
    uint64_t before = last_reload(c, &text).number;
    enum result r = kill(pid, SIGHUP) == 0
                        ? wait_for_reload(c, before, &text, err)
                        : error_set(err, FAILED, "process %d: %s", (int)pid, strerror(errno));
    buf_release(&text);
    return r;
}
