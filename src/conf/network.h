/* network.h: lists of networks such as mynetworks: 192.0.2.0/24, [2001:db8::]/32, 192.0.2.1,
 * !192.0.2.9. */
#ifndef CONF_NETWORK_H
#define CONF_NETWORK_H

#include "conf/conf.h"

/* INVALID with the reason when the entry is malformed (host bits set counts: it is mostly a slip).
 */
MUST_USE enum result network_check(struct slice entry, struct error *why);

#endif
