/* cidr.c: tables of networks (cidr_table(5)). */
#include <arpa/inet.h>
#include <stdlib.h>

#include "table/rules.h"
#include "table/spec.h"

struct network {
    bool v6, negated;
    unsigned bits;
    uint8_t address[16];
};

struct wanted {
    bool v6;
    uint8_t address[16];
};

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned rest = bits % 8;
    uint8_t mask = (uint8_t)(0xff << (8 - rest));
    return memcmp(a, b, bits / 8) == 0 && (rest == 0 || !((a[bits / 8] ^ b[bits / 8]) & mask));
}

static bool matches(void *arg, const struct rule *r)
{
    const struct wanted *w = arg;
    const struct network *n = r->pattern;
    return w->v6 == n->v6 && same_bits(w->address, n->address, n->bits) != n->negated;
}

/* False: no address. */
static bool read_address(struct slice s, bool *ret_v6, uint8_t address[16])
{
    char text[INET6_ADDRSTRLEN];
    bool v6 = slice_find(s, ':') != SIZE_MAX;
    if (s.len >= sizeof text)
        return false;
    memcpy(text, s.data ? s.data : "", s.len);
    text[s.len] = '\0';
    *ret_v6 = v6;
    return inet_pton(v6 ? AF_INET6 : AF_INET, text, address) == 1;
}

static enum result find(const struct table *t, struct slice key, struct arena *a,
                        struct table_match *ret, struct error *err)
{
    const struct ruled *rules = (const struct ruled *)t;
    struct wanted w = {0};
    const struct rule *r =
        read_address(key, &w.v6, w.address) ? rules_find(rules, matches, &w) : NULL;
    if (!r)
        return NOT_FOUND;
    return rules_answer(rules, r, arena_dup(a, r->value), a, ret, err);
}

static void release(struct table *t)
{
    free(((struct ruled *)t)->rules); /* the networks are in the arena */
}

static bool has_host_bits(const struct network *n)
{
    uint8_t copy[16] = {0};
    memcpy(copy, n->address, n->bits / 8);
    if (n->bits % 8)
        copy[n->bits / 8] = (uint8_t)(n->address[n->bits / 8] & (0xff << (8 - n->bits % 8)));
    return memcmp(copy, n->address, sizeof copy) != 0;
}

/* "[2001:db8::]/32" and "[2001:db8::/32]" are "2001:db8::/32". */
static const char *without_brackets(struct slice s, struct slice *ret_address,
                                    struct slice *ret_len)
{
    if (s.len && s.data[0] == '[') {
        size_t end = slice_find(s, ']');
        struct slice behind = end == SIZE_MAX ? SLICE_NONE : slice_from(s, end + 1);
        if (end == SIZE_MAX || (behind.len && behind.data[0] != '/'))
            return "a [ without its ]";
        *ret_address = slice_sub(s, 1, end - 1);
        *ret_len = behind;
        s = *ret_address;
        if (behind.len)
            return NULL;
    }
    size_t slash = slice_find(s, '/');
    *ret_address = slice_sub(s, 0, slash);
    *ret_len = slash == SIZE_MAX ? SLICE("") : slice_from(s, slash);
    return NULL;
}

/* "192.0.2.0/24", or one address. */
static const char *read_network(struct slice s, struct network *n)
{
    struct slice address, len;
    const char *why = without_brackets(s, &address, &len);
    if (why)
        return why;
    if (!read_address(address, &n->v6, n->address))
        return "no network address";
    uint64_t bits = n->v6 ? 128 : 32;
    if (len.len && slice_parse_u64(slice_from(len, 1), bits, &bits) != OK)
        return "the length behind / is not one";
    n->bits = (unsigned)bits;
    return has_host_bits(n) ? "the address has bits behind the network's length" : NULL;
}

static const char *parse(struct ruled *t, struct slice *rest, void **ret_pattern)
{
    struct network *n = ARENA_NEW(&t->table.arena, struct network);
    struct slice s = *rest;
    size_t len = 0;
    if (!n)
        return "no memory";
    for (; s.len && (s.data[0] == '!' || table_space(s.data[0])); s = slice_from(s, 1))
        n->negated ^= s.data[0] == '!';
    while (len < s.len && !table_space(s.data[len]))
        len++;
    const char *why = read_network(slice_sub(s, 0, len), n);
    *rest = slice_from(s, len);
    *ret_pattern = n;
    return why;
}

static const struct table_ops ops = {
    .patterns = true, .find = find, .values = rules_values, .release = release};
static const struct rule_type type = {.ops = &ops, .size = sizeof(struct ruled), .parse = parse};

enum result table_open_cidr(const struct opening *o, struct table **ret)
{
    return rules_open(o, &type, ret);
}
