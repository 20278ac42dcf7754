/* queued.h: the bytes of a message that waits in the queue, asked of the running server piece by
 * piece, so that a large one needs no room at either side. */
#ifndef CLI_QUEUED_H
#define CLI_QUEUED_H

#include "cli/control.h"

enum { QUEUED_HEADER = 1, QUEUED_BODY = 2 }; /* the blank line between is the body's */

/* Prints the parts on stdout with the line ends of this machine. fd: of control_open; id: as the
 * queue shows it. As control_ask; what was printed before a failure stays. */
MUST_USE enum result queued_print(int fd, const char *id, unsigned parts, struct error *err);

#endif
