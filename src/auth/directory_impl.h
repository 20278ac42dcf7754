/* directory_impl.h: the directory's inside, shared by directory.c and resolve.c. */
#ifndef AUTH_DIRECTORY_IMPL_H
#define AUTH_DIRECTORY_IMPL_H

#include "auth/address.h"
#include "auth/directory.h"
#include "base/map.h"

#include <stdatomic.h>

struct directory {
    atomic_uint refs;
    const struct conf *conf;
    struct passwd_file *users;
    char *users_path;
    struct aliases *aliases;
    struct map domains; /* folded names and literals of mydestination, and our own literals */
};

bool directory_is_local(const struct directory *d, struct slice folded_domain);

#endif
