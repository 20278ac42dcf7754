/* scram.h: the verifier that a server keeps for SCRAM (RFC 5802 section 3) in Dovecot's text form
 * "ITERATIONS,SALT,STOREDKEY,SERVERKEY", all but the first in base64. */
#ifndef AUTH_SCRAM_H
#define AUTH_SCRAM_H

#include "base/buf.h"

enum { SCRAM_KEY_MAX = 64, SCRAM_SALT_MAX = 64, SCRAM_ITERATIONS_MAX = 10000000 };

struct scram_verifier {
    const char *digest; /* OpenSSL's name: "SHA1", "SHA256" */
    unsigned iterations;
    unsigned char salt[SCRAM_SALT_MAX];
    size_t salt_len;
    unsigned char stored_key[SCRAM_KEY_MAX], server_key[SCRAM_KEY_MAX];
    size_t key_len;
};

/* INVALID when the text is not of that form. */
MUST_USE enum result scram_parse(struct slice text, const char *digest, struct scram_verifier *ret,
                                 struct error *err);
void scram_format(const struct scram_verifier *v, struct buf *out);
/* RFC 5802 2.2: the password as SCRAM takes it, prepared by SASLprep (RFC 4013), or as it is where
 * it can't be; malloc'ed. NULL: no memory. */
char *scram_prepare(struct slice password);
/* Fills the keys from digest, iterations and salt. INVALID: the password can't be prepared. */
MUST_USE enum result scram_derive(struct scram_verifier *v, struct slice password,
                                  struct error *err);
/* OK: the password is the verifier's. DENIED: not. */
MUST_USE enum result scram_verify(const struct scram_verifier *v, struct slice password,
                                  struct error *err);

#endif
