/* tls_internal.h: between stream.c and tls.c. Results as stream.h's; *wants: see struct stream. */
#ifndef IO_TLS_INTERNAL_H
#define IO_TLS_INTERNAL_H

#include "io/tls.h"

MUST_USE enum result tls_open(struct tls_context *c, int fd, const char *peer_name,
                              struct tls **ret, struct error *err);
MUST_USE enum result tls_handshake(struct tls *t, unsigned *wants, struct error *err);
MUST_USE enum result tls_read(struct tls *t, char *into, size_t size, size_t *ret_n,
                              unsigned *wants);
MUST_USE enum result tls_write(struct tls *t, struct slice bytes, size_t *ret_n, unsigned *wants);
struct ssl_st *tls_ssl(const struct tls *t);
const struct tls_context *tls_context_of(const struct tls *t);
bool tls_pending(const struct tls *t);
/* Sends close notify as far as it goes without waiting, and frees. */
void tls_close(struct tls *t);

#endif
