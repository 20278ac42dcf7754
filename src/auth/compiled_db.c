/* compiled_db.c: Berkeley DB, hash or btree, by the interface of version 1.85 that libdb5.3 has
 * too: its few structs have not changed since 1994, so no header of one version is needed. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "auth/compiled.h"
#include "auth/library.h"
#include "table/records.h"

enum { KIND_BTREE = 0, KIND_HASH = 1, SEQ_FIRST = 3, SEQ_NEXT = 7 };

struct dbt {
    void *data;
    size_t size;
};

/* db_185.h: DB */
struct db {
    int type;
    int (*close)(struct db *);
    int (*del)(const struct db *, const struct dbt *, unsigned);
    int (*get)(const struct db *, struct dbt *, struct dbt *, unsigned);
    int (*put)(const struct db *, struct dbt *, const struct dbt *, unsigned);
    int (*seq)(const struct db *, struct dbt *, struct dbt *, unsigned);
};

typedef struct db *open_fn(const char *, int, int, int, const void *);
struct api {
    open_fn *open;
};

static enum result load(struct api *ret, struct error *err)
{
    static const char *const files[] = {"libdb-5.3.so", NULL};
    static const struct library_symbol symbols[] = {{"__db185_open", offsetof(struct api, open)}};
    return library_load(files, "libdb5.3t64 (libdb5.3)", symbols, 1, ret, err);
}

enum result compiled_read_db(const char *path, struct buf *out, struct error *err)
{
    struct api api;
    struct dbt key = {0}, value = {0};
    enum result r = load(&api, err);
    if (r != OK)
        return r;
    struct db *db = api.open(path, O_RDONLY, 0, KIND_HASH, NULL);
    if (!db)
        db = api.open(path, O_RDONLY, 0, KIND_BTREE, NULL);
    if (!db)
        return error_set(err, FAILED, "this is no hash or btree of Berkeley DB: %s",
                         strerror(errno));
    int more = db->seq(db, &key, &value, SEQ_FIRST);
    while (more == 0 && buf_ok(out)) {
        table_records_add(out, slice_of(key.data, key.size), slice_of(value.data, value.size));
        more = db->seq(db, &key, &value, SEQ_NEXT);
    }
    if (more < 0)
        r = error_set(err, CORRUPT, "Berkeley DB can't read it: %s", strerror(errno));
    return r; /* not closed: the process ends, and a broken file may break closing too */
}
