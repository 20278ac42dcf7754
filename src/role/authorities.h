/* authorities.h: a folder of authorities' certificates, as the master sends it (file_list.h). Who
 * calls it: edge for clients, relay for other servers. */
#ifndef ROLE_AUTHORITIES_H
#define ROLE_AUTHORITIES_H

#include "io/tls.h"

/* They may vouch for the other side of c's connections. As OpenSSL does, a file that is broken is
 * left out, which the log is told with the folder's name; the others count. INVALID: none is left.
 */
MUST_USE enum result authorities_add_folder(struct tls_context *c, struct slice folder,
                                            struct slice text, struct error *err);

#endif
