/* tls.h: TLS contexts and connections over OpenSSL 3. Used through stream.h. */
#ifndef IO_TLS_H
#define IO_TLS_H

#include "base/buf.h"

struct tls_context; /* reference-counted, immutable, shared by threads */
struct tls;

/* Server: PEM bytes of the certificate chain and the key. TLS 1.2 and newer, no renegotiation, no
 * compression, session tickets, buffers released while idle. */
MUST_USE enum result tls_server_new(struct slice cert_pem, struct slice key_pem,
                                    struct tls_context **ret, struct error *err);
/* Before others see the server's context: who may vouch for client certificates of a kind of
 * connections (an index below TLS_TRUSTS); PEM. */
enum { TLS_TRUSTS = 2 };
MUST_USE enum result tls_server_trust(struct tls_context *c, unsigned kind, struct slice ca_pem,
                                      struct error *err);
/* Client. verify: check the chain against the system's store and the name; otherwise encrypt only
 * (opportunistic, RFC 7435). */
MUST_USE enum result tls_client_new(bool verify, struct tls_context **ret, struct error *err);
struct tls_context *tls_context_ref(struct tls_context *c);
void tls_context_unref(struct tls_context *c);

/* A self-signed P-256 certificate for `name`, both as PEM appended to the buffers. */
MUST_USE enum result tls_self_signed(const char *name, unsigned days, struct buf *cert_pem,
                                     struct buf *key_pem, struct error *err);

/* "TLSv1.3 TLS_AES_256_GCM_SHA384", appended. */
void tls_describe(const struct tls *t, struct buf *out);

/* Before the handshake, on a server's connection: ask for a certificate that those of the kind
 * vouch for. required: without one the handshake fails; else tls_peer_name tells. False: the
 * context has nobody of that kind. */
MUST_USE bool tls_ask_certificate(struct tls *t, unsigned kind, bool required);
/* After it: the name in the client's certificate when it was verified: its "commonName" or
 * "emailAddress" in the subject, or "rfc822Name" among the alternative names; there must be exactly
 * one. False: there is none, or it does not fit. */
MUST_USE bool tls_peer_name(const struct tls *t, const char *field, char *out, size_t size);

/* Channel binding data (RFC 9266, RFC 5929) of an established connection; 0: none of this type. */
enum tls_binding { TLS_BINDING_EXPORTER, TLS_BINDING_UNIQUE, TLS_BINDING_SERVER_END_POINT };
enum { TLS_BINDING_MAX = 64 };
size_t tls_binding(const struct tls *t, enum tls_binding kind, unsigned char out[TLS_BINDING_MAX]);

#endif
