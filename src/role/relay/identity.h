/* identity.h: the certificates that servers which ask for one are shown. Who calls it: tls.c. */
#ifndef ROLE_RELAY_IDENTITY_H
#define ROLE_RELAY_IDENTITY_H

#include "role/relay/relay.h"

/* Files, as the settings of a transport name them; slices are the configuration's. */
struct relay_identity {
    struct slice pairs[2][2]; /* certificate and key of each; "": none */
    struct slice_list chain;  /* in their place when there are some */
};
struct relay_identity relay_identity_of(const struct conf *c, bool lmtp);
/* Appends what tells it from others. */
void relay_identity_key(const struct relay_identity *id, struct buf *out);
/* Before others see the context. A file that can't be used is told in the log, and what is in it
 * not shown. r->lock held. */
void relay_identity_use(struct relay *r, const struct relay_identity *id, struct tls_context *tls);

#endif
