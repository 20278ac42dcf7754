#include "auth/ldap_client.h"

#include <sys/time.h>

struct ldap_api ldap_api;

static enum result load(struct error *err)
{
    static const char *const files[] = {"libldap.so.2", "libldap-2.5.so.0", "libldap-2.4.so.2",
                                        NULL};
#define SYMBOL(name) {#name, offsetof(struct ldap_api, name)},
    static const struct library_symbol symbols[] = {LDAP_FUNCTIONS(SYMBOL)};
#undef SYMBOL
    return library_load(files, "libldap2 or libldap-2.5-0", symbols,
                        sizeof symbols / sizeof *symbols, &ldap_api, err);
}

enum result ldap_failed(int code, const char *what, struct error *err)
{
    bool away = code == LDAP_SERVER_DOWN || code == LDAP_CONNECT_ERROR || code == LDAP_TIMEOUT ||
                code == LDAP_UNAVAILABLE || code == LDAP_BUSY;
    return error_set(err, away ? CLOSED : FAILED, "ldap: %s: %s", what,
                     ldap_api.ldap_err2string(code));
}

int ldap_bind_as(LDAP *l, const char *dn, struct slice password)
{
    struct berval secret = {password.len, (char *)password.data};
    return ldap_api.ldap_sasl_bind_s(l, dn, LDAP_SASL_SIMPLE, &secret, NULL, NULL, NULL);
}

/* An LDAP code. */
static int set_tls(LDAP *l, const struct ldap_server *s)
{
    const struct {
        int option;
        const char *value;
    } texts[] = {{LDAP_OPT_X_TLS_CACERTFILE, s->ca_file},
                 {LDAP_OPT_X_TLS_CACERTDIR, s->ca_dir},
                 {LDAP_OPT_X_TLS_CERTFILE, s->cert},
                 {LDAP_OPT_X_TLS_KEYFILE, s->key},
                 {LDAP_OPT_X_TLS_CIPHER_SUITE, s->ciphers}};
    int require = s->require_cert ? LDAP_OPT_X_TLS_DEMAND : LDAP_OPT_X_TLS_NEVER, fresh = 0;
    bool any = s->tls_told;
    if (s->tls_told &&
        ldap_api.ldap_set_option(l, LDAP_OPT_X_TLS_REQUIRE_CERT, &require) != LDAP_OPT_SUCCESS)
        return LDAP_PARAM_ERROR;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        any = any || texts[i].value;
        if (texts[i].value &&
            ldap_api.ldap_set_option(l, texts[i].option, texts[i].value) != LDAP_OPT_SUCCESS)
            return LDAP_PARAM_ERROR;
    }
    /* They count in a new TLS context only. */
    if (any && ldap_api.ldap_set_option(l, LDAP_OPT_X_TLS_NEWCTX, &fresh) != LDAP_OPT_SUCCESS)
        return LDAP_PARAM_ERROR;
    return LDAP_SUCCESS;
}

static void set_options(LDAP *l, const struct ldap_server *s)
{
    int version = LDAP_VERSION3;
    struct timeval timeout = {.tv_sec = s->timeout_s};
    ldap_api.ldap_set_option(l, LDAP_OPT_PROTOCOL_VERSION, &version);
    ldap_api.ldap_set_option(l, LDAP_OPT_NETWORK_TIMEOUT, &timeout);
    ldap_api.ldap_set_option(l, LDAP_OPT_TIMEOUT, &timeout);
    /* LDAP_OPT_ON is a symbol of another library; whatever is not NULL means the same. */
    ldap_api.ldap_set_option(l, LDAP_OPT_REFERRALS, s->referrals ? &version : LDAP_OPT_OFF);
    ldap_api.ldap_set_option(l, LDAP_OPT_DEREF, &s->dereference);
    ldap_api.ldap_set_option(l, LDAP_OPT_SIZELIMIT, &s->size_limit);
}

enum result ldap_open(const struct ldap_server *s, LDAP **ret, struct error *err)
{
    LDAP *l = NULL;
    if (load(err) != OK)
        return FAILED;
    int code = ldap_api.ldap_initialize(&l, s->uris);
    if (code != LDAP_SUCCESS) {
        (void)ldap_failed(code, "uris", err);
        return FAILED;
    }
    set_options(l, s);
    const char *what = "TLS settings";
    code = set_tls(l, s);
    if (code == LDAP_SUCCESS && s->start_tls) {
        what = "StartTLS";
        code = ldap_api.ldap_start_tls_s(l, NULL, NULL);
    }
    if (code != LDAP_SUCCESS) {
        ldap_api.ldap_unbind_ext_s(l, NULL, NULL);
        return ldap_failed(code, what, err);
    }
    *ret = l;
    return OK;
}

/* RFC 4515 3: what a value may not hold in a filter. */
void ldap_escape_filter(void *arg, struct slice value, struct buf *out)
{
    (void)arg;
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c == '*' || c == '(' || c == ')' || c == '\\' || c < ' ')
            buf_printf(out, "\\%02x", c);
        else
            buf_putc(out, (char)c);
    }
}

/* RFC 4514 2.4: what a value may not hold in a name. */
void ldap_escape_dn(void *arg, struct slice value, struct buf *out)
{
    (void)arg;
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (strchr(",+\"\\<>;=#", c) || c <= ' ')
            buf_printf(out, "\\%02x", c);
        else
            buf_putc(out, (char)c);
    }
}
