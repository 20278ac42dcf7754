/* tls_context.h: between the files of TLS. */
#ifndef IO_TLS_CONTEXT_H
#define IO_TLS_CONTEXT_H

#include "io/tls.h"

#include <openssl/ssl.h>
#include <stdatomic.h>

enum { TLS_IDENTITY_PAIRS = 4 };

struct tls_identity {
    atomic_uint refs;
    struct {
        EVP_PKEY *key;
        X509 *cert;
        STACK_OF(X509) * chain;
    } pairs[TLS_IDENTITY_PAIRS];
    size_t n;
};

/* A certificate for a name. */
struct tls_named {
    char *name, *label; /* in lower case; one piece of memory */
    struct tls_identity *identity;
};

struct tls_context {
    SSL_CTX *ctx;
    atomic_uint refs;
    bool server;
    struct tls_named *named;
    size_t n_named;
    char *label;                   /* of the certificate for all other names */
    struct tls_sessions *sessions; /* of a client; NULL: none are resumed */
};

/* FAILED with `what` and OpenSSL's reason, whose queue is emptied. */
enum result tls_error(struct error *err, const char *what);
/* Reads PEM bytes; NULL: no memory. */
BIO *tls_bio(struct slice pem);
/* A key with a pass phrase is refused; OpenSSL would ask for it on the terminal. */
int tls_no_pass_phrase(char *into, int size, int writing, void *arg);
/* OpenSSL's callback that lets the handshake go on whatever is found of a certificate. */
int tls_take_any(int verified, X509_STORE_CTX *ctx);
/* tls_identity.c: the pairs become the context's, but those of kinds of keys that it has. */
MUST_USE enum result tls_identity_use(struct tls_context *c, const struct tls_identity *id,
                                      struct error *err);
/* Did OpenSSL leave a pair out because an earlier one has this kind of key? */
bool tls_identity_is_taken(void);
/* tls_context.c: with the rules that hold for both sides. */
MUST_USE enum result tls_context_new(bool server, const struct tls_rules *rules,
                                     struct tls_context **ret, struct error *err);

#endif
