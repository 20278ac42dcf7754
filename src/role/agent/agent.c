/* agent.c: start, messages and end of the agent role. */
#include "role/agent/agent.h"

#include "base/log.h"

#include <stdlib.h>

static enum result start(struct role *r, struct error *err)
{
    struct agent *a = calloc(1, sizeof *a);
    if (!a)
        return error_set(err, FAILED, "no memory");
    a->role = r;
    for (unsigned i = 0; i < AGENT_LINES; i++)
        a->lines[i].last = &a->lines[i].first;
    list_init(&a->children);
    pthread_mutex_init(&a->lock, NULL);
    r->state = a;
    /* Its absence stops nobody: mail from programs waits in the folder. */
    if (pickup_start(a, &a->pickup, err) != OK)
        LOG(LOG_ERROR, "maildrop.not_watched", LOG_C("why", err->text));
    return OK;
}

/* agent has root's rights: it listens to auth and, for deliveries, to mailbox and relay. */
static void request(struct role *r, struct ipc_channel *from, struct ipc_message *m)
{
    enum ipc_role peer = ipc_channel_peer(from);
    if (peer == ROLE_AUTH && m->type == IPC_PASSWORD_CHECK) {
        agent_password_check(agent_state(r), from, m);
    } else if ((peer == ROLE_AUTH || peer == ROLE_MAILBOX) && m->type == IPC_USER_CHECK) {
        agent_user_check(agent_state(r), from, m);
    } else if (peer == ROLE_AUTH && m->type == IPC_ACCOUNT_CHECK) {
        agent_account_check(agent_state(r), from, m);
    } else if (peer == ROLE_AUTH && m->type == IPC_FILE_READ) {
        agent_file_read(agent_state(r), from, m);
    } else if ((peer == ROLE_AUTH || peer == ROLE_RELAY) && m->type == IPC_TABLE_ASK) {
        agent_table_ask(agent_state(r), from, m);
    } else if (peer == ROLE_RELAY && m->type == IPC_CONNECT) {
        agent_connect_socket(agent_state(r), from, m);
    } else if (peer == ROLE_MAILBOX && m->type == IPC_LOCAL_JOB) {
        agent_local_job(agent_state(r), from, m);
    } else {
        LOG(LOG_WARNING, "ipc.refused", LOG_C("from", ipc_role_name(peer)), LOG_U("type", m->type));
        if (m->call)
            ipc_answer_failure(from, m->call, "agent does not serve this message for you");
    }
}

static void status(struct role *r, void (*add)(void *arg, const char *key, uint64_t value),
                   void *arg)
{
    struct agent *a = agent_state(r);
    pthread_mutex_lock(&a->lock);
    uint64_t running = 0, waiting = 0, jobs = a->jobs, killed = a->killed;
    uint64_t delivered = a->delivered, not_delivered = a->not_delivered;
    for (unsigned i = 0; i < AGENT_LINES; i++) {
        running += a->lines[i].running;
        waiting += a->lines[i].waiting;
    }
    pthread_mutex_unlock(&a->lock);
    add(arg, "children", running);
    add(arg, "jobs_waiting", waiting);
    add(arg, "local_delivered", delivered);
    add(arg, "local_not_delivered", not_delivered);
    add(arg, "jobs", jobs);
    add(arg, "jobs_killed", killed);
}

static void stop(struct role *r)
{
    struct agent *a = agent_state(r);
    if (!a)
        return;
    pickup_stop(a->pickup);
    agent_end_children(a);
    pickup_free(a->pickup);
    pthread_mutex_destroy(&a->lock);
    free(a);
    r->state = NULL;
}

const struct role_ops role_agent = {
    .role = ROLE_AGENT,
    .start = start,
    .request = request,
    .status = status,
    .stop = stop,
};
