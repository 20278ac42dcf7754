/* transport.c: which transports there are. */
#include "conf/conf.h"

struct slice conf_transport_kind(const struct conf *c, struct slice name)
{
    if (name.len == 0)
        return SLICE("smtp");
    /* Routes of our own end there, whatever master.cf has. */
    if (slice_is(name, "error") || slice_is(name, "retry"))
        return SLICE("error");
    for (size_t i = 0; i < c->transport_services.n; i++) {
        struct slice kind = c->transport_services.items[i];
        if (slice_eq(slice_split(&kind, '='), name) && kind.data)
            return kind;
    }
    return SLICE_NONE;
}

bool conf_transport_takes(const struct conf *c, struct slice name)
{
    static const char *const kinds[] = {"smtp", "lmtp", "pipe", "error", "discard"};
    struct slice kind = conf_transport_kind(c, name);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (slice_is(kind, kinds[i]))
            return true;
    return false;
}
