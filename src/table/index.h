/* index.h: keys and values of a table of exact keys: an array that is sorted once and then searched
 * by halves. It costs 40 bytes an entry beside the text that it points to. */
#ifndef TABLE_INDEX_H
#define TABLE_INDEX_H

#include "base/arena.h"

enum { TABLE_ENTRIES_MAX = 4 * 1000 * 1000 };

struct table_entry {
    struct slice key, value;
    unsigned line;
};

struct table_index {
    struct table_entry *items;
    size_t n, size;
};

/* Key and value must outlive the index. LIMIT, or FAILED: no memory. */
MUST_USE enum result table_index_add(struct table_index *x, struct table_entry e);
/* Sorts; of entries with one key the first stays, and `repeated` is told of each other. */
void table_index_sort(struct table_index *x,
                      void (*repeated)(void *arg, const struct table_entry *e), void *arg);
/* NULL: none. */
const struct table_entry *table_index_find(const struct table_index *x, struct slice key);
void table_index_release(struct table_index *x);

#endif
