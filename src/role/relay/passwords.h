/* passwords.h: how to log in to a next hop: smtp_sasl_password_maps and the mechanisms that
 * smtp_sasl_security_options, its TLS sister and smtp_sasl_mechanism_filter leave. */
#ifndef ROLE_RELAY_PASSWORDS_H
#define ROLE_RELAY_PASSWORDS_H

#include "conf/conf.h"
#include "proto/smtp/client.h"
#include "role/relay/tables.h"

/* Who is logged in to: the next hop as the route has it ("[host]:587"), the host behind it, and the
 * sender whose mail it is ("": not to be looked for). */
struct login_peer {
    struct slice nexthop, host, sender;
    bool loopback; /* counts as a link under TLS */
};

/* Does a table of smtp_sasl_password_maps ask a server, so that passwords_find waits for it? */
bool passwords_wait(const struct conf *c, const struct relay_tables *tables);

/* Fills in user, password and mechanisms of *config; "" where there is no password for it. The
 * texts live in the arena. FAILED: a table can't tell now (err says why). */
MUST_USE enum result passwords_find(const struct conf *c, const struct relay_tables *tables,
                                    const struct login_peer *peer, struct arena *a,
                                    struct smtp_client_config *config, struct error *err);

#endif
