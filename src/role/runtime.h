/* runtime.h: what role.c, intake.c and status.c share of a role's process. Not for the roles. */
#ifndef ROLE_RUNTIME_H
#define ROLE_RUNTIME_H

#include "os/sandbox.h"
#include "role/role.h"

#include <pthread.h>

enum { SECRETS_MAX = 1024, SECRET_BYTES_MAX = 64 * 1024 * 1024 };

/* A set of secrets while it arrives. */
struct secret_set {
    struct role_secret items[SECRETS_MAX];
    size_t n;
    bool complete; /* a whole set has been handed over */
};

struct runtime {
    struct role role;
    struct ipc_channel *master; /* NULL until the engine is about to run */
    pthread_mutex_t lock;       /* conf, generation */
    const struct conf *conf;
    uint64_t generation;
    struct secret_set *secrets;
    bool has_listeners;
    bool has_grant_key;
    struct sandbox_state sandbox;
    int memory_fd;
    int64_t started_ms;
};

static inline struct runtime *runtime_of(struct role *r)
{
    return CONTAINER_OF(r, struct runtime, role);
}

/* A message of the master, before the engine runs and after. False: not one of the master's. */
bool runtime_take(struct runtime *rt, struct ipc_message *m);
/* All that the role starts with is there. */
bool runtime_complete(const struct runtime *rt);
void runtime_send_ready(struct runtime *rt);
void runtime_release_secrets(struct runtime *rt);
/* A channel to a peer, up or down; handles every message of it. */
MUST_USE enum result runtime_open_peer(struct runtime *rt, enum ipc_role peer, int fd);
/* Answers STATUS. */
void runtime_answer_status(struct runtime *rt, struct ipc_channel *c, uint64_t call);

#endif
