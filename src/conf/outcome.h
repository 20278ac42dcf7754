/* outcome.h: what became of the last reload, as text: the file `reload` in state_directory, by
 * which `postrider reload` learns what the server made of the new configuration. The master writes
 * it (role/master/state.c) when it begins to read and at each step after that; cli/service.c reads
 * it. "NUMBER WORD", then the errors of a refused one, a line each. */
#ifndef CONF_OUTCOME_H
#define CONF_OUTCOME_H

#include <stdint.h>

#include "base/buf.h"
#include "base/result.h"

enum { CONF_OUTCOME_MAX = 256 * 1024 };

enum conf_outcome_step {
    CONF_OUTCOME_READING,
    CONF_OUTCOME_REFUSED,  /* nothing changed */
    CONF_OUTCOME_TAKEN,    /* checked; the roles are being told */
    CONF_OUTCOME_IN_FORCE, /* every role works with it */
};

struct conf_outcome {
    uint64_t number; /* of the reload, counted from the server's start; 0: there was none yet */
    enum conf_outcome_step step;
    struct slice errors; /* of a refused one; borrowed */
};

/* Errors that do not fit are cut. */
void conf_outcome_format(const struct conf_outcome *o, struct buf *out);
/* INVALID: it is not such a text. */
MUST_USE enum result conf_outcome_parse(struct slice text, struct conf_outcome *ret);

#endif
