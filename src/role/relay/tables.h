/* tables.h: the lookup tables that relay asks: passwords, TLS policies, and what is done to
 * messages on their way out (smtp_header_checks and its like). One immutable snapshot for each
 * configuration and set of files; jobs and connections hold a reference. */
#ifndef ROLE_RELAY_TABLES_H
#define ROLE_RELAY_TABLES_H

#include "conf/conf.h"
#include "content/set.h"
#include "role/role.h"
#include "table/kept.h"
#include "table/set.h"

struct relay_tables;

/* FAILED: no memory. What can't be opened is logged, and defers whatever needs it. */
MUST_USE enum result relay_tables_new(struct role *role, const struct conf *c,
                                      struct kept_files *files, struct relay_tables **ret);
/* NULL is fine for both. */
struct relay_tables *relay_tables_ref(struct relay_tables *t);
void relay_tables_unref(struct relay_tables *t);

/* NULL: it was not named. One that asks a server (table_waits) is for helper threads. */
const struct table *relay_table(const struct relay_tables *t, struct slice spec);
/* Those of a setting, in the arena. FAILED: one could not be opened (err says which), or no memory.
 */
MUST_USE enum result relay_tables_of(const struct relay_tables *t, const char *setting,
                                     struct slice_list specs, struct arena *a, struct tables *ret,
                                     struct error *err);
/* Does one of them ask a server? */
bool relay_tables_wait(const struct relay_tables *t, struct slice_list specs);
/* What the settings of a service ("smtp/unix") do to messages; NULL: nothing. Its tables may ask
 * servers (content_checks' waits). */
const struct content_set *relay_checks(const struct relay_tables *t, struct slice service);

#endif
