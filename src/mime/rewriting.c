#include "mime/rewriting.h"

#include "base/buf.h"
#include "mime/address.h"

enum { KEY_MAX = 1024, SCRATCH = 4096, OVERHEAD = 8 };

void rewriting_init(struct rewriting *r, struct arena *a)
{
    *r = (struct rewriting){.arena = a};
    map_init(&r->known, REWRITING_MAX);
}

void rewriting_release(struct rewriting *r)
{
    map_release(&r->known);
}

/* "s" or "r", then the address in one form whatever quotes it had; data NULL: too long. */
static struct slice key_of(struct arena *a, bool sender, struct slice local, struct slice domain)
{
    struct buf b;
    buf_init(&b, KEY_MAX);
    buf_putc(&b, sender ? 's' : 'r');
    address_quote(local, &b);
    buf_putc(&b, '@');
    buf_append(&b, domain);
    struct slice key = buf_ok(&b) ? arena_dup(a, buf_slice(&b)) : SLICE_NONE;
    buf_release(&b);
    return key;
}

static struct slice key_of_text(struct arena *a, bool sender, struct slice address)
{
    return slice_cstr(arena_printf(a, "%c%.*s", sender ? 's' : 'r', SLICE_ARG(address)));
}

static void add(struct rewriting *r, struct slice key)
{
    bool fits =
        key.data && r->n < REWRITING_MAX && r->bytes + key.len + OVERHEAD <= REWRITING_BYTES_MAX;
    enum result put = fits ? map_put(&r->known, key, &r->made[r->n]) : LIMIT;
    r->left_out = r->left_out || (put != OK && put != EXISTS);
    if (put != OK)
        return;
    r->classes[r->n] = slice_sub(key, 0, 1);
    r->addresses[r->n] = slice_from(key, 1);
    r->bytes += key.len + OVERHEAD;
    r->n++;
}

void rewriting_add(void *arg, bool sender, struct slice local, struct slice domain)
{
    struct rewriting *r = arg;
    add(r, key_of(r->arena, sender, local, domain));
}

void rewriting_add_text(struct rewriting *r, bool sender, struct slice address)
{
    if (address.len && address.len < KEY_MAX)
        add(r, key_of_text(r->arena, sender, address));
}

static bool changed(const struct rewriting *r, struct slice key, struct slice *ret)
{
    const struct slice *made = key.data ? map_get(&r->known, key) : NULL;
    if (!made || made->len == 0 || slice_eq(*made, slice_from(key, 1)))
        return false;
    *ret = *made;
    return true;
}

bool rewriting_find(void *arg, bool sender, struct slice local, struct slice domain,
                    struct slice *ret)
{
    struct arena a;
    arena_init(&a, SCRATCH);
    bool found = changed(arg, key_of(&a, sender, local, domain), ret);
    arena_release(&a);
    return found;
}

struct slice rewriting_find_text(const struct rewriting *r, bool sender, struct slice address)
{
    struct arena a;
    struct slice made = address;
    arena_init(&a, SCRATCH);
    if (address.len && address.len < KEY_MAX)
        (void)changed(r, key_of_text(&a, sender, address), &made);
    arena_release(&a);
    return made;
}
