/* set.h: the opened tables of a configuration, found by their specs: immutable once it is made,
 * shared by references. role/auth makes one for each configuration and set of files. */
#ifndef TABLE_SET_H
#define TABLE_SET_H

#include "table/table.h"

enum { TABLE_SET_MAX = 1000 };

struct table_set;

MUST_USE enum result table_set_new(struct table_set **ret);
/* Opens a table, unless it is there. One that can't be opened is in the set all the same: it fails
 * whoever asks it with err's text, so that nothing is let through for want of a file. Only before
 * the set is shared. */
enum result table_set_add(struct table_set *s, struct slice spec, const struct table_reader *reader,
                          table_problem_fn *problem, void *arg, struct error *err);
/* NULL: it was not added. Lives as long as the set. */
const struct table *table_set_find(const struct table_set *s, struct slice spec);
size_t table_set_count(const struct table_set *s);

struct table_set *table_set_ref(const struct table_set *s);
void table_set_unref(const struct table_set *s);

#endif
