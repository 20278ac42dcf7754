/* master.c: the master's start, its loop, reload and end. */
#include "role/master/master.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/databases.h"
#include "auth/startable.h"
#include "base/clock.h"
#include "base/log.h"
#include "os/process.h"
#include "os/secret.h"
#include "conf/paths.h"
#include "policy/policy.h"

static void log_lines(enum log_level level, const char *event, struct slice lines)
{
    for (struct slice rest = lines; rest.len;) {
        struct slice line = slice_split(&rest, '\n');
        if (line.len)
            LOG(level, event, LOG_S("text", line));
    }
}

/* Each error as its own line, with file and line, on stderr: before the service is up there is a
 * person in front of it. The errors are appended to `told` too, unless that is NULL. */
static enum result load(const struct conf_origin *origin, const struct conf **ret, struct buf *told)
{
    struct conf_errors errors;
    conf_errors_init(&errors);
    enum result r = conf_load(origin, ret, &errors);
    enum result accounts = r == OK ? auth_databases_check(*ret, &errors) : OK;
    enum result paths = r == OK ? conf_paths_check(*ret, &errors) : OK;
    enum result startable = r == OK ? auth_startable(*ret, &errors) : OK;
    if (r == OK &&
        (policy_check(*ret, &errors) != OK || accounts != OK || paths != OK || startable != OK)) {
        conf_unref(*ret);
        r = INVALID;
    }
    log_lines(LOG_DEBUG, "conf.note", buf_slice(&errors.notes));
    log_lines(LOG_WARNING, "conf.warning", buf_slice(&errors.warnings));
    log_lines(LOG_ERROR, "conf.error", buf_slice(&errors.text));
    if (r != OK && errors.count == 0)
        LOG(LOG_ERROR, "conf.error", LOG_C("path", origin->path), LOG_C("why", result_name(r)));
    if (told)
        buf_append(told, buf_slice(&errors.text));
    conf_errors_release(&errors);
    return r;
}

static void set_log_level(const struct conf *c)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is(c->log_level, names[i]))
            log_set_level((enum log_level)i);
}

static enum result make_grant_key(struct master *m, struct error *err)
{
    m->grant_key = secret_new(sizeof *m->grant_key);
    if (m->grant_key && grant_key_new(m->grant_key) == OK)
        return OK;
    return error_set(err, FAILED, "cannot make a key: %s", strerror(errno));
}

static enum result prepare(struct master *m, struct error *err)
{
    enum result r = make_grant_key(m, err);
    if (r == OK)
        r = process_signals_fd(&m->signal_fd, err);
    if (r == OK)
        r = state_prepare(m, err);
    if (r == OK)
        r = listen_open(m->conf, NULL, &m->listeners, err);
    if (r == OK)
        r = state_make_certificate(m->conf, err);
    if (r == OK)
        r = files_list(m, m->conf, err);
    return r;
}

/* All or nothing: what can fail is done before anything changes. */
static enum result take_over(struct master *m, const struct conf *c, struct error *err)
{
    struct listener_set *set = malloc(sizeof *set);
    if (!set)
        return error_set(err, FAILED, "no memory");
    enum result r = slice_eq(c->state_directory, m->conf->state_directory)
                        ? OK
                        : error_set(err, DENIED, "state_directory changes only with a restart");
    if (r == OK)
        r = state_make_certificate(c, err);
    if (r == OK)
        r = listen_open(c, &m->listeners, set, err);
    if (r != OK) {
        free(set);
        return r;
    }
    r = files_list(m, c, err);
    if (r != OK) {
        listen_close(set, &m->listeners);
        if (files_list(m, m->conf, NULL) != OK)
            LOG(LOG_ERROR, "conf.files", LOG_C("why", "the former list is gone"));
        free(set);
        return r;
    }
    listen_close(&m->listeners, set);
    m->listeners = *set;
    free(set);
    return OK;
}

/* Errors are logged, and appended to `told`. */
static enum result load_and_take_over(struct master *m, const struct conf **ret, struct buf *told)
{
    struct error err = {""};
    enum result r = load(m->origin, ret, told);
    if (r != OK)
        return r;
    r = take_over(m, *ret, &err);
    if (r == OK)
        return OK;
    LOG(LOG_ERROR, "conf.error", LOG_C("text", err.text));
    buf_printf(told, "%s\n", err.text);
    conf_unref(*ret);
    return r;
}

static void refuse(struct master *m, struct slice errors)
{
    LOG(LOG_ERROR, "conf.reload_refused", LOG_C("path", m->origin->path),
        LOG_C("then", "nothing changed"));
    state_tell_reload(m, CONF_OUTCOME_REFUSED, errors);
    process_notify("READY=1");
}

static void reload(struct master *m)
{
    const struct conf *c;
    struct buf told;
    m->reloads++;
    process_notify_reloading();
    state_tell_reload(m, CONF_OUTCOME_READING, SLICE_NONE);
    buf_init(&told, CONF_OUTCOME_MAX);
    enum result r = load_and_take_over(m, &c, &told);
    if (r != OK)
        refuse(m, buf_slice(&told));
    buf_release(&told);
    if (r != OK)
        return;
    conf_unref(m->conf);
    m->conf = c;
    m->generation++;
    set_log_level(c);
    LOG(LOG_INFO, "conf.reloaded", LOG_C("path", m->origin->path),
        LOG_U("generation", m->generation));
    state_tell_reload(m, CONF_OUTCOME_TAKEN, SLICE_NONE);
    children_configure(m, true);
}

static void hear_signals(struct master *m)
{
    for (int signal; (signal = process_next_signal(m->signal_fd));) {
        if (signal == SIGCHLD) {
            children_reap(m);
        } else if (signal == SIGHUP && !m->stopping) {
            reload(m);
        } else if ((signal == SIGTERM || signal == SIGINT) && !m->stopping) {
            LOG(LOG_INFO, "service.stopping",
                LOG_C("why", signal == SIGTERM ? "SIGTERM" : "SIGINT"));
            process_notify("STOPPING=1");
            children_stop(m);
        }
    }
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* The next moment at which there is something to do without being told. */
static int64_t next_moment(const struct master *m)
{
    int64_t next = m->watched_ms + WATCH_MS;
    if (m->stopping)
        return m->stop_at_ms;
    for (enum ipc_role r = ROLE_AUTH; r < ROLE_COUNT; r++) {
        if (m->children[r].pid == 0)
            next = earlier(next, m->children[r].restart_at_ms);
        for (enum ipc_role p = ROLE_AUTH; p < ROLE_COUNT; p++)
            if (m->mend_at_ms[r][p])
                next = earlier(next, m->mend_at_ms[r][p]);
    }
    return next;
}

static void wait_for_something(struct master *m)
{
    struct pollfd fds[ROLE_COUNT];
    int64_t in = next_moment(m) - clock_monotonic_ms();
    for (enum ipc_role r = ROLE_MASTER; r < ROLE_COUNT; r++) {
        int fd = r == ROLE_MASTER ? m->signal_fd : m->children[r].control;
        fds[r] = (struct pollfd){.fd = fd, .events = POLLIN};
    }
    if (poll(fds, ROLE_COUNT, in < 0 ? 0 : (int)in) <= 0)
        return;
    for (enum ipc_role r = ROLE_AUTH; r < ROLE_COUNT; r++)
        if (fds[r].revents)
            children_receive(m, r);
    if (fds[ROLE_MASTER].revents)
        hear_signals(m);
}

static void do_what_is_due(struct master *m)
{
    int64_t now = clock_monotonic_ms();
    if (m->stopping) {
        if (now >= m->stop_at_ms) {
            children_kill(m);
            m->stop_at_ms = now + STOP_MS;
        }
        return;
    }
    children_start_due(m, now);
    children_mend_due(m, now);
    if (now - m->watched_ms >= WATCH_MS) {
        m->watched_ms = now;
        files_watch(m);
    }
}

static void release(struct master *m)
{
    listen_close(&m->listeners, NULL);
    state_release(m);
    fd_close(&m->signal_fd);
    conf_unref(m->conf);
    secret_free(m->grant_key, sizeof *m->grant_key);
    free(m);
}

int master_run(const struct conf_origin *origin)
{
    struct master *m = calloc(1, sizeof *m);
    struct error err = {""};
    if (!m)
        return 1;
    m->origin = origin;
    m->generation = FIRST_GENERATION;
    m->started_ms = m->watched_ms = clock_monotonic_ms();
    m->control_fd = m->signal_fd = m->pid_fd = -1;
    for (enum ipc_role r = ROLE_MASTER; r < ROLE_COUNT; r++)
        m->children[r].control = -1;
    log_set_role("master");
    if (load(origin, &m->conf, NULL) != OK) {
        free(m);
        return 1;
    }
    set_log_level(m->conf);
    process_set_title("master");
    if (prepare(m, &err) != OK) {
        LOG(LOG_ERROR, "service.not_started", LOG_C("why", err.text));
        release(m);
        return 1;
    }
    children_start_all(m);
    while (!m->stopping || !children_all_gone(m)) {
        wait_for_something(m);
        do_what_is_due(m);
    }
    int status = m->exit_status;
    LOG(LOG_INFO, "service.stopped", LOG_I("status", status));
    release(m);
    return status;
}
