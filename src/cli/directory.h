/* directory.h: the directory (accounts, aliases, address maps) as the command line sees it: from
 * the files that the configuration names, read with the caller's rights. */
#ifndef CLI_DIRECTORY_H
#define CLI_DIRECTORY_H

#include "auth/directory.h"
#include "table/set.h"

/* What is wrong in the files is told on stderr. FAILED: no memory, or a file can't be read. */
MUST_USE enum result cli_directory_open(const struct conf *c, const struct directory **ret,
                                        struct error *err);
/* The same with tables that are open already, which the directory takes a reference of. What is
 * wrong is told to `problem`: with line 0 what is so with a whole file. */
MUST_USE enum result cli_directory_of(const struct conf *c, struct table_set *set,
                                      directory_problem_fn *problem, void *arg,
                                      const struct directory **ret, struct error *err);

#endif
