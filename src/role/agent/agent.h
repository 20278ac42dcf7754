/* agent.h: the agent role: what no sandbox allows. Each job runs in a child of its own that lives
 * for seconds: PAM's modules and the name services may load code, open files and sockets, hang and
 * crash. agent itself parses nothing from the network; it takes requests of auth alone. */
#ifndef ROLE_AGENT_AGENT_H
#define ROLE_AGENT_AGENT_H

#include "base/buf.h"
#include "role/role.h"

#include <pthread.h>

enum {
    CHILDREN_MAX = 16,    /* at a time */
    LINE_MAX_JOBS = 2000, /* that wait for a place */
    CHILD_TIMEOUT_MS = 30000,
    CHILD_OUTPUT_MAX = 512, /* bytes of a child's answer */
};

/* A job for a child. */
struct agent_job {
    /* In the child: does the work and writes its answer to `out`; then the child ends. */
    void (*run)(const struct agent_job *job, int out);
    /* In agent, once, from an engine thread: the child's answer, complete only when `ended` is
     * true (it was not killed and did not crash). Frees the job. */
    void (*done)(struct agent_job *job, struct slice answer, bool ended);
    struct agent_job *next;
};

struct pickup;

struct agent {
    struct role *role;
    struct pickup *pickup;
    pthread_mutex_t lock;
    struct agent_job *first, **last; /* in line */
    size_t waiting, running;
    struct list_node children;
    uint64_t jobs, killed;
};

static inline struct agent *agent_state(struct role *r)
{
    return r->state;
}

/* child.c: runs the job now or when there is room. BUSY: too many wait (done is not called). */
MUST_USE enum result agent_run(struct agent *a, struct agent_job *job);
/* When the engine has stopped: kills what runs, gives up what waits (done is called for all). */
void agent_end_children(struct agent *a);

/* pam.c: runs in a child. Asks PAM about user and password; the texts are NUL-terminated. confdir:
 * where the service's file is, NULL: the system's. Returns 0 right, 1 wrong, 2 could not be asked;
 * the reason is appended. */
int agent_pam_check(const char *confdir, const char *service, const char *user,
                    const char *password, const char *client_ip, struct buf *reason);

/* pickup.c: brings what lies in the folder maildrop (submit/drop.h) to the server's socket. */
MUST_USE enum result pickup_start(struct agent *a, struct pickup **ret, struct error *err);
void pickup_stop(struct pickup *p); /* the engine has stopped; jobs may still end */
void pickup_free(struct pickup *p); /* no job is left */

/* jobs.c: IPC PASSWORD_CHECK and ACCOUNT_CHECK. */
void agent_password_check(struct agent *a, struct ipc_channel *from, struct ipc_message *m);
void agent_account_check(struct agent *a, struct ipc_channel *from, struct ipc_message *m);

#endif
