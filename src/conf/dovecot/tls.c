/* tls.c: TLS of dovecot.conf: certificates, also those for one name or one address of ours
 * (`local_name`, `local`), together our tls_certificates; and what clients must show. */
#include "conf/dovecot/map.h"

enum { ITEM_MAX = 16384, ITEMS_MAX = 256 * 1024 };

/* Names of 2.3 and before, of 2.4, and ours. */
static const struct {
    const char *theirs, *newer, *ours, *field;
} files[] = {
    {"ssl_cert", "ssl_server_cert_file", "ssl_cert", "cert"},
    {"ssl_key", "ssl_server_key_file", "ssl_key", "key"},
    {"ssl_cert_file", "ssl_cert_file", "ssl_cert", "cert"}, /* 1.x */
    {"ssl_key_file", "ssl_key_file", "ssl_key", "key"},
    {"ssl_alt_cert", "ssl_server_alt_cert_file", "ssl_alt_cert", "alt_cert"},
    {"ssl_alt_key", "ssl_server_alt_key_file", "ssl_alt_key", "alt_key"},
    {"ssl_ca", "ssl_server_ca_file", "ssl_ca", NULL},
    {"ssl_ca_file", "ssl_ca_file", "ssl_ca", NULL},
};

static size_t find_file(struct slice key)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (slice_is(key, files[i].theirs) || slice_is(key, files[i].newer))
            return i;
    return SIZE_MAX;
}

/* A text in the place of the path is the PEM itself, which we don't keep in configurations. */
static bool is_path(struct map_dovecot *m, const struct dovecot_node *n)
{
    if (n->value.len == 0 || n->value.data[0] == '/')
        return true;
    map_error(m, n, "%.*s: write the path of the PEM file: %.*s = </etc/…", SLICE_ARG(n->key),
              SLICE_ARG(n->key));
    return false;
}

bool map_tls_file(struct map_dovecot *m, const struct dovecot_node *n)
{
    size_t i = find_file(n->key);
    if (i == SIZE_MAX)
        return false;
    if (is_path(m, n))
        map_set(m, n, files[i].ours, n->value);
    return true;
}

/* ---- what clients must show ---- */

void map_prefer_ciphers(struct map_dovecot *m, const struct dovecot_node *n)
{
    bool server = slice_is(n->value, "server");
    if (!server && !slice_is(n->value, "client"))
        map_error(m, n, "%.*s: `%.*s` is neither client nor server", SLICE_ARG(n->key),
                  SLICE_ARG(n->value));
    map_set(m, n, "ssl_prefer_server_ciphers", server ? SLICE("yes") : SLICE("no"));
}

/* Compression of TLS betrays secrets; no_compression holds always. */
void map_ssl_options(struct map_dovecot *m, const struct dovecot_node *n)
{
    if (slice_search(n->value, SLICE("compression")) != SIZE_MAX &&
        slice_search(n->value, SLICE("no_compression")) == SIZE_MAX)
        map_error(m, n,
                  "%.*s: compression under TLS is not served, since it betrays secrets: "
                  "remove it",
                  SLICE_ARG(n->key));
    else
        map_set(m, n, "ssl_options", n->value);
}

/* ---- local_name and local ---- */

struct places {
    struct map_dovecot *map;
    const struct dovecot_node *first; /* for the setting's line */
    struct buf items;
};

static const struct dovecot_node *value_in(const struct dovecot_node *block, const char *field)
{
    const struct dovecot_node *found = NULL;
    MAP_EACH(n, block)
    {
        size_t i = n->block ? SIZE_MAX : find_file(n->key);
        if (i != SIZE_MAX && files[i].field && strcmp(files[i].field, field) == 0)
            found = n;
    }
    return found;
}

static void tell_others(struct map_dovecot *m, const struct dovecot_node *block)
{
    MAP_EACH(n, block)
    {
        size_t i = n->block ? SIZE_MAX : find_file(n->key);
        if (n->block ? slice_is(n->key, "local_name") : i != SIZE_MAX && files[i].field)
            continue;
        map_error(m, n,
                  "%.*s within `%.*s %.*s` is not served: only certificates are told apart by name "
                  "and address; set it for all",
                  SLICE_ARG(n->key), SLICE_ARG(block->key), SLICE_ARG(block->value));
    }
}

/* `local` may hold `local_name`s. What a block does not say is what stands outside of it. */
static void put_place(struct places *p, const struct dovecot_node *block, struct slice address)
{
    static const char *const fields[] = {"cert", "key", "alt_cert", "alt_key"};
    bool named = slice_is(block->key, "local_name");
    struct buf item;
    unsigned n = 0;
    buf_init(&item, ITEM_MAX);
    map_field(p->map, block, &item, "for", SLICE("login"));
    if (named)
        map_field(p->map, block, &item, "name", block->value);
    if (address.len)
        map_field(p->map, block, &item, "address", address);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const struct dovecot_node *f = value_in(block, fields[i]);
        if (f && is_path(p->map, f)) {
            map_field(p->map, f, &item, fields[i], f->value);
            n |= 1u << i;
        }
    }
    if (n && (n & 3) != 3)
        map_error(p->map, block, "%.*s %.*s needs both ssl_cert and ssl_key", SLICE_ARG(block->key),
                  SLICE_ARG(block->value));
    else if (n)
        buf_printf(&p->items, "%s{%.*s}", buf_len(&p->items) ? ", " : "",
                   SLICE_ARG(buf_slice(&item)));
    p->first = p->first ? p->first : block;
    buf_release(&item);
    tell_others(p->map, block);
    MAP_EACH(inner, block)
    if (inner->block && slice_is(inner->key, "local_name"))
        put_place(p, inner, address);
}

void map_places(struct map_dovecot *m)
{
    struct places p = {.map = m};
    buf_init(&p.items, ITEMS_MAX);
    MAP_EACH(n, m->root)
    {
        if (n->block && slice_is(n->key, "local_name"))
            put_place(&p, n, SLICE(""));
        else if (n->block && slice_is(n->key, "local"))
            put_place(&p, n, n->value);
    }
    if (!buf_ok(&p.items))
        map_error(m, p.first, "too many certificates for names and addresses");
    else if (buf_len(&p.items))
        map_set(m, p.first, "tls_certificates", buf_slice(&p.items));
    buf_release(&p.items);
}
