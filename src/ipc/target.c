/* target.c: where a recipient leads, in the text form that messages and the queue carry. */
#include "ipc/ipc.h"

enum result target_parse(struct slice text, struct target *ret)
{
    struct target t = {0};
    struct slice rest = text;
    struct slice kind = slice_split(&rest, ' ');
    if (!rest.data || rest.len == 0)
        return INVALID;
    if (slice_is(kind, "remote")) {
        t.address = rest;
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
    if (!t->local) {
        buf_puts(out, "remote ");
        buf_append(out, t->address);
        return;
    }
    buf_puts(out, "local ");
    buf_append(out, t->account);
    buf_putc(out, ' ');
    buf_append(out, t->detail);
}
