/* password.h: making and verifying stored passwords in Dovecot's forms, "{SCHEME}data".
 *
 * Verified: PLAIN CLEARTEXT CLEAR, CRYPT and all that libxcrypt knows (DES MD5 SHA-256 SHA-512
 * bcrypt scrypt yescrypt …) under their own names too (MD5-CRYPT SHA256-CRYPT SHA512-CRYPT
 * BLF-CRYPT DES-CRYPT YESCRYPT), SHA SHA1 SSHA SHA256 SSHA256 SHA512 SSHA512 MD5 PLAIN-MD5 LDAP-MD5
 * SMD5 PBKDF2 SCRAM-SHA-1 SCRAM-SHA-256; each with ".hex", ".b64" or ".base64" where the data is
 * binary. No braces: CRYPT. New ones are yescrypt. Comparisons take constant time; copies of
 * passwords are wiped. These functions may take long (a yescrypt: 10-100 ms): run them where that
 * does no harm. All may be called from any thread. */
#ifndef AUTH_PASSWORD_H
#define AUTH_PASSWORD_H

#include "base/buf.h"

enum {
    PASSWORD_MAX = 1024,        /* bytes of a password; longer ones are refused */
    PASSWORD_STORED_MAX = 1024, /* bytes of a stored form */
    SCRAM_ITERATIONS = 4096     /* RFC 7677 section 4: at least 4096 */
};

/* Appends "{CRYPT}$y$…" (no newline). cost: yescrypt's 1 to 11; 0: the library's default. INVALID:
 * the password is empty or holds NUL; LIMIT: too long; FAILED: the library. */
MUST_USE enum result password_hash(struct slice password, unsigned cost, struct buf *out,
                                   struct error *err);

/* OK: right. DENIED: wrong. INVALID: the stored form can't be used (unknown scheme, broken data):
 * err says why, without the data. FAILED: no memory. */
MUST_USE enum result password_verify(struct slice stored, struct slice password, struct error *err);

/* Checks a stored form without a password (for reports when a file is read): OK or INVALID. */
MUST_USE enum result password_check_form(struct slice stored, struct error *err);

/* Appends a SCRAM-SHA-256 verifier "4096,SALT,STOREDKEY,SERVERKEY" (base64, as in Dovecot's
 * {SCRAM-SHA-256}) of the password after SASLprep (RFC 5802 section 2.2), from a fresh salt. */
MUST_USE enum result password_scram_sha256(struct slice password, struct buf *out,
                                           struct error *err);

/* What a stored form is good for beside password_verify. */
enum password_kind {
    PASSWORD_HASHED,
    PASSWORD_PLAIN,       /* data: the password */
    PASSWORD_SCRAM_SHA_1, /* data: a verifier for scram_parse */
    PASSWORD_SCRAM_SHA_256,
    PASSWORD_CRAM_MD5 /* data: hex of MD5's states (sasl/md5.h) */
};
/* Takes a stored form apart; *ret_data borrows from it. INVALID: it can't be used. */
MUST_USE enum result password_open(struct slice stored, enum password_kind *ret_kind,
                                   struct slice *ret_data);

#endif
