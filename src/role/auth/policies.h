/* policies.h: the compiled restrictions of each service, with the tables that they ask: one
 * immutable snapshot for each configuration and set of files. */
#ifndef ROLE_AUTH_POLICIES_H
#define ROLE_AUTH_POLICIES_H

#include "policy/policy.h"
#include "role/auth/auth.h"

struct auth_policies;

/* Builds it anew; what is wrong is logged, and the old one stays then. */
void auth_build_policies(struct auth_role *a);
/* The one of now, NULL: none could be built yet. A reference of the caller's. */
struct auth_policies *auth_policies_get(struct auth_role *a);
void auth_policies_unref(struct auth_policies *ps);
/* Of the service that a listener is labelled with. Lives as long as ps. */
const struct policy *auth_policy_for(const struct auth_policies *ps, struct slice label);
/* Before the sandbox closes: the addresses of this host (permit_inet_interfaces). */
void auth_find_own_ips(void);
const struct slice_list *auth_own_ips(void);

#endif
