/* later.c: work that takes tables that ask a server: done on helper threads, so that the channel's
 * thread goes on; messages are kept meanwhile. */
#include "role/auth/auth.h"

#include "base/clock.h"

#include <stdlib.h>

enum { KEPT_MAX = 1024 * 1024, TELL_EACH_MS = 60000 };

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
    enum result r = io_line_put(&a->tables_line, fn, arg);
    if (r == OK)
        return r;
    pthread_mutex_lock(&a->lock);
    bool tell = may_tell(a);
    pthread_mutex_unlock(&a->lock);
    if (tell)
        LOG(LOG_WARNING, "tables.busy", LOG_U("waiting", io_line_waiting(&a->tables_line)),
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
