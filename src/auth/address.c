#include "auth/address.h"

struct slice lower_copy(struct slice s, struct arena *a)
{
    char *p = arena_alloc(a, s.len + 1);
    if (!p)
        return SLICE_NONE;
    for (size_t i = 0; i < s.len; i++)
        p[i] = ascii_lower(s.data[i]);
    return slice_of(p, s.len);
}

/* Takes the buffer's content into the arena and frees the buffer. */
static enum result keep(struct buf *b, struct arena *a, struct slice *ret)
{
    struct slice copy = buf_ok(b) ? arena_dup(a, buf_slice(b)) : SLICE_NONE;
    buf_release(b);
    if (!copy.data)
        return FAILED;
    *ret = copy;
    return OK;
}

enum result domain_fold(struct slice domain, struct arena *a, struct slice *ret)
{
    struct buf ascii;
    if (domain.len && domain.data[domain.len - 1] == '.')
        domain.len--;
    if (!domain_valid(domain, true) && !domain_is_literal(domain))
        return INVALID;
    buf_init(&ascii, ADDRESS_DOMAIN_MAX);
    if (domain_to_ascii(domain, &ascii) != OK) {
        buf_release(&ascii);
        return INVALID;
    }
    return keep(&ascii, a, ret);
}

enum result directory_address_parse(struct slice text, struct arena *a,
                                    struct directory_address *ret)
{
    struct address parsed;
    struct directory_address out = {SLICE_NONE, SLICE_NONE};
    struct buf local;
    if (text.len && text.data[text.len - 1] == '.')
        text.len--; /* a domain's root dot */
    if (address_parse(text, ADDRESS_UTF8 | ADDRESS_NO_DOMAIN, &parsed) != OK)
        return INVALID;
    buf_init(&local, ADDRESS_MAX);
    address_unquote(parsed.local, &local);
    enum result r = keep(&local, a, &out.local);
    if (r == OK && parsed.domain.len)
        r = domain_fold(parsed.domain, a, &out.domain);
    if (r == OK && out.local.len == 0)
        r = INVALID;
    if (r == OK)
        *ret = out;
    return r;
}
