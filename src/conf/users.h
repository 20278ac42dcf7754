/* users.h: authorized_submit_users and its like: who of this machine's users may. Entries: a name,
 * !name, or static:anyone (with whatever text behind static:), which is everybody; the first that
 * fits decides; root always may. Asked by the roles that serve local programs; agent, who knows the
 * names of uids, matches them. */
#ifndef CONF_USERS_H
#define CONF_USERS_H

#include "base/slice.h"

/* Everybody may: no name needs to be found out. */
bool conf_users_anyone(struct slice_list list);
/* name: "" when the uid has none. */
bool conf_users_match(struct slice_list list, struct slice name);
/* Has an entry a form that is matched? INVALID: why says what to write. */
MUST_USE enum result conf_users_check(struct slice entry, struct error *why);

#endif
