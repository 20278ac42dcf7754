/* records.h: the entries of a table that there is no text of, only a compiled database (name.db,
 * name.lmdb, name.cdb): what a child that read the database says to whoever opens the table.
 *
 * The bytes begin as no text table can: with a NUL. Then come entries, 'E', length of key and of
 * value (32 bits, big-endian), key, value; and '.' at the end, or '!' and why it can't be read. */
#ifndef TABLE_RECORDS_H
#define TABLE_RECORDS_H

#include "base/buf.h"
#include "base/cursor.h"
#include "base/result.h"

/* Do these bytes have this form, and not that of a text? */
bool table_records_are(struct slice bytes);

void table_records_begin(struct buf *out);
/* A NUL byte at the end of key or value, which some programs store, is dropped. */
void table_records_add(struct buf *out, struct slice key, struct slice value);
void table_records_end(struct buf *out);
/* Instead of what there was so far. */
void table_records_fail(struct buf *out, const char *why);

/* For bytes that have the form. */
struct cursor table_records_of(struct slice bytes);
/* NOT_FOUND: there are no more; FAILED: the database can't be read, err says why. Key and value
 * lie in the bytes. */
MUST_USE enum result table_records_next(struct cursor *c, struct slice *ret_key,
                                        struct slice *ret_value, struct error *err);

#endif
