/* interfaces.c: see interfaces.h. */
#include "conf/postfix/interfaces.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>

static bool speaks(struct slice protocols, int family)
{
    const char *word = family == AF_INET ? "ipv4" : "ipv6";
    return slice_search(protocols, SLICE("all")) != SIZE_MAX ||
           slice_search(protocols, slice_cstr(word)) != SIZE_MAX;
}

static const void *address_in(const struct sockaddr *a)
{
    return a->sa_family == AF_INET ? (const void *)&((const struct sockaddr_in *)a)->sin_addr
                                   : (const void *)&((const struct sockaddr_in6 *)a)->sin6_addr;
}

static size_t size_of(int family)
{
    return family == AF_INET ? 4 : 16;
}

static unsigned mask_bits(const struct sockaddr *mask, int family)
{
    const unsigned char *m = mask ? address_in(mask) : NULL;
    unsigned bits = 0, all = (unsigned)size_of(family) * 8;
    while (m && bits < all && (m[bits / 8] >> (7 - bits % 8) & 1))
        bits++;
    return m ? bits : all;
}

static bool same_address(const struct interface *a, const struct interface *b)
{
    return a->family == b->family && memcmp(a->address, b->address, size_of(a->family)) == 0;
}

static void add(struct interfaces *to, const struct interface *i)
{
    for (size_t k = 0; k < to->n; k++)
        if (same_address(&to->items[k], i))
            return;
    if (to->n < INTERFACES_MAX)
        to->items[to->n++] = *i;
}

static void add_family(const struct ifaddrs *list, int family, struct interfaces *to)
{
    for (const struct ifaddrs *a = list; a; a = a->ifa_next) {
        struct interface i = {.family = family};
        if (!a->ifa_addr || a->ifa_addr->sa_family != family || !(a->ifa_flags & IFF_UP))
            continue;
        memcpy(i.address, address_in(a->ifa_addr), size_of(family));
        i.bits = mask_bits(a->ifa_netmask, family);
        add(to, &i);
    }
}

enum result interfaces_of_machine(struct slice protocols, struct interfaces *ret)
{
    struct ifaddrs *list;
    if (getifaddrs(&list) != 0)
        return FAILED;
    ret->n = 0;
    if (speaks(protocols, AF_INET))
        add_family(list, AF_INET, ret);
    if (speaks(protocols, AF_INET6))
        add_family(list, AF_INET6, ret);
    freeifaddrs(list);
    return OK;
}

static bool is_loopback(const struct interface *i)
{
    return i->family == AF_INET
               ? i->address[0] == 127
               : IN6_IS_ADDR_LOOPBACK((const struct in6_addr *)(const void *)i->address);
}

/* With the network of the machine's interface that has the address. */
static void add_found(const struct interfaces *machine, struct interface i, struct interfaces *to)
{
    i.bits = (unsigned)size_of(i.family) * 8;
    for (size_t k = 0; k < machine->n; k++)
        if (same_address(&machine->items[k], &i))
            i.bits = machine->items[k].bits;
    add(to, &i);
}

static enum result add_name(struct slice name, struct slice protocols,
                            const struct interfaces *machine, struct interfaces *to,
                            struct error *err)
{
    char copy[256];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    size_t before = to->n;
    if (name.len && name.data[0] == '[' && name.data[name.len - 1] == ']')
        name = slice_sub(name, 1, name.len - 2);
    if (name.len >= sizeof copy)
        return error_set(err, INVALID, "`%.*s` is too long", SLICE_ARG(slice_sub(name, 0, 60)));
    memcpy(copy, name.data, name.len);
    copy[name.len] = 0;
    int failed = getaddrinfo(copy, NULL, &hints, &found);
    if (failed)
        return error_set(err, INVALID, "`%s` has no address: %s", copy, gai_strerror(failed));
    for (const struct addrinfo *f = found; f; f = f->ai_next) {
        struct interface i = {.family = f->ai_family};
        if ((i.family != AF_INET && i.family != AF_INET6) || !speaks(protocols, i.family))
            continue;
        memcpy(i.address, address_in(f->ai_addr), size_of(i.family));
        add_found(machine, i, to);
    }
    freeaddrinfo(found);
    return to->n > before || before
               ? OK
               : error_set(err, INVALID, "`%s` has no address that inet_protocols allows", copy);
}

enum result interfaces_named(struct slice names, struct slice protocols, struct interfaces *ret,
                             struct error *err)
{
    struct interfaces machine = {.n = 0}, out = {.n = 0};
    enum result r = interfaces_of_machine(protocols, &machine);
    if (r != OK)
        return error_set(err, r, "the machine's addresses can't be read");
    if (slice_is_nocase(names, "all")) {
        *ret = machine;
        return OK;
    }
    for (size_t i = 0; i < machine.n && slice_is_nocase(names, "loopback-only"); i++)
        if (is_loopback(&machine.items[i]))
            add(&out, &machine.items[i]);
    for (size_t at = 0; at < names.len && !slice_is_nocase(names, "loopback-only") && r == OK;) {
        size_t from = at;
        while (at < names.len && names.data[at] != ',' && names.data[at] != ' ')
            at++;
        if (at > from)
            r = add_name(slice_sub(names, from, at - from), protocols, &machine, &out, err);
        at++;
    }
    if (r == OK)
        *ret = out;
    return r;
}

void interface_print(const struct interface *i, struct buf *out)
{
    char text[INET6_ADDRSTRLEN];
    inet_ntop(i->family, i->address, text, sizeof text);
    buf_printf(out, i->family == AF_INET ? "%s" : "[%s]", text);
}

static unsigned class_bits(const struct interface *i)
{
    if (i->family == AF_INET6)
        return i->bits;
    return i->address[0] < 128 ? 8 : i->address[0] < 192 ? 16 : 24;
}

static struct interface network_of(const struct interface *i, unsigned bits)
{
    struct interface net = *i;
    net.bits = bits;
    for (unsigned k = bits; k < size_of(i->family) * 8; k++)
        net.address[k / 8] &= (unsigned char)~(1U << (7 - k % 8));
    return net;
}

enum result interfaces_networks(const struct interfaces *from, struct slice style, struct buf *out)
{
    struct interfaces nets = {.n = 0};
    bool class = slice_is_nocase(style, "class"), host = slice_is_nocase(style, "host");
    if (!class && !host && !slice_is_nocase(style, "subnet"))
        return INVALID;
    for (size_t i = 0; i < from->n; i++) {
        const struct interface *f = &from->items[i];
        unsigned bits = host ? (unsigned)size_of(f->family) * 8 : class ? class_bits(f) : f->bits;
        struct interface net = network_of(f, bits);
        add(&nets, &net);
    }
    for (size_t i = 0; i < nets.n; i++) {
        buf_puts(out, i ? " " : "");
        interface_print(&nets.items[i], out);
        buf_printf(out, "/%u", nets.items[i].bits);
    }
    return OK;
}
