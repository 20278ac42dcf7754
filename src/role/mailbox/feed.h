/* feed.h: due jobs of the queue to the relay role, as many at a time as its window allows. */
#ifndef ROLE_MAILBOX_FEED_H
#define ROLE_MAILBOX_FEED_H

#include <stdint.h>

#include "base/result.h"

struct feed;
struct mailbox_role;

MUST_USE enum result feed_new(struct mailbox_role *m, struct feed **ret);
/* After the engine has stopped; NULL is fine. */
void feed_free(struct feed *f);
/* Something may be due now. From any thread. */
void feed_kick(struct feed *f);
/* relay's RELAY_WINDOW. */
void feed_window(struct feed *f, uint32_t jobs);

#endif
