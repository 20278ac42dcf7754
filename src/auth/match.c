#include "auth/match.h"

#include "auth/address.h"

#include <stdlib.h>

enum { ITEMS_MAX = 100000, FOLD_ARENA = 4096 };

void match_list_init(struct match_list *m, bool parents)
{
    *m = (struct match_list){.parents = parents};
    map_init(&m->names, ITEMS_MAX);
}

void match_list_release(struct match_list *m)
{
    map_release(&m->names);
    free(m->items);
}

/* Room for one more, not counted yet; what the map points to are indices, so it may move. */
static struct match_item *room(struct match_list *m)
{
    size_t n = m->n;
    if ((n & (n - 1)) == 0) { /* full at each power of two */
        struct match_item *more = realloc(m->items, (n ? 2 * n : 1) * sizeof *more);
        if (!more)
            return NULL;
        m->items = more;
    }
    return &m->items[n];
}

/* The map holds the item's number plus one, as a pointer that nobody follows. */
static void *number_of(size_t i)
{
    return (void *)(uintptr_t)(i + 1);
}

static enum result add_name(struct match_list *m, struct slice name)
{
    struct arena a;
    struct slice folded;
    arena_init(&a, FOLD_ARENA);
    bool below = name.len > 1 && name.data[0] == '.';
    enum result r = domain_fold(slice_from(name, below), &a, &folded);
    if (r == OK && below) {
        const char *text = arena_printf(&a, ".%.*s", SLICE_ARG(folded));
        folded = slice_cstr(text);
        r = text ? OK : FAILED;
    }
    if (r == OK)
        r = map_put(&m->names, folded, number_of(m->n));
    arena_release(&a);
    return r;
}

/* "type:name"; an address literal's colons stand in brackets. */
static bool is_table(struct slice item)
{
    return item.len && item.data[0] != '[' &&
           (slice_find(item, ':') != SIZE_MAX || item.data[0] == '/');
}

enum result match_list_add(struct match_list *m, struct slice item,
                           const struct table_finder *tables)
{
    bool negated = item.len && item.data[0] == '!';
    struct slice rest = slice_from(item, negated);
    struct match_item *to = m->n < ITEMS_MAX ? room(m) : NULL;
    if (!to)
        return m->n < ITEMS_MAX ? FAILED : LIMIT;
    *to = (struct match_item){.negated = negated};
    if (is_table(rest)) {
        to->table = tables->find ? tables->find(tables->arg, rest) : NULL;
        if (!to->table)
            return INVALID;
        m->n_tables++;
    } else {
        enum result r = add_name(m, rest);
        if (r != OK)
            return r == EXISTS ? OK : r; /* the first counts */
    }
    m->n++;
    return OK;
}

/* The keys under which a domain is found: itself, then its parents, with the dot in front where a
 * name does not stand for its subdomains. False: no more. */
static bool next_key(const struct match_list *m, struct slice *key)
{
    size_t dot = slice_find(slice_from(*key, 1), '.');
    if (key->len < 2 || dot == SIZE_MAX || key->data[0] == '[')
        return false;
    *key = slice_from(*key, dot + 1 + m->parents);
    return key->len > 0;
}

static size_t find_name(const struct match_list *m, struct slice domain)
{
    size_t best = SIZE_MAX;
    struct slice key = domain;
    do {
        uintptr_t number = (uintptr_t)map_get(&m->names, key);
        if (number && number - 1 < best)
            best = number - 1;
    } while (next_key(m, &key));
    return best;
}

static enum result find_in_table(const struct match_list *m, const struct table *t,
                                 struct slice domain, struct arena *a, struct table_match *match,
                                 struct error *err)
{
    struct slice key = domain;
    do {
        enum result r = table_find(t, key, a, match, err);
        if (r != NOT_FOUND || table_has_patterns(t))
            return r;
    } while (next_key(m, &key));
    return NOT_FOUND;
}

enum result match_list_find(const struct match_list *m, struct slice domain, struct arena *a,
                            struct slice *ret_where, struct error *err)
{
    size_t named = find_name(m, domain);
    size_t before = named == SIZE_MAX ? m->n : named;
    struct table_match match;
    for (size_t i = 0; m->n_tables && i < before; i++) {
        const struct match_item *item = &m->items[i];
        enum result r =
            item->table ? find_in_table(m, item->table, domain, a, &match, err) : NOT_FOUND;
        if (r == NOT_FOUND)
            continue;
        if (r != OK || item->negated)
            return r == OK ? NOT_FOUND : FAILED;
        *ret_where = match.where;
        return OK;
    }
    if (named == SIZE_MAX || m->items[named].negated)
        return NOT_FOUND;
    *ret_where = SLICE("");
    return OK;
}

bool match_list_waits(const struct match_list *m)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->items[i].table && table_waits(m->items[i].table))
            return true;
    return false;
}
