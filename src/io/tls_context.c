/* tls_context.c: what TLS connections of one kind share: versions, ciphers, rules. */
#include "io/tls_context.h"
#include "io/tls_sessions.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <limits.h>
#include <stdlib.h>

enum result tls_error(struct error *err, const char *what)
{
    char text[160] = "no reason given";
    unsigned long code = ERR_get_error();
    if (code)
        ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return error_set(err, FAILED, "%s: %s", what, text);
}

BIO *tls_bio(struct slice pem)
{
    return BIO_new_mem_buf(pem.len ? pem.data : "", pem.len > INT_MAX ? INT_MAX : (int)pem.len);
}

int tls_no_pass_phrase(char *into, int size, int writing, void *arg)
{
    (void)into;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

struct tls_context *tls_context_ref(struct tls_context *c)
{
    atomic_fetch_add(&c->refs, 1);
    return c;
}

void tls_context_unref(struct tls_context *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    SSL_CTX_free(c->ctx);
    for (size_t i = 0; i < c->n_named; i++) {
        free(c->named[i].name);
        tls_identity_unref(c->named[i].identity);
    }
    free(c->named);
    free(c->label);
    tls_sessions_free(c->sessions);
    free(c);
}

/* ---- rules ---- */

static const struct {
    unsigned bit;
    int version;
    uint64_t off;
} versions[] = {{TLS_VERSION_1_0, TLS1_VERSION, SSL_OP_NO_TLSv1},
                {TLS_VERSION_1_1, TLS1_1_VERSION, SSL_OP_NO_TLSv1_1},
                {TLS_VERSION_1_2, TLS1_2_VERSION, SSL_OP_NO_TLSv1_2},
                {TLS_VERSION_1_3, TLS1_3_VERSION, SSL_OP_NO_TLSv1_3}};
enum { VERSIONS = sizeof versions / sizeof *versions };

static bool set_versions(SSL_CTX *ctx, unsigned allowed)
{
    int least = 0, most = 0;
    for (size_t i = 0; i < VERSIONS; i++) {
        if (!(allowed & versions[i].bit)) {
            SSL_CTX_set_options(ctx, versions[i].off);
            continue;
        }
        least = least ? least : versions[i].version;
        most = versions[i].version;
    }
    return SSL_CTX_set_min_proto_version(ctx, least) == 1 &&
           SSL_CTX_set_max_proto_version(ctx, most) == 1;
}

/* Postfix leaves out what this OpenSSL does not know (tls_eecdh_auto_curves). */
static bool set_curves(SSL_CTX *ctx, const char *curves)
{
    char known[1024] = "";
    struct slice rest = slice_cstr(curves);
    while (rest.data) {
        char one[64];
        size_t n = strlen(known);
        struct slice name = slice_trim(slice_split(&rest, ':'));
        if (name.len == 0 || name.len >= sizeof one || n + name.len + 2 > sizeof known)
            continue;
        snprintf(one, sizeof one, "%.*s", SLICE_ARG(name));
        if (SSL_CTX_set1_groups_list(ctx, one) == 1)
            snprintf(known + n, sizeof known - n, "%s%s", n ? ":" : "", one);
    }
    return known[0] && SSL_CTX_set1_groups_list(ctx, known) == 1;
}

static bool given(const char *text)
{
    return text && *text;
}

static enum result take_rules(SSL_CTX *ctx, const struct tls_rules *rules, struct error *err)
{
    unsigned safe = TLS_VERSION_1_2 | TLS_VERSION_1_3;
    if (!set_versions(ctx, rules && rules->versions ? rules->versions : safe))
        return tls_error(err, "setting the versions of TLS");
    if (!rules)
        return OK;
    char what[96];
    snprintf(what, sizeof what, "%s: ciphers or curves that OpenSSL does not know",
             rules->setting ? rules->setting : "TLS");
    if ((given(rules->ciphers) && SSL_CTX_set_cipher_list(ctx, rules->ciphers) != 1) ||
        (given(rules->suites) && SSL_CTX_set_ciphersuites(ctx, rules->suites) != 1) ||
        (given(rules->curves) && !set_curves(ctx, rules->curves)))
        return tls_error(err, what);
    ERR_clear_error(); /* curves that were left out */
    if (rules->server_order)
        SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    if (rules->no_tickets)
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    return OK;
}

enum result tls_context_new(bool server, const struct tls_rules *rules, struct tls_context **ret,
                            struct error *err)
{
    ERR_clear_error();
    struct tls_context *c = calloc(1, sizeof *c);
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    enum result r = c && ctx ? take_rules(ctx, rules, err) : tls_error(err, "making a TLS context");
    if (r != OK) {
        free(c);
        SSL_CTX_free(ctx);
        return r;
    }
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    /* An idle connection gives its record buffers back (RELEASE_BUFFERS). */
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* A server reads what is there, not first each record's header: its drivers ask stream_pending
     * before they wait. A client's wait for readiness alone, so nothing may be read ahead. */
    SSL_CTX_set_read_ahead(ctx, server);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    *c = (struct tls_context){.ctx = ctx, .refs = 1, .server = server};
    *ret = c;
    return OK;
}

enum result tls_client_new(const struct tls_rules *rules, struct tls_context **ret,
                           struct error *err)
{
    struct tls_context *c;
    enum result r = tls_context_new(false, rules, &c, err);
    if (r != OK)
        return r;
    SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, tls_take_any);
    if (SSL_CTX_dane_enable(c->ctx) != 1) {
        tls_context_unref(c);
        return tls_error(err, "setting up DANE");
    }
    *ret = c;
    return OK;
}
