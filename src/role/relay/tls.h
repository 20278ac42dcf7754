/* tls.h: TLS contexts towards other servers, one for each set of rules that is in use. */
#ifndef ROLE_RELAY_TLS_H
#define ROLE_RELAY_TLS_H

#include "policy/tls_policy.h"
#include "role/relay/relay.h"

/* A reference to the context for connections with this policy, under this configuration (of a
 * service). It knows the authorities of the settings. FAILED with the reason, which was logged. */
MUST_USE enum result relay_tls_find(struct relay *r, const struct conf *c, bool lmtp,
                                    const struct tls_policy *p, struct tls_context **ret,
                                    struct error *err);
/* Who may vouch for web servers and at MTA-STS: smtp_tls_CAfile, smtp_tls_CApath and always the
 * system's, as PEM; initialises out. */
void relay_authorities(struct relay *r, struct buf *out);
/* After a reload, and at the end. */
void relay_tls_forget(struct relay *r);

#endif
