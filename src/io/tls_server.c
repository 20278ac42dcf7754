/* tls_server.c: contexts of servers: their certificates, and which of them a client gets. */
#include "io/tls_context.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "io/tls_internal.h"

/* ---- names ---- */

/* pattern: "*.example.org" (one label more), ".example.org" (any number more), else the name. */
static bool fits(struct slice pattern, struct slice name)
{
    bool star = slice_starts(pattern, SLICE("*."));
    struct slice end = slice_from(pattern, star);
    if (!star && !slice_starts(pattern, SLICE(".")))
        return slice_is_nocase(name, pattern.data);
    if (name.len <= end.len || !slice_is_nocase(slice_from(name, name.len - end.len), end.data))
        return false;
    return !star || slice_find(slice_sub(name, 0, name.len - end.len), '.') == SIZE_MAX;
}

/* The longest pattern that fits; a name is longer than every pattern for it. */
static const struct tls_named *find_named(const struct tls_context *c, struct slice name)
{
    const struct tls_named *best = NULL;
    size_t best_len = 0;
    for (size_t i = 0; i < c->n_named; i++) {
        struct slice pattern = slice_cstr(c->named[i].name);
        bool exact = slice_is_nocase(name, pattern.data);
        size_t len = exact ? SIZE_MAX : pattern.len;
        if (len > best_len && fits(pattern, name)) {
            best = &c->named[i];
            best_len = len;
        }
    }
    return best;
}

/* Those of kinds of keys that another for this name has not brought. */
static bool use_identity(SSL *ssl, const struct tls_identity *id, bool first)
{
    for (size_t i = 0; i < id->n; i++)
        if (SSL_use_cert_and_key(ssl, id->pairs[i].cert, id->pairs[i].key, id->pairs[i].chain, 0) !=
                1 &&
            first && !tls_identity_is_taken())
            return false;
    ERR_clear_error();
    return true;
}

/* OpenSSL calls it when it knows what the client asks for. */
static int choose(SSL *ssl, void *arg)
{
    const struct tls_context *c = arg;
    const char *asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const struct tls_named *named = asked ? find_named(c, slice_cstr(asked)) : NULL;
    bool ok = true;
    if (!named)
        return 1;
    SSL_set_app_data(ssl, named->label);
    SSL_certs_clear(ssl);
    for (const struct tls_named *n = named; ok && n < c->named + c->n_named; n++)
        if (strcmp(n->name, named->name) == 0)
            ok = use_identity(ssl, n->identity, n == named);
    return ok;
}

size_t tls_server_find(const struct tls_context *c, struct slice name)
{
    for (size_t i = 0; i < c->n_named; i++)
        if (slice_is_nocase(name, c->named[i].name))
            return i;
    return SIZE_MAX;
}

size_t tls_server_names(const struct tls_context *c)
{
    return c->n_named;
}

const char *tls_asked_name(const struct tls *t)
{
    const char *asked = SSL_get_servername(tls_ssl(t), TLSEXT_NAMETYPE_host_name);
    return asked ? asked : "";
}

const char *tls_certificate_label(const struct tls *t)
{
    const char *own = SSL_get_app_data(tls_ssl(t)), *other = tls_context_of(t)->label;
    return own ? own : other ? other : "";
}

/* ---- the context ---- */

const char *tls_context_label(const struct tls_context *c)
{
    return c->label ? c->label : "";
}

enum result tls_server_new(const struct tls_rules *rules, struct tls_context **ret,
                           struct error *err)
{
    struct tls_context *c;
    enum result r = tls_context_new(true, rules, &c, err);
    if (r != OK)
        return r;
    /* Session tickets under keys of this context's own, so that they die with it, and a session
     * of one context is never resumed in another; one a handshake is what mail clients use. */
    SSL_CTX_set_session_id_context(c->ctx, (const unsigned char *)"postrider", 9);
    SSL_CTX_set_num_tickets(c->ctx, rules && rules->no_tickets ? 0 : 1);
    *ret = c;
    return OK;
}

static enum result set_default(struct tls_context *c, struct tls_identity *id, const char *label,
                               struct error *err)
{
    enum result r = tls_identity_use(c, id, err);
    if (r != OK)
        return r;
    if (!c->label)
        c->label = strdup(label);
    return c->label ? OK : error_set(err, FAILED, "no memory");
}

enum result tls_server_add(struct tls_context *c, struct slice name, struct tls_identity *identity,
                           const char *label, struct error *err)
{
    ERR_clear_error();
    if (name.len == 0)
        return set_default(c, identity, label, err);
    struct tls_named *more = realloc(c->named, (c->n_named + 1) * sizeof *more);
    if (more)
        c->named = more;
    size_t size = name.len + strlen(label) + 2;
    char *text = more ? malloc(size) : NULL;
    if (!text)
        return error_set(err, FAILED, "no memory");
    snprintf(text, size, "%.*s%c%s", SLICE_ARG(name), 0, label);
    for (size_t i = 0; i < name.len; i++)
        text[i] = ascii_lower(text[i]);
    c->named[c->n_named++] = (struct tls_named){
        .name = text, .label = text + name.len + 1, .identity = tls_identity_ref(identity)};
    SSL_CTX_set_cert_cb(c->ctx, choose, c);
    return OK;
}
