/* set.h: the tables of a configuration for checks.h, opened: one immutable snapshot that threads
 * share. edge runs messages through it, auth looks single lines up in it. */
#ifndef CONTENT_SET_H
#define CONTENT_SET_H

#include "content/checks.h"

struct content_set {
    struct content_checks checks;
    bool broken; /* a table could not be opened: no message should pass */
    /* The set's own. */
    _Atomic unsigned refs;
    const struct table **opened;
    size_t n_opened;
};

struct content_source {
    struct slice_list specs[CONTENT_CLASSES];
    size_t header_size_limit, body_checks_size_limit, line_length_limit;
    bool disable_mime;
    const struct table_reader *reader;
    table_problem_fn *problem;                                     /* a line of a file */
    void (*failed)(void *arg, struct slice spec, const char *why); /* a table */
    void *arg;
};

/* *ret is NULL where no table is named. FAILED: no memory. */
MUST_USE enum result content_set_open(const struct content_source *s, struct content_set **ret);
/* NULL is fine for both. */
struct content_set *content_set_ref(struct content_set *c);
void content_set_unref(struct content_set *c);

#endif
