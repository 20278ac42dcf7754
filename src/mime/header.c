/* header.c: walking, finding and reading header fields. */
#include "mime/header.h"
#include "mime/encoding.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The line with its end, off the front. */
static struct slice take_line(struct slice *rest)
{
    size_t lf = slice_find(*rest, '\n');
    size_t n = lf == SIZE_MAX ? rest->len : lf + 1;
    struct slice line = slice_sub(*rest, 0, n);
    *rest = slice_from(*rest, n);
    return line;
}

static bool is_empty_line(struct slice line)
{
    return slice_is(line, "\r\n") || slice_is(line, "\n");
}

size_t header_length(struct slice message)
{
    struct slice rest = message;
    while (rest.len)
        if (is_empty_line(take_line(&rest)))
            break;
    return message.len - rest.len;
}

static struct slice cut_line_end(struct slice s)
{
    if (s.len && s.data[s.len - 1] == '\n')
        s.len--;
    if (s.len && s.data[s.len - 1] == '\r')
        s.len--;
    return s;
}

static void split_field(struct slice raw, struct header_field *f)
{
    size_t colon = slice_find(raw, ':');
    size_t line = slice_find(raw, '\n');
    f->raw = raw;
    f->name = slice_sub(raw, 0, 0);
    f->body = cut_line_end(raw);
    if (colon == SIZE_MAX || colon > line)
        return;
    struct slice name = slice_sub(raw, 0, colon);
    /* RFC 5322 4.5: obsolete syntax has white space before the colon. */
    while (name.len && is_blank(name.data[name.len - 1]))
        name.len--;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] <= ' ' || name.data[i] == 127)
            return;
    f->name = name;
    f->body = slice_from(f->body, colon + 1);
}

bool header_next(struct slice *rest, struct header_field *ret)
{
    struct slice at = *rest;
    struct slice line = take_line(&at);
    if (line.len == 0 || is_empty_line(line))
        return false;
    while (at.len && is_blank(at.data[0]))
        take_line(&at);
    split_field(slice_sub(*rest, 0, rest->len - at.len), ret);
    *rest = at;
    return true;
}

enum result header_find(struct slice header, const char *name, struct header_field *ret)
{
    struct header_field f;
    while (header_next(&header, &f))
        if (slice_is_nocase(f.name, name)) {
            *ret = f;
            return OK;
        }
    return NOT_FOUND;
}

size_t header_count(struct slice header, const char *name)
{
    struct header_field f;
    size_t n = 0;
    while (header_next(&header, &f))
        n += slice_is_nocase(f.name, name);
    return n;
}

/* RFC 5322 2.2.3: unfolding takes the line ends out and leaves the white space behind them. */
void header_unfold(struct slice body, struct buf *out)
{
    struct slice rest = slice_trim(body);
    while (rest.len) {
        struct slice line = take_line(&rest);
        buf_append(out, rest.len ? cut_line_end(line) : line);
    }
}

void header_decode(struct slice body, struct buf *out)
{
    struct buf plain;
    buf_init(&plain, body.len);
    header_unfold(body, &plain);
    words_decode(buf_slice(&plain), out);
    buf_release(&plain);
}
