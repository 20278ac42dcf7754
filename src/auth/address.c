#include "auth/address.h"

#include <idn2.h>
#include <stdlib.h>

struct slice lower_copy(struct slice s, struct arena *a)
{
    char *p = arena_alloc(a, s.len + 1);
    if (!p)
        return SLICE_NONE;
    for (size_t i = 0; i < s.len; i++)
        p[i] = ascii_lower(s.data[i]);
    return slice_of(p, s.len);
}

static bool is_ascii(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] >= 0x80)
            return false;
    return true;
}

/* RFC 5890: a U-label and its A-label are one name. */
static enum result to_a_labels(struct slice domain, struct arena *a, struct slice *ret)
{
    char *ascii = NULL;
    struct slice copy = arena_dup(a, domain);
    if (!copy.data)
        return FAILED;
    if (idn2_to_ascii_8z(copy.data, &ascii, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT) != IDN2_OK)
        return INVALID;
    struct slice folded = lower_copy(slice_cstr(ascii), a);
    idn2_free(ascii);
    if (!folded.data)
        return FAILED;
    *ret = folded;
    return OK;
}

static bool domain_char_ok(char c)
{
    return ascii_alnum(c) || c == '-' || c == '.' || c == '_';
}

static bool literal_char_ok(char c)
{
    return ascii_alnum(c) || c == ':' || c == '.' || c == '-';
}

static bool all_of(struct slice s, bool (*ok)(char))
{
    for (size_t i = 0; i < s.len; i++)
        if (!ok(s.data[i]))
            return false;
    return true;
}

/* RFC 5321 4.1.3: [192.0.2.1], [IPv6:2001:db8::1]. */
static bool is_literal(struct slice s)
{
    return s.len > 2 && s.data[0] == '[' && s.data[s.len - 1] == ']' &&
           all_of(slice_sub(s, 1, s.len - 2), literal_char_ok);
}

/* Labels of 1 to 63 bytes. */
static bool is_name(struct slice s)
{
    if (!all_of(s, domain_char_ok))
        return false;
    for (struct slice rest = s; rest.data;) {
        struct slice label = slice_split(&rest, '.');
        if (label.len == 0 || label.len > 63)
            return false;
    }
    return true;
}

enum result domain_fold(struct slice domain, struct arena *a, struct slice *ret)
{
    if (domain.len && domain.data[domain.len - 1] == '.')
        domain.len--;
    if (domain.len == 0 || domain.len > ADDRESS_DOMAIN_MAX || slice_find(domain, '\0') != SIZE_MAX)
        return INVALID;
    if (!is_ascii(domain))
        return to_a_labels(domain, a, ret);
    if (!is_literal(domain) && !is_name(domain))
        return INVALID;
    struct slice folded = lower_copy(domain, a);
    if (!folded.data)
        return FAILED;
    *ret = folded;
    return OK;
}

/* Reads a quoted local part, the cursor being `*at` behind the first quote; backslashes go. */
static enum result unquote(struct slice text, size_t *at, struct arena *a, struct slice *ret)
{
    char *out = arena_alloc(a, text.len + 1);
    size_t n = 0, i = *at;
    if (!out)
        return FAILED;
    for (; i < text.len && text.data[i] != '"'; i++) {
        if (text.data[i] == '\\' && ++i == text.len)
            return INVALID;
        if ((unsigned char)text.data[i] < ' ' || text.data[i] == 0x7f)
            return INVALID;
        out[n++] = text.data[i];
    }
    if (i == text.len)
        return INVALID;
    *at = i + 1;
    *ret = slice_of(out, n);
    return OK;
}

static bool local_char_ok(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f && !strchr("()<>[]:;@\\,\"", c);
}

enum result address_parse(struct slice text, struct arena *a, struct address *ret)
{
    struct address address = {SLICE_NONE, SLICE_NONE};
    size_t at = 0;
    enum result r = OK;
    if (text.len == 0 || text.len > ADDRESS_MAX || slice_find(text, '\0') != SIZE_MAX)
        return INVALID;
    if (text.data[0] == '"') {
        at = 1;
        r = unquote(text, &at, a, &address.local);
        if (r != OK)
            return r;
    } else {
        while (at < text.len && local_char_ok(text.data[at]))
            at++;
        address.local = slice_sub(text, 0, at);
    }
    if (address.local.len == 0 || address.local.len > ADDRESS_LOCAL_MAX)
        return INVALID;
    if (at < text.len) {
        if (text.data[at] != '@')
            return INVALID;
        r = domain_fold(slice_from(text, at + 1), a, &address.domain);
    }
    if (r == OK)
        *ret = address;
    return r;
}
