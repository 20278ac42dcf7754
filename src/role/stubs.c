/* stubs.c: roles that are not written yet: they start, answer STATUS and stop. */
#include "role/role.h"

#ifdef STUB_AUTH
const struct role_ops role_auth = {.role = ROLE_AUTH};
#endif
#ifdef STUB_EDGE
const struct role_ops role_edge = {.role = ROLE_EDGE};
#endif
#ifdef STUB_MAILBOX
const struct role_ops role_mailbox = {.role = ROLE_MAILBOX};
#endif
#ifdef STUB_RELAY
const struct role_ops role_relay = {.role = ROLE_RELAY};
#endif
#ifdef STUB_AGENT
const struct role_ops role_agent = {.role = ROLE_AGENT};
#endif
