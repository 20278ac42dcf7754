/* grant.h: what auth permits, signed, so that mailbox need not believe edge.
 *
 * auth makes grants and hands them to edge with its answers; edge passes them on; mailbox checks
 * them with the key that the master gave both (IPC GRANT_KEY). A grant is an HMAC-SHA256 over its
 * kind, its expiry, a nonce and all that it permits; the permitted things themselves travel beside
 * it.
 *   - login: this connection may read this account's mail by this service; for 60 s, and once;
 *   - recipient: mail from this connection for this recipient leads to these targets; for as long
 *     as a transaction may take (its DATA may be long), any number of times.
 * Times are seconds since 1970 (clock_realtime_s); both roles run on one machine. */
#ifndef AUTH_GRANT_H
#define AUTH_GRANT_H

#include "base/slice.h"

enum {
    GRANT_KEY_LEN = 32,
    GRANT_LEN = 58, /* kind and version 2, expiry 8, nonce 16, HMAC 32 */
    GRANT_LOGIN_LIFE_S = 60,
    GRANT_RCPT_LIFE_S = 4 * 3600
};

struct grant_key {
    unsigned char bytes[GRANT_KEY_LEN];
};
/* A fresh random key. FAILED without entropy. */
MUST_USE enum result grant_key_new(struct grant_key *ret);
/* From GRANT_KEY's bytes; INVALID when they have the wrong length. */
MUST_USE enum result grant_key_read(struct slice bytes, struct grant_key *ret);
void grant_key_wipe(struct grant_key *k);

struct grant {
    char bytes[GRANT_LEN];
};
static inline struct slice grant_slice(const struct grant *g)
{
    return slice_of(g->bytes, GRANT_LEN);
}

/* Login tokens. FAILED only when the environment fails (no entropy). */
MUST_USE enum result grant_login_make(const struct grant_key *k, uint64_t conn,
                                      struct slice account, struct slice service, int64_t now_s,
                                      struct grant *ret);

/* The tokens that were used already, kept until they expire; bounded; locked inside. */
struct grant_seen;
MUST_USE enum result grant_seen_new(size_t max, struct grant_seen **ret);
void grant_seen_free(struct grant_seen *s);

/* OK once. INVALID: not of a grant's form. DENIED: forged, expired, for something else or used
 * before. BUSY: too many logins within a minute to remember them all: refuse for now. */
MUST_USE enum result grant_login_check(const struct grant_key *k, struct grant_seen *seen,
                                       struct slice grant, uint64_t conn, struct slice account,
                                       struct slice service, int64_t now_s);

/* Recipient grants. targets: the texts of IPC RCPT_RESULT (and DELIVER) in their order. */
MUST_USE enum result grant_rcpt_make(const struct grant_key *k, uint64_t conn, struct slice rcpt,
                                     struct slice_list targets, int64_t now_s, struct grant *ret);
/* OK, INVALID or DENIED as above. */
MUST_USE enum result grant_rcpt_check(const struct grant_key *k, struct slice grant, uint64_t conn,
                                      struct slice rcpt, struct slice_list targets, int64_t now_s);

#endif
