/* size.h: sizes with a unit, as Dovecot writes them: "10M", "1 GiB", "500k". */
#ifndef CONF_SIZE_H
#define CONF_SIZE_H

#include "base/slice.h"

/* unit: bytes of one where the text names none. INVALID: not a size. */
MUST_USE enum result conf_size_parse(struct slice text, uint64_t unit, uint64_t *ret);
/* A number and the word behind it, if any. */
MUST_USE enum result conf_number_and_unit(struct slice text, uint64_t *ret, struct slice *ret_unit);

#endif
