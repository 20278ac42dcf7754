#include "conf/fields.h"

static bool separates(char c)
{
    return c == ',' || c == ' ' || c == '\t';
}

static struct slice without_braces(struct slice s)
{
    s = slice_trim(s);
    bool whole = s.len && s.data[0] == '{' && slice_braced(s) == s.len;
    return whole ? slice_sub(s, 1, s.len - 2) : s;
}

bool conf_field_next(struct slice *rest, struct slice *ret_key, struct slice *ret_value)
{
    struct slice s = without_braces(*rest);
    size_t n = 0;
    while (s.len && separates(s.data[0]))
        s = slice_from(s, 1);
    if (s.len == 0)
        return false;
    while (n < s.len && s.data[n] != '=' && !separates(s.data[n]))
        n++;
    *ret_key = slice_sub(s, 0, n);
    *ret_value = SLICE("yes");
    if (n < s.len && s.data[n] == '=') {
        struct slice v = slice_from(s, n + 1);
        size_t len = v.len && v.data[0] == '{' ? slice_braced(v) : 0;
        bool in_braces = len > 0;
        while (!in_braces && len < v.len && !separates(v.data[len]))
            len++;
        *ret_value = in_braces ? slice_sub(v, 1, len - 2) : slice_sub(v, 0, len);
        n += 1 + len;
    }
    *rest = slice_from(s, n);
    return true;
}

struct slice conf_field(struct slice item, const char *key)
{
    struct slice found = SLICE_NONE, k, v;
    while (conf_field_next(&item, &k, &v))
        if (slice_is(k, key))
            found = v;
    return found;
}

static bool known(struct slice key, const char *const *words)
{
    for (; *words; words++)
        if (slice_is(key, *words))
            return true;
    return false;
}

enum result conf_fields_check(struct slice item, const char *const *words, struct error *why)
{
    struct slice k, v, rest = item;
    if (item.len < 2 || item.data[0] != '{' || slice_braced(item) != item.len)
        return error_set(why, INVALID, "`%.*s` must be {key=value, key=value}",
                         SLICE_ARG(slice_sub(item, 0, 60)));
    while (conf_field_next(&rest, &k, &v))
        if (!known(k, words))
            return error_set(why, INVALID, "`%.*s` is no key that is known here",
                             SLICE_ARG(slice_sub(k, 0, 60)));
    return OK;
}

static bool balanced(struct slice s)
{
    size_t depth = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\n' || s.data[i] == '\r')
            return false;
        if (s.data[i] == '{')
            depth++;
        else if (s.data[i] == '}' && depth-- == 0)
            return false;
    }
    return depth == 0;
}

enum result conf_field_put(struct buf *item, const char *key, struct slice value)
{
    bool bare = value.len > 0;
    if (!balanced(value))
        return INVALID;
    for (size_t i = 0; i < value.len; i++)
        bare = bare && !separates(value.data[i]) && !strchr("{}=", value.data[i]);
    buf_printf(item, "%s%s=%s%.*s%s", buf_len(item) ? ", " : "", key, bare ? "" : "{",
               SLICE_ARG(value), bare ? "" : "}");
    return OK;
}
