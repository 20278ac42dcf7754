#include "content/set.h"

#include <stdatomic.h>
#include <stdlib.h>

/* A table that several settings name is opened once. */
static const struct table *open_one(const struct content_source *s, struct content_set *c,
                                    struct slice spec)
{
    const struct table *t = NULL;
    struct error err = {""};
    for (size_t i = 0; i < c->n_opened; i++)
        if (slice_eq(table_name(c->opened[i]), spec))
            return c->opened[i];
    enum result r = table_open(spec, s->reader, s->problem, s->arg, &t, &err);
    if (r != OK) {
        s->failed(s->arg, spec, err.text);
        c->broken = true;
        return NULL;
    }
    c->opened[c->n_opened++] = t;
    return t;
}

static enum result open_list(const struct content_source *s, struct content_set *c,
                             enum content_class class)
{
    struct slice_list specs = s->specs[class];
    struct tables *ret = &c->checks.tables[class];
    ret->items = calloc(specs.n + 1, sizeof *ret->items);
    if (!ret->items)
        return FAILED;
    for (size_t i = 0; i < specs.n; i++) {
        const struct table *t = open_one(s, c, specs.items[i]);
        if (t)
            ret->items[ret->n++] = t;
        c->checks.waits[class] |= t && table_waits(t);
    }
    return OK;
}

struct content_set *content_set_ref(struct content_set *c)
{
    if (c)
        atomic_fetch_add(&c->refs, 1);
    return c;
}

void content_set_unref(struct content_set *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    for (size_t i = 0; i < c->n_opened; i++)
        table_close(c->opened[i]);
    for (unsigned i = 0; i < CONTENT_CLASSES; i++)
        free((void *)c->checks.tables[i].items);
    free((void *)c->opened);
    free(c);
}

enum result content_set_open(const struct content_source *s, struct content_set **ret)
{
    size_t n = 0;
    for (unsigned i = 0; i < CONTENT_CLASSES; i++)
        n += s->specs[i].n;
    struct content_set *c = n ? calloc(1, sizeof *c) : NULL;
    if (n && !c)
        return FAILED;
    if (c) {
        atomic_init(&c->refs, 1);
        c->checks.header_size_limit = s->header_size_limit;
        c->checks.body_checks_size_limit = s->body_checks_size_limit;
        c->checks.line_length_limit = s->line_length_limit;
        c->checks.disable_mime = s->disable_mime;
        c->opened = calloc(n, sizeof *c->opened);
    }
    enum result r = !c || c->opened ? OK : FAILED;
    for (unsigned i = 0; c && r == OK && i < CONTENT_CLASSES; i++)
        r = open_list(s, c, (enum content_class)i);
    if (r == OK)
        *ret = c;
    else
        content_set_unref(c);
    return r;
}
