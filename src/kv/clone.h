/* clone.h: a second set of the index's files, for opening a store without changing it. RocksDB
 * can't replay our journal into an index that it has opened read-only, so offline checks replay
 * into a clone: tables are immutable and become hard links, the few small files are copied. */
#ifndef KV_CLONE_H
#define KV_CLONE_H

#include "base/slice.h"

/* Makes the folder `to` as a clone of `from`; an older clone there is removed first. */
MUST_USE enum result clone_index(const char *from, const char *to, struct error *err);
/* Removes the folder with its files; what can't be removed is left to the next clone_index. */
void clone_remove(const char *path);

#endif
