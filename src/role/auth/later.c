/* later.c: messages whose answer takes a table that asks a server: kept, and served on a helper
 * thread, so that the channel's thread goes on. */
#include "role/auth/auth.h"

#include <stdlib.h>

enum { KEPT_MAX = 1024 * 1024 };

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
    if (m->type == IPC_ROUTE) {
        copy_text(a, &m->ROUTE.sender);
        copy_list(a, &m->ROUTE.addresses);
    } else {
        copy_text(a, &m->REWRITE.service);
        copy_list(a, &m->REWRITE.classes);
        copy_list(a, &m->REWRITE.addresses);
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
    if (!arena_failed(&k->arena) && io_run_blocking(a->role->engine, serve, k) == OK)
        return;
    ipc_answer_failure(from, m->call, "too much waits for tables");
    arena_release(&k->arena);
    free(k);
}
