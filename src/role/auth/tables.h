/* tables.h: the lookup tables of the auth role: all that the configuration names, opened from the
 * files that the master handed over. Restrictions and directory hold references to the set that
 * they were built with. */
#ifndef ROLE_AUTH_TABLES_H
#define ROLE_AUTH_TABLES_H

#include "role/auth/auth.h"
#include "table/set.h"

/* Reads the files that the master handed over, and asks agent for servers and system accounts. */
struct table_reader auth_table_reader(struct auth_role *a);

/* Opens them anew; what is wrong in the files is logged. NULL: no memory. The caller's reference.
 */
struct table_set *auth_open_tables(struct auth_role *a, const struct conf *c);

#endif
