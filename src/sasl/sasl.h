/* sasl.h: SASL mechanisms (RFC 4422), the server's side, as state machines without I/O.
 *
 * The driver (role/auth) feeds the client's responses, already base64-decoded, and does what the
 * returned step asks for: send a challenge, verify a password, look up a stored secret. A mechanism
 * is one entry of a table; those that never show the password to the server (SCRAM) ask for the
 * secret instead. Input is bounded; what an exchange holds is wiped by sasl_end. */
#ifndef SASL_SASL_H
#define SASL_SASL_H

#include "base/buf.h"

enum {
    SASL_NAME_MAX = 255, /* RFC 4616 section 2: up to 255 octets each */
    SASL_PASSWORD_MAX = 1024,
    SASL_RESPONSE_MAX = 4096 /* decoded bytes of one response */
};

enum sasl_step {
    SASL_CHALLENGE,      /* send `challenge`, then call sasl_respond with the answer */
    SASL_CHECK_PASSWORD, /* login and password are known: verify them; the exchange is over */
    SASL_NEED_SECRET,    /* look up `secret` of `login`, then call sasl_secret */
    SASL_RIGHT,          /* the mechanism itself has proven `login`; `challenge` is its last data */
    SASL_WRONG,          /* it has found it wrong */
    SASL_MALFORMED       /* the client broke the mechanism's syntax */
};

struct sasl;

struct sasl_mechanism {
    const char *name; /* as in EHLO: "PLAIN" */
    bool plaintext;   /* the password crosses the wire: only on secured connections */
    /* The stored form that it needs ("SCRAM-SHA-256"), or NULL: any that can be verified. Offer it
     * only where it is there. */
    const char *secret;
    enum sasl_step (*start)(struct sasl *s);
    enum sasl_step (*respond)(struct sasl *s, struct slice response);
    enum sasl_step (*take_secret)(struct sasl *s, struct slice secret);
};

/* One exchange. Read-only for the driver. */
struct sasl {
    const struct sasl_mechanism *mechanism;
    unsigned state;                  /* the mechanism's own */
    char login[SASL_NAME_MAX + 1];   /* authentication identity, NUL-terminated */
    char authzid[SASL_NAME_MAX + 1]; /* authorization identity; "": as login */
    char password[SASL_PASSWORD_MAX + 1];
    struct slice challenge; /* raw; not base64 */
};

/* The table, in the order of preference; NULL-terminated pointers. */
extern const struct sasl_mechanism *const sasl_mechanisms[];
/* Case folded; NULL: unknown. */
const struct sasl_mechanism *sasl_find(struct slice name);

/* Starts an exchange. has_initial: an initial response came with the command (it may be empty). */
enum sasl_step sasl_begin(struct sasl *s, const struct sasl_mechanism *m, bool has_initial,
                          struct slice initial);
enum sasl_step sasl_respond(struct sasl *s, struct slice response);
enum sasl_step sasl_secret(struct sasl *s, struct slice secret);
/* Wipes all. */
void sasl_end(struct sasl *s);

/* For mechanisms: copies a text of the client into a field of `size` bytes. False when it holds NUL
 * or does not fit. */
MUST_USE bool sasl_copy(char *field, size_t size, struct slice text);
enum sasl_step sasl_challenge(struct sasl *s, const char *text);

extern const struct sasl_mechanism sasl_plain, sasl_login;

#endif
