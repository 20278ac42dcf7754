/* passwords.c: see passwords.h. */
#include "role/relay/passwords.h"

#include "role/relay/relay.h"

bool passwords_search(struct slice text, struct slice key, struct slice *ret_user,
                      struct slice *ret_password)
{
    struct slice rest = text;
    while (rest.data) {
        struct slice line = slice_trim(slice_split(&rest, '\n'));
        size_t end = 0;
        if (line.len == 0 || line.data[0] == '#')
            continue;
        while (end < line.len && line.data[end] != ' ' && line.data[end] != '\t')
            end++;
        if (!slice_eq_nocase(slice_sub(line, 0, end), key))
            continue;
        struct slice value = slice_trim(slice_from(line, end));
        size_t colon = slice_find(value, ':');
        if (colon == SIZE_MAX || colon == 0)
            return false;
        *ret_user = slice_sub(value, 0, colon);
        *ret_password = slice_from(value, colon + 1);
        return true;
    }
    return false;
}

static struct slice bare_name(struct slice nexthop)
{
    if (nexthop.len && nexthop.data[0] == '[')
        return slice_sub(nexthop, 1, slice_find(nexthop, ']') - 1);
    return slice_sub(nexthop, 0, slice_find(nexthop, ':'));
}

void passwords_find(struct relay *relay, struct slice nexthop, struct slice host,
                    struct slice *ret_user, struct slice *ret_password)
{
    pthread_mutex_lock(&relay->lock);
    struct slice text = relay->passwords;
    pthread_mutex_unlock(&relay->lock);
    *ret_user = *ret_password = SLICE("");
    if (!passwords_search(text, nexthop, ret_user, ret_password) &&
        !passwords_search(text, bare_name(nexthop), ret_user, ret_password))
        (void)passwords_search(text, host, ret_user, ret_password);
}
