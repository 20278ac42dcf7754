/* https.h: one request over HTTPS, by libcurl: the policies of MTA-STS come that way, and reports
 * of TLS may go so. The library is loaded into this role alone. It sees no file and asks no DNS:
 * the caller has the authorities and the server's addresses.
 *
 * Who calls it: sts_fetch.c and post.c, on helper threads (io_run_blocking). */
#ifndef ROLE_RELAY_HTTPS_H
#define ROLE_RELAY_HTTPS_H

#include "base/buf.h"

enum { HTTPS_TIMEOUT_S = 60 };

struct https_request {
    const char *url;
    const char *addresses;    /* libcurl's words: "host:443:192.0.2.1,2001:db8::1" */
    struct slice authorities; /* PEM: who may vouch for the server */
    const char *media_type;   /* POST of `body`; NULL: GET, and the answer is text/plain */
    struct slice body;
};

/* Loads the library, before the sandbox closes. FAILED with the reason: every https_ask fails. */
MUST_USE enum result https_load(struct error *err);
/* Waits up to HTTPS_TIMEOUT_S. OK: the server said 200 (or any 2xx to a POST), and its answer was
 * appended. DENIED: its certificate is not to be believed; INVALID: another status (redirects are
 * not followed) or media type; LIMIT: the answer does not fit; FAILED: it was not reached. */
MUST_USE enum result https_ask(const struct https_request *q, struct buf *out, struct error *err);

#endif
