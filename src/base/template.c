#include "base/template.h"

#include "base/buf.h"

struct expanding {
    template_macro_fn *macro;
    void *arg;
    struct buf out;
};

static bool name_char(char c)
{
    return ascii_alnum(c) || c == '_';
}

/* What may come from a stranger into a reply. */
static void put_value(struct buf *out, struct slice value)
{
    static const char allowed[] = "\t !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];
        buf_putc(out, ascii_alnum(c) || (c && strchr(allowed, c)) ? c : '_');
    }
}

static void expand(struct expanding *e, struct slice text, unsigned depth);

static void put_braced(struct expanding *e, struct slice inner, unsigned depth)
{
    size_t n = 0;
    while (n < inner.len && name_char(inner.data[n]))
        n++;
    struct slice value = e->macro(e->arg, slice_sub(inner, 0, n));
    char how = n < inner.len ? inner.data[n] : 0;
    struct slice text = slice_from(inner, n + 1);
    if (how == '?' && value.len)
        expand(e, text, depth + 1);
    else if (how == ':' && !value.len)
        expand(e, text, depth + 1);
    else if (how == 0)
        put_value(&e->out, value);
}

/* Behind a '$': returns how many bytes it took. */
static size_t put_macro(struct expanding *e, struct slice rest, unsigned depth)
{
    size_t n = 0;
    if (rest.len && rest.data[0] == '$') {
        buf_putc(&e->out, '$');
        return 1;
    }
    if (rest.len && rest.data[0] == '{') {
        size_t len = slice_braced(rest);
        if (len == 0) {
            buf_putc(&e->out, '$');
            return 0;
        }
        put_braced(e, slice_sub(rest, 1, len - 2), depth);
        return len;
    }
    while (n < rest.len && name_char(rest.data[n]))
        n++;
    if (n == 0)
        buf_putc(&e->out, '$');
    else
        put_value(&e->out, e->macro(e->arg, slice_sub(rest, 0, n)));
    return n;
}

static void expand(struct expanding *e, struct slice text, unsigned depth)
{
    while (text.len && depth < TEMPLATE_DEPTH_MAX) {
        size_t dollar = slice_find(text, '$');
        buf_append(&e->out, slice_sub(text, 0, dollar));
        if (dollar == SIZE_MAX)
            return;
        text = slice_from(text, dollar + 1);
        text = slice_from(text, put_macro(e, text, depth));
    }
}

struct slice template_expand(struct slice text, template_macro_fn *macro, void *arg,
                             struct arena *a)
{
    struct expanding e = {.macro = macro, .arg = arg};
    buf_init(&e.out, TEMPLATE_MAX);
    expand(&e, text, 0);
    struct slice out = arena_dup(a, buf_slice(&e.out));
    buf_release(&e.out);
    return out;
}

static struct slice part(struct slice address, struct slice suffix)
{
    size_t at = slice_rfind(address, '@');
    if (suffix.len == 0)
        return address.data ? address : SLICE("");
    if (slice_is(suffix, "_name"))
        return slice_sub(address, 0, at);
    if (slice_is(suffix, "_domain"))
        return at == SIZE_MAX ? SLICE("") : slice_from(address, at + 1);
    return SLICE("");
}

struct slice template_address(struct slice name, struct slice sender, struct slice rcpt)
{
    if (slice_starts(name, SLICE("sender")))
        return part(sender, slice_from(name, 6));
    if (slice_starts(name, SLICE("recipient")))
        return part(rcpt, slice_from(name, 9));
    return SLICE("");
}
