/* check_targets.c: config check on entries whose targets have no domain, where $myorigin is no
 * domain of ours: each becomes user@$myorigin, and its mail leaves by the MX of that. Who wrote
 * "sales: bob" meant bob here. */
#include <stdio.h>

#include "auth/aliases.h"
#include "cli/check_tables.h"
#include "cli/table_reader.h"
#include "conf/source.h"
#include "mime/address.h"

enum { ARENA_MAX = 64 << 20, TOLD_MAX = 100 };

struct checking {
    const struct conf *conf;
    const struct table_set *set;
    const struct table *table;
    struct arena arena;
    struct slice key;
    unsigned told;
    struct conf_errors *errors;
};

/* A table in mydestination may hold it: then nothing is said. */
static bool origin_may_be_ours(const struct conf *c)
{
    for (size_t i = 0; i < c->mydestination.n; i++) {
        struct slice item = c->mydestination.items[i];
        if (slice_eq_nocase(item, c->myorigin) || slice_find(item, ':') != SIZE_MAX ||
            slice_find(item, '/') != SIZE_MAX)
            return true;
    }
    return false;
}

static void tell(struct checking *k, const char *setting, struct slice where, struct slice target)
{
    const char *place = arena_printf(&k->arena, "%.*s", SLICE_ARG(where));
    if (!place || k->told++ >= TOLD_MAX)
        return;
    conf_warn(
        k->errors, place, 0,
        "%s: %.*s leads to %.*s, which means %.*s@%.*s; $myorigin is not in mydestination, so "
        "such mail leaves this host: write a domain behind it",
        setting, SLICE_ARG(k->key), SLICE_ARG(target), SLICE_ARG(target),
        SLICE_ARG(k->conf->myorigin));
}

/* ---- virtual_alias_maps ---- */

static bool look_at(void *arg, const struct address_item *item)
{
    struct checking *k = arg;
    struct table_match match;
    struct error err = {""};
    if (item->kind == ADDRESS_MAILBOX && item->local.len && item->domain.len == 0 &&
        table_find(k->table, k->key, &k->arena, &match, &err) == OK)
        tell(k, "virtual_alias_maps", match.where, item->local);
    return true;
}

static void look_at_entry(void *arg, struct slice key, struct slice value)
{
    struct checking *k = arg;
    k->key = key;
    if (value.len && value.data[0] != '@') /* "@other": the same user there */
        (void)address_list_each(value, look_at, k);
}

/* Of a table that can't tell its entries, or could not be opened, nothing is known. */
static void check_table(struct checking *k, struct slice spec)
{
    k->table = table_set_find(k->set, spec);
    if (k->table && table_each(k->table, look_at_entry, k) != OK)
        return;
}

/* ---- alias_maps ---- */

static void look_at_alias(void *arg, const struct alias *a)
{
    struct checking *k = arg;
    k->key = a->key;
    for (size_t i = 0; i < a->targets.n; i++) {
        struct slice t = a->targets.items[i];
        const char *where = arena_printf(&k->arena, "%.*s:%u", SLICE_ARG(a->file), a->line);
        if (where && alias_item_kind(t) == ITEM_ADDRESS && slice_find(t, '@') == SIZE_MAX &&
            t.data[0] != '\\')
            tell(k, "alias_maps", slice_cstr(where), t);
    }
}

static void check_alias_file(void *arg, struct slice path)
{
    struct checking *k = arg;
    struct aliases *t = NULL;
    struct error err = {""};
    struct buf bytes;
    buf_init(&bytes, ALIASES_BYTES_MAX);
    if (cli_table_reader.read(NULL, path, &bytes, &err) == OK && aliases_new(&t) == OK &&
        aliases_add(t, path, 0, buf_slice(&bytes), NULL, NULL) == OK)
        aliases_each(t, look_at_alias, k);
    aliases_free(t);
    buf_release(&bytes);
}

void cli_check_targets(const struct conf *c, const struct table_set *set,
                       struct conf_errors *errors)
{
    struct checking k = {.conf = c, .set = set, .errors = errors};
    struct error err = {""};
    if (origin_may_be_ours(c))
        return;
    arena_init(&k.arena, ARENA_MAX);
    for (size_t i = 0; i < c->virtual_alias_maps.n; i++)
        check_table(&k, c->virtual_alias_maps.items[i]);
    for (size_t i = 0; i < c->alias_maps.n; i++) {
        enum result ignored = table_files(c->alias_maps.items[i], check_alias_file, &k, &err);
        (void)ignored; /* of no such form: the server reports it */
    }
    if (k.told > TOLD_MAX)
        conf_warn(errors, "tables", 0, "%u more targets without a domain", k.told - TOLD_MAX);
    arena_release(&k.arena);
}
