/* items.h: the forms of settings that are lists of records ({key=value, ...}). Who calls it: the
 * table of checks in value.c, for each item; INVALID with the reason. Those of passdb and userdb
 * are checked in auth/databases.h, which knows what a driver needs. */
#ifndef CONF_ITEMS_H
#define CONF_ITEMS_H

#include "base/slice.h"

MUST_USE enum result conf_check_socket_access(struct slice item, struct error *why);
MUST_USE enum result conf_check_namespace(struct slice item, struct error *why);
MUST_USE enum result conf_check_mailbox(struct slice item, struct error *why);
MUST_USE enum result conf_check_pipe(struct slice item, struct error *why);

#endif
