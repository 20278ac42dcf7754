#include "conf/network.h"

#include <arpa/inet.h>

struct network {
    int family;
    unsigned char address[16];
    unsigned bits;
    bool excluded;
};

/* Brackets around IPv6 are Postfix's way; bare is taken too. */
static enum result parse_address(struct slice text, int *ret_family, unsigned char *ret)
{
    char copy[64];
    if (text.len > 2 && text.data[0] == '[' && text.data[text.len - 1] == ']')
        text = slice_sub(text, 1, text.len - 2);
    if (text.len == 0 || text.len >= sizeof copy)
        return INVALID;
    memcpy(copy, text.data, text.len);
    copy[text.len] = 0;
    *ret_family = slice_find(text, ':') == SIZE_MAX ? AF_INET : AF_INET6;
    return inet_pton(*ret_family, copy, ret) == 1 ? OK : INVALID;
}

static enum result parse_network(struct slice entry, struct network *ret)
{
    struct network n = {0};
    uint64_t bits;
    if (entry.len && entry.data[0] == '!') {
        n.excluded = true;
        entry = slice_from(entry, 1);
    }
    size_t slash = slice_rfind(entry, '/');
    if (parse_address(slice_sub(entry, 0, slash), &n.family, n.address) != OK)
        return INVALID;
    bits = n.family == AF_INET ? 32 : 128;
    if (slash != SIZE_MAX && slice_parse_u64(slice_from(entry, slash + 1), bits, &bits) != OK)
        return INVALID;
    n.bits = (unsigned)bits;
    *ret = n;
    return OK;
}

static bool bit(const unsigned char *address, unsigned i)
{
    return address[i / 8] >> (7 - i % 8) & 1;
}

enum result network_check(struct slice entry, struct error *why)
{
    struct network n;
    if (parse_network(entry, &n) != OK)
        return error_set(why, INVALID,
                         "`%.*s` is no network: write 192.0.2.0/24, [2001:db8::]/32 or one address",
                         SLICE_ARG(entry));
    for (unsigned i = n.bits; i < (n.family == AF_INET ? 32 : 128); i++)
        if (bit(n.address, i))
            return error_set(why, INVALID,
                             "`%.*s` has bits set behind the first %u: name the network's own "
                             "address",
                             SLICE_ARG(entry), n.bits);
    return OK;
}

static bool holds(const struct network *n, int family, const unsigned char *address)
{
    if (family != n->family)
        return false;
    for (unsigned i = 0; i < n->bits; i++)
        if (bit(address, i) != bit(n->address, i))
            return false;
    return true;
}

/* A client that came over an IPv6 socket from an IPv4 network: ::ffff:192.0.2.1. */
static void unmap(int *family, unsigned char *address)
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (*family == AF_INET6 && memcmp(address, mapped, sizeof mapped) == 0) {
        *family = AF_INET;
        memmove(address, address + 12, 4);
    }
}

bool conf_network_match(struct slice_list networks, struct slice ip, struct slice *ret_entry)
{
    unsigned char address[16];
    int family;
    if (parse_address(ip, &family, address) != OK)
        return false;
    unmap(&family, address);
    for (size_t i = 0; i < networks.n; i++) {
        struct network n;
        if (parse_network(networks.items[i], &n) == OK && holds(&n, family, address)) {
            if (ret_entry)
                *ret_entry = networks.items[i];
            return !n.excluded;
        }
    }
    return false;
}
