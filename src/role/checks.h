/* checks.h: header_checks and its like of a configuration, as content/ opens them. Who calls it:
 * edge, which runs messages through them, and auth, which looks single lines up again. */
#ifndef ROLE_CHECKS_H
#define ROLE_CHECKS_H

#include "conf/conf.h"
#include "content/set.h"

/* Fills in the tables and limits. */
void checks_source(const struct conf *c, struct content_source *ret);
/* Would both be opened alike? */
bool checks_same(const struct conf *a, const struct conf *b);
/* The label of a listener, by its index from 0, whose service may have checks of its own, that of
 * the socket for sendmail(1) included. data NULL: no more. */
struct slice checks_label(const struct conf *c, size_t i);

#endif
