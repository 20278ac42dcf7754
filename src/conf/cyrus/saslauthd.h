/* saslauthd.h: how a distribution starts saslauthd: the shell variables in /etc/default/saslauthd
 * (Debian: MECHANISMS, OPTIONS="-c -m FOLDER") or /etc/sysconfig/saslauthd (Fedora: SOCKETDIR,
 * MECH, FLAGS). Who calls it: cyrus.c, to know where other programs look for the socket. */
#ifndef CONF_CYRUS_SASLAUTHD_H
#define CONF_CYRUS_SASLAUTHD_H

#include "conf/source.h"

struct saslauthd_start {
    struct slice folder; /* of the socket; data NULL: not told */
    unsigned line;       /* where it is told */
};

/* From the file's text; slices of it. What is not understood is not for us. A mechanism that asks
 * other accounts than ours gets a warning. */
struct saslauthd_start saslauthd_start_read(struct slice text, const char *file,
                                            struct conf_errors *errors);

#endif
