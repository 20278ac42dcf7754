/* cache.h: passwords that were right lately, so that a client which logs in every minute does not
 * cost a yescrypt each time. What is kept is an HMAC of account and password with a key that this
 * process drew at start, never the password. A wrong password is never answered from here. Bounded:
 * the entry made longest ago makes room. Locked inside; times are clock_monotonic_ms. */
#ifndef AUTH_CACHE_H
#define AUTH_CACHE_H

#include "base/slice.h"

struct password_cache;

MUST_USE enum result password_cache_new(size_t max_accounts, struct password_cache **ret);
void password_cache_free(struct password_cache *c);

/* True when this was the account's right password less than its time ago. */
bool password_cache_hit(struct password_cache *c, struct slice account, struct slice password,
                        int64_t now_ms);
/* Names the state of the accounts: taken before a password is verified, given back with the result,
 * so that a result from before password_cache_empty is not kept. */
uint64_t password_cache_generation(struct password_cache *c);
/* The password was verified as right. ttl_ms 0: nothing is kept. */
void password_cache_put(struct password_cache *c, uint64_t generation, struct slice account,
                        struct slice password, int64_t ttl_ms, int64_t now_ms);
/* When accounts change. */
void password_cache_empty(struct password_cache *c);
size_t password_cache_count(struct password_cache *c);

#endif
