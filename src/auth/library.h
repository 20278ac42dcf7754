/* library.h: client libraries of databases, loaded when the first question needs one: a server
 * whose configuration names no database has them neither in its memory nor on its disk.
 *
 * Who calls it: the drivers (sql_*.c, ldap_client.c), in agent's children and the command line. */
#ifndef AUTH_LIBRARY_H
#define AUTH_LIBRARY_H

#include "base/result.h"

#include <stddef.h>

/* A function, and where in the driver's struct its pointer goes. */
struct library_symbol {
    const char *name;
    size_t offset;
};
/* A driver's struct holds pointers to functions alone; a list of them, F(name), declares both. */
#define LIBRARY_POINTER(name) __typeof__(&name) name;

/* files: names to try, newest first, then NULL. The library stays loaded. FAILED: none is there
 * (`package` is what to install), or it lacks a function. */
MUST_USE enum result library_load(const char *const *files, const char *package,
                                  const struct library_symbol *symbols, size_t n, void *ret_api,
                                  struct error *err);

#endif
