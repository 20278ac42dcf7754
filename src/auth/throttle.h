/* throttle.h: failed logins per client address, so that guessing gets slow. An IPv6 client is its
 * /64. A failure is answered after a delay that doubles with each further failure of the address; a
 * right password clears the count, and so does time. The table is bounded: the address that has
 * been quiet longest makes room. Locked inside; times are clock_monotonic_ms. */
#ifndef AUTH_THROTTLE_H
#define AUTH_THROTTLE_H

#include "base/slice.h"

enum {
    THROTTLE_DELAY_MAX_MS = 15000,
    THROTTLE_FORGET_MS = 15 * 60 * 1000, /* without a failure for so long: forgotten */
    THROTTLE_WAITING_MAX = 16            /* delayed answers of one address at a time */
};

struct throttle;

MUST_USE enum result throttle_new(size_t max_addresses, struct throttle **ret);
void throttle_free(struct throttle *t);

/* May this address try a password now? BUSY when many of its failures wait for their answer
 * already: it would gain by trying in parallel. */
MUST_USE enum result throttle_admit(struct throttle *t, struct slice ip, int64_t now_ms);
/* Counts a failure; returns how long its answer must wait (base_ms, doubled for each earlier
 * failure, at most THROTTLE_DELAY_MAX_MS; 0 when base_ms is 0). Each call is followed by
 * throttle_answered once the answer has gone. */
int64_t throttle_failed(struct throttle *t, struct slice ip, int64_t base_ms, int64_t now_ms);
void throttle_answered(struct throttle *t, struct slice ip);
/* A right password. */
void throttle_succeeded(struct throttle *t, struct slice ip);
/* Failures counted for the address, for the log and tests. */
unsigned throttle_failures(struct throttle *t, struct slice ip, int64_t now_ms);
size_t throttle_addresses(struct throttle *t);

#endif
