/* md5.h: HMAC-MD5 (RFC 2104) by the two states of MD5 behind the key's pads: what CRAM-MD5 needs of
 * a password, and what Dovecot's {CRAM-MD5} keeps of it. OpenSSL gives no access to such states. */
#ifndef SASL_MD5_H
#define SASL_MD5_H

#include "base/slice.h"

enum { MD5_LEN = 16, HMAC_MD5_STATE_LEN = 32 };

struct hmac_md5_state {
    uint32_t inner[4], outer[4];
};

void hmac_md5_key(struct hmac_md5_state *ret, struct slice key);
void hmac_md5(const struct hmac_md5_state *k, struct slice message, unsigned char out[MD5_LEN]);

/* Dovecot's order: the outer state's words, then the inner's, little-endian. */
void hmac_md5_read(struct hmac_md5_state *ret, const unsigned char bytes[HMAC_MD5_STATE_LEN]);

#endif
