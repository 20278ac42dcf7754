/* table_reader.h: how the command line opens lookup tables: it reads their files itself. */
#ifndef CLI_TABLE_READER_H
#define CLI_TABLE_READER_H

#include "table/table.h"

extern const struct table_reader cli_table_reader;

/* The spec with an absolute path where it has a relative one, and "hash:" where it has no type, as
 * postmap(1) and postalias(1) take them. In the arena; data NULL: no memory. */
struct slice cli_table_spec(const char *word, struct arena *a);

/* A table_problem_fn: says it on stderr as postmap(1) does; arg is the program's name. */
void cli_table_problem(void *arg, struct slice file, unsigned line, const char *reason);

#endif
