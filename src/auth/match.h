/* match.h: Postfix's lists of domains (mydestination, relay_domains): names, tables whose keys are
 * names, and !name for what is not in the list. The first item that matches decides. Who calls it:
 * the directory. Immutable once it is filled. */
#ifndef AUTH_MATCH_H
#define AUTH_MATCH_H

#include "base/map.h"
#include "table/table.h"

struct match_item {
    const struct table *table; /* NULL: a name */
    bool negated;
};

struct match_list {
    struct map names; /* folded -> its item */
    struct match_item *items;
    size_t n, n_tables;
    bool parents; /* parent_domain_matches_subdomains: a name stands for its subdomains too, which
                     else ".name" does */
};

/* Finds the open table of a spec ("hash:/etc/postfix/domains"); NULL: it could not be opened. */
struct table_finder {
    const struct table *(*find)(void *arg, struct slice spec);
    void *arg;
};

void match_list_init(struct match_list *m, bool parents);
void match_list_release(struct match_list *m);
/* INVALID: no name and no table, or one that could not be opened. LIMIT: too many. */
MUST_USE enum result match_list_add(struct match_list *m, struct slice item,
                                    const struct table_finder *tables);
/* domain: folded. OK: it is in the list; *ret_where is the table's line, "" for a name in the list
 * itself. NOT_FOUND. FAILED: a table can't tell now. */
MUST_USE enum result match_list_find(const struct match_list *m, struct slice domain,
                                     struct arena *a, struct slice *ret_where, struct error *err);
/* One of its tables asks a server. */
bool match_list_waits(const struct match_list *m);

#endif
