#include "auth/alias_list.h"

#include "mime/address.h"

enum alias_item alias_item_kind(struct slice item)
{
    if (item.len && item.data[0] == '|')
        return ITEM_COMMAND;
    if (item.len && item.data[0] == '/')
        return ITEM_FILE;
    return slice_starts_nocase(item, SLICE(":include:")) ? ITEM_INCLUDE : ITEM_ADDRESS;
}

struct slice alias_item_text(struct slice item)
{
    switch (alias_item_kind(item)) {
    case ITEM_COMMAND:
        return slice_trim_start(slice_from(item, 1));
    case ITEM_INCLUDE:
        return slice_trim_start(slice_from(item, strlen(":include:")));
    default:
        return item;
    }
}

/* Length of what stands in front of a byte of `stops` (or, when `spaces`, white space) outside
 * quotes; SIZE_MAX when a quote is not closed. RFC 5322 3.2.4: a backslash quotes in quotes. */
static size_t run_len(struct slice s, const char *stops, bool spaces)
{
    bool quoted = false;
    size_t i = 0;
    for (; i < s.len; i++) {
        char c = s.data[i];
        if (quoted && c == '\\' && i + 1 < s.len)
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && ((spaces && ascii_blank(c)) || (c && strchr(stops, c))))
            break;
    }
    return quoted ? SIZE_MAX : i;
}

/* Without quotes, and without the backslashes within them; white space becomes blanks. */
static struct slice unquote(struct slice s, struct arena *a)
{
    bool quoted = false;
    size_t n = 0;
    char *out = arena_alloc(a, s.len + 1);
    if (!out)
        return SLICE_NONE;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (c == '"') {
            quoted = !quoted;
            continue;
        }
        if (quoted && c == '\\' && i + 1 < s.len)
            c = s.data[++i];
        out[n++] = ascii_blank(c) ? ' ' : c;
    }
    return slice_of(out, n);
}

const char *alias_word(struct slice *rest, const char *stops, struct arena *a, struct slice *ret)
{
    size_t len = run_len(*rest, stops, true);
    if (len == SIZE_MAX)
        return "a quote is not closed";
    struct slice word = unquote(slice_sub(*rest, 0, len), a);
    if (!word.data)
        return "out of memory";
    *rest = slice_from(*rest, len);
    *ret = word;
    return NULL;
}

/* RFC 5322 3.4: "Name <address>"; the part within, or all of it. */
static struct slice within_brackets(struct slice raw)
{
    size_t open = run_len(raw, "<", false);
    if (open >= raw.len || raw.data[raw.len - 1] != '>')
        return raw;
    return slice_trim(slice_sub(raw, open + 1, raw.len - open - 2));
}

static const char *check(struct slice item)
{
    struct slice text = alias_item_text(item);
    enum alias_item kind = alias_item_kind(item);
    if (text.len == 0)
        return kind == ITEM_COMMAND ? "the command is missing" : "a target is empty";
    if (text.len > (kind == ITEM_ADDRESS ? (size_t)ADDRESS_MAX : (size_t)ALIAS_TEXT_MAX))
        return "a target is too long";
    if (kind == ITEM_INCLUDE && text.data[0] != '/')
        return "the path behind :include: does not begin with /";
    return NULL;
}

/* One item as it is written, trimmed, to the form that others get. */
static const char *parse_item(struct slice raw, struct arena *a, struct slice *ret)
{
    struct slice item = unquote(raw, a);
    if (!item.data)
        return "out of memory";
    if (alias_item_kind(item) == ITEM_ADDRESS) {
        raw = within_brackets(raw);
        size_t quote = slice_rfind(raw, '"'), at = slice_rfind(raw, '@');
        bool quoted_local = quote != SIZE_MAX && at != SIZE_MAX && at > quote;
        item = quoted_local ? arena_dup(a, raw) : unquote(raw, a);
        if (!item.data)
            return "out of memory";
    }
    if (run_len(raw, "", true) != raw.len)
        return "a target holds white space (quote it, or put a comma between two)";
    const char *wrong = check(item);
    if (!wrong)
        *ret = item;
    return wrong;
}

const char *alias_list_parse(struct slice text, struct arena *a, struct slice *items, size_t *n)
{
    size_t count = *n;
    const char *wrong = NULL;
    while (!wrong && text.len) {
        size_t len = run_len(text, ",", false);
        if (len == SIZE_MAX)
            return "a quote is not closed";
        struct slice raw = slice_trim(slice_sub(text, 0, len));
        text = slice_from(text, len + 1);
        if (raw.len == 0) /* empty items are customary at line ends */
            continue;
        if (count == ALIAS_TARGETS_MAX)
            return "too many targets";
        wrong = parse_item(raw, a, &items[count]);
        count++;
    }
    if (!wrong)
        *n = count;
    return wrong;
}

enum result alias_lines_parse(struct slice bytes, struct arena *a, struct slice_list *ret,
                              const char **ret_wrong, unsigned *ret_line)
{
    struct slice *items = arena_alloc_n(a, ALIAS_TARGETS_MAX, sizeof *items);
    const char *first = NULL;
    unsigned line = 0, first_line = 0;
    size_t n = 0;
    if (!items)
        return FAILED;
    while (bytes.len) {
        struct slice text = slice_trim(slice_split(&bytes, '\n'));
        line++;
        if (text.len == 0 || text.data[0] == '#')
            continue;
        const char *wrong = slice_find(text, '\0') == SIZE_MAX
                                ? alias_list_parse(text, a, items, &n)
                                : "the line holds a NUL byte";
        if (wrong && !first) {
            first = wrong;
            first_line = line;
        }
    }
    if (arena_failed(a))
        return FAILED;
    *ret = (struct slice_list){items, n};
    *ret_wrong = first;
    *ret_line = first_line;
    return OK;
}
