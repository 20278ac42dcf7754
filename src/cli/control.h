/* control.h: asks the running server over the control socket in state_directory. */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H

#include "cli/cli.h"

enum { CLI_PATH_SIZE = 4096 };

/* "NAME in state_directory". Needs to read nothing of the configuration but where that is, since
 * the rest may be readable by root alone. False: told why. */
bool cli_state_path(struct cli *c, const char *name, char out[static CLI_PATH_SIZE]);

/* A connection. NOT_FOUND: the server does not run; else err says what is wrong. */
MUST_USE enum result control_open(struct cli *c, int *ret_fd, struct error *err);
/* Gives one command; what the server answers is appended to `out`, or printed when that is NULL.
 * OK; DENIED: it was not done, and err says why in the server's words. */
MUST_USE enum result control_ask(int fd, const char *const *words, size_t n, struct buf *out,
                                 struct error *err);

#endif
