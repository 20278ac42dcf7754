/* gather.h: what of a message a DKIM signature covers (RFC 6376 5.4): its fields in canonical form,
 * their names, and the hash of its body. Who calls it: role/edge, which has the message; role/auth,
 * which has the keys, needs no more than this to sign (sign.h). */
#ifndef DKIM_GATHER_H
#define DKIM_GATHER_H

#include "base/arena.h"
#include "dkim/canon.h"

enum {
    DKIM_FIELDS_MAX = 200,            /* that are signed */
    DKIM_FIELDS_BYTES_MAX = 48 * 1024 /* in canonical form, with their CRLF */
};

struct dkim_parts {
    struct slice domain; /* of From's first address, in lower case and as A-labels */
    struct slice names;  /* for h=: "from:from:to:to" */
    struct slice fields; /* canonical, each with CRLF, in the order of names */
    struct slice body_hash;
};

/* In the arena. The fields that matter to readers are named once more than they are there, so that
 * nobody can add one (8.15). NOT_FOUND: no From with a domain, so there is nothing to sign for;
 * LIMIT: more or longer fields than above; FAILED: no memory, or the library failed. */
MUST_USE enum result dkim_gather(struct slice message, struct arena *a, struct dkim_parts *ret);

#endif
