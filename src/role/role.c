/* role.c: the life of a role's process, from the fork to its end. */
#include "role/role.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "os/fds.h"
#include "os/process.h"
#include "role/runtime.h"
#include "role/wiring.h"

enum { INTAKE_ARENA = 1024 * 1024 };

const struct conf *role_conf(struct role *r)
{
    struct runtime *rt = runtime_of(r);
    pthread_mutex_lock(&rt->lock);
    const struct conf *c = conf_ref(rt->conf);
    pthread_mutex_unlock(&rt->lock);
    return c;
}

void runtime_send_ready(struct runtime *rt)
{
    struct ipc_message m = {.type = IPC_READY};
    m.READY.generation = rt->generation;
    if (ipc_send(rt->master, &m) != OK)
        LOG(LOG_ERROR, "ipc.ready_not_sent", LOG_U("generation", rt->generation));
}

/* Every message of every channel. */
static void on_message(void *arg, struct ipc_channel *c, struct ipc_message *m)
{
    struct runtime *rt = arg;
    if (m->type == IPC_STATUS)
        runtime_answer_status(rt, c, m->call);
    else if (ipc_channel_peer(c) == ROLE_MASTER && runtime_take(rt, m))
        return;
    else if (rt->role.ops->request)
        rt->role.ops->request(&rt->role, c, m);
    else
        ipc_answer_failure(c, m->call, "this role serves no requests");
}

/* A peer restarts (the master then sends a new channel by itself), or sent what it must not: the
 * master is asked for a new channel either way. */
static void on_peer_down(void *arg, struct ipc_channel *c)
{
    struct runtime *rt = arg;
    struct ipc_message m = {.type = IPC_CHANNEL};
    LOG(LOG_WARNING, "ipc.down", LOG_C("peer", ipc_role_name(ipc_channel_peer(c))));
    m.CHANNEL.role = (uint8_t)ipc_channel_peer(c);
    if (ipc_send(rt->master, &m) != OK)
        LOG(LOG_DEBUG, "ipc.not_reported", LOG_C("peer", ipc_role_name(ipc_channel_peer(c))));
}

static void on_master_down(void *arg, struct ipc_channel *c)
{
    struct runtime *rt = arg;
    (void)c;
    LOG(LOG_ERROR, "master.gone", LOG_C("then", "stop"));
    io_engine_stop(rt->role.engine);
}

enum result runtime_open_peer(struct runtime *rt, enum ipc_role peer, int fd)
{
    return ipc_channel_new(rt->role.engine, fd, peer, on_message, rt, on_peer_down,
                           &rt->role.peers[peer]);
}

/* Takes messages, without the engine, until the role has all that it starts with. */
static enum result take_all(struct runtime *rt, int control_fd, struct error *err)
{
    struct arena a;
    struct buf packet;
    struct ipc_message m;
    enum result r = OK;
    arena_init(&a, INTAKE_ARENA);
    buf_init(&packet, IPC_PACKET_MAX);
    while (r == OK && !runtime_complete(rt)) {
        r = ipc_receive_blocking(control_fd, &a, &packet, &m);
        if (r != OK)
            break;
        if (m.type == IPC_STOP || !runtime_take(rt, &m))
            r = m.type == IPC_STOP ? CLOSED : INVALID;
        for (size_t i = 0; i < m.n_fds; i++)
            fd_close(&m.fds[i]);
        arena_clear(&a);
    }
    arena_release(&a);
    buf_release(&packet);
    if (r != OK)
        return error_set(err, r, "the master %s",
                         r == CLOSED ? "stopped" : "sent what it must not");
    return OK;
}

static bool is_sandboxed(enum ipc_role r)
{
    return r != ROLE_AGENT; /* PAM, other users' files: what no sandbox allows */
}

static enum result describe_sandbox(struct runtime *rt, struct sandbox *s, char *folder,
                                    size_t folder_size, struct error *err)
{
    const struct conf *c = rt->conf;
    enum result r = OK;
    struct slice user = SLICE_NONE;
    *s = (struct sandbox){.change_user = user_is_root()};
    switch (rt->role.ops->role) {
    case ROLE_EDGE:
        s->profile = SANDBOX_EDGE;
        s->empty_root = true;
        user = c->edge_user;
        break;
    case ROLE_RELAY:
        s->profile = SANDBOX_RELAY;
        s->empty_root = true;
        user = c->relay_user;
        break;
    case ROLE_MAILBOX:
        s->profile = SANDBOX_MAILBOX;
        snprintf(folder, folder_size, "%.*s/store", SLICE_ARG(c->state_directory));
        s->folder = folder;
        user = c->mailbox_user;
        break;
    default:
        s->profile = SANDBOX_AUTH;
        s->empty_root = true;
        user = c->auth_user;
    }
    if (s->change_user)
        r = user_find(user, &s->user, err);
    return r;
}

/* start and the sandbox. mailbox is confined first and opens its store as who it then is; the
 * others read what they need from the system (resolver, certificates) and then lose sight of it. */
static enum result start_confined(struct runtime *rt, struct error *err)
{
    const struct role_ops *ops = rt->role.ops;
    struct sandbox s = {0};
    char folder[4096];
    rt->sandbox.uid = (unsigned)geteuid();
    enum result r = ops->prepare ? ops->prepare(&rt->role, err) : OK;
    if (r != OK)
        return r;
    if (!is_sandboxed(ops->role))
        return ops->start ? ops->start(&rt->role, err) : OK;
    pid_t master = getppid();
    bool confined_first = ops->role == ROLE_MAILBOX;
    r = describe_sandbox(rt, &s, folder, sizeof folder, err);
    if (r == OK && confined_first)
        r = sandbox_prepare(&s, &rt->sandbox, err);
    if (r == OK && ops->start)
        r = ops->start(&rt->role, err);
    if (r == OK && !confined_first)
        r = sandbox_prepare(&s, &rt->sandbox, err);
    if (r == OK && !process_die_with_parent(master)) /* a change of user forgets it */
        r = error_set(err, CLOSED, "the master died");
    if (r == OK)
        r = sandbox_lock(&s, &rt->sandbox, err);
    return r;
}

static void close_all(struct runtime *rt)
{
    for (enum ipc_role peer = ROLE_MASTER; peer < ROLE_COUNT; peer++)
        if (rt->role.peers[peer])
            ipc_channel_cut(rt->role.peers[peer]);
    if (rt->role.ops->stop)
        rt->role.ops->stop(&rt->role);
    for (enum ipc_role peer = ROLE_MASTER; peer < ROLE_COUNT; peer++)
        if (rt->role.peers[peer])
            ipc_channel_close(rt->role.peers[peer]);
    io_engine_free(rt->role.engine);
    conf_unref(rt->conf);
    free(rt->secrets);
    grant_key_wipe(&rt->role.grant_key);
}

static enum result prepare(struct runtime *rt, int control_fd, struct error *err)
{
    rt->secrets = calloc(1, sizeof *rt->secrets);
    if (!rt->secrets)
        return error_set(err, FAILED, "no memory");
    enum result r = io_engine_new(0, &rt->role.engine, err);
    if (r == OK)
        r = take_all(rt, control_fd, err);
    if (r == OK && ipc_channel_new(rt->role.engine, control_fd, ROLE_MASTER, on_message, rt,
                                   on_master_down, &rt->role.peers[ROLE_MASTER]) != OK)
        r = error_set(err, FAILED, "no memory for the channel to the master");
    rt->master = rt->role.peers[ROLE_MASTER];
    if (r == OK)
        r = start_confined(rt, err);
    return r;
}

int role_run(const struct role_ops *ops, int control_fd)
{
    struct runtime rt = {.role = {.ops = ops}, .started_ms = clock_monotonic_ms()};
    struct error err = {""};
    fd_close_others(control_fd);
    log_set_role(ipc_role_name(ops->role));
    process_set_title(ipc_role_name(ops->role));
    process_signals_for_role();
    pthread_mutex_init(&rt.lock, NULL);
    rt.memory_fd = process_memory_fd();
    if (prepare(&rt, control_fd, &err) != OK) {
        LOG(LOG_ERROR, "role.not_started", LOG_C("why", err.text));
        return 1;
    }
    runtime_send_ready(&rt);
    for (enum ipc_role peer = ROLE_AUTH; peer < ROLE_COUNT; peer++)
        if (rt.role.peers[peer] && ops->peer_up)
            ops->peer_up(&rt.role, peer);
    LOG(LOG_DEBUG, "role.started", LOG_U("uid", rt.sandbox.uid),
        LOG_U("seccomp", rt.sandbox.seccomp), LOG_I("landlock_abi", rt.sandbox.landlock_abi),
        LOG_U("chroot", rt.sandbox.chroot));
    io_engine_run(rt.role.engine);
    close_all(&rt);
    return 0;
}
