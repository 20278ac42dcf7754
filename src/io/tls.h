/* tls.h: TLS contexts and connections over OpenSSL 3. Used through stream.h. */
#ifndef IO_TLS_H
#define IO_TLS_H

#include "base/buf.h"

struct tls_context; /* reference-counted, immutable once in use, shared by threads */
struct tls;

/* What connections of a context may agree on. */
enum { TLS_VERSION_1_0 = 1, TLS_VERSION_1_1 = 2, TLS_VERSION_1_2 = 4, TLS_VERSION_1_3 = 8 };
struct tls_rules {
    unsigned versions;   /* bits; 0: 1.2 and newer */
    const char *setting; /* whose texts these are, for errors */
    const char *ciphers; /* OpenSSL's list for 1.2 and older; NULL or "": its own */
    const char *suites;  /* of 1.3; NULL or "": its own */
    const char *curves; /* names with ':' between, those that are not known are left out; or NULL */
    bool server_order;  /* the server's order of ciphers decides */
    bool no_tickets;    /* sessions are not resumed */
};

/* A certificate chain with its key, or several for different kinds of keys; reference-counted. */
struct tls_identity;
/* One, from PEM bytes of the chain and of the key. */
MUST_USE enum result tls_identity_pair(struct slice cert_pem, struct slice key_pem,
                                       struct tls_identity **ret, struct error *err);
/* Keys, each followed by its chain (postconf(5) smtpd_tls_chain_files). */
MUST_USE enum result tls_identity_chain(struct slice pem, struct tls_identity **ret,
                                        struct error *err);
struct tls_identity *tls_identity_ref(struct tls_identity *i);
void tls_identity_unref(struct tls_identity *i);

/* Server, still without certificate: no renegotiation, no compression, buffers released while idle,
 * session tickets under keys of its own. */
MUST_USE enum result tls_server_new(const struct tls_rules *rules, struct tls_context **ret,
                                    struct error *err);
/* How many were added for names; which of them is the first for exactly this one, or SIZE_MAX. */
size_t tls_server_names(const struct tls_context *c);
size_t tls_server_find(const struct tls_context *c, struct slice name);
/* Before others see it: a certificate for all names that none of the others is for (name ""), or
 * for a name: "mail.example.org", "*.example.org" (one label), ".example.org" (any number). Of
 * several for one name the first of each kind of key counts. label: for tls_certificate_label;
 * copied. */
MUST_USE enum result tls_server_add(struct tls_context *c, struct slice name,
                                    struct tls_identity *identity, const char *label,
                                    struct error *err);
/* The label of the certificate for all other names, or "". */
const char *tls_context_label(const struct tls_context *c);
/* Client certificates, before others see the context. */
struct tls_client_rules {
    bool required; /* without a verified one the handshake fails; else tls_peer_verified tells */
    struct slice ca_pem; /* who may vouch; empty: nobody, and none is verified */
    bool crl;            /* there must be revocation lists in ca_pem */
    int depth;           /* most authorities in a chain; < 0: OpenSSL's own limit */
};
MUST_USE enum result tls_server_ask(struct tls_context *c, const struct tls_client_rules *rules,
                                    struct error *err);
/* Before others see it: the authorities of a PEM file may vouch for the other side, in addition to
 * those before (of a server: behind tls_server_ask; its clients are not told their names). *ret_n:
 * how many; 0 of a file with revocation lists only. INVALID, FAILED: one of the file's parts is
 * broken, or there is nothing of the kind in it; then none counts. */
MUST_USE enum result tls_add_authorities(struct tls_context *c, struct slice pem, unsigned *ret_n,
                                         struct error *err);
/* Client. rules NULL: TLS 1.2 and newer, as OpenSSL has it. No certificate ends its handshakes
 * (RFC 7435): who must know the server looks at it afterwards (tls_peer_trusted and below). */
MUST_USE enum result tls_client_new(const struct tls_rules *rules, struct tls_context **ret,
                                    struct error *err);
/* Before others see it: shown to servers that ask for a certificate; of several the one that fits.
 */
MUST_USE enum result tls_client_identity(struct tls_context *c, const struct tls_identity *identity,
                                         struct error *err);
/* Before others see it: its authorities need not be roots. */
void tls_client_anchors(struct tls_context *c);
void tls_client_depth(struct tls_context *c, int depth);
/* Before others see it: connections may resume sessions (tls_resume), each for lifetime_s seconds.
 */
MUST_USE enum result tls_client_resume(struct tls_context *c, int64_t lifetime_s,
                                       struct error *err);
struct tls_context *tls_context_ref(struct tls_context *c);
void tls_context_unref(struct tls_context *c);

/* A self-signed P-256 certificate for `name`, both as PEM appended to the buffers. */
MUST_USE enum result tls_self_signed(const char *name, unsigned days, struct buf *cert_pem,
                                     struct buf *key_pem, struct error *err);

/* "TLSv1.3 TLS_AES_256_GCM_SHA384", appended. */
void tls_describe(const struct tls *t, struct buf *out);
/* A server's connection: the name that the client asked for, or ""; the label of the certificate
 * that it got. Live as long as t. */
const char *tls_asked_name(const struct tls *t);
const char *tls_certificate_label(const struct tls *t);

/* After the handshake on a server's connection: was the client's certificate verified? */
bool tls_peer_verified(const struct tls *t);
/* The name in the client's certificate when it was verified: its "commonName" or "emailAddress" in
 * the subject, or "rfc822Name" among the alternative names; there must be exactly one. False: there
 * is none, or it does not fit. */
MUST_USE bool tls_peer_name(const struct tls *t, const char *field, char *out, size_t size);
/* "AB:CD:…" of the client's certificate, verified or not, or (key) of its public key, as Postfix
 * writes them (TLS_README). digest: "sha256". False: there is none. */
enum { TLS_FINGERPRINT_MAX = 3 * 64 };
MUST_USE bool tls_peer_fingerprint(const struct tls *t, const char *digest, bool key,
                                   char out[TLS_FINGERPRINT_MAX]);

/* ---- the server's certificate, after the handshake on a client's connection ---- */

/* Before the handshake, with a context of tls_client_resume (else nothing happens): takes up the
 * session of an earlier connection with the same key, and keeps this one's under it. The key has to
 * name the server and all that the context does not know and the session depends on. A resumed
 * session has the certificate of its first connection, with what was found of it. */
void tls_resume(struct tls *t, struct slice key);
bool tls_resumed(const struct tls *t);

/* There is one, and known authorities vouch for it. *why: else the reason, static storage. */
MUST_USE bool tls_peer_trusted(const struct tls *t, const char **why);
/* It is for this name (RFC 6125), or for one below ".example.org", or for an address in digits. It
 * says nothing of who vouches for it. */
MUST_USE bool tls_peer_has_name(const struct tls *t, const char *name);

/* DANE (RFC 7672), before the handshake: the certificate must fit one of the TLSA records of
 * `base`, which is also the name that the server is told (SNI); where it is by an authority, it
 * must be for `base` or a name that is added. */
MUST_USE enum result tls_dane_start(struct tls *t, const char *base, struct error *err);
MUST_USE enum result tls_dane_name(struct tls *t, const char *name, struct error *err);
/* A record's rdata. INVALID: it can't be used. */
MUST_USE enum result tls_dane_record(struct tls *t, struct slice record, struct error *err);
/* After the handshake: did one fit? *why as above. */
MUST_USE bool tls_dane_matched(const struct tls *t, const char **why);

/* Channel binding data (RFC 9266, RFC 5929) of an established connection; 0: none of this type. */
enum tls_binding { TLS_BINDING_EXPORTER, TLS_BINDING_UNIQUE, TLS_BINDING_SERVER_END_POINT };
enum { TLS_BINDING_MAX = 64 };
size_t tls_binding(const struct tls *t, enum tls_binding kind, unsigned char out[TLS_BINDING_MAX]);

#endif
