/* children.c: the five roles as children: forked, fed, mended. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "os/process.h"
#include "role/master/master.h"
#include "role/wiring.h"

enum { RECEIVE_ARENA = 64 * 1024, SOCKET_BUFFER = 1024 * 1024 };

static const struct role_ops *const tables[ROLE_COUNT] = {
    [ROLE_AUTH] = &role_auth,   [ROLE_EDGE] = &role_edge,   [ROLE_MAILBOX] = &role_mailbox,
    [ROLE_RELAY] = &role_relay, [ROLE_AGENT] = &role_agent,
};

static bool alive(const struct master *m, enum ipc_role r)
{
    return m->children[r].pid != 0;
}

enum result child_send(struct master *m, enum ipc_role role, const struct ipc_message *msg)
{
    struct child *c = &m->children[role];
    if (c->control < 0)
        return CLOSED;
    enum result r = ipc_send_blocking(c->control, msg);
    /* A role that does not take what its master says for so long is not working. */
    if (r == BUSY && c->pid) {
        LOG(LOG_ERROR, "role.stuck", LOG_C("role", ipc_role_name(role)), LOG_C("then", "killed"));
        kill(c->pid, SIGKILL);
    }
    return r;
}

static void send_or_log(struct master *m, enum ipc_role role, const struct ipc_message *msg,
                        const char *what)
{
    enum result r = child_send(m, role, msg);
    if (r != OK)
        LOG(LOG_ERROR, "role.not_told", LOG_C("role", ipc_role_name(role)), LOG_C("what", what),
            LOG_C("why", result_name(r)));
}

static bool make_pair(int type, int fds[2])
{
    int size = SOCKET_BUFFER;
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds) != 0) {
        LOG(LOG_ERROR, "ipc.no_socket", LOG_C("why", strerror(errno)));
        return false;
    }
    for (int i = 0; i < 2; i++)
        if (setsockopt(fds[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size) != 0)
            setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    return true;
}

static void send_channel(struct master *m, enum ipc_role to, enum ipc_role peer, int fd)
{
    struct ipc_message msg = {.type = IPC_CHANNEL, .n_fds = 1, .fds = {fd}};
    msg.CHANNEL.role = (uint8_t)peer;
    send_or_log(m, to, &msg, "channel");
}

/* A new channel between two roles; one that is not alive gets its end when it starts: until then
 * the other has a channel whose peer is gone. */
static void connect_pair(struct master *m, enum ipc_role a, enum ipc_role b)
{
    int fds[2];
    if (!make_pair(SOCK_SEQPACKET, fds))
        return;
    m->mended_ms[a][b] = m->mended_ms[b][a] = clock_monotonic_ms();
    m->mend_at_ms[a][b] = m->mend_at_ms[b][a] = 0;
    if (alive(m, a))
        send_channel(m, a, b, fds[0]);
    if (alive(m, b))
        send_channel(m, b, a, fds[1]);
    close(fds[0]);
    close(fds[1]);
}

static void send_configuration(struct master *m, enum ipc_role r)
{
    struct ipc_message msg = {.type = IPC_CONFIGURE};
    struct buf text;
    buf_init(&text, IPC_PACKET_MAX);
    conf_dump(m->conf, &text);
    msg.CONFIGURE.settings = buf_slice(&text);
    msg.CONFIGURE.generation = m->generation;
    send_or_log(m, r, &msg, "configuration");
    buf_release(&text);
}

static void send_listeners(struct master *m, enum ipc_role r)
{
    struct ipc_message msg = {.type = IPC_LISTENERS};
    struct slice urls[LISTENERS_MAX];
    char control[4096];
    size_t n = 0;
    if (r == ROLE_MAILBOX) {
        snprintf(control, sizeof control, "control:%.*s/control",
                 SLICE_ARG(m->conf->state_directory));
        urls[n] = slice_cstr(control);
        msg.fds[n++] = m->control_fd;
    }
    for (size_t i = 0; r == ROLE_EDGE && i < m->listeners.n; i++) {
        urls[n] = slice_cstr(m->listeners.items[i].url);
        msg.fds[n++] = m->listeners.items[i].fd;
    }
    msg.LISTENERS.urls = (struct slice_list){urls, n};
    msg.n_fds = n;
    if (role_gets_listeners(r))
        send_or_log(m, r, &msg, "listeners");
}

static void send_grant_key(struct master *m, enum ipc_role r)
{
    struct ipc_message msg = {.type = IPC_GRANT_KEY};
    msg.GRANT_KEY.key = slice_of(m->grant_key->bytes, GRANT_KEY_LEN);
    if (role_gets_grant_key(r))
        send_or_log(m, r, &msg, "grant key");
}

/* All that a role starts with, but its channels. */
static void feed(struct master *m, enum ipc_role r)
{
    send_grant_key(m, r);
    send_configuration(m, r);
    files_send(m, r);
    send_listeners(m, r);
}

static void fork_child(struct master *m, enum ipc_role r)
{
    struct child *c = &m->children[r];
    pid_t master = getpid();
    int fds[2];
    c->restart_at_ms = clock_monotonic_ms() + BACKOFF_MAX_MS;
    if (!make_pair(SOCK_SEQPACKET, fds))
        return;
    pid_t pid = fork();
    if (pid == 0) {
        if (!process_die_with_parent(master))
            _exit(1);
        _exit(role_run(tables[r], fds[1]));
    }
    close(fds[1]);
    if (pid < 0) {
        LOG(LOG_ERROR, "role.not_forked", LOG_C("role", ipc_role_name(r)),
            LOG_C("why", strerror(errno)));
        close(fds[0]);
        return;
    }
    fd_set_nonblocking(fds[0]);
    c->pid = pid;
    c->control = fds[0];
    c->ready = false;
    c->started_ms = clock_monotonic_ms();
}

/* Forked first and fed afterwards: they start side by side. */
void children_start_all(struct master *m)
{
    for (enum ipc_role r = ROLE_AUTH; r < ROLE_COUNT; r++)
        fork_child(m, r);
    for (enum ipc_role r = ROLE_AUTH; r < ROLE_COUNT; r++)
        feed(m, r);
    for (enum ipc_role a = ROLE_AUTH; a < ROLE_COUNT; a++)
        for (enum ipc_role b = a + 1; b < ROLE_COUNT; b++)
            if (role_talks_to(a, b))
                connect_pair(m, a, b);
}

void children_start_due(struct master *m, int64_t now)
{
    for (enum ipc_role r = ROLE_AUTH; r < ROLE_COUNT && !m->stopping; r++) {
        if (alive(m, r) || m->children[r].restart_at_ms > now)
            continue;
        fork_child(m, r);
        if (!alive(m, r))
            continue;
        m->children[r].restarts++;
        LOG(LOG_INFO, "role.restarted", LOG_C("role", ipc_role_name(r)),
            LOG_U("pid", m->children[r].pid), LOG_U("restarts", m->children[r].restarts));
        feed(m, r);
        for (enum ipc_role peer = ROLE_AUTH; peer < ROLE_COUNT; peer++)
            if (role_talks_to(r, peer))
                connect_pair(m, r, peer);
    }
}

void children_configure(struct master *m, bool listeners_changed)
{
    for (enum ipc_role r = ROLE_AUTH; r < ROLE_COUNT; r++) {
        if (!alive(m, r))
            continue;
        m->children[r].ready = false;
        send_configuration(m, r);
        files_send(m, r);
        if (r == ROLE_EDGE && listeners_changed)
            send_listeners(m, r);
    }
}

static void log_end(enum ipc_role r, pid_t pid, int status, bool expected)
{
    enum log_level level = expected ? LOG_DEBUG : LOG_ERROR;
    if (WIFSIGNALED(status))
        LOG(level, "role.ended", LOG_C("role", ipc_role_name(r)), LOG_U("pid", pid),
            LOG_C("signal", strsignal(WTERMSIG(status))));
    else
        LOG(level, "role.ended", LOG_C("role", ipc_role_name(r)), LOG_U("pid", pid),
            LOG_U("status", WEXITSTATUS(status)));
}

static void ended(struct master *m, enum ipc_role r, int status)
{
    struct child *c = &m->children[r];
    int64_t now = clock_monotonic_ms();
    log_end(r, c->pid, status, m->stopping);
    c->pid = 0;
    fd_close(&c->control);
    bool was_healthy = now - c->started_ms >= HEALTHY_MS;
    c->backoff_ms = was_healthy || !c->backoff_ms ? BACKOFF_FIRST_MS : c->backoff_ms * 2;
    c->backoff_ms = c->backoff_ms > BACKOFF_MAX_MS ? BACKOFF_MAX_MS : c->backoff_ms;
    c->restart_at_ms = now + c->backoff_ms;
    /* At the first start a role that can't run is an error of the installation: say so and end. */
    if (!m->announced && !c->ready && !m->stopping) {
        LOG(LOG_ERROR, "service.not_started", LOG_C("role", ipc_role_name(r)));
        m->exit_status = 1;
        children_stop(m);
    }
    c->ready = false;
}

void children_reap(struct master *m)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (enum ipc_role r = ROLE_AUTH; r < ROLE_COUNT; r++)
            if (m->children[r].pid == pid)
                ended(m, r, status);
}

static void announce_when_ready(struct master *m)
{
    bool all = true;
    for (enum ipc_role r = ROLE_AUTH; r < ROLE_COUNT; r++)
        all = all && m->children[r].ready;
    if (!all)
        return;
    if (!m->announced)
        LOG(LOG_INFO, "service.ready", LOG_U("ms", clock_monotonic_ms() - m->started_ms),
            LOG_U("listeners", m->listeners.n), LOG_C("version", POSTRIDER_VERSION));
    if (m->in_force != m->generation && m->generation > FIRST_GENERATION) {
        LOG(LOG_INFO, "conf.in_force", LOG_U("generation", m->generation));
        state_tell_reload(m, CONF_OUTCOME_IN_FORCE, SLICE_NONE);
    }
    m->announced = true;
    m->in_force = m->generation;
    process_notify("READY=1");
}

/* A role lost a channel whose other end may be well: mended once, whoever of the two says so
 * first, and not in a hurry, should one of them break it again and again. */
static void channel_lost(struct master *m, enum ipc_role a, enum ipc_role b)
{
    if (b <= ROLE_MASTER || b >= ROLE_COUNT || !role_talks_to(a, b) || m->mend_at_ms[a][b])
        return;
    int64_t at = clock_monotonic_ms() + BACKOFF_FIRST_MS;
    int64_t earliest = m->mended_ms[a][b] + MEND_MS;
    m->mend_at_ms[a][b] = m->mend_at_ms[b][a] = at > earliest ? at : earliest;
}

void children_mend_due(struct master *m, int64_t now)
{
    for (enum ipc_role a = ROLE_AUTH; a < ROLE_COUNT; a++)
        for (enum ipc_role b = a + 1; b < ROLE_COUNT; b++) {
            if (m->mend_at_ms[a][b] == 0 || m->mend_at_ms[a][b] > now)
                continue;
            m->mend_at_ms[a][b] = m->mend_at_ms[b][a] = 0;
            if (alive(m, a) && alive(m, b)) /* else its start connects them */
                connect_pair(m, a, b);
        }
}

static void answer_status(struct master *m, enum ipc_role r, uint64_t call)
{
    struct ipc_message msg = {.type = IPC_STATUS_RESULT};
    struct slice items[ROLE_COUNT + 2];
    char text[ROLE_COUNT + 2][64];
    size_t n = 0;
    snprintf(text[n++], sizeof text[0], "uptime_s=%lld",
             (long long)(clock_monotonic_ms() - m->started_ms) / 1000);
    snprintf(text[n++], sizeof text[0], "generation=%llu", (unsigned long long)m->generation);
    for (enum ipc_role c = ROLE_AUTH; c < ROLE_COUNT; c++)
        snprintf(text[n++], sizeof text[0], "restarts_%s=%u", ipc_role_name(c),
                 m->children[c].restarts);
    for (size_t i = 0; i < n; i++)
        items[i] = slice_cstr(text[i]);
    msg.STATUS_RESULT.items = (struct slice_list){items, n};
    if (m->children[r].control >= 0 &&
        ipc_answer_blocking(m->children[r].control, call, &msg) != OK)
        LOG(LOG_WARNING, "role.not_told", LOG_C("role", ipc_role_name(r)), LOG_C("what", "status"));
}

static void take_message(struct master *m, enum ipc_role r, struct ipc_message *msg)
{
    switch (msg->type) {
    case IPC_READY:
        if (msg->READY.generation != m->generation)
            return;
        m->children[r].ready = true;
        announce_when_ready(m);
        return;
    case IPC_CHANNEL:
        channel_lost(m, r, msg->CHANNEL.role);
        return;
    case IPC_STATUS:
        answer_status(m, r, msg->call);
        return;
    default:
        LOG(LOG_WARNING, "role.unexpected", LOG_C("role", ipc_role_name(r)),
            LOG_U("type", msg->type));
    }
}

void children_receive(struct master *m, enum ipc_role role)
{
    struct child *c = &m->children[role];
    struct ipc_message msg;
    struct arena a;
    struct buf packet;
    enum result r = OK;
    arena_init(&a, RECEIVE_ARENA);
    buf_init(&packet, IPC_PACKET_MAX);
    while (r == OK && c->control >= 0) {
        r = ipc_receive_blocking(c->control, &a, &packet, &msg);
        if (r != OK)
            break;
        take_message(m, role, &msg);
        for (size_t i = 0; i < msg.n_fds; i++)
            close(msg.fds[i]);
        arena_clear(&a);
    }
    /* Gone, or speaking nonsense: a fresh one is better. SIGCHLD tells when it has ended. */
    if (r != BUSY && r != OK) {
        fd_close(&c->control);
        if (r != CLOSED && c->pid)
            kill(c->pid, SIGKILL);
    }
    arena_release(&a);
    buf_release(&packet);
}

void children_stop(struct master *m)
{
    struct ipc_message msg = {.type = IPC_STOP};
    if (m->stopping)
        return;
    m->stopping = true;
    m->stop_at_ms = clock_monotonic_ms() + STOP_MS;
    for (enum ipc_role r = ROLE_AUTH; r < ROLE_COUNT; r++)
        if (alive(m, r) && child_send(m, r, &msg) != OK)
            kill(m->children[r].pid, SIGKILL);
}

void children_kill(struct master *m)
{
    for (enum ipc_role r = ROLE_AUTH; r < ROLE_COUNT; r++)
        if (alive(m, r)) {
            LOG(LOG_ERROR, "role.stuck", LOG_C("role", ipc_role_name(r)), LOG_C("then", "killed"));
            kill(m->children[r].pid, SIGKILL);
        }
}

bool children_all_gone(const struct master *m)
{
    bool gone = true;
    for (enum ipc_role r = ROLE_AUTH; r < ROLE_COUNT; r++)
        gone = gone && !alive(m, r);
    return gone;
}
