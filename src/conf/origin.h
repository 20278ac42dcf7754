/* origin.h: struct conf_origin as text: the file `origin` in state_directory, by which the command
 * line knows from which files the running server has its configuration. The master writes it when
 * it starts, cli/running.c reads it. Lines "name value": config, optional, postfix, dovecot, sasl;
 * values are absolute paths, or "yes". */
#ifndef CONF_ORIGIN_H
#define CONF_ORIGIN_H

#include "base/arena.h"
#include "base/buf.h"
#include "conf/conf.h"

enum { CONF_ORIGIN_MAX = 64 * 1024 };

/* Relative paths begin at the working directory. INVALID: a path has a line end in it; FAILED: the
 * working directory is unknown, or it does not fit. */
MUST_USE enum result conf_origin_format(const struct conf_origin *o, struct buf *out);
/* Texts come from the arena. INVALID: it is not such a text, or a path in it is relative. */
MUST_USE enum result conf_origin_parse(struct slice text, struct arena *a, struct conf_origin *ret);

#endif
