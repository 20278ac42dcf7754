/* testsaslauthd.h: between the program and its explanation. */
#ifndef CLI_FACES_TESTSASLAUTHD_H
#define CLI_FACES_TESTSASLAUTHD_H

#include "cli/cli.h"

struct testsaslauthd {
    const char *user, *password, *realm, *service, *path;
    long repeat;
    bool verbose;
};

/* Prints on stderr what is looked up where for this login, by the configuration and the files as
 * this program may read them, and where it fails. connect_error: errno of connect, 0 when it went
 * well. */
void testsaslauthd_explain(struct cli *c, const struct testsaslauthd *t, int connect_error);

#endif
