/* hop.h: a destination taken apart. "example.org": the hosts of its MX records. A route
 * "smtp:NEXTHOP" (relay and other names of the SMTP client too): NEXTHOP is host, host:port, [host]
 * or [host]:port, brackets switching the MX look-up off (transport(5)). */
#ifndef ROLE_RELAY_HOP_H
#define ROLE_RELAY_HOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct hop {
    struct slice nexthop; /* of the destination's text: "[host]:587" */
    char host[256];       /* the name in ASCII, or an address in digits; without brackets */
    uint16_t port;
    bool exact; /* no MX */
};

/* port: where none is given. False: it is none. */
bool hop_parse(struct slice destination, uint16_t port, struct hop *ret);

#endif
