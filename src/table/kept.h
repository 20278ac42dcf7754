/* kept.h: copies of files that a role was handed, as the reader of its tables. Who calls it: edge
 * and relay, which get new copies with each change of a file. */
#ifndef TABLE_KEPT_H
#define TABLE_KEPT_H

#include "table/table.h"

struct kept_file {
    struct slice path, bytes;
    bool there; /* it could be opened */
};

struct kept_files {
    struct kept_file *items;
    size_t n, room;
};

/* Copies the bytes. FAILED: no memory. A zeroed struct holds none. */
MUST_USE enum result kept_files_add(struct kept_files *k, struct slice path, struct slice bytes,
                                    bool there);
/* Wipes and frees them: some hold passwords. */
void kept_files_release(struct kept_files *k);

/* table_reader's `read`; arg is the struct kept_files. */
enum result kept_files_read(void *arg, struct slice path, struct buf *out, struct error *err);

#endif
