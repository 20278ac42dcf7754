/* target_show.h: a target for people and for programs: `config route`, `explain`. */
#ifndef IPC_TARGET_SHOW_H
#define IPC_TARGET_SHOW_H

#include "base/json.h"
#include "ipc/ipc.h"

/* Not for TARGET_VIA. "mailbox alice (+detail)", "mail to x@far.test by smtp, next hop …"; without
 * " (a copy)" and the line's end. */
void target_show(const struct target *t, struct buf *out);
/* The members "kind" and what the kind has, into the object. */
void target_show_json(const struct target *t, struct json *o);

#endif
