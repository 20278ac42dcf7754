/* tls_server_cert.c: certificates of servers: who vouches for them, the names that they have, and
 * DANE's records. Nothing of it ends a handshake; the caller asks afterwards. */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <arpa/inet.h>

#include "io/tls_context.h"
#include "io/tls_internal.h"

void tls_client_anchors(struct tls_context *c)
{
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(c->ctx), X509_V_FLAG_PARTIAL_CHAIN);
}

void tls_client_depth(struct tls_context *c, int depth)
{
    SSL_CTX_set_verify_depth(c->ctx, depth);
}

static bool verified(const struct tls *t, const char **why)
{
    long result = SSL_get_verify_result(tls_ssl(t));
    *why = X509_verify_cert_error_string(result);
    if (!SSL_get0_peer_certificate(tls_ssl(t))) {
        *why = "the server shows none";
        return false;
    }
    return result == X509_V_OK;
}

bool tls_peer_trusted(const struct tls *t, const char **why)
{
    return verified(t, why);
}

bool tls_peer_has_name(const struct tls *t, const char *name)
{
    unsigned char raw[16];
    X509 *x = SSL_get0_peer_certificate(tls_ssl(t));
    bool address = inet_pton(AF_INET, name, raw) == 1 || inet_pton(AF_INET6, name, raw) == 1;
    bool has =
        x && *name &&
        (address ? X509_check_ip_asc(x, name, 0) == 1
                 : X509_check_host(x, name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1);
    ERR_clear_error();
    return has;
}

/* ---- DANE ---- */

enum result tls_dane_start(struct tls *t, const char *base, struct error *err)
{
    ERR_clear_error();
    if (SSL_dane_enable(tls_ssl(t), base) != 1)
        return tls_error(err, "starting DANE");
    /* RFC 7672 3.1.1: DANE-EE(3) names the certificate itself: neither its names nor its dates
     * count. */
    SSL_dane_set_flags(tls_ssl(t), DANE_FLAG_NO_DANE_EE_NAMECHECKS);
    return OK;
}

enum result tls_dane_name(struct tls *t, const char *name, struct error *err)
{
    ERR_clear_error();
    return SSL_add1_host(tls_ssl(t), name) == 1 ? OK : tls_error(err, "a name for DANE");
}

enum result tls_dane_record(struct tls *t, struct slice record, struct error *err)
{
    ERR_clear_error();
    if (record.len < 4)
        return error_set(err, INVALID, "the TLSA record is too short");
    const unsigned char *r = (const unsigned char *)record.data;
    int taken = SSL_dane_tlsa_add(tls_ssl(t), r[0], r[1], r[2], r + 3, record.len - 3);
    if (taken > 0)
        return OK;
    enum result why = tls_error(err, "a TLSA record");
    return taken == 0 ? INVALID : why;
}

bool tls_dane_matched(const struct tls *t, const char **why)
{
    return verified(t, why) && SSL_get0_dane_authority(tls_ssl(t), NULL, NULL) >= 0;
}
