/* users.h: the users that roles run as. */
#ifndef OS_USERS_H
#define OS_USERS_H

#include "base/slice.h"

struct os_user {
    unsigned uid, gid;
};

/* By name, or by number (which needs no entry in passwd; its group is then the same number).
 * NOT_FOUND says in err how to make the user; DENIED when it is root. */
MUST_USE enum result user_find(struct slice name, struct os_user *ret, struct error *err);
bool user_is_root(void);
/* Becomes the user for good: groups, group, user. From root only. */
MUST_USE enum result user_become(struct os_user u, struct error *err);

#endif
