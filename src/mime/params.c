#include "mime/params.h"
#include "mime/header.h"
#include "mime/lex.h"

#include <stdio.h>

enum { SEGMENTS_MAX = 20 };

void mime_fields_collect(struct slice header, struct mime_fields *ret)
{
    struct mime_fields f = {.type = SLICE_NONE};
    struct header_field field;
    const struct {
        const char *name;
        struct slice *to;
    } wanted[] = {{"Type", &f.type},
                  {"Transfer-Encoding", &f.encoding},
                  {"ID", &f.id},
                  {"Description", &f.description},
                  {"MD5", &f.md5},
                  {"Disposition", &f.disposition},
                  {"Language", &f.language},
                  {"Location", &f.location}};
    while (header_next(&header, &field)) {
        if (!slice_starts_nocase(field.name, SLICE("Content-")))
            continue;
        struct slice name = slice_from(field.name, 8);
        for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
            if (!wanted[i].to->data && slice_is_nocase(name, wanted[i].name))
                *wanted[i].to = field.body;
    }
    *ret = f;
}

static bool is_token(char c)
{
    return c > ' ' && c < 127 && !strchr("()<>@,;:\\\"/[]?=", c);
}

struct slice mime_token(struct slice body, struct slice *ret_rest)
{
    struct cursor c = cursor_of(slice_sub(body, 0, PARAMS_BYTES_MAX));
    lex_cfws(&c, NULL);
    struct slice token = cursor_while(&c, is_token);
    *ret_rest = c.rest;
    return token.len <= TOKEN_MAX ? token : SLICE_NONE;
}

enum result content_type_parse(struct slice body, struct content_type *ret)
{
    struct content_type t;
    struct cursor c = cursor_of(SLICE_NONE);
    t.type = mime_token(body, &c.rest);
    lex_cfws(&c, NULL);
    if (t.type.len == 0 || !cursor_accept(&c, '/'))
        return INVALID;
    t.subtype = mime_token(c.rest, &t.params);
    if (t.subtype.len == 0)
        return INVALID;
    *ret = t;
    return OK;
}

static bool in_name(char c)
{
    return c != '=' && c != ';' && c != '(' && (unsigned char)c > ' ';
}

static bool in_value(char c)
{
    return c != ';' && c != '(';
}

static bool before_semicolon(char c)
{
    return c != ';';
}

static void take_value(struct cursor *c, struct buf *value)
{
    lex_cfws(c, NULL);
    if (cursor_peek(c) == '"')
        lex_quoted(c, value);
    else
        /* No token may hold spaces, but file names without quotes do. */
        header_unfold(cursor_while(c, in_value), value);
}

bool param_next(struct cursor *c, struct slice *ret_name, struct buf *value)
{
    while (!cursor_at_end(c)) {
        lex_cfws(c, NULL);
        if (cursor_accept(c, ';'))
            continue;
        struct slice name = cursor_while(c, in_name);
        lex_cfws(c, NULL);
        bool found = cursor_accept(c, '=') && name.len && name.len <= TOKEN_MAX;
        buf_reset(value);
        if (found)
            take_value(c, value);
        cursor_while(c, before_semicolon);
        if (found) {
            *ret_name = name;
            return true;
        }
    }
    return false;
}

static bool find_exact(struct slice params, const char *name, struct buf *value)
{
    struct cursor c = cursor_of(slice_sub(params, 0, PARAMS_BYTES_MAX));
    struct slice found;
    for (unsigned i = 0; i < PARAMS_MAX && param_next(&c, &found, value); i++)
        if (slice_is_nocase(found, name))
            return true;
    return false;
}

/* RFC 2231 4: charset'language'percent-encoded; only the first segment names the charset. */
static void put_extended(struct slice value, bool first, struct buf *out)
{
    size_t quote = slice_find(value, '\'');
    if (first && quote != SIZE_MAX) {
        value = slice_from(value, quote + 1);
        quote = slice_find(value, '\'');
        value = quote == SIZE_MAX ? value : slice_from(value, quote + 1);
    }
    for (size_t i = 0; i < value.len; i++) {
        int high = -1, low = -1;
        if (value.data[i] == '%' && i + 2 < value.len) {
            high = ascii_hex(value.data[i + 1]);
            low = ascii_hex(value.data[i + 2]);
        }
        buf_putc(out, high >= 0 && low >= 0 ? (char)(high << 4 | low) : value.data[i]);
        i += high >= 0 && low >= 0 ? 2 : 0;
    }
}

/* name*0, name*1*, …: RFC 2231 3 */
static unsigned put_segments(struct slice params, const char *name, struct buf *value,
                             struct buf *out)
{
    unsigned i = 0;
    for (; i < SEGMENTS_MAX; i++) {
        char segment[64];
        snprintf(segment, sizeof segment, "%s*%u", name, i);
        if (find_exact(params, segment, value)) {
            buf_append(out, buf_slice(value));
            continue;
        }
        snprintf(segment, sizeof segment, "%s*%u*", name, i);
        if (!find_exact(params, segment, value))
            break;
        put_extended(buf_slice(value), i == 0, out);
    }
    return i;
}

enum result param_find(struct slice params, const char *name, struct buf *out)
{
    char extended[64];
    struct buf value;
    bool found = true;
    if (params.len == 0)
        return NOT_FOUND;
    buf_init(&value, PARAMS_BYTES_MAX);
    snprintf(extended, sizeof extended, "%s*", name);
    if (find_exact(params, name, &value))
        buf_append(out, buf_slice(&value));
    else if (slice_find(params, '*') == SIZE_MAX)
        found = false;
    else if (find_exact(params, extended, &value))
        put_extended(buf_slice(&value), true, out);
    else
        found = put_segments(params, name, &value, out) > 0;
    bool fits = buf_ok(&value) && buf_ok(out);
    buf_release(&value);
    return !found ? NOT_FOUND : fits ? OK : LIMIT;
}
