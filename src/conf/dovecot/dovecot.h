/* dovecot.h: dovecot.conf as assignments of our own settings. Who calls it: conf.c, where
 * dovecot_config names a file, and `config import`.
 *
 * Every line of theirs is served, or told of: what is known and not served, obsolete or unknown
 * gets a note with its effect and what to do; what would weaken security if it were ignored is an
 * error. Values are literal: a $ in them stands for itself. */
#ifndef CONF_DOVECOT_DOVECOT_H
#define CONF_DOVECOT_DOVECOT_H

#include "conf/dovecot/tree.h"

struct dovecot_sink {
    /* Slices and texts live in the arena. */
    void (*set)(void *arg, const char *name, struct slice value, const char *file, unsigned line);
    void (*note)(void *arg, const char *file, unsigned line, const char *text);
    void *arg;
};

/* INVALID: `errors` has them. */
MUST_USE enum result dovecot_read(const struct dovecot_source *source, const char *path,
                                  struct arena *a, const struct dovecot_sink *sink,
                                  struct conf_errors *errors);

/* What holds where a dovecot.conf is used and says nothing: Dovecot's defaults of our settings,
 * where they differ from ours. The last has name NULL. */
struct dovecot_default {
    const char *name, *value;
};
extern const struct dovecot_default dovecot_defaults[];

#endif
