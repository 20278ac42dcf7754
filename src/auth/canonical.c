/* canonical.c: envelope addresses as they go on: canonical maps (canonical(5)), masquerade_domains;
 * and who gets copies. */
#include "auth/rewrite.h"

enum { NESTING_MAX = 10 }; /* of canonical maps, as cleanup(8) */

static bool list_has(struct slice_list list, const char *word)
{
    for (size_t i = 0; i < list.n; i++)
        if (slice_is_nocase(list.items[i], word))
            return true;
    return false;
}

bool directory_propagates(const struct conf *c, const char *table)
{
    return list_has(c->propagate_unmatched_extensions, table);
}

bool directory_short_keys(const struct directory *d, struct slice domain, struct arena *a)
{
    struct error err = {""};
    return !domain.data || slice_eq_nocase(domain, d->conf->myorigin) ||
           directory_is_local(d, domain, a, &err) == OK;
}

/* ---- canonical maps ---- */

/* The one address that an entry makes of another. detail: what the key lacked; table: its kind, as
 * propagate_unmatched_extensions names it. */
static enum result take_entry(const struct conf *c, const char *table,
                              const struct table_match *match, struct slice detail,
                              struct directory_address *address, struct arena *a, bool *ret_same,
                              struct error *err)
{
    struct directory_address *list;
    size_t n;
    if (!directory_propagates(c, table))
        detail = SLICE("");
    enum result r = map_addresses(match->value, address, detail, 1, a, &list, &n);
    if (r == INVALID)
        return OK; /* an entry without an address changes nothing */
    if (r != OK && r != LIMIT)
        return error_set(err, FAILED, "out of memory");
    if (r == LIMIT || rewrite_complete(c, &list[0], a) != OK)
        return error_set(err, FAILED, "%.*s: more than one address, or no domain",
                         SLICE_ARG(match->where));
    *ret_same =
        slice_eq_nocase(list[0].local, address->local) && slice_eq(list[0].domain, address->domain);
    *address = list[0];
    return OK;
}

static enum result map_once(const struct directory *d, const struct mapping *own,
                            enum directory_map m, struct directory_address *address,
                            struct arena *a, bool *ret_same, struct slice *ret_where,
                            struct error *err)
{
    struct table_match match;
    struct slice detail;
    enum result r =
        map_find_address(own->maps, m, address, d->conf->recipient_delimiter,
                         directory_short_keys(d, address->domain, a), a, &match, &detail, err);
    *ret_same = true;
    if (r != OK)
        return r == NOT_FOUND ? OK : FAILED;
    *ret_where = match.where;
    return take_entry(own->conf, "canonical", &match, detail, address, a, ret_same, err);
}

static enum result apply_map(const struct directory *d, const struct mapping *own,
                             enum directory_map m, struct slice_list classes, const char *class,
                             struct directory_address *address, struct arena *a,
                             struct canonical_change *change, struct error *err)
{
    if (map_is_empty(own->maps, m) || !list_has(classes, class))
        return OK;
    for (unsigned n = 0; n < NESTING_MAX; n++) {
        bool same;
        struct slice where = SLICE("");
        enum result r = map_once(d, own, m, address, a, &same, &where, err);
        if (r != OK || same)
            return r;
        *change = (struct canonical_change){true, directory_map_name(m), where};
    }
    return error_set(err, FAILED, "%s are nested too deeply", directory_map_name(m));
}

/* ---- masquerading ---- */

/* "mail.example.org" below "example.org": the shorter one; data NULL: not below. */
static struct slice below(struct slice domain, struct slice parent)
{
    if (domain.len <= parent.len + 1 || !slice_ends_nocase(domain, parent) ||
        domain.data[domain.len - parent.len - 1] != '.')
        return SLICE_NONE;
    return slice_from(domain, domain.len - parent.len);
}

static void masquerade(const struct conf *c, const char *class, struct directory_address *address)
{
    if (c->masquerade_domains.n == 0 || !list_has(c->masquerade_classes, class) ||
        !address->domain.data)
        return;
    for (size_t i = 0; i < c->masquerade_exceptions.n; i++)
        if (slice_eq_nocase(c->masquerade_exceptions.items[i], address->local))
            return;
    for (size_t i = 0; i < c->masquerade_domains.n; i++) {
        struct slice entry = c->masquerade_domains.items[i];
        bool excluded = entry.len && entry.data[0] == '!';
        struct slice parent = slice_from(entry, excluded);
        struct slice shorter = below(address->domain, parent);
        if (slice_eq_nocase(address->domain, parent) || (excluded && shorter.data))
            return;
        if (!shorter.data)
            continue;
        address->domain = shorter;
        return;
    }
}

/* ---- both ---- */

static enum result apply(const struct directory *d, const struct mapping *m, bool sender,
                         const char *class, struct directory_address *address, struct arena *a,
                         struct canonical_change *ret, struct error *err)
{
    const struct conf *c = m->conf;
    struct canonical_change change = {.rule = "", .where = SLICE("")};
    enum result r =
        apply_map(d, m, sender ? MAP_sender_canonical_maps : MAP_recipient_canonical_maps,
                  sender ? c->sender_canonical_classes : c->recipient_canonical_classes, class,
                  address, a, &change, err);
    if (r == OK)
        r = apply_map(d, m, MAP_canonical_maps, c->canonical_classes, class, address, a, &change,
                      err);
    if (r == OK && ret)
        *ret = change; /* before masquerading: that tells nothing of a recipient */
    if (r == OK && !m->off)
        masquerade(c, class, address);
    return r;
}

enum result directory_canonical(const struct directory *d, const struct mapping *m,
                                enum address_of of, struct directory_address *address,
                                struct arena *a, struct canonical_change *ret, struct error *err)
{
    bool sender = of == ADDRESS_OF_SENDER;
    return apply(d, m, sender, sender ? "envelope_sender" : "envelope_recipient", address, a, ret,
                 err);
}

enum result directory_header_address(const struct directory *d, struct slice service, bool sender,
                                     struct slice text, struct arena *a, struct slice *ret,
                                     struct error *err)
{
    struct directory_address address, before;
    *ret = text;
    if (directory_address_parse(text, a, &address) != OK ||
        rewrite_complete(d->conf, &address, a) != OK)
        return OK;
    before = address;
    enum result r = apply(d, directory_mapping(d, service), sender,
                          sender ? "header_sender" : "header_recipient", &address, a, NULL, err);
    if (r != OK ||
        (slice_eq(before.local, address.local) && slice_eq(before.domain, address.domain)))
        return r;
    struct slice made = address_text(&address, a);
    if (!made.data)
        return error_set(err, FAILED, "out of memory");
    *ret = made;
    return OK;
}

enum result directory_sender(const struct directory *d, struct slice service, struct slice text,
                             struct arena *a, struct slice *ret, struct error *err)
{
    const struct mapping *m = directory_mapping(d, service);
    struct directory_address address;
    *ret = text;
    if (text.len == 0 ||
        (!m->maps->any && m->conf->masquerade_domains.n == 0 && slice_find(text, '@') != SIZE_MAX))
        return OK;
    if (directory_address_parse(text, a, &address) != OK ||
        rewrite_complete(d->conf, &address, a) != OK)
        return OK;
    struct directory_address before = address;
    enum result r = directory_canonical(d, m, ADDRESS_OF_SENDER, &address, a, NULL, err);
    if (r != OK)
        return r;
    if (slice_find(text, '@') != SIZE_MAX && slice_eq(before.local, address.local) &&
        slice_eq(before.domain, address.domain))
        return OK;
    struct slice made = address_text(&address, a);
    if (!made.data)
        return error_set(err, FAILED, "out of memory");
    *ret = made;
    return OK;
}

/* ---- on the way out ---- */

static enum result generic_tables(const struct directory *d, struct slice_list specs,
                                  struct arena *a, struct tables *ret, struct error *err)
{
    const struct table **items = arena_alloc_n(a, specs.n + 1, sizeof(struct table *));
    if (!items)
        return error_set(err, FAILED, "out of memory");
    *ret = (struct tables){.items = items};
    for (size_t i = 0; i < specs.n; i++) {
        items[i] = d->tables.find ? d->tables.find(d->tables.arg, specs.items[i]) : NULL;
        if (!items[i])
            return error_set(err, FAILED, "the table %.*s could not be opened",
                             SLICE_ARG(specs.items[i]));
        ret->n++;
    }
    return OK;
}

enum result directory_generic(const struct directory *d, struct slice service, struct slice text,
                              struct arena *a, struct slice *ret, struct error *err)
{
    struct slice_list specs = conf_for_service(d->conf, service)->smtp_generic_maps;
    struct directory_address address;
    struct table_match match;
    struct tables tables;
    struct slice detail;
    bool same = true;
    *ret = text;
    if (specs.n == 0 || directory_address_parse(text, a, &address) != OK ||
        rewrite_complete(d->conf, &address, a) != OK)
        return OK;
    enum result r = generic_tables(d, specs, a, &tables, err);
    struct slice key = address_key(&address, a);
    if (r == OK)
        r = tables_find_address(&tables, key, d->conf->recipient_delimiter,
                                directory_short_keys(d, address.domain, a), a, &match, &detail,
                                err);
    if (r == OK)
        r = take_entry(d->conf, "generic", &match, detail, &address, a, &same, err);
    if (r != OK || same)
        return r == NOT_FOUND || r == OK ? OK : FAILED;
    struct slice made = address_text(&address, a);
    if (!made.data)
        return error_set(err, FAILED, "out of memory");
    *ret = made;
    return OK;
}

/* ---- copies ---- */

struct copying {
    const struct directory *d;
    const struct mapping *mapping;
    const struct directory_system *system;
    struct arena *arena;
    struct resolved *to;
};

/* Where a copy's address leads, put behind the targets. A copy that leads nowhere is told. */
static enum result add_copy(const struct copying *c, const char *rule, struct slice where,
                            struct slice address)
{
    struct resolved r, *to = c->to;
    if (c->system->step)
        c->system->step(c->system->step_arg, rule, where, SLICE("a copy"), address);
    directory_resolve(c->d, slice_trim(address), c->system, c->arena, &r);
    if (r.kind == RESOLVE_ASK || r.kind == RESOLVE_UNAVAILABLE) {
        to->ask = r.ask;
        to->kind = r.kind;
        return FAILED;
    }
    if (r.n == 0) {
        if (!to->problem) {
            to->problem = "the address of a copy leads nowhere";
            to->problem_address = address;
        }
        return OK;
    }
    struct directory_target *all = arena_alloc_n(c->arena, to->n + r.n, sizeof *all);
    if (!all)
        return FAILED;
    if (to->n)
        memcpy(all, to->targets, to->n * sizeof *all);
    struct slice copy_for = address_text(&r.canonical, c->arena);
    for (size_t i = 0; i < r.n; i++) {
        all[to->n + i] = r.targets[i];
        all[to->n + i].bcc = true;
        all[to->n + i].copy_for = copy_for;
    }
    to->targets = all;
    to->n += r.n;
    return OK;
}

static enum result copy_by_map(const struct copying *c, enum directory_map m,
                               const struct directory_address *address)
{
    struct table_match match;
    struct slice detail;
    struct error err = {""};
    const struct directory *d = c->d;
    if (map_is_empty(c->mapping->maps, m) || !address->local.data)
        return OK;
    enum result r = map_find_address(c->mapping->maps, m, address, d->conf->recipient_delimiter,
                                     directory_short_keys(d, address->domain, c->arena), c->arena,
                                     &match, &detail, &err);
    if (r == OK)
        return add_copy(c, directory_map_name(m), match.where, match.value);
    if (r != NOT_FOUND)
        c->to->kind = RESOLVE_UNAVAILABLE;
    return r == NOT_FOUND ? OK : FAILED;
}

void directory_add_copies(const struct directory *d, struct slice sender,
                          const struct directory_system *system, struct arena *a,
                          struct resolved *r)
{
    struct copying c = {d, directory_mapping(d, system->service), system, a, r};
    struct directory_address from = {SLICE_NONE, SLICE_NONE};
    enum result done = OK;
    if (sender.len && directory_address_parse(sender, a, &from) != OK)
        from.local = SLICE_NONE;
    const struct conf *own = conf_for_service(d->conf, system->service);
    if (own->always_bcc.len && !c.mapping->off)
        done =
            add_copy(&c, "always_bcc", slice_cstr(conf_source(own, "always_bcc")), own->always_bcc);
    if (done == OK)
        done = copy_by_map(&c, MAP_sender_bcc_maps, &from);
    if (done == OK)
        done = copy_by_map(&c, MAP_recipient_bcc_maps, &r->canonical);
    if (done != OK && r->kind != RESOLVE_ASK && r->kind != RESOLVE_UNAVAILABLE)
        r->kind = RESOLVE_BROKEN;
}
