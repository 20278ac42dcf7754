/* compiled_lmdb.c: LMDB. Its functions are declared here, as they stand in lmdb.h of 0.9: a
 * handful that has not changed since. */
#include <string.h>

#include "auth/compiled.h"
#include "auth/library.h"
#include "table/records.h"

enum {
    ENV_NOSUBDIR = 0x4000,
    ENV_RDONLY = 0x20000,
    ENV_NOLOCK = 0x400000,
    CURSOR_FIRST = 0,
    CURSOR_NEXT = 8,
    LMDB_NOTFOUND = -30798
};

struct val {
    size_t size;
    void *data;
};

struct api {
    int (*env_create)(void **);
    int (*env_open)(void *, const char *, unsigned, unsigned);
    int (*txn_begin)(void *, void *, unsigned, void **);
    int (*dbi_open)(void *, const char *, unsigned, unsigned *);
    int (*cursor_open)(void *, unsigned, void **);
    int (*cursor_get)(void *, struct val *, struct val *, int);
    char *(*strerror)(int);
};

static enum result load(struct api *ret, struct error *err)
{
    static const char *const files[] = {"liblmdb.so.0", NULL};
    static const struct library_symbol symbols[] = {
        {"mdb_env_create", offsetof(struct api, env_create)},
        {"mdb_env_open", offsetof(struct api, env_open)},
        {"mdb_txn_begin", offsetof(struct api, txn_begin)},
        {"mdb_dbi_open", offsetof(struct api, dbi_open)},
        {"mdb_cursor_open", offsetof(struct api, cursor_open)},
        {"mdb_cursor_get", offsetof(struct api, cursor_get)},
        {"mdb_strerror", offsetof(struct api, strerror)},
    };
    return library_load(files, "liblmdb0", symbols, sizeof symbols / sizeof *symbols, ret, err);
}

enum result compiled_read_lmdb(const char *path, struct buf *out, struct error *err)
{
    struct api m;
    struct val key = {0}, value = {0};
    void *env, *txn, *cursor;
    unsigned dbi;
    enum result r = load(&m, err);
    if (r != OK)
        return r;
    int e = m.env_create(&env);
    if (!e)
        e = m.env_open(env, path, ENV_NOSUBDIR | ENV_RDONLY | ENV_NOLOCK, 0);
    if (!e)
        e = m.txn_begin(env, NULL, ENV_RDONLY, &txn);
    if (!e)
        e = m.dbi_open(txn, NULL, 0, &dbi);
    if (!e)
        e = m.cursor_open(txn, dbi, &cursor);
    if (!e)
        e = m.cursor_get(cursor, &key, &value, CURSOR_FIRST);
    while (!e && buf_ok(out)) {
        table_records_add(out, slice_of(key.data, key.size), slice_of(value.data, value.size));
        e = m.cursor_get(cursor, &key, &value, CURSOR_NEXT);
    }
    if (e && e != LMDB_NOTFOUND)
        r = error_set(err, CORRUPT, "LMDB can't read it: %s", m.strerror(e));
    return r; /* not closed: the process ends */
}
