/* later.c: work that takes tables that ask a server: done on helper threads, so that the channel's
 * thread goes on; messages are kept meanwhile. */
#include "role/auth/auth.h"

#include "base/clock.h"

#include <stdlib.h>

enum {
    KEPT_MAX = 1024 * 1024,
    TABLE_HELPERS = 8, /* half of IO_HELPERS_MAX: a dead server holds up no password's hash */
    TABLE_JOBS_MAX = 10000,
    TELL_EACH_MS = 60000
};

struct table_job {
    struct table_job *next;
    void (*fn)(void *arg);
    void *arg;
};

static struct table_job *next_job(struct auth_role *a)
{
    pthread_mutex_lock(&a->lock);
    struct table_job *job = a->ending ? NULL : a->first_table_job;
    if (job) {
        a->first_table_job = job->next;
        if (!a->first_table_job)
            a->last_table_job = &a->first_table_job;
        a->n_table_jobs--;
    } else {
        a->table_helpers--;
    }
    pthread_mutex_unlock(&a->lock);
    return job;
}

static void run_jobs(void *arg)
{
    struct auth_role *a = arg;
    struct table_job *job;
    while ((job = next_job(a))) {
        job->fn(job->arg);
        free(job);
    }
}

/* The lock is held, so that a new helper finds the job. */
static enum result stand_in_line(struct auth_role *a, struct table_job *job)
{
    if (a->n_table_jobs >= TABLE_JOBS_MAX)
        return BUSY;
    if (a->table_helpers < TABLE_HELPERS) {
        enum result r = io_run_blocking(a->role->engine, run_jobs, a);
        a->table_helpers += r == OK;
        if (!a->table_helpers)
            return r;
    }
    *a->last_table_job = job;
    a->last_table_job = &job->next;
    a->n_table_jobs++;
    return OK;
}

/* The lock is held. */
static bool may_tell(struct auth_role *a)
{
    int64_t now = clock_monotonic_ms();
    if (a->tables_full_ms && now - a->tables_full_ms < TELL_EACH_MS)
        return false;
    a->tables_full_ms = now;
    return true;
}

enum result auth_run_tables(struct auth_role *a, void (*fn)(void *arg), void *arg)
{
    struct table_job *job = malloc(sizeof *job);
    if (!job)
        return FAILED;
    *job = (struct table_job){NULL, fn, arg};
    pthread_mutex_lock(&a->lock);
    enum result r = stand_in_line(a, job);
    size_t waiting = a->n_table_jobs;
    bool tell = r != OK && may_tell(a);
    pthread_mutex_unlock(&a->lock);
    if (r != OK)
        free(job);
    if (tell)
        LOG(LOG_WARNING, "tables.busy", LOG_U("waiting", waiting),
            LOG_C("then", "whoever asks one is put off"));
    return r;
}

struct kept {
    struct auth_role *auth;
    struct ipc_channel *from;
    auth_serve_fn *serve;
    struct ipc_message message;
    struct arena arena;
};

static void copy_text(struct arena *a, struct slice *s)
{
    *s = s->len ? arena_dup(a, *s) : SLICE("");
}

static void copy_list(struct arena *a, struct slice_list *l)
{
    struct slice *items = arena_alloc_n(a, l->n + 1, sizeof *items);
    for (size_t i = 0; items && i < l->n; i++) {
        items[i] = l->items[i];
        copy_text(a, &items[i]);
    }
    l->items = items;
}

static void copy_fields(struct arena *a, struct ipc_message *m)
{
    switch (m->type) {
    case IPC_ROUTE:
        copy_text(a, &m->ROUTE.sender);
        copy_list(a, &m->ROUTE.addresses);
        break;
    case IPC_REWRITE:
        copy_text(a, &m->REWRITE.service);
        copy_list(a, &m->REWRITE.classes);
        copy_list(a, &m->REWRITE.addresses);
        break;
    case IPC_ACTION_ASK:
        copy_text(a, &m->ACTION_ASK.label);
        copy_text(a, &m->ACTION_ASK.sender);
        copy_text(a, &m->ACTION_ASK.source);
        copy_text(a, &m->ACTION_ASK.text);
        copy_text(a, &m->ACTION_ASK.rcpt);
        copy_list(a, &m->ACTION_ASK.targets);
        copy_text(a, &m->ACTION_ASK.grant);
        break;
    default:
        copy_text(a, &m->CHECK_ASK.label);
        copy_text(a, &m->CHECK_ASK.source);
        copy_text(a, &m->CHECK_ASK.text);
    }
}

static void serve(void *arg)
{
    struct kept *k = arg;
    k->serve(k->auth, k->from, &k->message);
    arena_release(&k->arena);
    free(k);
}

void auth_serve(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m,
                auth_serve_fn *fn)
{
    const struct directory *d = auth_directory(a);
    bool waits = directory_waits(d);
    directory_unref(d);
    auth_serve_or_wait(a, waits, from, m, fn);
}

void auth_serve_or_wait(struct auth_role *a, bool waits, struct ipc_channel *from,
                        struct ipc_message *m, auth_serve_fn *fn)
{
    if (!waits) {
        fn(a, from, m);
        return;
    }
    struct kept *k = calloc(1, sizeof *k);
    if (!k) {
        ipc_answer_failure(from, m->call, "no memory");
        return;
    }
    *k = (struct kept){.auth = a, .from = from, .serve = fn, .message = *m};
    arena_init(&k->arena, KEPT_MAX);
    copy_fields(&k->arena, &k->message);
    if (!arena_failed(&k->arena) && auth_run_tables(a, serve, k) == OK)
        return;
    ipc_answer_failure(from, m->call, "too much waits for tables");
    arena_release(&k->arena);
    free(k);
}
