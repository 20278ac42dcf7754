#include "conf/dovecot/line.h"

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Where the comment begins: a # at the start or behind white space, outside of quotes; else the
 * length. */
static size_t comment_at(struct slice line)
{
    char quote = 0;
    for (size_t i = 0; i < line.len; i++) {
        char c = line.data[i];
        if (quote && c == '\\')
            i++;
        else if (quote && c == quote)
            quote = 0;
        else if (!quote && c == '#' && (i == 0 || blank(line.data[i - 1])))
            return i;
        else if (!quote && (c == '"' || c == '\'') &&
                 (i == 0 || blank(line.data[i - 1]) || line.data[i - 1] == '='))
            quote = c;
    }
    return line.len;
}

enum result dovecot_next_line(struct slice *rest, struct buf *joined, unsigned *ret_lines)
{
    unsigned lines = 0;
    bool more = true;
    buf_reset(joined);
    while (more && rest->data) {
        struct slice line = slice_trim(slice_split(rest, '\n'));
        line = slice_trim(slice_sub(line, 0, comment_at(line)));
        lines++;
        more = line.len && line.data[line.len - 1] == '\\';
        if (more)
            line = slice_trim(slice_sub(line, 0, line.len - 1));
        if (buf_len(joined) && line.len)
            buf_putc(joined, ' ');
        buf_append(joined, line);
    }
    *ret_lines = lines;
    return buf_ok(joined) ? OK : LIMIT;
}

/* Undoes \" and \\ of a text in quotes. */
static struct slice unescape(struct slice s, struct arena *a)
{
    if (slice_find(s, '\\') == SIZE_MAX)
        return s;
    char *p = arena_alloc(a, s.len + 1);
    size_t n = 0;
    if (!p)
        return SLICE_NONE;
    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\\' && i + 1 < s.len)
            i++;
        p[n++] = s.data[i];
    }
    return slice_of(p, n);
}

/* Is all of it one text in quotes? */
static bool quoted(struct slice s)
{
    if (s.len < 2 || (s.data[0] != '"' && s.data[0] != '\''))
        return false;
    for (size_t i = 1; i < s.len; i++) {
        if (s.data[i] == '\\')
            i++;
        else if (s.data[i] == s.data[0])
            return i == s.len - 1;
    }
    return false;
}

static struct slice unquote(struct slice s, struct arena *a)
{
    return quoted(s) ? unescape(slice_sub(s, 1, s.len - 2), a) : s;
}

static struct dovecot_line wrong(const char *why)
{
    return (struct dovecot_line){.kind = DOVECOT_WRONG, .why = why};
}

static struct dovecot_line parse_include(struct slice line)
{
    struct slice path = line;
    struct slice word = slice_split(&path, ' ');
    struct dovecot_line l = {.kind = DOVECOT_INCLUDE, .value = slice_trim(path)};
    l.optional = slice_is(word, "!include_try");
    if (!l.optional && !slice_is(word, "!include"))
        return wrong("a line that begins with ! is !include or !include_try");
    if (l.value.len == 0)
        return wrong("the path is missing behind !include");
    return l;
}

static struct dovecot_line parse_setting(struct slice key, struct slice value, struct arena *a)
{
    struct dovecot_line l = {.kind = DOVECOT_SETTING, .key = key};
    l.quoted = quoted(value);
    l.from_file = value.len && value.data[0] == '<';
    l.value = l.from_file ? unquote(slice_trim(slice_from(value, 1)), a) : unquote(value, a);
    if (l.from_file && l.value.len == 0)
        return wrong("a path must follow <");
    return l;
}

static struct dovecot_line parse_open(struct slice key, struct slice rest, struct arena *a)
{
    struct slice name = slice_trim(slice_sub(rest, 0, rest.len - 1));
    struct dovecot_line l = {.kind = DOVECOT_OPEN, .key = key, .value = unquote(name, a)};
    if (slice_find(name, '{') != SIZE_MAX)
        return wrong("one { a line: write each block and each setting in lines of their own");
    return l;
}

struct dovecot_line dovecot_parse_line(struct slice line, struct arena *a)
{
    size_t n = 0;
    if (line.len == 0)
        return (struct dovecot_line){.kind = DOVECOT_EMPTY};
    if (memchr(line.data, 0, line.len))
        return wrong("the line holds a NUL byte: this is no text file");
    if (line.data[0] == '!')
        return parse_include(line);
    if (slice_is(line, "}"))
        return (struct dovecot_line){.kind = DOVECOT_CLOSE};
    while (n < line.len && !blank(line.data[n]) && line.data[n] != '=' && line.data[n] != '{')
        n++;
    struct slice key = slice_sub(line, 0, n), rest = slice_trim(slice_from(line, n));
    if (n == 0 || n > DOVECOT_NAME_MAX)
        return wrong("the line does not begin with the name of a setting");
    if (rest.len && rest.data[0] == '=')
        return parse_setting(key, slice_trim(slice_from(rest, 1)), a);
    if (rest.len && rest.data[rest.len - 1] == '{')
        return parse_open(key, rest, a);
    if (slice_find(rest, '{') != SIZE_MAX)
        return wrong("nothing may follow a {: write each setting in a line of its own");
    return wrong("neither `name = value` nor `name {`");
}
