/* target.c: where a recipient leads, in the text form that messages and the queue carry. */
#include "ipc/ipc.h"

/* "N:BYTES" off the front of *rest; "-" is a slice without data where that is allowed. */
static enum result take_counted(struct slice *rest, bool may_lack, struct slice *ret)
{
    uint64_t n;
    size_t colon = slice_find(*rest, ':');
    if (may_lack && rest->len && rest->data[0] == '-') {
        *ret = SLICE_NONE;
        *rest = slice_from(*rest, 1);
        return OK;
    }
    if (colon == SIZE_MAX ||
        slice_parse_u64(slice_sub(*rest, 0, colon), rest->len - colon - 1, &n) != OK)
        return INVALID;
    *ret = slice_sub(*rest, colon + 1, (size_t)n);
    *rest = slice_from(*rest, colon + 1 + (size_t)n);
    return OK;
}

static bool take_space(struct slice *rest)
{
    bool there = rest->len && rest->data[0] == ' ';
    *rest = slice_from(*rest, there);
    return there;
}

static enum result parse_local(struct slice rest, struct target *t)
{
    t->kind = TARGET_LOCAL;
    t->local = true;
    t->account = slice_split(&rest, ' ');
    t->detail = rest.data ? rest : SLICE("");
    return t->account.len ? OK : INVALID;
}

static enum result parse_served(struct slice rest, struct target *t)
{
    t->user = slice_split(&rest, ' ');
    if (!rest.data || t->user.len == 0 || take_counted(&rest, false, &t->address) != OK ||
        !take_space(&rest) || rest.len == 0 || slice_find(rest, '\0') != SIZE_MAX)
        return INVALID;
    t->text = rest;
    return OK;
}

static enum result parse_via(struct slice rest, struct target *t)
{
    t->kind = TARGET_VIA;
    if (take_counted(&rest, true, &t->sender) != OK || !take_space(&rest) ||
        take_counted(&rest, true, &t->delivered) != OK)
        return INVALID;
    return rest.len ? INVALID : OK;
}

enum result target_parse(struct slice text, struct target *ret)
{
    struct target t = {.kind = TARGET_REMOTE};
    struct slice rest = text;
    struct slice kind = slice_split(&rest, ' ');
    enum result r = OK;
    if (slice_is(kind, "bcc")) {
        t.bcc = true;
        t.copy_for = SLICE("");
        bool named = rest.len && ascii_digit(rest.data[0]);
        if (named && (take_counted(&rest, false, &t.copy_for) != OK || !take_space(&rest)))
            return INVALID;
        kind = slice_split(&rest, ' ');
    }
    if (slice_is(kind, "for")) {
        if (take_counted(&rest, false, &t.delivered) != OK || !take_space(&rest))
            return INVALID;
        kind = slice_split(&rest, ' ');
        if (!slice_is(kind, "command") && !slice_is(kind, "file"))
            return INVALID;
    }
    if (!rest.data || rest.len == 0)
        return INVALID;
    t.filter = slice_is(kind, "filter");
    if (t.filter || slice_is(kind, "remote")) {
        t.address = slice_split(&rest, '\t'); /* an address never holds one */
        t.route = rest.data ? rest : SLICE("");
        if (t.address.len == 0 || (t.filter && t.route.len == 0))
            return INVALID;
    } else if (slice_is(kind, "local")) {
        r = parse_local(rest, &t);
    } else if (slice_is(kind, "command") || slice_is(kind, "file")) {
        t.kind = slice_is(kind, "file") ? TARGET_FILE : TARGET_COMMAND;
        r = parse_served(rest, &t);
    } else {
        r = slice_is(kind, "via") ? parse_via(rest, &t) : INVALID;
    }
    if (r == OK)
        *ret = t;
    return r;
}

static void put_counted(struct buf *out, struct slice s)
{
    if (!s.data) {
        buf_putc(out, '-');
        return;
    }
    buf_put_u64(out, s.len);
    buf_putc(out, ':');
    buf_append(out, s);
}

static void format_served(const struct target *t, struct buf *out)
{
    if (t->delivered.data) {
        buf_puts(out, "for ");
        put_counted(out, t->delivered);
        buf_putc(out, ' ');
    }
    buf_puts(out, t->kind == TARGET_FILE ? "file " : "command ");
    buf_append(out, t->user.len ? t->user : SLICE("-"));
    buf_putc(out, ' ');
    put_counted(out, t->address.data ? t->address : SLICE(""));
    buf_putc(out, ' ');
    buf_append(out, t->text);
}

void target_format(const struct target *t, struct buf *out)
{
    if (t->bcc) {
        buf_puts(out, "bcc ");
        put_counted(out, t->copy_for.data ? t->copy_for : SLICE(""));
        buf_putc(out, ' ');
    }
    if (t->local || t->kind == TARGET_LOCAL) {
        buf_puts(out, "local ");
        buf_append(out, t->account);
        buf_putc(out, ' ');
        buf_append(out, t->detail);
    } else if (t->kind == TARGET_VIA) {
        buf_puts(out, "via ");
        put_counted(out, t->sender);
        buf_putc(out, ' ');
        put_counted(out, t->delivered);
    } else if (t->kind != TARGET_REMOTE) {
        format_served(t, out);
    } else {
        buf_puts(out, t->filter ? "filter " : "remote ");
        buf_append(out, t->address);
        if (t->route.len)
            buf_putc(out, '\t');
        buf_append(out, t->route);
    }
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
