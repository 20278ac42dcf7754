/* certificates.h: certificates and the TLS contexts made of them, inside edge. */
#ifndef ROLE_EDGE_CERTIFICATES_H
#define ROLE_EDGE_CERTIFICATES_H

#include "io/tls.h"
#include "role/role.h"

struct edge_certificates; /* the PEM files as the master sent them, and what was read from them */

/* Takes the files: a certificate that can't be read from the new ones stays as it was. Returns
 * false without memory. */
MUST_USE bool edge_certificates_take(struct edge_certificates **c,
                                     const struct role_secret *secrets, size_t n);
void edge_certificates_free(struct edge_certificates *c);

enum edge_tls_kind {
    EDGE_TLS_SMTP,  /* STARTTLS */
    EDGE_TLS_SMTPS, /* TLS from the first byte: it is required there */
    EDGE_TLS_LOGIN, /* POP3 and IMAP */
    EDGE_TLS_KINDS
};
/* The context of connections of a kind that come to one of our addresses (CIDR as the
 * configuration has it; "": any other). NULL: no certificate, or what is wrong was logged. c may be
 * NULL: no files came yet. */
struct tls_context *edge_tls_new(struct edge_certificates *c, const struct conf *conf,
                                 enum edge_tls_kind kind, struct slice address);

/* The addresses that have certificates of their own. */
void edge_tls_addresses(struct edge_certificates *c, const struct conf *conf,
                        void (*each)(void *arg, struct slice address), void *arg);

#endif
