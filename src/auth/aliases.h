/* aliases.h: alias_maps text files, in the form of sendmail's and Postfix's aliases(5):
 *
 *     name: target, target
 *         , target            a line that begins with white space continues the one before
 *     name@domain: target     only in that domain
 *     @domain: target         what no alias and no account of that domain takes
 *     "quoted name": target   # comments stand on lines of their own
 *
 * Or what a child read out of the database of such a file (table/records.h).
 *
 * Targets are lists as alias_list.h has them. A line that is wrong is reported and skipped as a
 * whole: half an alias would lose mail silently. */
#ifndef AUTH_ALIASES_H
#define AUTH_ALIASES_H

#include "auth/alias_list.h"
#include "base/arena.h"

enum {
    ALIASES_BYTES_MAX = 16 * 1024 * 1024, /* of one file */
    ALIASES_FILES_MAX = 64,
    ALIASES_MAX = 200000, /* entries, all files together */
    ALIAS_KEY_MAX = 510
};

struct alias {
    struct slice key;          /* lower-cased: "name", "name@domain" or "@domain" */
    struct slice_list targets; /* as written, without quotes around them */
    struct slice file;
    unsigned line;  /* where the entry begins, from 1 */
    unsigned owner; /* of the file: whose rights its commands and files get */
};

struct aliases;

typedef void aliases_problem_fn(void *arg, struct slice file, unsigned line, const char *reason);

/* FAILED without memory. */
MUST_USE enum result aliases_new(struct aliases **ret);
/* Adds a file's entries; those of earlier files (and lines) win. owner: the user who may write it.
 * problem may be NULL. LIMIT: too many or too large files. */
MUST_USE enum result aliases_add(struct aliases *t, struct slice file, unsigned owner,
                                 struct slice bytes, aliases_problem_fn *problem, void *arg);
void aliases_free(struct aliases *t);

size_t aliases_count(const struct aliases *t);
/* By the lower-cased key; NULL when absent. */
const struct alias *aliases_find(const struct aliases *t, struct slice key);

/* Every entry, in no order. */
void aliases_each(const struct aliases *t, void (*each)(void *arg, const struct alias *a),
                  void *arg);

#endif
