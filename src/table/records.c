#include "table/records.h"

static const struct slice magic = {"\0records\n", 9};

bool table_records_are(struct slice bytes)
{
    return slice_starts(bytes, magic);
}

void table_records_begin(struct buf *out)
{
    buf_reset(out);
    buf_append(out, magic);
}

static struct slice without_nul(struct slice s)
{
    return s.len && s.data[s.len - 1] == '\0' ? slice_sub(s, 0, s.len - 1) : s;
}

void table_records_add(struct buf *out, struct slice key, struct slice value)
{
    key = without_nul(key);
    value = without_nul(value);
    buf_putc(out, 'E');
    buf_put_be32(out, (uint32_t)key.len);
    buf_put_be32(out, (uint32_t)value.len);
    buf_append(out, key);
    buf_append(out, value);
}

void table_records_end(struct buf *out)
{
    buf_putc(out, '.');
}

void table_records_fail(struct buf *out, const char *why)
{
    table_records_begin(out);
    buf_putc(out, '!');
    buf_puts(out, why);
}

struct cursor table_records_of(struct slice bytes)
{
    return cursor_of(slice_from(bytes, magic.len));
}

enum result table_records_next(struct cursor *c, struct slice *ret_key, struct slice *ret_value,
                               struct error *err)
{
    uint8_t kind = cursor_u8(c);
    if (kind == '.' && cursor_done(c))
        return NOT_FOUND;
    if (kind == '!')
        return error_set(err, FAILED, "%.*s", SLICE_ARG(c->rest));
    uint32_t key_len = cursor_be32(c), value_len = cursor_be32(c);
    struct slice key = cursor_take(c, key_len), value = cursor_take(c, value_len);
    if (kind != 'E' || !cursor_ok(c))
        return error_set(err, FAILED, "its database was not read to the end");
    *ret_key = key;
    *ret_value = value;
    return OK;
}
