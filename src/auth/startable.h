/* startable.h: what a server could not start with, beyond what the settings' own forms say: users
 * of roles that are not there, tables of a form that there is not, and tables of servers whose
 * parameters can't be used.
 *
 * Who calls it: the master, at start and reload, and `config check`: so both refuse the same. */
#ifndef AUTH_STARTABLE_H
#define AUTH_STARTABLE_H

#include "conf/conf.h"

/* An error for each, with the place of its setting. Files of tables that are not there are none of
 * them: whoever needs one waits until it is. What only this user may not read is a note. INVALID
 * when there is an error. */
MUST_USE enum result auth_startable(const struct conf *c, struct conf_errors *errors);

#endif
