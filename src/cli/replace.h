/* replace.h: a file written anew in one step, for commands that change configuration files. */
#ifndef CLI_REPLACE_H
#define CLI_REPLACE_H

#include <sys/types.h>

#include "base/result.h"
#include "base/slice.h"

/* It keeps its owner and mode; where there is none it is made with `mode`. Whatever fails, the old
 * file stays as it is. */
MUST_USE enum result cli_replace(const char *path, mode_t mode, struct slice bytes,
                                 struct error *err);

#endif
