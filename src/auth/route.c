/* route.c: which way mail for an address that is not delivered here goes. */
#include "auth/directory_impl.h"

void directory_route(const struct directory *d, struct slice address, struct slice sender,
                     struct arena *a, struct route_choice *ret)
{
    struct slice relayhost = directory_conf(d)->relayhost;
    (void)address, (void)sender;
    *ret = (struct route_choice){SLICE(""), "", SLICE("")};
    if (relayhost.len == 0)
        return;
    char *route = arena_printf(a, "smtp:%.*s", SLICE_ARG(relayhost));
    if (!route)
        return; /* the arena has failed: its owner refuses */
    *ret = (struct route_choice){slice_cstr(route), "relayhost",
                                 slice_cstr(conf_source(directory_conf(d), "relayhost"))};
}

void directory_route_targets(const struct directory *d, struct slice sender, struct arena *a,
                             struct resolved *r)
{
    for (size_t i = 0; i < r->n; i++) {
        struct route_choice c;
        if (r->targets[i].local || r->targets[i].kind != DIRECTORY_MAIL)
            continue;
        directory_route(d, r->targets[i].address, sender, a, &c);
        r->targets[i].route = c.route;
    }
}
