/* compiled.h: lookup tables of which there is no text file, only what postmap made of it: name.db
 * (hash, btree: Berkeley DB), name.lmdb, name.cdb.
 *
 * Who calls it: the master for the roles, and the command line. A database may be broken, and the
 * libraries that read it were not made for that: a child reads a copy of it, with nobody's rights,
 * bounded memory and time, and writes its entries down (table/records.h). */
#ifndef AUTH_COMPILED_H
#define AUTH_COMPILED_H

#include "base/buf.h"
#include "base/result.h"

/* The database of a text file that is not there, "/etc/x" to "/etc/x.db", into `out`. NOT_FOUND:
 * there is none; CONFLICT: there are several, and which counts can't be told. */
MUST_USE enum result compiled_path(const char *text_path, char *out, size_t size);

/* Reads the database at `path` (as compiled_path found it). *ret_fd is a memory file, the caller's
 * to close, owned as the database is: its entries, or why it can't be read (table/records.h), so OK
 * does not say that it could. Waits for the child, at most ten seconds. FAILED: no child, file or
 * memory. */
MUST_USE enum result compiled_open(const char *path, int *ret_fd, struct error *err);

/* ---- for compiled.c: the kinds. They run in the child. ---- */

/* Adds the entries of the database (path: a copy that may be opened again) to `out`. */
typedef enum result compiled_fn(const char *path, struct buf *out, struct error *err);
compiled_fn compiled_read_db, compiled_read_lmdb, compiled_read_cdb;

#endif
