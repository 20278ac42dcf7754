/* mapping.c: whose settings map the addresses of a message: those of all mail, or those of the
 * service that it came in by, where that has others (receive_override_options, or a cleanup service
 * of its own). Made with the directory, and immutable like it. */
#include "auth/directory_impl.h"

/* The label of the socket for sendmail(1), which is no listener of `listen`. */
#define SENDMAIL SLICE("sendmail")

static const enum directory_map mapped[] = {MAP_virtual_alias_maps,    MAP_canonical_maps,
                                            MAP_sender_canonical_maps, MAP_recipient_canonical_maps,
                                            MAP_sender_bcc_maps,       MAP_recipient_bcc_maps};

static bool same_list(struct slice_list a, struct slice_list b)
{
    bool same = a.n == b.n;
    for (size_t i = 0; same && i < a.n; i++)
        same = slice_eq(a.items[i], b.items[i]);
    return same;
}

#define MAPPING_LISTS(X)                                                                           \
    X(virtual_alias_maps)                                                                          \
    X(canonical_maps)                                                                              \
    X(canonical_classes)                                                                           \
    X(sender_canonical_maps)                                                                       \
    X(sender_canonical_classes)                                                                    \
    X(recipient_canonical_maps)                                                                    \
    X(recipient_canonical_classes)                                                                 \
    X(masquerade_domains)                                                                          \
    X(masquerade_exceptions)                                                                       \
    X(masquerade_classes)                                                                          \
    X(propagate_unmatched_extensions)                                                              \
    X(sender_bcc_maps)                                                                             \
    X(recipient_bcc_maps)

/* Do both map alike? always_bcc is asked of each service itself. */
static bool maps_alike(const struct conf *a, const struct conf *b)
{
#define SAME_LIST(name) same_list(a->name, b->name) &&
    return MAPPING_LISTS(SAME_LIST)
#undef SAME_LIST
                   a->virtual_alias_expansion_limit == b->virtual_alias_expansion_limit &&
           a->virtual_alias_recursion_limit == b->virtual_alias_recursion_limit &&
           a->virtual_alias_address_length_limit == b->virtual_alias_address_length_limit;
}

struct adding {
    struct directory *d;
    const struct table_finder *tables;
    void (*each_missing)(void *arg, const char *setting, struct slice spec);
    void *arg;
};

static enum result add(const struct adding *k, struct slice service)
{
    struct directory *d = k->d;
    struct mapping m = {.service = service, .conf = conf_for_service(d->conf, service)};
    m.off = conf_overrides(m.conf, "no_address_mappings");
    m.unchecked = conf_overrides(m.conf, "no_unknown_recipient_checks");
    bool alike = !m.off && maps_alike(m.conf, d->conf);
    if ((alike && !m.unchecked) || directory_mapping(d, service) != &d->mapping)
        return OK;
    struct map_sets *maps = alike ? NULL : ARENA_NEW(&d->mem, struct map_sets);
    if (!alike && !maps)
        return FAILED;
    enum result r = OK;
    for (size_t i = 0; r == OK && maps && !m.off && i < sizeof mapped / sizeof *mapped; i++)
        r = map_sets_open_one(maps, mapped[i], m.conf, k->tables, &d->mem, k->each_missing, k->arg);
    m.maps = maps ? maps : &d->maps;
    if (r == OK)
        d->own[d->n_own++] = m;
    return r;
}

enum result directory_add_mappings(struct directory *d, const struct table_finder *tables,
                                   void (*each_missing)(void *arg, const char *setting,
                                                        struct slice spec),
                                   void *arg)
{
    const struct adding k = {d, tables, each_missing, arg};
    struct listen_url u;
    d->mapping = (struct mapping){.service = SLICE(""), .conf = d->conf, .maps = &d->maps};
    d->own = arena_alloc_n(&d->mem, d->conf->listen.n + 1, sizeof *d->own);
    enum result r = d->own ? add(&k, SENDMAIL) : FAILED;
    for (size_t i = 0; r == OK && i < d->conf->listen.n; i++)
        if (listen_parse(d->conf->listen.items[i], &u) == OK)
            r = add(&k, u.label);
    return r;
}

const struct mapping *directory_mapping(const struct directory *d, struct slice service)
{
    for (size_t i = 0; service.len && i < d->n_own; i++)
        if (slice_eq(d->own[i].service, service))
            return &d->own[i];
    return &d->mapping;
}

bool directory_mapping_waits(const struct directory *d)
{
    for (size_t i = 0; i < d->n_own; i++)
        if (d->own[i].maps->waits)
            return true;
    return false;
}
