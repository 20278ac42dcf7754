#include "table/lines.h"

#include "table/spec.h"
#include "table/table.h"

void table_lines_init(struct table_lines *l, struct slice text)
{
    *l = (struct table_lines){.rest = text, .line = 1};
    buf_init(&l->joined, TABLE_FILE_MAX + 1);
}

void table_lines_release(struct table_lines *l)
{
    buf_release(&l->joined);
}

static bool is_blank(struct slice line)
{
    line = table_trim(line);
    return line.len == 0 || line.data[0] == '#';
}

/* A piece of a continued line goes behind what there is, as it stands. */
static void add_piece(struct table_lines *l, struct slice piece, struct slice *whole)
{
    if (buf_len(&l->joined) == 0)
        buf_append(&l->joined, *whole);
    buf_append(&l->joined, piece);
    *whole = buf_slice(&l->joined);
}

bool table_lines_next(struct table_lines *l, struct slice *ret)
{
    struct slice whole = SLICE_NONE;
    buf_reset(&l->joined);
    while (l->rest.len) {
        struct slice before = l->rest, piece = slice_split(&l->rest, '\n');
        bool blank = is_blank(piece);
        if (!blank && whole.data && !table_space(piece.data[0])) {
            l->rest = before;
            break;
        }
        if (!blank && !whole.data) {
            l->first = l->line;
            whole = piece;
        } else if (!blank) {
            add_piece(l, piece, &whole);
        }
        l->line++;
    }
    if (!whole.data || !buf_ok(&l->joined))
        return false;
    while (whole.len && table_space(whole.data[whole.len - 1]))
        whole.len--;
    *ret = whole;
    return true;
}
