/* directory_impl.h: the directory's inside, shared by directory.c and resolve.c. */
#ifndef AUTH_DIRECTORY_IMPL_H
#define AUTH_DIRECTORY_IMPL_H

#include "auth/address.h"
#include "auth/directory.h"
#include "base/map.h"

#include <stdatomic.h>

/* A passwd-file that passdb or userdb names. */
struct account_file {
    char *path;
    struct passwd_file *file;
};

struct directory {
    atomic_uint refs;
    const struct conf *conf;
    struct passwd_file *users;
    char *users_path;
    struct account_file *files;
    size_t n_files;
    struct auth_databases pass, user; /* in the order in which they are asked */
    struct aliases *aliases;
    struct map domains; /* folded names and literals of mydestination, and our own literals */
};

bool directory_is_local(const struct directory *d, struct slice folded_domain);

/* The part before the last @, when what is behind it is a local domain; data NULL otherwise. */
struct slice directory_local_user(const struct directory *d, struct slice login);

/* directory_db.c: d->users is read before. FAILED: no memory. */
MUST_USE enum result directory_add_databases(struct directory *d, const struct directory_source *s,
                                             directory_problem_fn *problem, void *arg);
void directory_free_databases(struct directory *d);

#endif
