#include "auth/sql.h"

struct slice sql_fill(const struct sql_work *w, format_escape_fn *escape, void *escape_arg,
                      struct arena *a, struct error *err)
{
    struct buf out;
    buf_init(&out, SQL_QUERY_MAX);
    enum result r = w->fill(w->arg, escape, escape_arg, &out, err);
    if (r == OK && !buf_ok(&out))
        r = error_set(err, LIMIT, "a value can't stand in the query, or it becomes too long");
    struct slice text = r == OK ? arena_dup(a, buf_slice(&out)) : SLICE_NONE;
    buf_release(&out);
    return text;
}
