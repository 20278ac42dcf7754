#include "table/kept.h"

#include <stdlib.h>

static void free_file(struct kept_file *f)
{
    if (f->bytes.data)
        explicit_bzero((char *)f->bytes.data, f->bytes.len);
    free((char *)f->bytes.data);
    free((char *)f->path.data);
}

static bool make_room(struct kept_files *k)
{
    size_t room = k->room ? 2 * k->room : 16;
    if (k->n < k->room)
        return true;
    struct kept_file *more = realloc(k->items, room * sizeof *more);
    if (!more)
        return false;
    k->items = more;
    k->room = room;
    return true;
}

enum result kept_files_add(struct kept_files *k, struct slice path, struct slice bytes, bool there)
{
    struct kept_file f = {.path = SLICE_NONE, .bytes = SLICE_NONE, .there = there};
    if (!slice_copy(path, &f.path) || !slice_copy(bytes, &f.bytes) || !make_room(k)) {
        free_file(&f);
        return FAILED;
    }
    k->items[k->n++] = f;
    return OK;
}

void kept_files_release(struct kept_files *k)
{
    for (size_t i = 0; i < k->n; i++)
        free_file(&k->items[i]);
    free(k->items);
    *k = (struct kept_files){.n = 0};
}

enum result kept_files_read(void *arg, struct slice path, struct buf *out, struct error *err)
{
    const struct kept_files *k = arg;
    for (size_t i = 0; i < k->n; i++)
        if (slice_eq(k->items[i].path, path) && k->items[i].there) {
            buf_append(out, k->items[i].bytes);
            return buf_ok(out) ? OK : FAILED;
        }
    return error_set(err, NOT_FOUND, "%.*s is not there", SLICE_ARG(path));
}
