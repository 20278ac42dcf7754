/* table_actions.c: what access tables ask for beside a verdict that changes where a recipient's
 * mail goes: REDIRECT, BCC, FILTER. */
#include "base/log.h"
#include "ipc/ipc.h"
#include "role/auth/explain.h"

/* Appends what `more` leads to; bcc: as copies that nobody hears of. */
static void append_targets(struct resolved *to, const struct resolved *more, bool bcc,
                           struct arena *a)
{
    struct directory_target *all = arena_alloc_n(a, to->n + more->n + 1, sizeof *all);
    if (!all)
        return;
    size_t n = 0;
    for (size_t i = 0; i < to->n; i++)
        all[n++] = to->targets[i];
    for (size_t i = 0; i < more->n; i++) {
        all[n] = more->targets[i];
        all[n++].bcc |= bcc;
    }
    to->targets = all;
    to->n = n;
}

/* Nothing but its copies stays of where it would have gone. */
static void redirect(struct resolved *to, const struct resolved *there, struct arena *a)
{
    struct resolved copies = *to;
    copies.n = 0;
    for (size_t i = 0; i < to->n; i++)
        if (to->targets[i].bcc)
            copies.targets[copies.n++] = to->targets[i];
    to->kind = there->kind;
    to->n = 0;
    append_targets(to, there, false, a);
    append_targets(to, &copies, true, a);
}

static void refuse_action(struct finding *f, struct slice action, const char *why)
{
    LOG(LOG_ERROR, "policy.action.failed", LOG_S("action", action), LOG_S("rule", f->decision.rule),
        LOG_S("where", f->decision.where), LOG_C("why", why));
    f->decision.code = 451;
    f->decision.enhanced = SLICE("4.3.5");
    f->decision.text = SLICE("Server configuration error");
}

bool action_transport_known(const struct directory *d, struct slice route)
{
    struct slice transport, nexthop;
    target_route_split(route, &transport, &nexthop);
    struct slice kind = conf_transport_kind(directory_conf(d), transport);
    return transport.len > 0 &&
           (slice_is(kind, "smtp") || slice_is(kind, "lmtp") || slice_is(kind, "pipe"));
}

struct slice_list action_filter_targets(struct slice rcpt, struct slice route,
                                        struct slice_list targets, struct arena *a)
{
    struct slice_list list = {arena_alloc_n(a, targets.n + 1, sizeof *list.items), 0};
    const struct target there = {.kind = TARGET_REMOTE, .address = rcpt, .route = route};
    struct buf text;
    if (!list.items)
        return list;
    buf_init(&text, IPC_INLINE_MAX);
    target_format(&there, &text);
    struct slice first = buf_ok(&text) ? arena_dup(a, buf_slice(&text)) : SLICE_NONE;
    buf_release(&text);
    if (!first.data)
        return list;
    list.items[list.n++] = first;
    struct slice via = SLICE_NONE; /* holds for all behind it, so it goes with the copies */
    for (size_t i = 0; i < targets.n; i++) {
        struct target t;
        if (target_parse(targets.items[i], &t) != OK)
            continue;
        if (t.kind == TARGET_VIA)
            via = targets.items[i];
        if (!t.bcc)
            continue;
        if (via.data)
            list.items[list.n++] = via;
        list.items[list.n++] = targets.items[i];
        via = SLICE_NONE;
    }
    return list;
}

/* To the filter's transport, as it came; the filter gives it back by another listener. Aliases are
 * for that one to follow. */
static void filter(struct query *q, const struct directory *d, struct slice route, struct arena *a,
                   struct finding *f)
{
    struct directory_target *one = arena_alloc_n(a, 1, sizeof *one);
    if (!one || !action_transport_known(d, route)) {
        refuse_action(f, route, "there is no such transport");
        return;
    }
    *one = (struct directory_target){.address = q->rcpt, .route = route};
    const struct resolved filtered = {.kind = RESOLVE_FOREIGN, .targets = one, .n = 1};
    redirect(&f->resolved, &filtered, a);
}

bool query_apply_actions(struct query *q, const struct directory *d, struct arena *a,
                         struct finding *f)
{
    struct directory_system system = query_system(q, d);
    for (size_t i = 0; i < f->decision.actions.n && f->decision.code == 250; i++) {
        struct slice action = f->decision.actions.items[i], address = action;
        struct slice kind = slice_split(&address, ' ');
        bool bcc = slice_is(kind, "bcc");
        struct resolved r;
        if (slice_is(kind, "filter"))
            filter(q, d, address, a, f);
        if (!bcc && !slice_is(kind, "redirect"))
            continue;
        if (q->explain) {
            system.step = explain_way;
            system.step_arg = q->explain;
        }
        directory_resolve(d, address, &system, a, &r);
        if (r.kind == RESOLVE_ASK && query_ask_agent(q, &r))
            return false;
        if (r.kind != RESOLVE_LOCAL && r.kind != RESOLVE_FOREIGN)
            refuse_action(f, action, "its address leads nowhere");
        else if (bcc)
            append_targets(&f->resolved, &r, true, a);
        else
            redirect(&f->resolved, &r, a);
    }
    return true;
}
