/* intake.c: what the master hands to a role: configuration, secrets, listeners, channels; once
 * before the role starts, and again whenever something changed. */
#include <stdlib.h>
#include <sys/stat.h>

#include "base/log.h"
#include "os/fds.h"
#include "role/runtime.h"
#include "role/wiring.h"

static void set_log_level(const struct conf *c)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_is(c->log_level, names[i]))
            log_set_level((enum log_level)i);
}

static void take_configuration(struct runtime *rt, struct ipc_message *m)
{
    const struct conf *c, *before;
    if (conf_parse_effective(m->CONFIGURE.settings, &c) != OK) {
        LOG(LOG_ERROR, "conf.malformed", LOG_U("generation", m->CONFIGURE.generation));
        return;
    }
    set_log_level(c);
    pthread_mutex_lock(&rt->lock);
    before = rt->conf;
    rt->conf = c;
    rt->generation = m->CONFIGURE.generation;
    pthread_mutex_unlock(&rt->lock);
    if (!before)
        return;
    conf_unref(before);
    if (rt->role.ops->configured)
        rt->role.ops->configured(&rt->role);
    runtime_send_ready(rt);
}

/* Who may write the file: root, when it is not there. */
static unsigned owner_of(const struct ipc_message *m)
{
    struct stat st;
    return m->n_fds && fstat(m->fds[0], &st) == 0 ? st.st_uid : 0;
}

/* The texts are one allocation each, wiped before it goes back: they hold passwords and keys. */
static bool copy_secret(struct role_secret *s, const struct ipc_message *m)
{
    struct buf bytes;
    buf_init(&bytes, SECRET_BYTES_MAX + 64 * 1024);
    enum result r = m->n_fds ? fd_read_all(m->fds[0], SECRET_BYTES_MAX, &bytes) : OK;
    size_t setting = m->SECRET.setting.len, path = m->SECRET.path.len, len = buf_len(&bytes);
    char *mem = r == OK ? calloc(1, len + 1 + setting + 1 + path + 1) : NULL;
    if (mem) {
        char *names = mem + len + 1;
        if (len)
            memcpy(mem, buf_slice(&bytes).data, len);
        if (setting)
            memcpy(names, m->SECRET.setting.data, setting);
        if (path)
            memcpy(names + setting + 1, m->SECRET.path.data, path);
        *s = (struct role_secret){.setting = slice_of(names, setting),
                                  .path = slice_of(names + setting + 1, path),
                                  .bytes = slice_of(mem, len),
                                  .owner = owner_of(m),
                                  .there = m->n_fds > 0};
    }
    if (bytes.mem)
        explicit_bzero(bytes.mem, bytes.size);
    buf_release(&bytes);
    return mem != NULL;
}

void runtime_release_secrets(struct runtime *rt)
{
    struct secret_set *set = rt->secrets;
    for (size_t i = 0; set && i < set->n; i++) {
        char *mem = (char *)(uintptr_t)set->items[i].bytes.data;
        explicit_bzero(mem, set->items[i].bytes.len);
        free(mem);
    }
    if (set)
        set->n = 0;
}

static void take_secret(struct runtime *rt, struct ipc_message *m)
{
    struct secret_set *set = rt->secrets;
    /* An empty setting: the set is empty. */
    bool named = m->SECRET.setting.len > 0;
    if (named && (set->n == SECRETS_MAX || !copy_secret(&set->items[set->n], m)))
        LOG(LOG_ERROR, "secret.not_read", LOG_S("setting", m->SECRET.setting),
            LOG_S("path", m->SECRET.path));
    else if (named)
        set->n++;
    if (!m->SECRET.last)
        return;
    if (rt->role.ops->secrets)
        rt->role.ops->secrets(&rt->role, set->items, set->n);
    runtime_release_secrets(rt);
    set->complete = true;
}

static void take_listeners(struct runtime *rt, struct ipc_message *m)
{
    struct slice_list urls = m->LISTENERS.urls;
    rt->has_listeners = true;
    if (!rt->role.ops->listeners || urls.n != m->n_fds)
        return;
    rt->role.ops->listeners(&rt->role, urls.items, m->fds, urls.n);
    for (size_t i = 0; i < m->n_fds; i++)
        m->fds[i] = -1;
}

static void take_grant_key(struct runtime *rt, const struct ipc_message *m)
{
    if (!rt->has_grant_key)
        rt->has_grant_key = grant_key_read(m->GRANT_KEY.key, &rt->role.grant_key) == OK;
}

static void take_channel(struct runtime *rt, struct ipc_message *m)
{
    enum ipc_role peer = m->CHANNEL.role;
    if (m->n_fds != 1 || peer <= ROLE_MASTER || peer >= ROLE_COUNT)
        return;
    int fd = m->fds[0];
    m->fds[0] = -1;
    if (!rt->role.peers[peer]) {
        if (runtime_open_peer(rt, peer, fd) != OK)
            fd_close(&fd);
        return;
    }
    ipc_channel_replace(rt->role.peers[peer], fd);
    LOG(LOG_INFO, "ipc.up", LOG_C("peer", ipc_role_name(peer)));
    if (rt->master && rt->role.ops->peer_up)
        rt->role.ops->peer_up(&rt->role, peer);
}

bool runtime_take(struct runtime *rt, struct ipc_message *m)
{
    switch (m->type) {
    case IPC_CONFIGURE:
        take_configuration(rt, m);
        return true;
    case IPC_SECRET:
        take_secret(rt, m);
        return true;
    case IPC_LISTENERS:
        take_listeners(rt, m);
        return true;
    case IPC_GRANT_KEY:
        take_grant_key(rt, m);
        return true;
    case IPC_CHANNEL:
        take_channel(rt, m);
        return true;
    case IPC_STOP:
        io_engine_stop(rt->role.engine);
        return true;
    default:
        return false;
    }
}

bool runtime_complete(const struct runtime *rt)
{
    enum ipc_role self = rt->role.ops->role;
    bool complete = rt->conf && (rt->secrets->complete || !role_gets_secrets(self)) &&
                    (rt->has_listeners || !role_gets_listeners(self)) &&
                    (rt->has_grant_key || !role_gets_grant_key(self));
    for (enum ipc_role peer = ROLE_AUTH; peer < ROLE_COUNT && complete; peer++)
        complete = rt->role.peers[peer] || !role_talks_to(self, peer);
    return complete;
}
