#include "base/json_read.h"

static void skip_space(struct cursor *c)
{
    while (cursor_accept(c, ' ') || cursor_accept(c, '\t') || cursor_accept(c, '\n') ||
           cursor_accept(c, '\r'))
        ;
}

static bool is_hex(char c)
{
    return ascii_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'f');
}

/* What follows the backslash. */
static void skip_escape(struct cursor *c)
{
    struct slice kind = cursor_take(c, 1);
    if (kind.len && kind.data[0] == 'u') {
        struct slice hex = cursor_take(c, 4);
        for (size_t i = 0; i < hex.len; i++)
            if (!is_hex(hex.data[i]))
                cursor_fail(c);
    } else if (kind.len && !strchr("\"\\/bfnrt", kind.data[0])) {
        cursor_fail(c);
    }
}

/* Behind the opening quote. */
static struct slice take_string(struct cursor *c)
{
    struct slice all = c->rest;
    while (cursor_ok(c)) {
        int next = cursor_peek(c);
        if (next < 0 || next < ' ') {
            cursor_fail(c);
            break;
        }
        (void)cursor_take(c, 1);
        if (next == '"')
            return slice_sub(all, 0, all.len - c->rest.len - 1);
        if (next == '\\')
            skip_escape(c);
    }
    return SLICE_NONE;
}

static bool is_digit(char c)
{
    return ascii_digit(c);
}

static void take_digits(struct cursor *c)
{
    if (cursor_while(c, is_digit).len == 0)
        cursor_fail(c);
}

static void take_number(struct cursor *c)
{
    (void)cursor_accept(c, '-');
    if (!cursor_accept(c, '0'))
        take_digits(c);
    if (cursor_accept(c, '.'))
        take_digits(c);
    if (cursor_accept(c, 'e') || cursor_accept(c, 'E')) {
        if (!cursor_accept(c, '+'))
            (void)cursor_accept(c, '-');
        take_digits(c);
    }
}

static struct json_value take_value(struct cursor *c, unsigned depth);

/* Behind the bracket, up to its other half. */
static void take_members(struct cursor *c, char close, unsigned depth)
{
    skip_space(c);
    if (cursor_accept(c, close))
        return;
    while (cursor_ok(c)) {
        if (close == '}') {
            skip_space(c);
            if (!cursor_accept(c, '"'))
                cursor_fail(c);
            (void)take_string(c);
            skip_space(c);
            if (!cursor_accept(c, ':'))
                cursor_fail(c);
        }
        (void)take_value(c, depth + 1);
        skip_space(c);
        if (cursor_accept(c, close))
            return;
        if (!cursor_accept(c, ','))
            cursor_fail(c);
    }
}

static bool take_word(struct cursor *c, struct json_value *v)
{
    static const struct {
        const char *word;
        enum json_kind kind;
    } words[] = {{"true", JSON_TRUE}, {"false", JSON_FALSE}, {"null", JSON_NULL}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_starts(c->rest, slice_cstr(words[i].word))) {
            v->raw = cursor_take(c, strlen(words[i].word));
            v->kind = words[i].kind;
            return true;
        }
    return false;
}

static struct json_value take_value(struct cursor *c, unsigned depth)
{
    struct json_value v = {JSON_NULL, SLICE_NONE};
    skip_space(c);
    struct slice all = c->rest;
    if (depth > JSON_DEPTH_MAX)
        cursor_fail(c);
    if (!cursor_ok(c))
        return v;
    if (cursor_accept(c, '"')) {
        v.kind = JSON_STRING;
        v.raw = take_string(c);
        return v;
    }
    if (take_word(c, &v))
        return v;
    bool object = cursor_accept(c, '{');
    if (object || cursor_accept(c, '[')) {
        v.kind = object ? JSON_OBJECT : JSON_ARRAY;
        take_members(c, object ? '}' : ']', depth);
    } else {
        v.kind = JSON_NUMBER;
        take_number(c);
    }
    v.raw = slice_sub(all, 0, all.len - c->rest.len);
    return v;
}

enum result json_parse(struct slice text, struct json_value *ret)
{
    struct cursor c = cursor_of(text);
    struct json_value v = take_value(&c, 0);
    skip_space(&c);
    if (!cursor_done(&c))
        return INVALID;
    *ret = v;
    return OK;
}

enum result json_find(const struct json_value *object, const char *key, struct json_value *ret)
{
    struct cursor c = cursor_of(object->raw);
    enum result r = NOT_FOUND;
    if (object->kind != JSON_OBJECT || !cursor_accept(&c, '{'))
        return INVALID;
    struct json_value found = {JSON_NULL, SLICE_NONE};
    for (skip_space(&c); cursor_accept(&c, '"'); skip_space(&c)) {
        struct slice name = take_string(&c);
        skip_space(&c);
        (void)cursor_accept(&c, ':');
        struct json_value v = take_value(&c, 0);
        if (slice_is(name, key)) {
            if (r == OK)
                return INVALID;
            found = v;
            r = OK;
        }
        skip_space(&c);
        (void)cursor_accept(&c, ',');
    }
    if (r == OK)
        *ret = found;
    return r;
}

bool json_next(const struct json_value *array, size_t *at, struct json_value *ret)
{
    struct cursor c = cursor_of(slice_from(array->raw, *at ? *at : 1));
    if (array->kind != JSON_ARRAY)
        return false;
    skip_space(&c);
    (void)cursor_accept(&c, ',');
    skip_space(&c);
    if (cursor_at_end(&c) || cursor_peek(&c) == ']')
        return false;
    *ret = take_value(&c, 0);
    *at = array->raw.len - c.rest.len;
    return cursor_ok(&c);
}

static unsigned take_hex(struct cursor *c)
{
    struct slice hex = cursor_take(c, 4);
    unsigned n = 0;
    for (size_t i = 0; i < hex.len; i++)
        n = n * 16 + (unsigned)(ascii_digit(hex.data[i]) ? hex.data[i] - '0'
                                                         : ascii_lower(hex.data[i]) - 'a' + 10);
    return n;
}

static void put_utf8(uint32_t n, struct buf *out)
{
    if (n < 0x80) {
        buf_putc(out, (char)n);
        return;
    }
    unsigned more = n < 0x800 ? 1 : n < 0x10000 ? 2 : 3;
    static const unsigned char first[] = {0, 0xc0, 0xe0, 0xf0};
    buf_putc(out, (char)(first[more] | n >> (6 * more)));
    while (more--)
        buf_putc(out, (char)(0x80 | (n >> (6 * more) & 0x3f)));
}

/* \uXXXX, with its other half where it is a surrogate. */
static enum result put_unicode(struct cursor *c, struct buf *out)
{
    uint32_t n = take_hex(c);
    if (n >= 0xd800 && n < 0xdc00 && cursor_accept(c, '\\') && cursor_accept(c, 'u')) {
        uint32_t low = take_hex(c);
        if (low < 0xdc00 || low > 0xdfff)
            return INVALID;
        n = 0x10000 + ((n - 0xd800) << 10) + (low - 0xdc00);
    }
    if (n == 0 || (n >= 0xd800 && n <= 0xdfff))
        return INVALID;
    put_utf8(n, out);
    return OK;
}

enum result json_text(const struct json_value *string, struct buf *out)
{
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    struct cursor c = cursor_of(string->raw);
    if (string->kind != JSON_STRING)
        return INVALID;
    while (!cursor_at_end(&c)) {
        char next = cursor_take(&c, 1).data[0];
        if (next != '\\') {
            buf_putc(out, next);
            continue;
        }
        char escape = cursor_take(&c, 1).data[0];
        const char *at = strchr(names, escape);
        if (escape == 'u') {
            if (put_unicode(&c, out) != OK)
                return INVALID;
        } else {
            buf_putc(out, at ? values[at - names] : escape);
        }
    }
    return buf_ok(out) ? OK : LIMIT;
}

bool json_is(const struct json_value *v, struct slice text)
{
    return v->kind == JSON_STRING && slice_eq(v->raw, text);
}

enum result json_number(const struct json_value *v, int64_t *ret)
{
    uint64_t n = 0;
    struct slice whole = v->raw;
    size_t dot = slice_find(whole, '.');
    if (v->kind != JSON_NUMBER || slice_parse_u64(slice_sub(whole, 0, dot), INT64_MAX, &n) != OK)
        return INVALID;
    *ret = (int64_t)n;
    return OK;
}
