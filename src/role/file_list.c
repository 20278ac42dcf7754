#include "role/file_list.h"

void file_list_put(struct buf *out, struct slice name, struct slice bytes)
{
    buf_printf(out, "%.*s %zu\n", SLICE_ARG(name), bytes.len);
    buf_append(out, bytes);
}

bool file_list_next(struct slice *rest, struct slice *ret_name, struct slice *ret_bytes)
{
    uint64_t length;
    size_t space = slice_find(*rest, ' '), end = slice_find(*rest, '\n');
    if (end == SIZE_MAX || space >= end ||
        slice_parse_u64(slice_sub(*rest, space + 1, end - space - 1), rest->len - end - 1,
                        &length) != OK)
        return false;
    *ret_name = slice_sub(*rest, 0, space);
    *ret_bytes = slice_sub(*rest, end + 1, (size_t)length);
    *rest = slice_from(*rest, end + 1 + (size_t)length);
    return true;
}
