/* lines.h: main.cf's lines: "name = value", continued by lines that begin with white space. The
 * own file has them too, and "service/name = value" for what holds at one listener alone. */
#ifndef CONF_LINES_H
#define CONF_LINES_H

#include "conf/source.h"

/* Adds the assignments of the text to r->found; what is malformed goes to r->errors, with a
 * proposal, and is left out. `file` is kept. LIMIT, FAILED: told as errors too. */
MUST_USE enum result conf_read_lines(struct slice text, const char *file, enum conf_grammar grammar,
                                     struct conf_reading *r);

#endif
