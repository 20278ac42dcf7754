/* snapshot.h: what stands behind struct conf; of conf.c (the snapshot) and load.c (which makes it).
 */
#ifndef CONF_SNAPSHOT_H
#define CONF_SNAPSHOT_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/list.h"
#include "conf/table.h"

enum { CONF_SERVICES_MAX = 250, CONF_CLASSES_MAX = 256 };

/* A restriction class (smtpd_restriction_classes): a name that stands for a list. */
struct conf_class {
    struct slice name, value;
    const char *source; /* "main.cf:12" */
    struct slice_list items;
};

struct snapshot {
    struct conf conf;
    atomic_uint references;
    struct arena arena;
    struct slice values[CONF_SETTING_COUNT]; /* effective, as text */
    const char *sources[CONF_SETTING_COUNT];
    struct conf_class *classes;
    size_t n_classes;
    struct snapshot *parent;    /* of a service's snapshot: the one that it is part of */
    struct slice service;       /* "submission" */
    struct snapshot **services; /* each with all values */
    size_t n_services;
};

static inline struct snapshot *snapshot_of(const struct conf *c)
{
    return CONTAINER_OF(c, struct snapshot, conf);
}

/* NULL: no memory. */
struct snapshot *snapshot_new(void);
/* A part for a service, empty; NULL: no memory, or too many. */
struct snapshot *snapshot_add_service(struct snapshot *s, struct slice service);
/* Takes a class from its text; source is copied. */
MUST_USE enum result snapshot_add_class(struct snapshot *s, struct slice name, struct slice value,
                                        const char *source, struct error *why);
/* Has a service a setting otherwise than the whole, or from elsewhere? */
bool snapshot_differs(const struct snapshot *part, size_t i);

#endif
