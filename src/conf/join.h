/* join.h: settings that several of the old stack's programs have a part in: the listeners of
 * Postfix and Dovecot together, and the sockets that only one of two programs can serve. Who calls
 * it: load.c, when all layers are read and before their values are taken. */
#ifndef CONF_JOIN_H
#define CONF_JOIN_H

#include "conf/scope.h"

/* What is joined goes to Postfix's layer, the first of theirs. */
MUST_USE enum result conf_join(struct conf_scope *s, struct conf_reading *r);

#endif
