/* check_tables.h: what is wrong inside the files that a configuration names: each is read once.
 * Who calls it: cli_look. */
#ifndef CLI_CHECK_TABLES_H
#define CLI_CHECK_TABLES_H

#include "conf/conf.h"
#include "table/set.h"

/* Warnings, each with file and line, at most 20 a file and then how many more: lines of tables,
 * aliases and accounts that are left out; actions of header_checks and its like that there are not;
 * TLS policies that are wrong, credentials without a password, and transports that are not there.
 * Servers are not asked. */
void cli_check_tables(const struct conf *c, struct conf_errors *errors);

/* Targets of aliases that lead away for want of a domain, as warnings (check_targets.c). */
void cli_check_targets(const struct conf *c, const struct table_set *set,
                       struct conf_errors *errors);

#endif
