/* sts.h: MTA-STS (RFC 8461) for a connection: the policy of the next hop's domain, found before its
 * first host is connected to. DNS says whether the domain has one and which, mailbox what is kept
 * of it, and the domain's web server is asked where that is not the same.
 *
 *   sts.c        when it counts, the look-up, what it means for a host
 *   sts_fetch.c  the policy from the web server */
#ifndef ROLE_RELAY_STS_H
#define ROLE_RELAY_STS_H

#include <stdatomic.h>

#include "base/buf.h"
#include "proto/sts/sts.h"
#include "role/relay/relay.h"

struct sts {
    enum {
        STS_NEW,
        STS_RECORD,
        STS_ENTRY,
        STS_TURN,
        STS_ADDRESSES,
        STS_FETCH,
        STS_KEEPING,
        STS_KNOWN
    } stage;
    atomic_uint open; /* answers that are still to come; who brings the last one wakes the task */
    char domain[STS_DOMAIN_SIZE];
    char id[STS_ID_MAX + 1]; /* by DNS now; "": it names no policy */
    enum result looked;      /* of the entry */
    struct buf kept;         /* the entry's bytes */
    struct buf addresses;    /* of the web server, "192.0.2.1,2001:db8::1" */
    bool fetching;           /* it is this connection's turn; others that want it wait */
    unsigned turns;          /* that were waited for */
    struct buf fetched;      /* the policy as it came */
    enum result result;      /* of the fetch */
    struct error why;
    enum sts_mode mode;  /* what holds for the address that is tried: NONE: nothing */
    bool unnamed;        /* by it the address is no mail host of the domain */
    const char *problem; /* why there is none, or not the new one, in words of RFC 8460; or NULL */
};

struct outconn;
void sts_init(struct sts *s);
void sts_release(struct outconn *c);

/* sts_fetch.c: asks for s->domain's policy at s->addresses, on a helper thread; sets fetched,
 * result (as https_ask, INVALID also where it is no policy) and why. */
void sts_fetch(struct relay *r, struct sts *s);

#endif
