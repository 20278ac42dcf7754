/* passwords.h: how to log in to a next hop: who we are there (smtp_sasl_password_maps), and the
 * mechanisms that smtp_sasl_security_options, its TLS sisters and smtp_sasl_mechanism_filter leave.
 */
#ifndef ROLE_RELAY_PASSWORDS_H
#define ROLE_RELAY_PASSWORDS_H

#include "conf/conf.h"
#include "io/tls.h"
#include "proto/smtp/client.h"
#include "role/relay/tables.h"
#include "sasl/client.h"

/* Who is logged in to: the next hop as the route has it ("[host]:587"), the host behind it, and the
 * sender whose mail it is ("": not to be looked for). */
struct login_peer {
    struct slice nexthop, host, sender;
};

/* A login to one server; smtp_client_sasl's arg. */
struct relay_login {
    const struct conf *conf;
    bool there;             /* there is a password for it */
    bool loopback;          /* counts as a link under TLS */
    bool verified;          /* the server's certificate showed who it is */
    const struct tls *tls;  /* of the connection, once it is up; or NULL */
    struct sasl_login data; /* its texts live in the arena of passwords_find */
    struct sasl_client exchange;
};

/* Does a table of smtp_sasl_password_maps ask a server, so that passwords_find waits for it? */
bool passwords_wait(const struct conf *c, const struct relay_tables *tables);

/* Fills in `there` and the texts of *ret. FAILED: a table can't tell now (err says why). */
MUST_USE enum result passwords_find(const struct conf *c, const struct relay_tables *tables,
                                    const struct login_peer *peer, struct arena *a,
                                    struct relay_login *ret, struct error *err);

/* login.c: the exchange, for config.sasl; it and *l live as long as the session. */
struct smtp_client_sasl relay_login_sasl(struct relay_login *l);
void relay_login_wipe(struct relay_login *l);

#endif
