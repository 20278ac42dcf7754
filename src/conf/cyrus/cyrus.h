/* cyrus.h: the reader of Cyrus SASL's smtpd.conf: "name: value" lines. */
#ifndef CONF_CYRUS_CYRUS_H
#define CONF_CYRUS_CYRUS_H

#include "conf/source.h"

/* Reads the file: assignments of our settings to r->found. Failures are told as errors. */
MUST_USE enum result cyrus_read(const char *path, struct conf_reading *r);

#endif
