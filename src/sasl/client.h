/* client.h: SASL mechanisms (RFC 4422), the client's side, as state machines without I/O: PLAIN,
 * LOGIN, CRAM-MD5, SCRAM, OAUTHBEARER, XOAUTH2.
 *
 * Who calls it: role/relay, when it logs in to another server. What the server says is hostile
 * input: it is bounded, and a server that must prove itself (SCRAM) is not believed without. */
#ifndef SASL_CLIENT_H
#define SASL_CLIENT_H

#include "sasl/sasl.h"

enum { SASL_ITERATIONS_LEAST = 4096, SASL_ITERATIONS_MOST = 500000 /* SCRAM; it takes time */ };

/* Who logs in, over which connection. The texts stay the caller's while the exchange lasts. */
struct sasl_login {
    struct slice user, password;    /* for OAUTHBEARER and XOAUTH2 the password is the token */
    struct slice prepared;          /* the password prepared for SCRAM (RFC 4013) */
    char nonce[SASL_NONCE_MAX + 1]; /* for tests; "": a random one */
    enum sasl_binding binding;      /* of the TLS connection; */
    unsigned char binding_data[SASL_KEY_MAX];
    size_t binding_len; /* 0: none */
    bool bound_offered; /* the server offers a -PLUS mechanism */
};

struct sasl_client;

struct sasl_client_mechanism {
    const char *name;
    bool bound; /* needs the TLS connection's binding data */
    /* The initial response, appended; data of the mechanism is set up. NULL: the server begins. */
    enum result (*start)(struct sasl_client *c, struct buf *out, const char **why);
    enum result (*respond)(struct sasl_client *c, struct slice challenge, struct buf *out,
                           const char **why);
    /* NULL: nothing has to be proven. */
    enum result (*finish)(struct sasl_client *c, const char **why);
};

struct sasl_client {
    const struct sasl_client_mechanism *mechanism;
    const struct sasl_login *login;
    unsigned step;
    char nonce[SASL_NONCE_MAX + 1];
    char first[3 * SASL_NAME_MAX + SASL_NONCE_MAX + 16]; /* SCRAM: client-first-message-bare */
    unsigned char server_signature[SASL_KEY_MAX];
};

/* Case folded; NULL: unknown. */
const struct sasl_client_mechanism *sasl_client_find(struct slice name);

/* *ret_initial: there is an initial response, which was appended. INVALID or FAILED: *why (static
 * storage) says what is wrong. */
MUST_USE enum result sasl_client_start(struct sasl_client *c, const struct sasl_client_mechanism *m,
                                       const struct sasl_login *login, struct buf *out,
                                       bool *ret_initial, const char **why);
/* challenge: decoded; data NULL: it could not be. */
MUST_USE enum result sasl_client_respond(struct sasl_client *c, struct slice challenge,
                                         struct buf *out, const char **why);
/* The server says that all is right. INVALID: it has not proven that it knows the password. */
MUST_USE enum result sasl_client_finish(struct sasl_client *c, const char **why);
void sasl_client_end(struct sasl_client *c); /* wipes */

/* client_scram.c */
extern const struct sasl_client_mechanism sasl_client_scram_sha_1, sasl_client_scram_sha_1_plus,
    sasl_client_scram_sha_256, sasl_client_scram_sha_256_plus;

#endif
