/* resolve.c: where an address leads: completed, canonical, through virtual aliases (cleanup(8)) to
 * the addresses that are left; each of these ends here or goes its way. */
#include "auth/rewrite.h"
#include "auth/resolve.h"

/* ---- virtual aliases ---- */

static bool is_ancestor(const struct chain *c, struct slice text)
{
    for (; c; c = c->up)
        if (c->address.data && slice_eq_nocase(c->address, text))
            return true;
    return false;
}

static bool walk_end(struct walk *w, const struct directory_address *address,
                     const struct chain *up);
static bool walk_virtual(struct walk *w, const struct directory_address *address,
                         const struct chain *up);

/* One address of a result. "user: user, other" keeps the user. */
static bool follow_virtual(struct walk *w, const struct directory_address *from,
                           struct directory_address *to, const struct chain *here)
{
    if (rewrite_complete(w->d->conf, to, w->arena) != OK)
        return false;
    struct slice text = address_text(to, w->arena);
    if (text.len > (size_t)w->mapping->conf->virtual_alias_address_length_limit) {
        resolve_give_up(w, "virtual_alias_maps make too long an address", here->address);
        return false;
    }
    if (slice_eq_nocase(to->local, from->local) && slice_eq(to->domain, from->domain))
        return walk_end(w, to, here);
    if (is_ancestor(here->up, text)) {
        resolve_give_up(w, "virtual_alias_maps go in a circle", text);
        return false;
    }
    return walk_virtual(w, to, here);
}

static bool expand_virtual(struct walk *w, const struct directory_address *address,
                           const struct table_match *match, struct slice detail,
                           const struct chain *up)
{
    const struct conf *c = w->mapping->conf;
    struct directory_address *list;
    size_t n;
    bool led = false;
    struct chain here = up ? *up : (struct chain){.source = SOURCE_ALIAS};
    here.up = up;
    here.alias = NULL;
    here.forward_of = SLICE_NONE;
    here.address = address_text(address, w->arena);
    here.virtual_depth++;
    size_t limit = (size_t)c->virtual_alias_expansion_limit;
    if (!directory_propagates(c, "virtual"))
        detail = SLICE("");
    enum result r = map_addresses(match->value, address, detail, limit, w->arena, &list, &n);
    if (r == INVALID) {
        resolve_note(w, "the entry in virtual_alias_maps holds no address", here.address);
        return false;
    }
    if (r == OK)
        w->n_virtual += n;
    if (r == LIMIT || w->n_virtual > limit ||
        here.virtual_depth > (unsigned)c->virtual_alias_recursion_limit)
        resolve_give_up(w, "virtual_alias_maps lead too far", here.address);
    else if (r != OK || !here.address.data)
        resolve_give_up(w, "out of memory", SLICE_NONE);
    resolve_took_where(w, "virtual_alias_maps", match->where);
    resolve_step(w, "virtual_alias_maps", match->where, here.address, match->value);
    for (size_t i = 0; i < n && !w->stop; i++)
        led |= follow_virtual(w, address, &list[i], &here);
    return led;
}

static bool walk_virtual(struct walk *w, const struct directory_address *address,
                         const struct chain *up)
{
    struct table_match match;
    struct slice detail;
    struct error err = {""};
    switch (resolve_find(w, MAP_virtual_alias_maps, address, &match, &detail, &err)) {
    case OK:
        return expand_virtual(w, address, &match, detail, up);
    case NOT_FOUND:
        return walk_end(w, address, up);
    default:
        resolve_unavailable(w, &err);
        return false;
    }
}

/* ---- the end of the way ---- */

static bool end_in_mailbox(struct walk *w, const struct directory_address *address)
{
    struct table_match match;
    struct slice detail;
    struct error err = {""};
    bool empty = map_is_empty(&w->d->maps, MAP_virtual_mailbox_maps);
    enum result r = resolve_find(w, MAP_virtual_mailbox_maps, address, &match, &detail, &err);
    if (r != OK && r != NOT_FOUND) {
        resolve_unavailable(w, &err);
        return false;
    }
    if (r == OK)
        resolve_took_where(w, "virtual_mailbox_maps", match.where);
    return (empty || r == OK) && resolve_mailbox(w, address, r == OK);
}

static bool walk_end(struct walk *w, const struct directory_address *given, const struct chain *up)
{
    struct directory_address address = *given;
    struct error err = {""};
    struct way way;
    bool routed;
    if (w->maps_alone) {
        const struct directory_target mapped = {.address = address_text(&address, w->arena)};
        resolve_add(w, &mapped);
        return true;
    }
    if (rewrite_follow(w->d, &address, w->arena, &routed, &err) != OK ||
        directory_way(w->d, &address, w->system->sender, w->arena, &way, &err) != OK) {
        resolve_unavailable(w, &err);
        return false;
    }
    switch (way.end) {
    case END_LOCAL:
        return resolve_local(w, &address, up, false);
    case END_MAILBOX:
        return end_in_mailbox(w, &address);
    case END_ROUTE:
        break;
    }
    resolve_add_way(w, &way, &address);
    return true;
}

static bool resolve_anew(struct walk *w, const struct directory_address *given,
                         const struct chain *up)
{
    struct directory_address address = *given;
    struct error err = {""};
    if (rewrite_complete(w->d->conf, &address, w->arena) != OK)
        return false;
    if (directory_is_local(w->d, address.domain, w->arena, &err) == OK)
        return walk_end(w, &address, up); /* local(8) delivers its own without another look */
    if (directory_canonical(w->d, w->mapping, ADDRESS_OF_RECIPIENT, &address, w->arena, NULL,
                            &err) != OK) {
        resolve_unavailable(w, &err);
        return false;
    }
    return walk_virtual(w, &address, up);
}

/* What local(8) sends on is a new message: it comes in by no listener. */
bool resolve_address(struct walk *w, const struct directory_address *given, const struct chain *up)
{
    const struct mapping *own = w->mapping;
    w->mapping = &w->d->mapping;
    bool led = resolve_anew(w, given, up);
    w->mapping = own;
    return led;
}

/* ---- the address that was asked for ---- */

static bool is_refusal(const struct way *way)
{
    return way->end == END_ROUTE &&
           (slice_is(way->transport, "error") || slice_is(way->transport, "retry"));
}

/* Neither canonical nor a virtual alias: its class says whether it is anybody's. */
static void resolve_plain(struct walk *w, const struct directory_address *address,
                          struct slice text)
{
    struct error err = {""};
    struct way way;
    if (directory_way(w->d, address, w->system->sender, w->arena, &way, &err) != OK) {
        resolve_unavailable(w, &err);
        return;
    }
    if (way.class == CLASS_ALIAS) {
        resolve_refuse_unknown(w, address);
        return;
    }
    if (is_refusal(&way) && !w->unchecked) {
        resolve_refuse_by_transport(w, &way);
        return;
    }
    bool taken = true;
    if (way.end == END_LOCAL)
        taken = resolve_local(w, address, NULL, false) && w->out->n > 0;
    else if (way.end == END_MAILBOX)
        taken = end_in_mailbox(w, address);
    else
        taken = w->unchecked || resolve_is_known(w, address, way.class);
    if (way.end == END_ROUTE && !w->stop && (taken || way.class == CLASS_LOCAL))
        resolve_add_way(w, &way, address);
    if (w->stop)
        return;
    if (way.class == CLASS_LOCAL && way.end != END_MAILBOX)
        resolve_check_local(w, address, taken, way.end == END_ROUTE);
    else if (way.class == CLASS_RELAY && taken)
        resolve_check_relay(w, address);
    else if (!taken)
        resolve_refuse_unknown(w, address);
    /* What nobody has changed goes on as it came. */
    if (way.class == CLASS_OTHER && way.end == END_ROUTE && text.data && w->out->n)
        w->out->targets[0].address = text;
}

/* Is there an entry for it in virtual_alias_maps, or did canonical maps change it? Then that it is
 * wanted is known. */
static void resolve_mapped(struct walk *w, const struct directory_address *address, bool changed,
                           struct slice text)
{
    struct table_match match;
    struct slice detail;
    struct error err = {""};
    enum result r = resolve_find(w, MAP_virtual_alias_maps, address, &match, &detail, &err);
    if (r == NOT_FOUND && !changed && !w->maps_alone) {
        resolve_plain(w, address, text);
        return;
    }
    if (r != OK && r != NOT_FOUND) {
        resolve_unavailable(w, &err);
        return;
    }
    bool led =
        r == OK ? expand_virtual(w, address, &match, detail, NULL) : walk_end(w, address, NULL);
    if (!w->stop && (!led || w->out->n == 0))
        resolve_refuse_unknown(w, address);
}

/* What RCPT's address is, before maps change it. */
static bool classify(struct walk *w, struct slice text, const struct directory_address *address)
{
    static const char *const names[] = {[CLASS_LOCAL] = "local (mydestination)",
                                        [CLASS_ALIAS] = "virtual alias (virtual_alias_domains)",
                                        [CLASS_MAILBOX] =
                                            "virtual mailbox (virtual_mailbox_domains)",
                                        [CLASS_RELAY] = "relay (relay_domains)",
                                        [CLASS_OTHER] = "none of ours"};
    struct error err = {""};
    struct slice where;
    if (directory_class(w->d, address->domain, w->arena, &w->out->class, &where, &err) != OK) {
        resolve_unavailable(w, &err);
        return false;
    }
    w->out->class_where = where;
    w->out->kind = w->out->class == CLASS_OTHER ? RESOLVE_FOREIGN : RESOLVE_LOCAL;
    w->out->full = address_text(address, w->arena);
    if (!slice_eq(text, w->out->full))
        resolve_step(w, "completed", SLICE(""), text, w->out->full);
    resolve_step(w, "class", where, address->domain.data ? address->domain : SLICE("no domain"),
                 slice_cstr(names[w->out->class]));
    return true;
}

static void resolve(struct walk *w, struct slice text)
{
    struct directory_address address;
    struct error err = {""};
    struct canonical_change change = {.changed = false};
    const struct conf *c = w->d->conf;
    if (text.len == 0)
        text = c->empty_address_recipient;
    if (directory_address_parse(text, w->arena, &address) != OK)
        return;
    bool whole = address.domain.data != NULL;
    if (rewrite_complete(c, &address, w->arena) != OK)
        return;
    struct directory_address before = address;
    if (rewrite_follow(w->d, &address, w->arena, &w->out->routed, &err) != OK) {
        resolve_unavailable(w, &err);
        return;
    }
    whole = whole && slice_eq(before.local, address.local);
    if (!classify(w, text, &address))
        return;
    if (directory_canonical(w->d, w->mapping, ADDRESS_OF_RECIPIENT, &address, w->arena, &change,
                            &err) != OK) {
        resolve_unavailable(w, &err);
    } else {
        if (change.changed)
            resolve_step(w, change.rule, change.where, w->out->full,
                         address_text(&address, w->arena));
        resolve_mapped(w, &address, change.changed, whole ? text : SLICE_NONE);
    }
    w->out->canonical = address;
}

static void resolve_by(const struct directory *d, const struct mapping *m, bool unchecked,
                       struct slice text, const struct directory_system *system, struct arena *a,
                       struct resolved *ret)
{
    *ret = (struct resolved){.kind = RESOLVE_MALFORMED, .rule = "", .where = SLICE("")};
    struct walk w = {
        .d = d, .mapping = m, .unchecked = unchecked, .system = system, .arena = a, .out = ret};
    if (m->off)
        resolve_step(&w, "receive_override_options",
                     slice_cstr(conf_source(m->conf, "receive_override_options")),
                     SLICE("no_address_mappings"), SLICE("addresses stay as they are"));
    resolve(&w, text);
}

void directory_resolve(const struct directory *d, struct slice text,
                       const struct directory_system *system, struct arena *a, struct resolved *ret)
{
    static const struct directory_system none = {.known = NULL};
    const struct directory_system *told = system ? system : &none;
    const struct mapping *m = directory_mapping(d, told->service);
    struct directory_system quiet = *told;
    quiet.step = NULL;
    if (m == &d->mapping) {
        resolve_by(d, m, false, text, told, a, ret);
        return;
    }
    if (!m->unchecked) {
        resolve_by(d, &d->mapping, false, text, &quiet, a, ret);
        bool leads = ret->kind == RESOLVE_LOCAL || ret->kind == RESOLVE_FOREIGN;
        if (!leads && told->step)
            resolve_by(d, &d->mapping, false, text, told, a, ret);
        if (!leads)
            return;
    }
    resolve_by(d, m, true, text, told, a, ret);
}

void directory_map_address(const struct directory *d, struct slice text, struct slice service,
                           struct arena *a, struct resolved *ret)
{
    const struct directory_system system = {.service = service};
    struct walk w = {.d = d,
                     .mapping = directory_mapping(d, service),
                     .maps_alone = true,
                     .system = &system,
                     .arena = a,
                     .out = ret};
    *ret = (struct resolved){.kind = RESOLVE_MALFORMED, .rule = "", .where = SLICE("")};
    resolve(&w, text);
}
