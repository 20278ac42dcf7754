/* sasl.h: SASL mechanisms (RFC 4422), the server's side, as state machines without I/O.
 *
 * The driver (role/auth) feeds the client's responses, already base64-decoded, and does what the
 * returned step asks for: send a challenge, verify a password or a token, look up a stored secret.
 * A mechanism is one entry of a table. Input is bounded; what an exchange holds is wiped by
 * sasl_end. */
#ifndef SASL_SASL_H
#define SASL_SASL_H

#include "base/buf.h"

enum {
    SASL_NAME_MAX = 255, /* RFC 4616 section 2: up to 255 octets each */
    SASL_PASSWORD_MAX = 1024,
    SASL_RESPONSE_MAX = 9 * 1024, /* decoded bytes of one response: a line of 12288 in base64 */
    SASL_CHALLENGE_MAX = 1024,
    SASL_KEY_MAX = 64, /* bytes of a SCRAM key, a salt, channel binding data */
    SASL_NONCE_MAX = 128
};

enum sasl_step {
    SASL_CHALLENGE,      /* send `challenge`, then call sasl_respond with the answer */
    SASL_CHECK_PASSWORD, /* login and password are known: verify them; the exchange is over */
    SASL_NEED_SECRET,    /* look up the secret (mechanism->secret) of `login`, call sasl_secret */
    SASL_CHECK_TOKEN,    /* sasl_token holds a bearer token: verify it, call sasl_token_checked */
    SASL_RIGHT,          /* the mechanism itself has proven `login` */
    SASL_WRONG,          /* it has found it wrong */
    SASL_MALFORMED       /* the client broke the mechanism's syntax */
};

/* What a mechanism is like, in the words of smtpd_sasl_security_options. */
enum sasl_property {
    SASL_IS_PLAINTEXT = 1,   /* password or token cross the wire: noplaintext forbids it */
    SASL_IS_ANONYMOUS = 2,   /* noanonymous */
    SASL_IS_ACTIVE = 4,      /* open to an active attack: noactive */
    SASL_IS_DICTIONARY = 8,  /* a passive attacker can try passwords: nodictionary */
    SASL_IS_MUTUAL = 16,     /* the server proves itself too: mutual_auth wants it */
    SASL_IS_BOUND = 32,      /* binds to the TLS channel: offered under TLS alone */
    SASL_IS_CERTIFICATE = 64 /* by the client's certificate: offered where there is one */
};

/* What a mechanism wants to know of an account. */
enum sasl_secret_kind {
    SASL_SECRET_NONE, /* anything by which a password can be verified */
    SASL_SECRET_CRAM_MD5,
    SASL_SECRET_SCRAM_SHA_1,
    SASL_SECRET_SCRAM_SHA_256,
    SASL_SECRET_TOKEN, /* keys that sign tokens are configured */
    SASL_SECRET_NO_PASSWORD
};

struct sasl_secret {
    bool real; /* false: made up, for an account that is not there; the exchange ends wrong */
    /* SCRAM (RFC 5802 3) */
    unsigned iterations;
    unsigned char salt[SASL_KEY_MAX], stored_key[SASL_KEY_MAX], server_key[SASL_KEY_MAX];
    size_t salt_len, key_len;
    /* CRAM-MD5: MD5's state behind the key's inner and outer pad (RFC 2195 section 2) */
    uint32_t inner[4], outer[4];
};

enum sasl_binding { SASL_TLS_EXPORTER, SASL_TLS_UNIQUE, SASL_TLS_SERVER_END_POINT, SASL_BINDINGS };

/* The connection, as far as mechanisms look at it. */
struct sasl_channel {
    char host[SASL_NAME_MAX + 1];      /* our name, for CRAM-MD5's challenge */
    char identity[SASL_NAME_MAX + 1];  /* whom the client's verified certificate names, or "" */
    char anonymous[SASL_NAME_MAX + 1]; /* the account of ANONYMOUS */
    char nonce[SASL_NONCE_MAX + 1];    /* for tests: used in place of a random one; "" */
    bool identity_is_login;            /* `identity` logs in, whatever name is said */
    bool bound_offered;                /* a -PLUS mechanism was announced to this client */
    struct {
        unsigned char data[SASL_KEY_MAX];
        size_t len; /* 0: there is none of this type */
    } bindings[SASL_BINDINGS];
};

struct sasl;

struct sasl_mechanism {
    const char *name; /* as in EHLO: "PLAIN" */
    unsigned properties;
    enum sasl_secret_kind secret;
    bool server_first; /* RFC 4422 3: takes no initial response */
    enum sasl_step (*start)(struct sasl *s);
    enum sasl_step (*respond)(struct sasl *s, struct slice response);
    enum sasl_step (*take_secret)(struct sasl *s, const struct sasl_secret *secret);
    enum sasl_step (*token_checked)(struct sasl *s, bool right);
};

/* One exchange. Read-only for the driver. */
struct sasl {
    const struct sasl_mechanism *mechanism;
    unsigned state;                  /* the mechanism's own */
    char login[SASL_NAME_MAX + 1];   /* authentication identity, NUL-terminated */
    char authzid[SASL_NAME_MAX + 1]; /* authorization identity; "": as login */
    char password[SASL_PASSWORD_MAX + 1];
    struct slice challenge; /* raw; not base64 */
    const char *why;        /* for the log, with WRONG and MALFORMED; or NULL */
    struct sasl_channel channel;
    void *own; /* the mechanism's, own_size bytes */
    size_t own_size;
};

/* The table, in the order of preference; NULL-terminated pointers. */
extern const struct sasl_mechanism *const sasl_mechanisms[];
/* Case folded; NULL: unknown. */
const struct sasl_mechanism *sasl_find(struct slice name);

/* Starts an exchange. has_initial: an initial response came with the command (it may be empty).
 * channel is copied; NULL: nothing is known of it. Whatever comes of it: sasl_end. */
enum sasl_step sasl_begin(struct sasl *s, const struct sasl_mechanism *m, bool has_initial,
                          struct slice initial, const struct sasl_channel *channel);
enum sasl_step sasl_respond(struct sasl *s, struct slice response);
/* After SASL_NEED_SECRET. Copied. */
enum sasl_step sasl_secret(struct sasl *s, const struct sasl_secret *secret);
/* After SASL_CHECK_TOKEN: the token, and whose it is; login empty: it is not good, and why (static
 * storage). */
struct slice sasl_token(const struct sasl *s);
enum sasl_step sasl_token_checked(struct sasl *s, struct slice login, const char *why);
/* Wipes all. */
void sasl_end(struct sasl *s);

/* For mechanisms: copies a text of the client into a field of `size` bytes. False when it holds NUL
 * or does not fit. */
MUST_USE bool sasl_copy(char *field, size_t size, struct slice text);
enum sasl_step sasl_challenge(struct sasl *s, const char *text);
enum sasl_step sasl_wrong(struct sasl *s, const char *why);
enum sasl_step sasl_malformed(struct sasl *s, const char *why);
/* Zeroed memory of the mechanism's own; NULL without memory. */
void *sasl_own(struct sasl *s, size_t size);
/* The channel's nonce, else a random one of 24 characters; false without entropy. */
MUST_USE bool sasl_nonce(const struct sasl *s, char out[SASL_NONCE_MAX + 1]);

extern const struct sasl_mechanism sasl_plain, sasl_login, sasl_cram_md5, sasl_scram_sha_1,
    sasl_scram_sha_1_plus, sasl_scram_sha_256, sasl_scram_sha_256_plus, sasl_external,
    sasl_anonymous, sasl_oauthbearer, sasl_xoauth2;

#endif
