/* envelope_read.c: see envelope.h. */
#include "base/cursor.h"
#include "mime/envelope.h"

enum { ADDRESS_FIELDS = 4, FIELDS = 10, GROUPS_SKIPPED_MAX = 100 };

static size_t quoted_length(struct slice s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.data[i] == '\\')
            i++;
        else if (s.data[i] == '"')
            return i + 1;
    }
    return 0;
}

/* "{12}CRLF" and its bytes; *ret_head: the length of what is in front of these. */
static size_t literal_length(struct slice s, size_t *ret_head)
{
    struct cursor c = cursor_of(slice_from(s, 1));
    uint64_t n = cursor_number(&c, s.len);
    bool shaped = cursor_accept(&c, '}') && cursor_accept(&c, '\r') && cursor_accept(&c, '\n');
    if (!shaped || !cursor_ok(&c) || n > c.rest.len)
        return 0;
    *ret_head = s.len - c.rest.len;
    return *ret_head + (size_t)n;
}

static size_t token_length(struct slice s);

static size_t list_length(struct slice s)
{
    size_t depth = 0, at = 0;
    while (at < s.len) {
        char c = s.data[at];
        size_t n = c == '"' || c == '{' ? token_length(slice_from(s, at)) : 1;
        depth += c == '(';
        depth -= c == ')';
        if (n == 0)
            return 0;
        at += n;
        if (depth == 0)
            return at;
    }
    return 0;
}

/* 0: it is none. */
static size_t token_length(struct slice s)
{
    size_t head = 0;
    if (s.len == 0)
        return 0;
    if (s.data[0] == '"')
        return quoted_length(s);
    if (s.data[0] == '{')
        return literal_length(s, &head);
    if (s.data[0] == '(')
        return list_length(s);
    return slice_starts_nocase(s, SLICE("NIL")) ? 3 : 0;
}

/* The tokens within a list's parentheses; returns how many. */
static size_t take_tokens(struct slice list, struct slice *items, size_t n)
{
    size_t found = 0;
    struct slice rest = slice_from(list, 1);
    if (list.len < 2 || list.data[0] != '(')
        return 0;
    while (found < n) {
        while (rest.len && rest.data[0] == ' ')
            rest = slice_from(rest, 1);
        size_t len = token_length(rest);
        if (len == 0)
            break;
        items[found++] = slice_sub(rest, 0, len);
        rest = slice_from(rest, len);
    }
    return found;
}

void envelope_read(struct slice text, struct envelope *ret)
{
    struct slice items[FIELDS] = {0};
    (void)take_tokens(text, items, FIELDS);
    *ret = (struct envelope){items[0], items[1], items[2], items[3], items[4],
                             items[5], items[6], items[7], items[8], items[9]};
}

void envelope_string(struct slice field, struct buf *out)
{
    size_t head = 0;
    if (field.len && field.data[0] == '{' && literal_length(field, &head)) {
        buf_append(out, slice_from(field, head));
        return;
    }
    if (field.len < 2 || field.data[0] != '"')
        return;
    for (size_t i = 1; i + 1 < field.len; i++) {
        if (field.data[i] == '\\' && i + 2 < field.len)
            i++;
        buf_putc(out, field.data[i]);
    }
}

void envelope_first(struct slice list, enum envelope_part part, struct buf *out)
{
    struct slice items[ADDRESS_FIELDS] = {0}, rest = slice_from(list, 1);
    if (list.len < 2 || list.data[0] != '(')
        return;
    for (int skipped = 0; skipped < GROUPS_SKIPPED_MAX; skipped++) {
        size_t len = token_length(rest);
        if (len == 0 ||
            take_tokens(slice_sub(rest, 0, len), items, ADDRESS_FIELDS) < ADDRESS_FIELDS)
            return;
        /* A group begins or ends with an address without host. */
        if (!slice_is_nocase(items[ENVELOPE_HOST], "NIL"))
            break;
        rest = slice_from(rest, len);
    }
    envelope_string(items[part], out);
}
