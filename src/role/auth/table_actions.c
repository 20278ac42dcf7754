/* table_actions.c: what access tables ask for beside a verdict that changes where a recipient's
 * mail goes: REDIRECT, BCC, FILTER; and content_filter. */
#include "auth/rewrite.h"
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
    struct slice copy_for = address_text(&more->canonical, a);
    for (size_t i = 0; i < to->n; i++)
        all[n++] = to->targets[i];
    for (size_t i = 0; i < more->n; i++) {
        all[n] = more->targets[i];
        if (bcc && !all[n].bcc)
            all[n].copy_for = copy_for;
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

static struct slice filter_text(const struct target *t, struct arena *a)
{
    struct buf text;
    buf_init(&text, IPC_INLINE_MAX);
    target_format(t, &text);
    struct slice made = buf_ok(&text) ? arena_dup(a, buf_slice(&text)) : SLICE_NONE;
    buf_release(&text);
    return made;
}

static bool has_text(const struct slice_list *list, struct slice text)
{
    for (size_t i = 0; i < list->n; i++)
        if (slice_eq(list->items[i], text))
            return true;
    return false;
}

struct slice_list action_filter_addresses(const struct directory *d, struct slice rcpt,
                                          struct slice service, struct arena *a)
{
    struct resolved r;
    directory_map_address(d, rcpt, service, a, &r);
    struct slice_list list = {arena_alloc_n(a, r.n + 1, sizeof *list.items), 0};
    bool leads = r.kind == RESOLVE_LOCAL || r.kind == RESOLVE_FOREIGN;
    for (size_t i = 0; list.items && leads && i < r.n; i++)
        list.items[list.n++] = r.targets[i].address;
    if (list.n == 1 && slice_eq_nocase(list.items[0], rcpt))
        list.items[0] = rcpt; /* as it came */
    return list;
}

/* Several targets of one copy's address come to the filter once. */
struct slice_list action_filter_targets(struct slice_list addresses, struct slice route,
                                        struct slice_list targets, struct arena *a)
{
    size_t most = addresses.n ? addresses.n + targets.n : 0;
    struct slice_list list = {arena_alloc_n(a, most + 1, sizeof *list.items), 0};
    struct target there = {.kind = TARGET_REMOTE, .route = route, .filter = true};
    for (size_t i = 0; list.items && i < most; i++) {
        struct target t;
        bool copy = i >= addresses.n;
        if (copy &&
            (target_parse(targets.items[i - addresses.n], &t) != OK || !t.bcc || !t.copy_for.len))
            continue;
        there.address = copy ? t.copy_for : addresses.items[i];
        there.copy_for = copy ? t.copy_for : SLICE_NONE;
        there.bcc = copy;
        struct slice text = filter_text(&there, a);
        if (!text.data)
            return (struct slice_list){NULL, 0};
        if (!has_text(&list, text))
            list.items[list.n++] = text;
    }
    return list;
}

static bool has_copy(const struct directory_target *all, size_t n, struct slice address)
{
    for (size_t i = 0; i < n; i++)
        if (all[i].bcc && slice_eq(all[i].address, address))
            return true;
    return false;
}

/* To the filter's transport, as canonical maps and virtual aliases have it, and so do its copies,
 * since Postfix sends the message there as a whole; the filter gives it back by another listener.
 * Aliases of this host are for that one to follow. */
static void filter(const struct query *q, const struct directory *d, struct slice rcpt,
                   struct slice route, struct arena *a, struct finding *f)
{
    struct resolved *r = &f->resolved;
    struct slice_list addresses = action_filter_addresses(d, rcpt, q->label, a);
    struct directory_target *all = arena_alloc_n(a, addresses.n + r->n + 1, sizeof *all);
    size_t n = 0;
    if (!all || !action_transport_known(d, route)) {
        refuse_action(f, route, "there is no such transport");
        return;
    }
    for (size_t i = 0; i < addresses.n; i++)
        all[n++] = (struct directory_target){
            .address = addresses.items[i], .route = route, .filter = true};
    if (n == 0) {
        refuse_action(f, route, "the recipient's maps can't be asked now");
        return;
    }
    for (size_t i = 0; i < r->n; i++) {
        struct slice copy = r->targets[i].copy_for;
        if (r->targets[i].bcc && !has_copy(all, n, copy))
            all[n++] = (struct directory_target){
                .address = copy, .route = route, .filter = true, .bcc = true, .copy_for = copy};
    }
    r->kind = RESOLVE_FOREIGN;
    r->targets = all;
    r->n = n;
}

/* content_filter of the service that the mail came in by, as a route; "": none. LMTP hands over
 * what another server has received. */
static struct slice content_filter(const struct query *q, const struct directory *d,
                                   struct arena *a)
{
    const struct conf *c = conf_for_service(directory_conf(d), q->label);
    struct slice route = c->content_filter;
    if (route.len == 0 || q->facts.service == POLICY_LMTP)
        return SLICE("");
    if (slice_find(route, ':') == SIZE_MAX)
        route = slice_cstr(arena_printf(a, "%.*s:", SLICE_ARG(route)));
    if (q->explain)
        explain_way(q->explain, "content_filter", slice_cstr(conf_source(c, "content_filter")),
                    q->rcpt, route);
    return route;
}

bool query_apply_actions(struct query *q, const struct directory *d, struct arena *a,
                         struct finding *f)
{
    struct directory_system system = query_system(q, d);
    struct slice filter_route = SLICE_NONE, rcpt = q->rcpt;
    for (size_t i = 0; i < f->decision.actions.n && f->decision.code == 250; i++) {
        struct slice action = f->decision.actions.items[i], address = action;
        struct slice kind = slice_split(&address, ' ');
        bool bcc = slice_is(kind, "bcc");
        struct resolved r;
        if (slice_is(kind, "filter"))
            filter_route = address; /* the last one counts, for all that the others add */
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
        else {
            redirect(&f->resolved, &r, a);
            rcpt = address_text(&r.canonical, a);
        }
    }
    if (!filter_route.data)
        filter_route = content_filter(q, d, a);
    if (filter_route.len && f->decision.code == 250)
        filter(q, d, rcpt, filter_route, a, f);
    return true;
}
