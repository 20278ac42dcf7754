/* postfix.h: the reader of /etc/postfix: main.cf and master.cf as assignments. */
#ifndef CONF_POSTFIX_POSTFIX_H
#define CONF_POSTFIX_POSTFIX_H

#include "conf/scope.h"

/* Reads DIR/main.cf into r->found. NOT_FOUND, FAILED and LIMIT are told as errors. */
MUST_USE enum result postfix_read_main(struct slice dir, struct conf_reading *r);
/* Reads DIR/master.cf: what its services override, `listen`, `transport_services` and
 * `pipe_transports` are added to r->found, and to the scope's layer as they come. */
MUST_USE enum result postfix_read_master(struct slice dir, struct conf_scope *scope,
                                         struct conf_reading *r);
/* Adds in the same way what Postfix works out by itself: mynetworks, myorigin. */
MUST_USE enum result postfix_derive(struct conf_scope *scope, struct conf_reading *r);
/* Tells of each parameter that is assigned and not served what that means, and of each name that
 * Postfix does not have. What would weaken security is an error. */
void postfix_report(struct conf_scope *scope, struct arena *a, struct conf_errors *errors);

#endif
