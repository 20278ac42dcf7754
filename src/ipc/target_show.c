#include "ipc/target_show.h"

static const char *kind_of(const struct target *t)
{
    return t->kind == TARGET_COMMAND ? "command"
           : t->kind == TARGET_FILE  ? "file"
           : t->local                ? "mailbox"
                                     : "mail";
}

void target_show(const struct target *t, struct buf *out)
{
    struct slice transport, nexthop;
    target_route_split(t->route, &transport, &nexthop);
    buf_printf(out, "%s ", kind_of(t));
    if (t->kind == TARGET_COMMAND || t->kind == TARGET_FILE)
        buf_printf(out, "%.*s, as user %.*s", SLICE_ARG(t->text), SLICE_ARG(t->user));
    else if (t->local)
        buf_printf(out, "%.*s%s%.*s%s", SLICE_ARG(t->account), t->detail.len ? " (+" : "",
                   SLICE_ARG(t->detail), t->detail.len ? ")" : "");
    else if (t->route.len)
        buf_printf(out, "to %.*s by %.*s, next hop %.*s", SLICE_ARG(t->address),
                   SLICE_ARG(transport), SLICE_ARG(nexthop));
    else
        buf_printf(out, "to %.*s by smtp, to the mail hosts of its domain", SLICE_ARG(t->address));
}

void target_show_json(const struct target *t, struct json *o)
{
    struct slice transport, nexthop;
    target_route_split(t->route, &transport, &nexthop);
    json_put_string(o, "kind", slice_cstr(kind_of(t)));
    if (t->kind == TARGET_COMMAND || t->kind == TARGET_FILE) {
        json_put_string(o, "text", t->text);
        json_put_string(o, "user", t->user);
    } else if (t->local) {
        json_put_string(o, "account", t->account);
        json_put_string(o, "detail", t->detail.data ? t->detail : SLICE(""));
    } else {
        json_put_string(o, "address", t->address);
        json_put_string(o, "transport", t->route.len ? transport : SLICE("smtp"));
        json_put_string(o, "nexthop", t->route.len ? nexthop : SLICE(""));
    }
}
