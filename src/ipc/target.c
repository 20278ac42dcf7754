/* target.c: where a recipient leads, in the text form that messages and the queue carry. */
#include "ipc/ipc.h"

enum result target_parse(struct slice text, struct target *ret)
{
    struct target t = {0};
    struct slice rest = text;
    struct slice kind = slice_split(&rest, ' ');
    if (slice_is(kind, "bcc")) {
        t.bcc = true;
        kind = slice_split(&rest, ' ');
    }
    if (!rest.data || rest.len == 0)
        return INVALID;
    if (slice_is(kind, "remote")) {
        t.address = slice_split(&rest, '\t'); /* an address never holds one */
        t.route = rest.data ? rest : SLICE("");
        if (t.address.len == 0)
            return INVALID;
    } else if (slice_is(kind, "local")) {
        t.local = true;
        t.account = slice_split(&rest, ' ');
        t.detail = rest.data ? rest : SLICE("");
        if (t.account.len == 0)
            return INVALID;
    } else {
        return INVALID;
    }
    *ret = t;
    return OK;
}

void target_format(const struct target *t, struct buf *out)
{
    if (t->bcc)
        buf_puts(out, "bcc ");
    if (!t->local) {
        buf_puts(out, "remote ");
        buf_append(out, t->address);
        if (t->route.len)
            buf_putc(out, '\t');
        buf_append(out, t->route);
        return;
    }
    buf_puts(out, "local ");
    buf_append(out, t->account);
    buf_putc(out, ' ');
    buf_append(out, t->detail);
}

void target_route_split(struct slice destination, struct slice *ret_transport,
                        struct slice *ret_nexthop)
{
    size_t n = 0;
    while (n < destination.len && (ascii_alnum(destination.data[n]) || destination.data[n] == '-' ||
                                   destination.data[n] == '_'))
        n++;
    bool routed = n > 0 && n < destination.len && destination.data[n] == ':';
    *ret_transport = routed ? slice_sub(destination, 0, n) : SLICE("");
    *ret_nexthop = routed ? slice_from(destination, n + 1) : destination;
}
