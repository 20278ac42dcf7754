/* asked.h: words that several commands of the control socket take: times and addresses. */
#ifndef ROLE_MAILBOX_ASKED_H
#define ROLE_MAILBOX_ASKED_H

#include <stdint.h>

#include "base/slice.h"

/* "90" or "90s", "15m", "2h", "3d", "1w" ago; or a date, "2026-11-24" or "2026-11-24T08:30", in
 * UTC. *ret: seconds since 1970. */
bool asked_time(struct slice text, int64_t *ret);
/* Is it the wanted address, or, where "@domain" is wanted, one of that domain? Case does not count.
 */
bool asked_address(struct slice wanted, struct slice address);

#endif
