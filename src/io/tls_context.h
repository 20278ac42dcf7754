/* tls_context.h: between tls.c and tls_context.c. */
#ifndef IO_TLS_CONTEXT_H
#define IO_TLS_CONTEXT_H

#include "io/tls.h"

#include <openssl/ssl.h>
#include <stdatomic.h>

struct tls_context {
    SSL_CTX *ctx;
    atomic_uint refs;
    bool server, verify;
    X509_STORE *trust[TLS_TRUSTS]; /* for client certificates; NULL: none are asked for */
    STACK_OF(X509_NAME) * names[TLS_TRUSTS];
};

/* FAILED with `what` and OpenSSL's reason, whose queue is emptied. */
enum result tls_error(struct error *err, const char *what);

#endif
