/* postfix.h: the reader of /etc/postfix: main.cf and master.cf as assignments. */
#ifndef CONF_POSTFIX_POSTFIX_H
#define CONF_POSTFIX_POSTFIX_H

#include "conf/scope.h"

/* Reads DIR/main.cf into r->found. NOT_FOUND, FAILED and LIMIT are told as errors. */
MUST_USE enum result postfix_read_main(struct slice dir, struct conf_reading *r);

#endif
