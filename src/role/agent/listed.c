/* listed.c: may a user of this machine, of whom a role knows the uid alone? The name services are
 * asked in a child. */
#include "role/agent/agent.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "conf/users.h"

enum { LIST_BYTES_MAX = 64 * 1024 };

struct listed {
    struct agent_job job;
    struct ipc_channel *channel;
    uint64_t call;
    uid_t uid;
    struct arena arena;
    struct slice_list allowed;
};

static void run(const struct agent_job *job, int out)
{
    const struct listed *l = CONTAINER_OF(job, struct listed, job);
    const struct passwd *pw = getpwuid(l->uid);
    struct slice name = pw ? slice_cstr(pw->pw_name) : SLICE("");
    char code = l->uid == 0 || conf_users_match(l->allowed, name) ? '0' : '1';
    if (write(out, &code, 1) != 1)
        _exit(1);
}

static void release(struct listed *l)
{
    arena_release(&l->arena);
    free(l);
}

static void done(struct agent_job *job, struct slice answer, bool ended)
{
    struct listed *l = CONTAINER_OF(job, struct listed, job);
    struct ipc_message m = {.type = IPC_USER_RESULT};
    bool told = ended && answer.len == 1 && (answer.data[0] == '0' || answer.data[0] == '1');
    m.USER_RESULT.code = told ? (uint8_t)(answer.data[0] - '0') : 2;
    ipc_answer(l->channel, l->call, &m);
    release(l);
}

void agent_user_check(struct agent *a, struct ipc_channel *from, struct ipc_message *m)
{
    const struct ipc_USER_CHECK *u = &m->USER_CHECK;
    struct listed *l = calloc(1, sizeof *l);
    if (!l) {
        ipc_answer_failure(from, m->call, "no memory");
        return;
    }
    l->job.run = run;
    l->job.done = done;
    l->channel = from;
    l->call = m->call;
    l->uid = u->uid;
    arena_init(&l->arena, LIST_BYTES_MAX);
    l->allowed.items = arena_alloc_n(&l->arena, u->allowed.n + 1, sizeof *l->allowed.items);
    for (size_t i = 0; l->allowed.items && i < u->allowed.n; i++)
        l->allowed.items[l->allowed.n++] = arena_dup(&l->arena, u->allowed.items[i]);
    if (arena_failed(&l->arena) || agent_run(a, &l->job) != OK) {
        ipc_answer_failure(from, m->call, "no memory, or too many questions wait");
        release(l);
    }
}
