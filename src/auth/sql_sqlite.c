/* sql_sqlite.c: SQLite. The file is opened for reading alone. */
#include "auth/library.h"
#include "auth/sql.h"

#include <sqlite3.h>

#define SQLITE_FUNCTIONS(F)                                                                        \
    F(sqlite3_busy_timeout)                                                                        \
    F(sqlite3_close)                                                                               \
    F(sqlite3_column_bytes)                                                                        \
    F(sqlite3_column_count)                                                                        \
    F(sqlite3_column_name)                                                                         \
    F(sqlite3_column_text)                                                                         \
    F(sqlite3_errmsg)                                                                              \
    F(sqlite3_finalize)                                                                            \
    F(sqlite3_open_v2)                                                                             \
    F(sqlite3_prepare_v2)                                                                          \
    F(sqlite3_step)

struct api {
    SQLITE_FUNCTIONS(LIBRARY_POINTER)
};

static enum result load(struct api *ret, struct error *err)
{
    static const char *const files[] = {"libsqlite3.so.0", NULL};
#define SYMBOL(name) {#name, offsetof(struct api, name)},
    static const struct library_symbol symbols[] = {SQLITE_FUNCTIONS(SYMBOL)};
#undef SYMBOL
    return library_load(files, "libsqlite3-0", symbols, sizeof symbols / sizeof *symbols, ret, err);
}

/* What sqlite3_mprintf's %q does: a quote is doubled, and nothing else means anything. */
static void escape(void *arg, struct slice value, struct buf *out)
{
    (void)arg;
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == '\'')
            buf_putc(out, '\'');
        buf_putc(out, value.data[i]);
    }
}

static bool give_row(const struct api *q, sqlite3_stmt *s, const struct sql_work *w)
{
    struct slice names[SQL_COLUMNS_MAX], values[SQL_COLUMNS_MAX];
    int columns = q->sqlite3_column_count(s);
    if (columns > SQL_COLUMNS_MAX)
        columns = SQL_COLUMNS_MAX;
    for (int i = 0; i < columns; i++) {
        const void *value = q->sqlite3_column_text(s, i);
        names[i] = slice_cstr(q->sqlite3_column_name(s, i));
        values[i] = value ? slice_of(value, (size_t)q->sqlite3_column_bytes(s, i)) : SLICE_NONE;
    }
    return w->row(w->arg, names, values, (size_t)columns);
}

static int give_rows(const struct api *q, sqlite3 *db, struct slice text, const struct sql_work *w)
{
    sqlite3_stmt *s = NULL;
    int r = q->sqlite3_prepare_v2(db, text.data, (int)text.len, &s, NULL);
    bool more = r == SQLITE_OK;
    while (more && (r = q->sqlite3_step(s)) == SQLITE_ROW)
        more = give_row(q, s, w);
    q->sqlite3_finalize(s);
    return r;
}

enum result sql_sqlite(const struct sql_server *s, const struct sql_work *w, struct arena *a,
                       struct error *err)
{
    struct api q;
    sqlite3 *db = NULL;
    struct slice text = sql_fill(w, escape, NULL, a, err);
    if (!text.data || load(&q, err) != OK)
        return FAILED;
    int r = q.sqlite3_open_v2(s->path.data, &db, SQLITE_OPEN_READONLY, NULL);
    if (r == SQLITE_OK) {
        q.sqlite3_busy_timeout(db, SQL_TIMEOUT_S * 1000);
        r = give_rows(&q, db, text, w);
    }
    bool asked = r == SQLITE_ROW || r == SQLITE_DONE;
    if (!asked)
        (void)error_set(err, FAILED, "sqlite: %s", db ? q.sqlite3_errmsg(db) : "no memory");
    q.sqlite3_close(db);
    return asked ? OK : FAILED;
}
