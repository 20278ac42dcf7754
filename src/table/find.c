/* find.c: several tables in order, and the keys under which an address is looked up. */
#include "base/buf.h"
#include "table/table.h"

/* partial: the key is a part of what is looked up; patterns are not asked. */
static enum result find_in(const struct tables *ts, struct slice key, bool partial, struct arena *a,
                           struct table_match *ret, struct error *err)
{
    for (size_t i = 0; key.len && i < ts->n; i++) {
        if (partial && table_has_patterns(ts->items[i]))
            continue;
        enum result r = table_find(ts->items[i], key, a, ret, err);
        if (r != NOT_FOUND)
            return r;
    }
    return NOT_FOUND;
}

enum result tables_find(const struct tables *ts, struct slice key, struct arena *a,
                        struct table_match *ret, struct error *err)
{
    return find_in(ts, key, false, a, ret, err);
}

enum result tables_find_partial(const struct tables *ts, struct slice key, struct arena *a,
                                struct table_match *ret, struct error *err)
{
    return find_in(ts, key, true, a, ret, err);
}

/* ---- addresses ---- */

/* RFC 5322 3.2.3 atext and dots between. */
static bool is_dot_atom(struct slice s)
{
    bool dot = true;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (c == '.' && (dot || i + 1 == s.len))
            return false;
        dot = c == '.';
        if (!dot && !ascii_alnum(c) && (unsigned char)c < 0x80 &&
            (c == '\0' || !strchr("!#$%&'*+-/=?^_`{|}~", c)))
            return false;
    }
    return s.len > 0;
}

/* The form with quotes that the local part needs in text; its own form when it needs none. */
static struct slice quoted(struct slice local, struct arena *a)
{
    char *out;
    size_t n = 0;
    if (local.len == 0 || is_dot_atom(local) || !(out = arena_alloc(a, 2 * local.len + 3)))
        return local;
    out[n++] = '"';
    for (size_t i = 0; i < local.len; i++) {
        if (local.data[i] == '"' || local.data[i] == '\\' || local.data[i] == '\r')
            out[n++] = '\\';
        out[n++] = local.data[i];
    }
    out[n++] = '"';
    return slice_of(out, n);
}

static struct slice joined(struct slice local, struct slice at_domain, struct arena *a)
{
    char *out = arena_alloc(a, local.len + at_domain.len + 1);
    if (!out)
        return SLICE_NONE;
    memcpy(out, local.data ? local.data : "", local.len);
    memcpy(out + local.len, at_domain.data ? at_domain.data : "", at_domain.len);
    return slice_of(out, local.len + at_domain.len);
}

/* local@domain: with quotes where the text needs them, then without. */
static enum result find_form(const struct tables *ts, struct slice local, struct slice at_domain,
                             bool partial, struct arena *a, struct table_match *ret,
                             struct error *err)
{
    struct slice text = quoted(local, a);
    struct slice key = joined(text, at_domain, a);
    enum result r = find_in(ts, key, partial, a, ret, err);
    if (r != NOT_FOUND || text.data == local.data)
        return r;
    return find_in(ts, joined(local, at_domain, a), partial, a, ret, err);
}

/* Names that are never taken apart (postconf(5), recipient_delimiter). */
static bool is_whole(struct slice local, struct slice delimiter)
{
    if (slice_is_nocase(local, "postmaster") || slice_is_nocase(local, "mailer-daemon") ||
        slice_is_nocase(local, "double-bounce"))
        return true;
    return slice_find(delimiter, '-') != SIZE_MAX && (slice_starts_nocase(local, SLICE("owner-")) ||
                                                      slice_ends_nocase(local, SLICE("-request")));
}

struct slice table_address_detail(struct slice local, struct slice delimiter)
{
    if (delimiter.len == 0 || is_whole(local, delimiter))
        return SLICE("");
    for (size_t i = 0; i < local.len; i++)
        if (slice_find(delimiter, local.data[i]) != SIZE_MAX)
            return i ? slice_from(local, i) : SLICE("");
    return SLICE("");
}

enum result tables_find_address(const struct tables *ts, struct slice address,
                                struct slice delimiter, bool local_domain, struct arena *a,
                                struct table_match *ret, struct slice *ret_detail,
                                struct error *err)
{
    size_t at = slice_rfind(address, '@');
    struct slice local = slice_sub(address, 0, at);
    struct slice domain = at == SIZE_MAX ? SLICE("") : slice_from(address, at);
    struct slice detail = table_address_detail(local, delimiter);
    struct slice bare = slice_sub(local, 0, local.len - detail.len);
    enum result r = find_form(ts, local, domain, false, a, ret, err);
    bool lacks = r == NOT_FOUND && detail.len;
    if (lacks)
        r = find_form(ts, bare, domain, true, a, ret, err);
    if (r == NOT_FOUND && domain.len && local_domain) {
        lacks = false;
        r = find_form(ts, local, SLICE(""), true, a, ret, err);
        if (r == NOT_FOUND && detail.len) {
            lacks = true;
            r = find_form(ts, bare, SLICE(""), true, a, ret, err);
        }
    }
    if (r == NOT_FOUND && domain.len) {
        lacks = false;
        r = find_in(ts, domain, true, a, ret, err);
    }
    if (r == OK)
        *ret_detail = lacks ? detail : SLICE("");
    return r;
}
