#include "table/index.h"

#include <stdlib.h>

enum result table_index_add(struct table_index *x, struct table_entry e)
{
    if (x->n == TABLE_ENTRIES_MAX)
        return LIMIT;
    if (x->n == x->size) {
        size_t size = x->size ? 2 * x->size : 16;
        struct table_entry *grown = realloc(x->items, size * sizeof *grown);
        if (!grown)
            return FAILED;
        x->items = grown;
        x->size = size;
    }
    x->items[x->n++] = e;
    return OK;
}

static int compare(const void *a, const void *b)
{
    const struct table_entry *x = a, *y = b;
    int order = slice_cmp(x->key, y->key);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

void table_index_sort(struct table_index *x,
                      void (*repeated)(void *arg, const struct table_entry *e), void *arg)
{
    size_t kept = 0;
    if (x->n == 0)
        return;
    qsort(x->items, x->n, sizeof *x->items, compare);
    for (size_t i = 1; i < x->n; i++) {
        if (slice_eq(x->items[i].key, x->items[kept].key))
            repeated(arg, &x->items[i]);
        else
            x->items[++kept] = x->items[i];
    }
    x->n = x->size = kept + 1;
    struct table_entry *exact = realloc(x->items, x->n * sizeof *exact);
    if (exact)
        x->items = exact;
}

const struct table_entry *table_index_find(const struct table_index *x, struct slice key)
{
    size_t low = 0, high = x->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = slice_cmp(key, x->items[middle].key);
        if (order == 0)
            return &x->items[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

void table_index_release(struct table_index *x)
{
    free(x->items);
    *x = (struct table_index){0};
}
