/* hop.h: a destination taken apart. "example.org": the hosts of its MX records. A route
 * "transport:NEXTHOP": with SMTP, NEXTHOP is host, host:port, [host] or [host]:port, brackets
 * switching the MX look-up off, or several of these (transport(5)); with LMTP, unix:/path,
 * inet:host:port or host:port (lmtp(8)). */
#ifndef ROLE_RELAY_HOP_H
#define ROLE_RELAY_HOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

struct hop {
    char host[256]; /* the name in ASCII, or an address in digits, without brackets; or a path */
    uint16_t port;
    bool exact;        /* no MX */
    bool path;         /* a Unix socket */
    struct slice text; /* as it was written */
};

/* RFC 5890: the ASCII form of a host's name, in its place. False: it has none. */
MUST_USE bool hop_to_ascii(char host[256]);

/* Takes the next hop off the front of *rest. port: where none is given. INVALID: what was there
 * (ret->text) is none; NOT_FOUND: there is none left. */
MUST_USE enum result hop_next(struct slice *rest, bool lmtp, uint16_t port, struct hop *ret);

#endif
