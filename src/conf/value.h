/* value.h: from the text of a value to the value: kinds, limits and the words that a setting takes.
 */
#ifndef CONF_VALUE_H
#define CONF_VALUE_H

#include "base/arena.h"
#include "conf/table.h"

/* Parses and checks; stores into `c` at the setting's offset. On INVALID `why` holds the reason and
 * the proposal, without the parameter's name. */
MUST_USE enum result conf_set_value(struct conf *c, const struct conf_setting *s, struct slice text,
                                    struct arena *a, struct error *why);

/* A list of tables or restrictions: separated by commas and white space, what stands in { } kept
 * together. */
MUST_USE enum result conf_parse_maps(struct slice text, struct arena *a, struct slice_list *ret,
                                     struct error *why);

/* "`x` is not one of: …", where it is none of the words (NULL ends them). */
MUST_USE enum result conf_one_of(struct slice text, struct error *why, const char *const *words);
/* Empty, or an absolute path; a leading < is allowed. */
MUST_USE enum result conf_check_path(struct slice text, struct error *why);

#endif
