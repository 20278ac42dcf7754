/* pickup.h: between pickup.c (the folder and its children) and pickup_child.c (one file). */
#ifndef ROLE_AGENT_PICKUP_H
#define ROLE_AGENT_PICKUP_H

#include "role/agent/agent.h"

enum { PICKUP_NAME_MAX = 64 };

struct pickup_file {
    char name[PICKUP_NAME_MAX + 1];
    const struct conf *conf;
    bool last_try; /* it waits for longer than maximal_queue_lifetime */
};

/* In a child, with agent's rights: opens the file, becomes its owner, hands the message to the
 * server's socket; what the server refuses is told to the sender in a bounce. Appends 'K' (taken),
 * 'X' (no message that can be taken: away with it) or 'L' (later), and words for the log. */
void pickup_run(const struct pickup_file *f, struct buf *answer);

#endif
