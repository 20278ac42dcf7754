#include "table/set.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/map.h"
#include "table/impl.h"

struct table_set {
    atomic_uint refs;
    struct map by_spec;
};

enum result table_set_new(struct table_set **ret)
{
    struct table_set *s = calloc(1, sizeof *s);
    if (!s)
        return FAILED;
    atomic_init(&s->refs, 1);
    map_init(&s->by_spec, TABLE_SET_MAX);
    *ret = s;
    return OK;
}

enum result table_set_add(struct table_set *s, struct slice spec, const struct table_reader *reader,
                          table_problem_fn *problem, void *arg, struct error *err)
{
    const struct table *t = NULL;
    struct error why = {""};
    if (map_get(&s->by_spec, spec))
        return OK;
    enum result r = table_open(spec, reader, problem, arg, &t, &why);
    if (r != OK) {
        error_set(err, r, "%s", why.text);
        if (table_open_broken(spec, why.text, &t) != OK)
            return FAILED;
    }
    enum result kept = map_put(&s->by_spec, spec, (void *)t);
    if (kept != OK) {
        table_close(t);
        return error_set(err, FAILED, "%.*s: too many tables, or no memory", SLICE_ARG(spec));
    }
    return r;
}

const struct table *table_set_find(const struct table_set *s, struct slice spec)
{
    return map_get(&s->by_spec, spec);
}

size_t table_set_count(const struct table_set *s)
{
    return s->by_spec.used;
}

struct table_set *table_set_ref(const struct table_set *s)
{
    struct table_set *mine = (struct table_set *)s;
    atomic_fetch_add(&mine->refs, 1);
    return mine;
}

void table_set_unref(const struct table_set *s)
{
    struct table_set *mine = (struct table_set *)s;
    size_t at = 0;
    struct slice key;
    void *value;
    if (!s || atomic_fetch_sub(&mine->refs, 1) != 1)
        return;
    while (map_next(&mine->by_spec, &at, &key, &value))
        table_close(value);
    map_release(&mine->by_spec);
    free(mine);
}
