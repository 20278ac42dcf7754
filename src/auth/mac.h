/* mac.h: HMAC-SHA256 over a list of fields, each with its length in front, so that no two
 * different lists give the same bytes. For grants and for the cache of passwords. */
#ifndef AUTH_MAC_H
#define AUTH_MAC_H

#include "base/buf.h"

enum { MAC_LEN = 32, MAC_KEY_LEN = 32 };

/* The input is gathered here; mac_release wipes it. */
struct mac {
    struct buf input;
};
void mac_init(struct mac *m);
void mac_add(struct mac *m, struct slice field);
void mac_add_u64(struct mac *m, uint64_t n);
/* FAILED when there was no memory or the library failed. Also releases. */
MUST_USE enum result mac_finish(struct mac *m, const unsigned char key[MAC_KEY_LEN],
                                unsigned char ret[MAC_LEN]);

/* Compares in constant time. */
bool mac_equal(const void *a, const void *b);

/* FAILED without entropy. */
MUST_USE enum result random_bytes(void *out, size_t n);

#endif
