/* names.c: forms of names: what is a host's name, an address, a domain; and the client's. */
#include "policy/machine.h"

#include <arpa/inet.h>

#include "mime/address.h"

struct slice client_name(const struct run *r)
{
    return r->facts->name.len ? r->facts->name : SLICE("unknown");
}

struct slice client_text(const struct run *r)
{
    struct slice name = client_name(r), ip = r->facts->ip;
    const char *text = arena_printf(r->arena, "%.*s[%.*s]", SLICE_ARG(name),
                                    SLICE_ARG(ip.len ? ip : SLICE("unknown")));
    return slice_cstr(text ? text : "unknown[unknown]");
}

bool ip_is_ours(const struct run *r, struct slice ip)
{
    const struct slice_list *own = r->facts->own_ips;
    struct slice entry;
    for (size_t i = 0; own && i < own->n; i++)
        if (slice_eq_nocase(own->items[i], ip))
            return true;
    return conf_network_match(r->conf->proxy_interfaces, ip, &entry);
}

static bool label_valid(struct slice label)
{
    if (label.len == 0 || label.len > 63 || label.data[0] == '-' ||
        label.data[label.len - 1] == '-')
        return false;
    for (size_t i = 0; i < label.len; i++)
        if (!ascii_alnum(label.data[i]) && label.data[i] != '-' && label.data[i] != '_' &&
            (unsigned char)label.data[i] < 0x80)
            return false;
    return true;
}

bool hostname_valid(struct slice name)
{
    bool letters = false;
    struct slice rest = name;
    if (name.len == 0 || name.len > 255)
        return false;
    for (size_t i = 0; i < name.len; i++)
        letters |= !ascii_digit(name.data[i]) && name.data[i] != '.';
    while (rest.data)
        if (!label_valid(slice_split(&rest, '.')))
            return false;
    return letters; /* digits and dots alone are no name */
}

bool name_is_ip(struct slice text)
{
    char copy[64];
    unsigned char out[16];
    if (text.len == 0 || text.len >= sizeof copy)
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = 0;
    return inet_pton(AF_INET, copy, out) == 1 || inet_pton(AF_INET6, copy, out) == 1;
}

struct slice domain_of(struct slice address)
{
    size_t at = slice_rfind(address, '@');
    return at == SIZE_MAX ? SLICE_NONE : slice_from(address, at + 1);
}
