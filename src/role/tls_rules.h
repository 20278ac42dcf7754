/* tls_rules.h: what the configuration says of TLS's versions and ciphers, as io/tls.h takes it. Who
 * calls it: edge (as a server) and relay (as a client). */
#ifndef ROLE_TLS_RULES_H
#define ROLE_TLS_RULES_H

#include "base/arena.h"
#include "conf/conf.h"
#include "io/tls.h"
#include "policy/tls_policy.h"

/* The texts are in the arena or in c. mandatory: TLS is required there (Postfix has settings of
 * their own for that). LIMIT: a list is too long; without it OpenSSL's own would hold. */
MUST_USE enum result tls_rules_smtpd(const struct conf *c, bool mandatory, struct arena *a,
                                     struct tls_rules *ret, struct error *err);
/* POP3 and IMAP. */
MUST_USE enum result tls_rules_login(const struct conf *c, struct arena *a, struct tls_rules *ret,
                                     struct error *err);
/* What main.cf says of TLS towards all other servers. */
void tls_policy_settings(const struct conf *c, bool lmtp, struct tls_policy_settings *ret);
/* Towards a server, by its policy. */
MUST_USE enum result tls_rules_client(const struct conf *c, bool lmtp, const struct tls_policy *p,
                                      struct arena *a, struct tls_rules *ret, struct error *err);

#endif
