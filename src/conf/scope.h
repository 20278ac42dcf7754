/* scope.h: the layers of a configuration, and which of them says what a name means: the own file,
 * then the old stack's files, then their programs' defaults (where their files are used), then
 * ours. What is said for one service comes before what is said for all. */
#ifndef CONF_SCOPE_H
#define CONF_SCOPE_H

#include "conf/expand.h"

enum conf_layer {
    CONF_LAYER_OWN,
    CONF_LAYER_POSTFIX,
    CONF_LAYER_DOVECOT,
    CONF_LAYER_CYRUS,
    CONF_LAYER_DEFAULTS, /* of their programs, as the readers gave them */
    CONF_LAYERS
};

struct conf_scope {
    struct conf_assignments layers[CONF_LAYERS];
    bool postfix;              /* Postfix's defaults hold */
    struct slice service;      /* "": what holds for all */
    struct slice host, domain; /* computed myhostname and mydomain */
};

/* What a name means, before expansion. */
struct conf_raw {
    struct slice value;
    enum conf_grammar grammar;
    struct conf_assignment *from; /* NULL: a default */
    const char *fallback; /* whose default, when it is one: "default", "Postfix's default" */
};

/* False: no such name. */
bool conf_scope_find(struct conf_scope *s, struct slice name, struct conf_raw *ret);
/* The assignment that decides, or NULL. */
struct conf_assignment *conf_scope_assignment(struct conf_scope *s, struct slice name);
/* The last one in a layer that holds for all services, or NULL. */
struct conf_assignment *conf_layer_find(const struct conf_assignments *layer, struct slice name);
/* The name's value, expanded, trimmed, in the arena. */
MUST_USE enum result conf_scope_value(struct conf_scope *s, struct slice name, struct arena *a,
                                      struct slice *ret, struct error *why);
/* Any text, expanded. */
MUST_USE enum result conf_scope_expand(struct conf_scope *s, struct slice text,
                                       enum conf_grammar grammar, struct arena *a,
                                       struct slice *ret, struct error *why);
/* Computes `host` and `domain` from the system's name and what the layers say. */
MUST_USE enum result conf_scope_names(struct conf_scope *s, struct arena *a);

#endif
