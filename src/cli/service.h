/* service.h: the server as a process of this machine: whether it runs, how it is started, told and
 * stopped. Where systemd has started it (or would), systemd is asked to. Used by `reload` and by
 * the face `postfix`. */
#ifndef CLI_SERVICE_H
#define CLI_SERVICE_H

#include <sys/types.h>

#include "cli/cli.h"

/* The master's process id; 0: it does not run. The configuration must be loaded. */
pid_t service_pid(const struct cli *c);
/* Waits until every role is ready. OK; FAILED: the reason is in err. */
MUST_USE enum result service_start(const struct cli *c, struct error *err);
/* Waits for its end, at most a minute. */
MUST_USE enum result service_stop(const struct cli *c, struct error *err);
/* At once: what is under way is broken off; nothing that was answered with 250 is lost. */
MUST_USE enum result service_abort(const struct cli *c, struct error *err);
/* The configuration was checked before. OK: every role uses it now. DENIED: the server refused it,
 * and its errors are on stderr; BUSY: it said nothing in time (10 seconds). */
MUST_USE enum result service_reload(const struct cli *c, struct error *err);

/* service_log.c: from now on what this process and its children say on stderr goes to syslog, by a
 * process that ends when all of them have. */
void service_log_to_syslog(void);

#endif
