/* interfaces.h: this machine's addresses, as inet_interfaces, inet_protocols and mynetworks_style
 * choose from them. No name service but the system's own (/etc/hosts first) is asked, and only for
 * names in inet_interfaces. */
#ifndef CONF_POSTFIX_INTERFACES_H
#define CONF_POSTFIX_INTERFACES_H

#include "base/arena.h"
#include "base/buf.h"

enum { INTERFACES_MAX = 256 };

struct interface {
    int family;                /* AF_INET, AF_INET6 */
    unsigned char address[16]; /* network order */
    unsigned bits;             /* of its network */
};

struct interfaces {
    struct interface items[INTERFACES_MAX];
    size_t n;
};

/* Those of the machine that are up, IPv4 first. protocols: inet_protocols. FAILED: errno. */
MUST_USE enum result interfaces_of_machine(struct slice protocols, struct interfaces *ret);

/* Those that inet_interfaces names: "all", "loopback-only", or addresses and host names. INVALID:
 * a name has no address, err says which. */
MUST_USE enum result interfaces_named(struct slice names, struct slice protocols,
                                      struct interfaces *ret, struct error *err);

/* mynetworks as Postfix makes it from these: style "class", "subnet" or "host". Appends
 * "127.0.0.0/8 [::1]/128". INVALID: no such style. */
MUST_USE enum result interfaces_networks(const struct interfaces *from, struct slice style,
                                         struct buf *out);

/* The address as text: "192.0.2.1", "[2001:db8::1]". */
void interface_print(const struct interface *i, struct buf *out);

#endif
