/* jwt.h: bearer tokens: JSON Web Tokens (RFC 7519) signed by keys of the configuration (RFC 7515:
 * RS256, ES256, EdDSA, HS256). Who calls it: role/auth for OAUTHBEARER and XOAUTH2.
 *
 * A key's own type says which algorithm it verifies, whatever the token's header claims (RFC
 * 8725 3.1); "none" is none. The token must have exp, and iss and aud as configured. */
#ifndef AUTH_JWT_H
#define AUTH_JWT_H

#include "base/buf.h"

enum { JWT_MAX = 8192, JWT_KEYS_MAX = 16, JWT_LEEWAY_S = 60 };

struct jwt_keys; /* reference-counted, immutable */

MUST_USE enum result jwt_keys_new(struct jwt_keys **ret);
struct jwt_keys *jwt_keys_ref(struct jwt_keys *k);
void jwt_keys_unref(struct jwt_keys *k);
size_t jwt_keys_count(const struct jwt_keys *k);
/* Before others see it. bytes: PEM of public keys or certificates (all of them are taken: RSA from
 * 2048 bits, P-256, Ed25519); or, with `secret`, the bytes of an HS256 key, at least 32, without
 * the last line end. INVALID with the reason. */
MUST_USE enum result jwt_keys_add(struct jwt_keys *k, struct slice bytes, bool secret,
                                  struct error *err);

/* What a token must say. */
struct jwt_rules {
    struct slice_list issuers;  /* n = 0: any */
    struct slice_list audience; /* one of them */
    struct slice username;      /* the claim that names the user: "email" */
};

/* Appends the user's name. NULL: the token is good at `now` (seconds since 1970); else why it is
 * not: a text with static storage. */
MUST_USE const char *jwt_check(const struct jwt_keys *k, const struct jwt_rules *rules,
                               struct slice token, int64_t now, struct buf *user);
/* The payload's claims alone, without a signature: for tests and the fuzzer. */
MUST_USE const char *jwt_check_claims(const struct jwt_rules *rules, struct slice payload,
                                      int64_t now, struct buf *user);

#endif
