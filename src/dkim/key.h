/* key.h: private keys of DKIM (RFC 6376 3.3.1, RFC 8463): made, read, and what of them is published
 * in DNS. Who calls it: role/auth (the only role that has them) and the command line (`dkim new`).
 */
#ifndef DKIM_KEY_H
#define DKIM_KEY_H

#include "base/buf.h"

enum { DKIM_RSA_BITS = 2048, DKIM_PEM_MAX = 16 * 1024 };
enum dkim_algorithm { DKIM_RSA, DKIM_ED25519 };

struct dkim_key; /* wiped when freed */

const char *dkim_algorithm_name(enum dkim_algorithm a); /* a='s: "rsa-sha256" */

MUST_USE enum result dkim_key_new(enum dkim_algorithm a, struct dkim_key **ret);
/* PEM of a private key without a pass phrase: RSA from 1024 bits (RFC 8301 3.2), Ed25519. INVALID
 * with the reason, which never holds a part of it. */
MUST_USE enum result dkim_key_read(struct slice pem, struct dkim_key **ret, struct error *err);
void dkim_key_free(struct dkim_key *k);

enum dkim_algorithm dkim_key_algorithm(const struct dkim_key *k);
/* Appends the private key as PEM (PKCS #8). */
MUST_USE enum result dkim_key_write(const struct dkim_key *k, struct buf *out);
/* Appends the TXT record's text: "v=DKIM1; k=rsa; p=…" (RFC 6376 3.6.1). */
MUST_USE enum result dkim_key_record(const struct dkim_key *k, struct buf *out);
/* Appends the signature's bytes over `bytes`: for Ed25519 over their SHA-256 (RFC 8463 3). */
MUST_USE enum result dkim_key_sign(const struct dkim_key *k, struct slice bytes, struct buf *out);

#endif
