/* table_parameters.h: the parameters of Postfix's tables that ask a server: what their files may
 * hold, and main.cf in the old style (ldap_table(5), "BACKWARDS COMPATIBILITY"): "ldap:NAME" has
 * NAME_server_host.
 *
 * Who calls it: the report of main.cf's names, for slips; auth/server.c, which reads the tables. */
#ifndef CONF_POSTFIX_TABLE_PARAMETERS_H
#define CONF_POSTFIX_TABLE_PARAMETERS_H

#include "base/slice.h"

/* "ldap", "mysql", "pgsql", "sqlite", "memcache"; NULL at the end. */
extern const char *const table_types[];

/* Has that type of table the parameter? */
bool table_parameter_known(struct slice type, struct slice name);
/* The parameter of that type that is nearest, or NULL where none is near. */
const char *table_parameter_suggest(struct slice type, struct slice name);

#endif
