/* role.h: what every role's process does alike: its engine, its channels to master and peers, its
 * configuration, its secrets, its sandbox. A role supplies its functions in a table.
 *
 * Start of a role (after fork in the child): log name and signals set; control channel to the
 * master; first CONFIGURE, its SECRETs, LISTENERS and CHANNELs taken; ops->prepare, with all rights
 * and no thread yet; user changed, root folder changed, Landlock applied (they bind threads begun
 * later); ops->start, as the role's user; seccomp on all threads; READY sent; the engine runs until
 * STOP. */
#ifndef ROLE_ROLE_H
#define ROLE_ROLE_H

#include "auth/grant.h"
#include "conf/conf.h"
#include "ipc/ipc.h"

struct role;

/* A file that master opened for this role; the bytes are read (at most 64 MiB), NUL-terminated. */
struct role_secret {
    struct slice setting; /* "users_file" */
    struct slice path;
    struct slice bytes;
    unsigned owner; /* the file's user */
    bool there;     /* it could be opened; else bytes are empty */
};

struct role_ops {
    enum ipc_role role;
    /* What needs rights that the role will not keep (reading /etc/resolv.conf …); starts no
     * thread and makes no file that the role's user should own. May be NULL. */
    enum result (*prepare)(struct role *r, struct error *err);
    /* Makes the role's state (role->state); tasks may be opened, threads started. err: why
     * not. */
    enum result (*start)(struct role *r, struct error *err);
    /* A new configuration after a reload, from a task; NULL: nothing to do. */
    void (*configured)(struct role *r);
    /* Called before start with the first set and again with each new set (a file changed, a
     * reload). Copy what is kept. May be NULL. */
    void (*secrets)(struct role *r, const struct role_secret *secrets, size_t n);
    /* New listeners (edge): takes the fds. Called before start with the first set. */
    void (*listeners)(struct role *r, const struct slice *urls, int *fds, size_t n);
    /* Requests and notices of any peer, on the channel's thread. */
    void (*request)(struct role *r, struct ipc_channel *from, struct ipc_message *m);
    /* A peer came (again): role->peers[peer] is usable. May be NULL. */
    void (*peer_up)(struct role *r, enum ipc_role peer);
    /* Appends "key=value" items for STATUS; NULL: only memory and uptime, which the runtime adds.
     */
    void (*status)(struct role *r, void (*add)(void *arg, const char *key, uint64_t value),
                   void *arg);
    /* The engine has stopped: finish and free. */
    void (*stop)(struct role *r);
};

struct role {
    const struct role_ops *ops;
    struct io_engine *engine;
    /* Never NULL for the peers that this role talks to; ipc_channel_up tells whether one is there
     * now. */
    struct ipc_channel *peers[ROLE_COUNT];
    void *state;
    struct grant_key grant_key; /* auth's and mailbox's, from before start to the end */
};

/* The snapshot of now: the caller's reference (conf_unref). */
const struct conf *role_conf(struct role *r);

/* Appends this role's own "key=value\n" items, as its STATUS_RESULT has them: ops->status and what
 * the runtime adds (pid, uptime, memory, what of the sandbox is in force). */
void role_status_items(struct role *r, struct buf *out);

/* The roles' tables, one in each folder: role/edge/edge.c defines role_edge, and so on. */
extern const struct role_ops role_auth, role_edge, role_mailbox, role_relay, role_agent;

/* The master: reads the configuration, binds, opens, forks the five, mends what dies. Returns the
 * exit status of `postrider serve`. */
int master_run(const struct conf_origin *origin);
/* In the child: runs a role on its control channel (fd) and never returns to the master's code. */
int role_run(const struct role_ops *ops, int control_fd);

#endif
