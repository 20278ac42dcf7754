#include "auth/rewrite.h"

#include "base/buf.h"

enum { HOPS_MAX = 20 };

/* RFC 976's "site!user" is user@site; the first '!' counts. */
static bool swap_bang(struct directory_address *address, struct arena *a)
{
    size_t at = slice_find(address->local, '!');
    struct slice domain;
    if (at == SIZE_MAX || at == 0 || at + 1 == address->local.len ||
        domain_fold(slice_sub(address->local, 0, at), a, &domain) != OK)
        return false;
    *address = (struct directory_address){slice_from(address->local, at + 1), domain};
    return true;
}

/* "user%domain", and "user@domain" within quotes; the last one counts. */
static bool split_at(struct directory_address *address, char c, struct arena *a)
{
    size_t at = slice_rfind(address->local, c);
    struct slice domain;
    if (at == SIZE_MAX || at == 0 ||
        domain_fold(slice_from(address->local, at + 1), a, &domain) != OK)
        return false;
    *address = (struct directory_address){slice_sub(address->local, 0, at), domain};
    return true;
}

static bool take_way(const struct conf *c, struct directory_address *address, struct arena *a)
{
    return (c->resolve_dequoted_address && split_at(address, '@', a)) ||
           (c->swap_bangpath && swap_bang(address, a)) ||
           (c->allow_percent_hack && split_at(address, '%', a));
}

enum result rewrite_complete(const struct conf *c, struct directory_address *address,
                             struct arena *a)
{
    if (!address->domain.data && !(c->swap_bangpath && swap_bang(address, a)) &&
        !(c->allow_percent_hack && split_at(address, '%', a))) {
        /* postmaster is always ours (RFC 5321 4.5.1). */
        if (!c->append_at_myorigin || slice_is_nocase(address->local, "postmaster"))
            return OK;
        enum result r = domain_fold(c->myorigin, a, &address->domain);
        if (r != OK)
            return r;
    }
    bool bare = slice_find(address->domain, '.') == SIZE_MAX && address->domain.data[0] != '[';
    if (!bare || !c->append_dot_mydomain)
        return OK;
    const char *full =
        arena_printf(a, "%.*s.%.*s", SLICE_ARG(address->domain), SLICE_ARG(c->mydomain));
    return full ? domain_fold(slice_cstr(full), a, &address->domain) : FAILED;
}

static bool names_a_way(struct slice local)
{
    return slice_find(local, '@') != SIZE_MAX || slice_find(local, '!') != SIZE_MAX ||
           slice_find(local, '%') != SIZE_MAX;
}

enum result rewrite_follow(const struct directory *d, struct directory_address *address,
                           struct arena *a, bool *ret_routed, struct error *err)
{
    *ret_routed = false;
    if (!names_a_way(address->local))
        return OK;
    for (unsigned hops = 0; address->domain.data; hops++) {
        enum result r = directory_is_local(d, address->domain, a, err);
        if (r == FAILED)
            return FAILED;
        if (r != OK) {
            *ret_routed = names_a_way(address->local);
            return OK;
        }
        if (hops == HOPS_MAX || !take_way(d->conf, address, a) ||
            rewrite_complete(d->conf, address, a) != OK)
            return OK;
    }
    return OK;
}

struct slice address_text(const struct directory_address *address, struct arena *a)
{
    struct buf b;
    buf_init(&b, 4 * ADDRESS_MAX);
    address_quote(address->local, &b);
    if (address->domain.data) {
        buf_putc(&b, '@');
        buf_append(&b, address->domain);
    }
    struct slice text = buf_ok(&b) ? arena_dup(a, buf_slice(&b)) : SLICE_NONE;
    buf_release(&b);
    return text;
}
