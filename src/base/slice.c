#include "base/slice.h"

#include <stdlib.h>

bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower(a.data[i]) != ascii_lower(b.data[i]))
            return false;
    return true;
}

bool slice_is_nocase(struct slice s, const char *text)
{
    return slice_eq_nocase(s, slice_cstr(text));
}

bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && slice_eq(slice_sub(s, 0, prefix.len), prefix);
}

bool slice_starts_nocase(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && slice_eq_nocase(slice_sub(s, 0, prefix.len), prefix);
}

bool slice_ends_nocase(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len && slice_eq_nocase(slice_from(s, s.len - suffix.len), suffix);
}

bool slice_contains_nocase(struct slice s, struct slice part)
{
    if (part.len == 0)
        return true;
    for (size_t i = 0; i + part.len <= s.len; i++)
        if (ascii_lower(s.data[i]) == ascii_lower(part.data[0]) &&
            slice_eq_nocase(slice_of(s.data + i, part.len), part))
            return true;
    return false;
}

int slice_cmp(struct slice a, struct slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.data, b.data, n) : 0;
    if (c)
        return c;
    return a.len < b.len ? -1 : a.len > b.len;
}

size_t slice_find(struct slice s, char c)
{
    const char *p = s.len ? memchr(s.data, c, s.len) : NULL;
    return p ? (size_t)(p - s.data) : SIZE_MAX;
}

size_t slice_rfind(struct slice s, char c)
{
    const char *p = s.len ? memrchr(s.data, c, s.len) : NULL;
    return p ? (size_t)(p - s.data) : SIZE_MAX;
}

size_t slice_search(struct slice s, struct slice needle)
{
    if (needle.len == 0)
        return 0;
    const char *p = s.len ? memmem(s.data, s.len, needle.data, needle.len) : NULL;
    return p ? (size_t)(p - s.data) : SIZE_MAX;
}

struct slice slice_trim_start(struct slice s)
{
    while (s.len && ascii_blank(s.data[0]))
        s = slice_from(s, 1);
    return s;
}

struct slice slice_trim(struct slice s)
{
    s = slice_trim_start(s);
    while (s.len && ascii_blank(s.data[s.len - 1]))
        s.len--;
    return s;
}

size_t slice_braced(struct slice s)
{
    size_t depth = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '{')
            depth++;
        else if (s.data[i] == '}' && --depth == 0)
            return i + 1;
    }
    return 0;
}

struct slice slice_split(struct slice *rest, char sep)
{
    size_t at = slice_find(*rest, sep);
    struct slice head = slice_sub(*rest, 0, at);
    *rest = at == SIZE_MAX ? SLICE_NONE : slice_from(*rest, at + 1);
    return head;
}

struct slice slice_word(struct slice *rest, const char *separators)
{
    size_t begin = 0, most = strlen(separators);
    while (begin < rest->len && memchr(separators, rest->data[begin], most))
        begin++;
    size_t end = begin;
    while (end < rest->len && !memchr(separators, rest->data[end], most))
        end++;
    struct slice word = slice_sub(*rest, begin, end - begin);
    *rest = slice_from(*rest, end);
    return word;
}

enum result slice_parse_u64(struct slice s, uint64_t max, uint64_t *ret)
{
    uint64_t n = 0;
    if (s.len == 0)
        return INVALID;
    for (size_t i = 0; i < s.len; i++)
        if (!ascii_digit(s.data[i]))
            return INVALID;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)(s.data[i] - '0');
        if (n > (UINT64_MAX - digit) / 10)
            return LIMIT;
        n = n * 10 + digit;
    }
    if (n > max)
        return LIMIT;
    *ret = n;
    return OK;
}

bool slice_copy(struct slice from, struct slice *ret)
{
    char *p = malloc(from.len + 1);
    if (!p)
        return false;
    if (from.len)
        memcpy(p, from.data, from.len);
    p[from.len] = '\0';
    *ret = slice_of(p, from.len);
    return true;
}
