#include "conf/users.h"

static bool is_static(struct slice entry)
{
    return slice_starts(entry, SLICE("static:"));
}

bool conf_users_anyone(struct slice_list list)
{
    return list.n > 0 && is_static(list.items[0]);
}

bool conf_users_match(struct slice_list list, struct slice name)
{
    for (size_t i = 0; i < list.n; i++) {
        struct slice entry = list.items[i];
        bool excluded = entry.len && entry.data[0] == '!';
        if (is_static(entry))
            return true;
        if (name.len && slice_eq(excluded ? slice_from(entry, 1) : entry, name))
            return !excluded;
    }
    return false;
}

enum result conf_users_check(struct slice entry, struct error *why)
{
    if (!is_static(entry) &&
        (slice_find(entry, ':') != SIZE_MAX || slice_find(entry, '/') != SIZE_MAX))
        return error_set(why, INVALID,
                         "`%.*s` is not matched here: write names, !names or static:anyone",
                         SLICE_ARG(entry));
    return OK;
}
