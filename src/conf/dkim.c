#include "conf/dkim.h"

enum { NAME_MAX_BYTES = 253, LABEL_MAX_BYTES = 63 };

bool conf_dkim_name(struct slice name)
{
    size_t label = 0;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];
        bool dot = c == '.';
        if (dot ? label == 0 : !ascii_alnum(c) && c != '-' && c != '_')
            return false;
        label = dot ? 0 : label + 1;
        if (label > LABEL_MAX_BYTES)
            return false;
    }
    return label > 0 && name.len <= NAME_MAX_BYTES;
}

enum result conf_dkim_key(struct slice item, struct slice *ret_domain, struct slice *ret_selector,
                          struct slice *ret_path, struct error *why)
{
    struct slice path = item;
    struct slice domain = slice_split(&path, ':');
    struct slice selector = slice_split(&path, ':');
    if (!slice_starts(path, SLICE("/")))
        return error_set(why, INVALID, "\"%.*s\" is not DOMAIN:SELECTOR:/path/of/key.pem",
                         SLICE_ARG(item));
    if (!conf_dkim_name(domain) || !conf_dkim_name(selector))
        return error_set(why, INVALID, "\"%.*s\": domain and selector are names as DNS has them",
                         SLICE_ARG(item));
    *ret_domain = domain;
    *ret_selector = selector;
    *ret_path = path;
    return OK;
}
