/* lines.h: logical lines of table files: a line that begins with white space continues the one
 * before; comments (#) and blank lines end nothing (postmap(1), "INPUT FILE FORMAT"). */
#ifndef TABLE_LINES_H
#define TABLE_LINES_H

#include "base/buf.h"

struct table_lines {
    struct slice rest;
    unsigned line;     /* of rest, from 1 */
    unsigned first;    /* of the logical line given last */
    struct buf joined; /* a line of several parts */
};

void table_lines_init(struct table_lines *l, struct slice text);
void table_lines_release(struct table_lines *l);
/* The next logical line, without trailing white space; lives until the next call. False at the end,
 * or when there is no memory (then buf_ok(&l->joined) is false). */
bool table_lines_next(struct table_lines *l, struct slice *ret);

#endif
