/* route.c: ROUTE: the ways of addresses that wait in the queue, by the settings of now. */
#include "role/auth/auth.h"

enum { ARENA_LIMIT = 16 * 1024 * 1024 };

void auth_route(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m)
{
    const struct ipc_ROUTE *q = &m->ROUTE;
    const struct directory *d = auth_directory(a);
    struct arena arena;
    arena_init(&arena, ARENA_LIMIT);
    size_t n = q->addresses.n;
    struct slice *routes = arena_alloc_n(&arena, n ? n : 1, sizeof *routes);
    struct error err = {"no memory"};
    bool told = routes != NULL;
    for (size_t i = 0; told && i < n; i++) {
        struct route_choice c;
        told = directory_route(d, q->addresses.items[i], q->sender, &arena, &c, &err) == OK;
        if (told)
            routes[i] = c.route;
    }
    struct ipc_message answer = {.type = IPC_ROUTE_RESULT};
    answer.ROUTE_RESULT.routes = (struct slice_list){routes, n};
    if (!told)
        ipc_answer_failure(from, m->call, err.text);
    else
        ipc_answer(from, m->call, &answer);
    arena_release(&arena);
    directory_unref(d);
}
