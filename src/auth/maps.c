#include "auth/maps.h"

#include <stddef.h>

static const struct {
    const char *name;
    size_t offset; /* of the setting in struct conf */
} settings[MAP_COUNT] = {
#define MAP_SETTING(name) {#name, offsetof(struct conf, name)},
    DIRECTORY_MAPS(MAP_SETTING)};

const char *directory_map_name(enum directory_map m)
{
    return settings[m].name;
}

/* What local_recipient_maps means by the accounts and aliases themselves is no table: local.c knows
 * them. */
static bool is_accounts(enum directory_map m, const struct conf *c, struct slice spec)
{
    if (m != MAP_local_recipient_maps)
        return false;
    for (size_t i = 0; i < c->alias_maps.n; i++)
        if (slice_eq(spec, c->alias_maps.items[i]))
            return true;
    return slice_ends_nocase(spec, SLICE("unix:passwd.byname"));
}

static enum result open_set(struct map_sets *s, enum directory_map m, const struct conf *c,
                            struct slice_list specs, const struct table_finder *tables,
                            struct arena *a)
{
    struct map_set *set = &s->of[m];
    const struct table **items = arena_alloc_n(a, specs.n + 1, sizeof(struct table *));
    if (!items)
        return FAILED;
    *set = (struct map_set){.tables = {items, 0}, .missing = SLICE("")};
    for (size_t i = 0; i < specs.n; i++) {
        if (is_accounts(m, c, specs.items[i]))
            continue;
        const struct table *t = tables->find ? tables->find(tables->arg, specs.items[i]) : NULL;
        if (!t) {
            set->missing = specs.items[i];
            continue;
        }
        items[set->tables.n++] = t;
        s->any = true;
        s->waits = s->waits || table_waits(t);
    }
    return OK;
}

enum result map_sets_open_one(struct map_sets *s, enum directory_map m, const struct conf *c,
                              const struct table_finder *tables, struct arena *a,
                              void (*each_missing)(void *arg, const char *setting,
                                                   struct slice spec),
                              void *arg)
{
    const struct slice_list *specs =
        (const struct slice_list *)((const char *)c + settings[m].offset);
    if (open_set(s, m, c, *specs, tables, a) != OK)
        return FAILED;
    if (s->of[m].missing.len)
        each_missing(arg, settings[m].name, s->of[m].missing);
    return OK;
}

enum result map_sets_open(struct map_sets *s, const struct conf *c,
                          const struct table_finder *tables, struct arena *a,
                          void (*each_missing)(void *arg, const char *setting, struct slice spec),
                          void *arg)
{
    enum result r = OK;
    *s = (struct map_sets){.any = false};
    for (enum directory_map m = 0; r == OK && m < MAP_COUNT; m++)
        r = map_sets_open_one(s, m, c, tables, a, each_missing, arg);
    return r;
}

static enum result check_missing(const struct map_set *set, struct error *err)
{
    if (set->missing.len == 0)
        return OK;
    return error_set(err, FAILED, "the table %.*s could not be opened", SLICE_ARG(set->missing));
}

enum result map_find_key(const struct map_sets *s, enum directory_map m, struct slice key,
                         struct arena *a, struct table_match *ret, struct error *err)
{
    enum result r = check_missing(&s->of[m], err);
    return r == OK ? tables_find(&s->of[m].tables, key, a, ret, err) : r;
}

struct slice address_key(const struct directory_address *address, struct arena *a)
{
    const char *text =
        address->domain.data
            ? arena_printf(a, "%.*s@%.*s", SLICE_ARG(address->local), SLICE_ARG(address->domain))
            : arena_printf(a, "%.*s", SLICE_ARG(address->local));
    return slice_cstr(text);
}

enum result map_find_address(const struct map_sets *s, enum directory_map m,
                             const struct directory_address *address, struct slice delimiters,
                             bool local_domain, struct arena *a, struct table_match *ret,
                             struct slice *ret_detail, struct error *err)
{
    const struct map_set *set = &s->of[m];
    enum result r = check_missing(set, err);
    if (r != OK)
        return r;
    if (set->tables.n == 0)
        return NOT_FOUND;
    struct slice text = address_key(address, a);
    if (!text.data)
        return error_set(err, FAILED, "out of memory");
    return tables_find_address(&set->tables, text, delimiters, local_domain, a, ret, ret_detail,
                               err);
}

/* ---- results ---- */

struct reading {
    const struct directory_address *from;
    struct slice detail;
    struct arena *arena;
    struct directory_address *list;
    size_t n, limit;
    enum result r;
};

static struct slice with_detail(struct slice local, struct slice detail, struct arena *a)
{
    if (detail.len == 0)
        return local;
    return slice_cstr(arena_printf(a, "%.*s%.*s", SLICE_ARG(local), SLICE_ARG(detail)));
}

static bool take_item(void *arg, const struct address_item *item)
{
    struct reading *r = arg;
    struct directory_address *to;
    if (item->kind != ADDRESS_MAILBOX)
        return true;
    if (r->n == r->limit) {
        r->r = LIMIT;
        return false;
    }
    to = &r->list[r->n];
    *to = (struct directory_address){arena_dup(r->arena, item->local), SLICE_NONE};
    if (item->domain.len && domain_fold(item->domain, r->arena, &to->domain) != OK) {
        r->r = INVALID;
        return true;
    }
    to->local = with_detail(to->local, r->detail, r->arena);
    if (!to->local.data) {
        r->r = FAILED;
        return false;
    }
    r->n += to->local.len > 0;
    return true;
}

enum result map_addresses(struct slice value, const struct directory_address *from,
                          struct slice detail, size_t limit, struct arena *a,
                          struct directory_address **ret, size_t *ret_n)
{
    size_t most = 1;
    for (size_t i = 0; i < value.len; i++)
        most += value.data[i] == ',';
    struct reading r = {.from = from, .detail = detail, .arena = a, .limit = limit, .r = OK};
    if (most > limit)
        most = limit;
    r.list = arena_alloc_n(a, most + 1, sizeof *r.list);
    if (!r.list)
        return FAILED;
    r.limit = most;
    value = slice_trim(value);
    if (value.len > 1 && value.data[0] == '@') {
        r.list[0].local = from->local;
        r.n = 1;
        r.r = domain_fold(slice_from(value, 1), a, &r.list[0].domain);
    } else {
        (void)address_list_each(value, take_item, &r);
    }
    if (r.r == OK && (r.n == 0 || arena_failed(a)))
        r.r = arena_failed(a) ? FAILED : INVALID;
    if (r.r == INVALID && r.n > 0)
        r.r = OK; /* what can be read of it is served */
    if (r.r != OK)
        return r.r;
    *ret = r.list;
    *ret_n = r.n;
    return OK;
}
