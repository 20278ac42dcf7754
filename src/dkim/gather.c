#include "dkim/gather.h"

#include "mime/address.h"
#include "mime/header.h"

/* RFC 6376 5.4.1. sealed: named once more than it is there. */
static const struct {
    const char *name;
    bool sealed;
} covered[] = {
    {"from", true},
    {"sender", false},
    {"reply-to", true},
    {"to", true},
    {"cc", true},
    {"subject", true},
    {"date", true},
    {"message-id", true},
    {"in-reply-to", false},
    {"references", false},
    {"mime-version", true},
    {"content-type", true},
    {"content-transfer-encoding", true},
    {"list-id", false},
    {"list-unsubscribe", false},
    {"list-unsubscribe-post", false},
};

struct gathering {
    struct buf names, fields;
    size_t n;
};

static void add_name(struct gathering *g, const char *name)
{
    if (buf_len(&g->names))
        buf_putc(&g->names, ':');
    buf_puts(&g->names, name);
    g->n++;
}

/* All fields of the name, the last one first (5.4.2). */
static void add_fields(struct gathering *g, struct slice header, const char *name)
{
    struct header_field found[DKIM_FIELDS_MAX], f;
    size_t n = 0;
    struct slice rest = header;
    while (header_next(&rest, &f)) {
        if (!slice_is_nocase(f.name, name))
            continue;
        if (n == DKIM_FIELDS_MAX) {
            g->n = DKIM_FIELDS_MAX + 1;
            return;
        }
        found[n++] = f;
    }
    while (n > 0 && g->n <= DKIM_FIELDS_MAX) {
        n--;
        add_name(g, name);
        dkim_canon_field(found[n].name, found[n].body, &g->fields);
        buf_puts(&g->fields, "\r\n");
    }
}

static bool first_mailbox(void *arg, const struct address_item *item)
{
    struct buf *domain = arg;
    if (item->kind != ADDRESS_MAILBOX)
        return true;
    if (item->domain.len && domain_to_ascii(item->domain, domain) != OK)
        buf_clear(domain);
    return false;
}

static struct slice find_domain(struct slice header, struct arena *a)
{
    struct header_field from;
    struct buf domain;
    buf_init(&domain, ADDRESS_DOMAIN_MAX);
    if (header_find(header, "From", &from) == OK)
        (void)address_list_each(from.body, first_mailbox, &domain);
    struct slice found = arena_dup(a, buf_slice(&domain));
    if (!buf_ok(&domain))
        found.len = 0;
    buf_release(&domain);
    return found;
}

enum result dkim_gather(struct slice message, struct arena *a, struct dkim_parts *ret)
{
    struct gathering g = {.n = 0};
    struct slice header = slice_sub(message, 0, header_length(message));
    unsigned char hash[DKIM_HASH_LEN];
    struct slice domain = find_domain(header, a);
    if (domain.len == 0)
        return arena_failed(a) ? FAILED : NOT_FOUND;
    buf_init(&g.names, DKIM_FIELDS_BYTES_MAX);
    buf_init(&g.fields, DKIM_FIELDS_BYTES_MAX);
    for (size_t i = 0; i < sizeof covered / sizeof *covered; i++) {
        add_fields(&g, header, covered[i].name);
        if (covered[i].sealed)
            add_name(&g, covered[i].name);
    }
    enum result r = g.n <= DKIM_FIELDS_MAX && buf_ok(&g.names) && buf_ok(&g.fields) ? OK : LIMIT;
    if (r == OK)
        r = dkim_body_hash(slice_from(message, header.len), hash);
    struct dkim_parts parts = {domain, arena_dup(a, buf_slice(&g.names)),
                               arena_dup(a, buf_slice(&g.fields)),
                               arena_dup(a, slice_of(hash, sizeof hash))};
    buf_release(&g.names);
    buf_release(&g.fields);
    if (r == OK && arena_failed(a))
        r = FAILED;
    if (r == OK)
        *ret = parts;
    return r;
}
