/* tls_binding.c: what of a TLS connection a login can be bound to, so that a man in the middle who
 * ends TLS himself can't pass it on. */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "io/tls_context.h"
#include "io/tls_internal.h"

/* RFC 9266 2: 32 bytes under this label with an empty context. Before TLS 1.3 only where the master
 * secret depends on the whole handshake (4.2). */
static size_t exporter(SSL *ssl, unsigned char *out)
{
    static const char label[] = "EXPORTER-Channel-Binding";
    enum { LEN = 32 };
    if (SSL_version(ssl) < TLS1_3_VERSION && SSL_get_extms_support(ssl) != 1)
        return 0;
    bool ok = SSL_export_keying_material(ssl, out, LEN, label, sizeof label - 1,
                                         (const unsigned char *)"", 0, 1) == 1;
    return ok ? LEN : 0;
}

/* RFC 5929 3.1: the first Finished message: the client's, but in a resumed session. Not defined for
 * TLS 1.3 (RFC 8446 C.5). */
static size_t unique(SSL *ssl, unsigned char *out)
{
    if (SSL_version(ssl) >= TLS1_3_VERSION || SSL_get_extms_support(ssl) != 1)
        return 0;
    bool client_first = !SSL_session_reused(ssl);
    bool mine = client_first != (SSL_is_server(ssl) == 1);
    size_t n = mine ? SSL_get_finished(ssl, out, TLS_BINDING_MAX)
                    : SSL_get_peer_finished(ssl, out, TLS_BINDING_MAX);
    return n <= TLS_BINDING_MAX ? n : 0;
}

/* RFC 5929 4.1: the server's certificate under its signature's hash, SHA-256 instead of MD5 and
 * SHA-1; none where the signature has no one hash (Ed25519). */
static size_t end_point(SSL *ssl, unsigned char *out)
{
    int md_nid = NID_undef;
    unsigned n = TLS_BINDING_MAX;
    const X509 *x = SSL_is_server(ssl) ? SSL_get_certificate(ssl) : SSL_get0_peer_certificate(ssl);
    if (!x || X509_get_signature_info((X509 *)(uintptr_t)x, &md_nid, NULL, NULL, NULL) != 1)
        return 0;
    const EVP_MD *md =
        md_nid == NID_md5 || md_nid == NID_sha1 ? EVP_sha256() : EVP_get_digestbynid(md_nid);
    return md && X509_digest(x, md, out, &n) == 1 ? n : 0;
}

size_t tls_binding(const struct tls *t, enum tls_binding kind, unsigned char out[TLS_BINDING_MAX])
{
    size_t n = 0;
    ERR_clear_error();
    if (kind == TLS_BINDING_EXPORTER)
        n = exporter(tls_ssl(t), out);
    else if (kind == TLS_BINDING_UNIQUE)
        n = unique(tls_ssl(t), out);
    else
        n = end_point(tls_ssl(t), out);
    ERR_clear_error();
    return n;
}
