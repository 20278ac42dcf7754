/* paths.h: files that the configuration names, looked at before they are needed. Who calls it:
 * master and the command line, which may open them. */
#ifndef CONF_PATHS_H
#define CONF_PATHS_H

#include "conf/conf.h"

struct conf_errors;

/* Certificates and keys that can't be opened: an error each, with the place of the setting: a
 * server without them would seem to run, and nobody could log in safely. Those of main.cf are
 * warnings, since Postfix runs on without TLS, and so are authorities, without which nobody is
 * verified. What only this user may not read is a note. INVALID when there is an error. */
MUST_USE enum result conf_paths_check(const struct conf *c, struct conf_errors *errors);

/* The path in a setting that may have Dovecot's mark of a file ("</etc/ssl/x.pem") in front. */
struct slice conf_path(struct slice value);

#endif
