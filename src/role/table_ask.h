/* table_ask.h: a table that asks a server, asked through agent by a role that may not itself. */
#ifndef ROLE_TABLE_ASK_H
#define ROLE_TABLE_ASK_H

#include "role/role.h"
#include "table/table.h"

/* struct table_reader's `ask`; arg is the struct role, which must have agent among its peers.
 * Waits, for 30 s at most: on a helper thread (io_run_blocking), never on one of the engine's. What
 * fails is logged. */
enum result role_table_ask(void *arg, struct slice table, struct slice key, struct arena *a,
                           struct slice *ret, struct error *err);

#endif
