/* wiring.h: which roles talk to one another, and what the master hands to which: known to both
 * sides, so that a role knows when it has got all that it starts with. */
#ifndef ROLE_WIRING_H
#define ROLE_WIRING_H

#include "ipc/ipc.h"

/* Settings by which relay knows the files of TLS towards servers: those that settings name
 * (authorities, and our certificates with their keys), and the system's authorities. */
#define SECRET_AUTHORITIES "smtp_tls_files"
#define SECRET_SYSTEM_AUTHORITIES "tls_append_default_CA"

bool role_talks_to(enum ipc_role a, enum ipc_role b);
bool role_gets_grant_key(enum ipc_role r);
bool role_gets_secrets(enum ipc_role r);
bool role_gets_listeners(enum ipc_role r);

#endif
