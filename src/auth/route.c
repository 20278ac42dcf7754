/* route.c: which way an address's mail goes (trivial-rewrite(8), transport(5)): the transport of
 * its class, sender_dependent_*, relayhost, then transport_maps and relocated_maps above all. */
#include "auth/directory_impl.h"
#include "auth/rewrite.h"

struct finding {
    const struct directory *d;
    const struct directory_address *address;
    struct slice sender;
    struct arena *arena;
    struct error *err;
    struct way *way;
};

static void because(struct finding *f, const char *rule, struct slice where)
{
    f->way->rule = rule;
    f->way->where = where;
}

static void because_setting(struct finding *f, const char *setting)
{
    because(f, setting, slice_cstr(conf_source(f->d->conf, setting)));
}

/* "transport:nexthop"; without a colon it is a transport alone. */
static void split_transport(struct slice text, struct slice *ret_transport,
                            struct slice *ret_nexthop)
{
    struct slice rest = slice_trim(text);
    *ret_transport = slice_split(&rest, ':');
    *ret_nexthop = rest.data ? slice_trim(rest) : SLICE("");
}

/* ---- by sender ---- */

static bool is_dunno(struct slice value)
{
    return slice_is_nocase(slice_trim(value), "DUNNO");
}

static enum result find_sender(const struct finding *f, enum directory_map m,
                               struct table_match *ret)
{
    struct directory_address sender;
    struct slice detail;
    const struct map_sets *maps = &f->d->maps;
    if (map_is_empty(maps, m))
        return NOT_FOUND;
    enum result r;
    if (f->sender.len == 0)
        r = map_find_key(maps, m, SLICE("<>"), f->arena, ret, f->err);
    else if (directory_address_parse(f->sender, f->arena, &sender) != OK ||
             rewrite_complete(f->d->conf, &sender, f->arena) != OK)
        return NOT_FOUND;
    else
        r = map_find_address(maps, m, &sender, f->d->conf->recipient_delimiter, false, f->arena,
                             ret, &detail, f->err);
    return r == OK && is_dunno(ret->value) ? NOT_FOUND : r;
}

/* ---- the class's own ---- */

static enum result use_relayhost(struct finding *f)
{
    struct table_match match;
    enum result r = find_sender(f, MAP_sender_dependent_relayhost_maps, &match);
    if (r == OK) {
        f->way->nexthop = slice_trim(match.value);
        because(f, "sender_dependent_relayhost_maps", match.where);
    } else if (r == NOT_FOUND && f->d->conf->relayhost.len) {
        f->way->nexthop = f->d->conf->relayhost;
        because_setting(f, "relayhost");
    }
    return r == FAILED ? FAILED : OK;
}

static void use_setting(struct finding *f, struct slice value, const char *setting)
{
    split_transport(value, &f->way->transport, &f->way->nexthop);
    because_setting(f, setting);
}

static enum result use_default(struct finding *f)
{
    struct table_match match;
    enum result r = find_sender(f, MAP_sender_dependent_default_transport_maps, &match);
    if (r == OK) {
        split_transport(match.value, &f->way->transport, &f->way->nexthop);
        because(f, "sender_dependent_default_transport_maps", match.where);
    } else if (r == NOT_FOUND) {
        use_setting(f, f->d->conf->default_transport, "default_transport");
    }
    return r == FAILED ? FAILED : OK;
}

static enum result use_class(struct finding *f)
{
    const struct conf *c = f->d->conf;
    enum result r = OK;
    switch (f->way->class) {
    case CLASS_LOCAL:
        use_setting(f, c->local_transport, "local_transport");
        break;
    case CLASS_ALIAS:
        f->way->transport = SLICE("error");
        f->way->nexthop = c->show_user_unknown_table_name
                              ? SLICE("5.1.1 User unknown in virtual alias table")
                              : SLICE("5.1.1 User unknown");
        because_setting(f, "virtual_alias_domains");
        break;
    case CLASS_MAILBOX:
        use_setting(f, c->virtual_transport, "virtual_transport");
        break;
    case CLASS_RELAY:
        use_setting(f, c->relay_transport, "relay_transport");
        r = f->way->nexthop.len ? OK : use_relayhost(f);
        break;
    case CLASS_OTHER:
        r = use_default(f);
        if (r == OK && f->way->nexthop.len == 0)
            r = use_relayhost(f);
        break;
    }
    return r;
}

/* ---- transport_maps ---- */

static enum result find_domain(const struct finding *f, const struct tables *ts,
                               struct table_match *ret)
{
    const struct slice_list *parents = &f->d->conf->parent_domain_matches_subdomains;
    bool bare = false;
    for (size_t i = 0; i < parents->n; i++)
        bare = bare || slice_is(parents->items[i], "transport_maps");
    struct slice key = f->address->domain;
    for (;;) {
        enum result r = tables_find_partial(ts, key, f->arena, ret, f->err);
        size_t dot = slice_find(slice_from(key, 1), '.');
        if (r != NOT_FOUND)
            return r;
        if (key.len < 2 || key.data[0] == '[' || dot == SIZE_MAX)
            return tables_find_partial(ts, SLICE("*"), f->arena, ret, f->err);
        key = slice_from(key, dot + 1 + bare);
    }
}

/* The whole address, without its detail, its domain and that one's parents, "*". */
static enum result find_transport(const struct finding *f, struct table_match *ret)
{
    const struct map_set *set = &f->d->maps.of[MAP_transport_maps];
    struct slice text = address_text(f->address, f->arena);
    struct slice detail = table_address_detail(f->address->local, f->d->conf->recipient_delimiter);
    if (set->missing.len || !text.data)
        return error_set(f->err, FAILED, "a table of transport_maps could not be opened");
    enum result r = tables_find(&set->tables, text, f->arena, ret, f->err);
    if (r == NOT_FOUND && detail.len) {
        struct directory_address bare = *f->address;
        bare.local.len -= detail.len;
        text = address_text(&bare, f->arena);
        r = tables_find_partial(&set->tables, text, f->arena, ret, f->err);
    }
    return r == NOT_FOUND ? find_domain(f, &set->tables, ret) : r;
}

static enum result use_transport_maps(struct finding *f)
{
    struct table_match match;
    struct slice transport, nexthop;
    if (map_is_empty(&f->d->maps, MAP_transport_maps) || !f->address->domain.data)
        return OK;
    enum result r = find_transport(f, &match);
    if (r != OK)
        return r == NOT_FOUND ? OK : FAILED;
    split_transport(match.value, &transport, &nexthop);
    if (transport.len) {
        f->way->transport = transport;
        f->way->nexthop = nexthop.len                    ? nexthop
                          : slice_is(transport, "error") ? SLICE("Address is undeliverable")
                                                         : f->address->domain;
    } else if (nexthop.len) {
        f->way->nexthop = nexthop;
    }
    because(f, "transport_maps", match.where);
    return OK;
}

static enum result use_relocated(struct finding *f)
{
    struct table_match match;
    struct slice detail;
    const struct directory *d = f->d;
    if (map_is_empty(&d->maps, MAP_relocated_maps))
        return OK;
    enum result r =
        map_find_address(&d->maps, MAP_relocated_maps, f->address, d->conf->recipient_delimiter,
                         f->way->class == CLASS_LOCAL, f->arena, &match, &detail, f->err);
    if (r != OK)
        return r == NOT_FOUND ? OK : FAILED;
    const char *text =
        arena_printf(f->arena, "5.1.6 User has moved to %.*s", SLICE_ARG(match.value));
    f->way->transport = SLICE("error");
    f->way->nexthop = slice_cstr(text);
    because(f, "relocated_maps", match.where);
    return text ? OK : FAILED;
}

/* ---- here or there ---- */

/* /var/run is a link to /run. */
static struct slice without_var(struct slice path)
{
    return slice_starts(path, SLICE("/var/run/")) ? slice_from(path, 4) : path;
}

/* Is it a socket that we listen on ourselves, or the one that Dovecot made where its configuration,
 * which is ours now, says nothing else? Then the way ends here. */
static bool is_own_socket(const struct conf *c, struct slice nexthop)
{
    struct slice path = slice_from(nexthop, 5);
    if (c->dovecot_config.len && slice_is(without_var(path), "/run/dovecot/lmtp"))
        return true;
    for (size_t i = 0; i < c->listen.n; i++) {
        struct listen_url url;
        if (listen_parse(c->listen.items[i], &url) != OK || url.path.len == 0)
            continue;
        if (slice_eq(without_var(path), without_var(url.path)))
            return true;
        size_t dir = c->queue_directory.len;
        bool below = slice_starts(url.path, c->queue_directory) && url.path.len > dir + 1 &&
                     url.path.data[dir] == '/';
        if (below && slice_eq(path, slice_from(url.path, dir + 1)))
            return true;
    }
    return false;
}

static enum route_end end_of(const struct conf *c, const struct way *w)
{
    struct slice kind = conf_transport_kind(c, w->transport);
    if (slice_is(kind, "local"))
        return END_LOCAL;
    if (slice_is(kind, "virtual"))
        return END_MAILBOX;
    if (slice_is(kind, "mailbox"))
        return w->class == CLASS_LOCAL ? END_LOCAL : END_MAILBOX;
    if (slice_is(kind, "lmtp") && slice_starts(w->nexthop, SLICE("unix:")) &&
        is_own_socket(c, w->nexthop))
        return w->class == CLASS_LOCAL ? END_LOCAL : END_MAILBOX;
    return END_ROUTE;
}

enum result directory_way(const struct directory *d, const struct directory_address *address,
                          struct slice sender, struct arena *a, struct way *ret, struct error *err)
{
    struct way way = {.transport = SLICE(""), .nexthop = SLICE(""), .rule = ""};
    struct finding f = {d, address, sender, a, err, &way};
    enum result r = directory_class(d, address->domain, a, &way.class, &way.where, err);
    if (r == OK)
        r = use_class(&f);
    if (r == OK)
        r = use_transport_maps(&f);
    if (r == OK)
        r = use_relocated(&f);
    if (r != OK)
        return FAILED;
    if (way.nexthop.len == 0)
        way.nexthop = address->domain;
    way.end = end_of(d->conf, &way);
    *ret = way;
    return OK;
}

void directory_named_way(const struct directory *d, struct slice setting, const char *rule,
                         struct slice domain, struct way *ret)
{
    *ret = (struct way){
        .class = CLASS_LOCAL, .rule = rule, .where = slice_cstr(conf_source(d->conf, rule))};
    split_transport(setting, &ret->transport, &ret->nexthop);
    if (ret->nexthop.len == 0)
        ret->nexthop = domain;
    ret->end = end_of(d->conf, ret) == END_ROUTE ? END_ROUTE : END_MAILBOX;
}

struct slice way_route(const struct way *w, const struct directory_address *address,
                       struct arena *a)
{
    if (slice_is(w->transport, "smtp") && address->domain.data &&
        slice_eq_nocase(w->nexthop, address->domain))
        return SLICE("");
    char *text = arena_printf(a, "%.*s:%.*s", SLICE_ARG(w->transport), SLICE_ARG(w->nexthop));
    for (char *p = text; p && *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' '; /* a target's form knows tabs (ipc.h) */
    return slice_cstr(text);
}

/* ---- for others ---- */

enum result directory_route(const struct directory *d, struct slice text, struct slice sender,
                            struct arena *a, struct route_choice *ret, struct error *err)
{
    struct directory_address address;
    struct way way;
    if (directory_address_parse(text, a, &address) != OK) {
        *ret = (struct route_choice){SLICE(""), "", SLICE("")};
        return OK;
    }
    enum result r = directory_way(d, &address, sender, a, &way, err);
    if (r != OK)
        return FAILED;
    *ret = (struct route_choice){way_route(&way, &address, a), way.rule, way.where};
    return ret->route.data ? OK : error_set(err, FAILED, "out of memory");
}
