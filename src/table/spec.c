#include "table/spec.h"

struct slice table_trim(struct slice s)
{
    while (s.len && table_space(s.data[0]))
        s = slice_from(s, 1);
    while (s.len && table_space(s.data[s.len - 1]))
        s.len--;
    return s;
}

struct slice table_spec_type(struct slice spec)
{
    size_t n = 0;
    while (n < spec.len && (ascii_alnum(spec.data[n]) || spec.data[n] == '_'))
        n++;
    return n && n < spec.len && spec.data[n] == ':' ? slice_sub(spec, 0, n) : SLICE_NONE;
}

enum result table_braces(struct slice s, struct slice *ret, const char **ret_why)
{
    s = table_trim(s);
    size_t n = s.len && s.data[0] == '{' ? slice_braced(s) : 0;
    if (n == 0)
        *ret_why = "a { without its }";
    else if (n < s.len)
        *ret_why = "there is text behind the last }";
    if (n == 0 || n < s.len)
        return INVALID;
    *ret = table_trim(slice_sub(s, 1, n - 2));
    return OK;
}

bool table_next_item(struct slice *rest, struct slice *ret)
{
    size_t depth = 0, n = 0;
    while (rest->len && table_separator(rest->data[0]))
        *rest = slice_from(*rest, 1);
    if (rest->len == 0)
        return false;
    for (; n < rest->len; n++) {
        char c = rest->data[n];
        if (depth == 0 && table_separator(c))
            break;
        if (c == '{')
            depth++;
        else if (c == '}' && depth)
            depth--;
    }
    *ret = slice_sub(*rest, 0, n);
    *rest = slice_from(*rest, n);
    return true;
}

const char *table_name_value(struct slice s, struct slice *ret_name, struct slice *ret_value)
{
    size_t at = slice_find(s, '=');
    struct slice name = table_trim(slice_sub(s, 0, at));
    bool quoted = false;
    if (at == SIZE_MAX)
        return "a name without = and a value";
    if (name.len == 0)
        return "an = without a name before it";
    for (size_t i = 0; i < name.len; i++) {
        quoted ^= name.data[i] == '"';
        if (!quoted && table_space(name.data[i]))
            return "white space in a name before its =";
    }
    *ret_name = name;
    *ret_value = table_trim(slice_from(s, at + 1));
    return NULL;
}
