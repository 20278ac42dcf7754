/* mailbox.c: start, messages and end of the mailbox role. */
#include "role/mailbox/mailbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "mime/encoding.h"
#include "role/mailbox/control.h"
#include "role/mailbox/feed.h"
#include "role/mailbox/journey.h"
#include "role/mailbox/keeper.h"
#include "role/mailbox/quota.h"
#include "role/mailbox/sts.h"
#include "role/mailbox/tls_counts.h"

enum { LOGINS_REMEMBERED = 200000, COUNTED_MAX = 1000000 };

static enum result open_kv(struct mailbox_role *m, const struct conf *c, struct error *err)
{
    struct kv_recovery did = {0};
    /* The sandbox has made the store's folder the working directory (os/sandbox.h). */
    struct kv_options options = {.directory = ".",
                                 .reserve_bytes = (uint64_t)c->reserve_disk_bytes};
    enum result r = kv_open(&options, &m->kv, &did, err);
    if (r == OK)
        LOG(LOG_INFO, "store.opened", LOG_S("below", c->state_directory),
            LOG_U("segments", did.segments), LOG_U("replayed_batches", did.replayed_batches),
            LOG_U("replayed_bytes", did.replayed_bytes), LOG_U("torn_bytes", did.torn_bytes),
            LOG_U("ms", did.elapsed_us / 1000));
    return r;
}

/* What became of a queued recipient: the end of its journey, or the next station. */
static void log_queue_event(void *owner, const struct queue_event *e)
{
    bool lost = strcmp(e->what, "dropped") == 0;
    (void)owner;
    LOG(lost ? LOG_WARNING : LOG_INFO, "queue.outcome", LOG_C("id", log_id(e->message).text),
        LOG_S("from", e->sender), LOG_S("rcpt", e->rcpt), LOG_C("outcome", e->what),
        LOG_C("why", e->why ? e->why : ""), LOG_S("dsn", e->status), LOG_S("remote", e->remote),
        LOG_S("reply", e->reply), LOG_I("arrived", e->arrived_s), LOG_I("next", e->next_s));
}

struct mailbox_names *mailbox_names_of_now(struct mailbox_role *m)
{
    pthread_mutex_lock(&m->lock);
    struct mailbox_names *n = names_ref(m->names);
    pthread_mutex_unlock(&m->lock);
    return n;
}

/* What the settings of now say of mailboxes. */
static enum result take_names(struct mailbox_role *m, const struct conf *c)
{
    struct mailbox_names *fresh = names_new(c);
    enum result r = fresh ? names_configure_store(fresh, m->store) : FAILED;
    if (r != OK) {
        names_unref(fresh);
        return r;
    }
    pthread_mutex_lock(&m->lock);
    struct mailbox_names *old = m->names;
    m->names = fresh;
    pthread_mutex_unlock(&m->lock);
    names_unref(old);
    return OK;
}

static enum result open_all(struct mailbox_role *m, const struct conf *c, struct error *err)
{
    struct store_options store = {.quota = quota_of_store(m->quota),
                                  .trace_lifetime = (uint64_t)c->trace_lifetime};
    struct queue_limit limits[QUEUE_LIMITS_MAX];
    struct queue_options queue = mailbox_queue_options(c, limits);
    enum result r = open_kv(m, c, err);
    if (r == OK)
        r = store_open(m->kv, &store, &m->store, err);
    if (r == OK && take_names(m, c) != OK)
        r = error_set(err, FAILED, "no memory for the names of mailboxes");
    if (r == OK)
        r = queue_open(m->store, &queue, &m->queue, err);
    if (r == OK)
        r = grant_seen_new(LOGINS_REMEMBERED, &m->seen_logins);
    if (r == OK) {
        queue_set_bounce(m->queue, mailbox_bounce, m, c->myhostname.data, c->myorigin.data,
                         c->mail_name.data);
        queue_set_events(m->queue, log_queue_event, m);
    }
    return r;
}

/* Tables that searching needs, from files that the sandbox will hide. */
static enum result prepare(struct role *role, struct error *err)
{
    (void)role, (void)err;
    charset_preload();
    return OK;
}

static enum result start(struct role *role, struct error *err)
{
    struct mailbox_role *m = role->state ? role->state : calloc(1, sizeof *m);
    if (!m)
        return error_set(err, FAILED, "no memory");
    role->state = m;
    m->role = role;
    pthread_mutex_init(&m->lock, NULL);
    list_init(&m->sessions);
    map_init(&m->sessions_of, COUNTED_MAX);
    const struct conf *c = role_conf(role);
    m->marks = c->enable_original_recipient;
    enum result r = m->quota ? OK : quota_new(c, &m->quota);
    if (r == OK)
        r = open_all(m, c, err);
    if (r == OK)
        r = feed_new(m, &m->feed);
    if (r == OK)
        r = trace_keeper_new(m, &m->trace_keeper);
    if (r == OK)
        r = tls_counts_new(m, &m->tls_counts);
    if (r == OK)
        r = keeper_new(m, &m->keeper);
    if (r == OK)
        r = control_start(m, m->control, err);
    conf_unref(c);
    return r;
}

static void configured(struct role *role)
{
    const struct conf *c = role_conf(role);
    struct queue_limit limits[QUEUE_LIMITS_MAX];
    struct queue_options o = mailbox_queue_options(c, limits);
    queue_configure(mailbox_state(role)->queue, &o);
    store_trace(mailbox_state(role)->store, (uint64_t)c->trace_lifetime);
    mailbox_state(role)->marks = c->enable_original_recipient;
    quota_configure(mailbox_state(role)->quota, c);
    if (take_names(mailbox_state(role), c) != OK)
        LOG(LOG_ERROR, "mailboxes.failed", LOG_C("reason", "no memory; the old names stay"));
    conf_unref(c);
}

static void request(struct role *role, struct ipc_channel *from, struct ipc_message *msg)
{
    struct mailbox_role *m = mailbox_state(role);
    switch (msg->type) {
    case IPC_QUOTA:
        if (ipc_channel_peer(from) == ROLE_AUTH)
            quota_take(m->quota, msg);
        break;
    case IPC_DELIVER:
        mailbox_deliver(m, from, msg);
        break;
    case IPC_STS_ASK:
        mailbox_sts_ask(m, from, msg);
        break;
    case IPC_STS_KEEP:
        mailbox_sts_keep(m, from, msg);
        break;
    case IPC_TLS_RESULT:
        tls_counts_take(m->tls_counts, from, msg);
        break;
    case IPC_FLUSH_SITE:
        mailbox_flush_asked(m, from, msg);
        break;
    case IPC_LOGGED_IN:
        mailbox_logged_in(m, from, msg);
        break;
    case IPC_RELAY_WINDOW:
        feed_window(m->feed, msg->RELAY_WINDOW.jobs);
        break;
    default:
        if (msg->call)
            ipc_answer_failure(from, msg->call, "mailbox does not serve this message");
    }
}

static void peer_up(struct role *role, enum ipc_role peer)
{
    if (peer == ROLE_RELAY && mailbox_state(role) && mailbox_state(role)->feed)
        feed_kick(mailbox_state(role)->feed);
}

/* The control socket comes as the one listener of this role. */
static void listeners(struct role *role, const struct slice *urls, int *fds, size_t n)
{
    struct mailbox_role *m = role->state;
    if (!m) {
        m = role->state = calloc(1, sizeof *m);
        if (!m)
            return;
    }
    for (size_t i = 0; i < n; i++) {
        if (slice_starts(urls[i], SLICE("control:")) && !m->control &&
            control_new(fds[i], &m->control) == OK)
            continue;
        close(fds[i]);
    }
}

static void status(struct role *role, void (*add)(void *arg, const char *key, uint64_t value),
                   void *arg)
{
    struct mailbox_role *m = mailbox_state(role);
    struct kv_stats kv;
    struct queue_stats queue;
    kv_stats_get(m->kv, &kv);
    queue_stats_get(m->queue, &queue);
    pthread_mutex_lock(&m->lock);
    add(arg, "sessions", m->session_count);
    add(arg, "delivered", m->delivered);
    pthread_mutex_unlock(&m->lock);
    add(arg, "queue_messages", queue.messages);
    add(arg, "queue_recipients", queue.recipients);
    add(arg, "queue_active", queue.active);
    add(arg, "queue_hold", queue.held);
    add(arg, "store_segments", kv.segments);
    add(arg, "store_live_bytes", kv.live_bytes);
    add(arg, "store_dead_bytes", kv.dead_bytes);
    add(arg, "store_commits", kv.batches);
    add(arg, "store_syncs", kv.groups);
    add(arg, "disk_free_bytes", kv.free_disk_bytes);
    add(arg, "disk_reserved", kv.disk_reserved);
}

static void stop(struct role *role)
{
    struct mailbox_role *m = mailbox_state(role);
    if (!m)
        return;
    control_stop(m->control);
    io_wait_blocking(role->engine);
    if (m->tls_counts)
        tls_counts_write(m->tls_counts);
    if (m->kv)
        kv_settle(m->kv);
    session_end_all(m);
    control_free(m->control);
    trace_keeper_free(m->trace_keeper);
    keeper_free(m->keeper);
    tls_counts_free(m->tls_counts);
    feed_free(m->feed);
    if (m->queue)
        queue_close(m->queue);
    if (m->store)
        store_close(m->store);
    if (m->kv)
        kv_close(m->kv);
    grant_seen_free(m->seen_logins);
    names_unref(m->names);
    quota_free(m->quota);
    map_release(&m->sessions_of);
    pthread_mutex_destroy(&m->lock);
    free(m);
    role->state = NULL;
}

const struct role_ops role_mailbox = {
    .role = ROLE_MAILBOX,
    .prepare = prepare,
    .start = start,
    .configured = configured,
    .listeners = listeners,
    .request = request,
    .peer_up = peer_up,
    .status = status,
    .stop = stop,
};
