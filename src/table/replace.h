/* replace.h: $1, ${1} and $(1) in the values of regexp and pcre; $$ stands for $. */
#ifndef TABLE_REPLACE_H
#define TABLE_REPLACE_H

#include "base/buf.h"

enum { TABLE_GROUPS_MAX = 99 };

/* Calls literal and group (number from 1) for the parts in order. NULL: fine; else what is wrong.
 */
struct replace_parts {
    void (*literal)(void *arg, struct slice text);
    void (*group)(void *arg, unsigned n);
    void *arg;
};
const char *replace_parse(struct slice value, const struct replace_parts *to);

/* The highest group that the value asks for; 0: none. NULL or what is wrong. */
const char *replace_check(struct slice value, unsigned *ret_highest);

/* Appends the value with the groups put in; data NULL: the group took no part. */
void replace_expand(struct slice value, struct slice (*group)(void *arg, unsigned n), void *arg,
                    struct buf *out);

#endif
