/* identity.c: see identity.h. The files come from the master, which alone may open them; what is
 * read of keys is wiped. */
#include "role/relay/identity.h"

#include "conf/paths.h"

enum { PEM_MAX = 4 << 20 };

struct relay_identity relay_identity_of(const struct conf *c, bool lmtp)
{
    if (lmtp)
        return (struct relay_identity){
            {{conf_path(c->lmtp_tls_cert_file), conf_path(c->lmtp_tls_key_file)},
             {conf_path(c->lmtp_tls_eccert_file), conf_path(c->lmtp_tls_eckey_file)}},
            c->lmtp_tls_chain_files};
    return (struct relay_identity){
        {{conf_path(c->smtp_tls_cert_file), conf_path(c->smtp_tls_key_file)},
         {conf_path(c->smtp_tls_eccert_file), conf_path(c->smtp_tls_eckey_file)}},
        c->smtp_tls_chain_files};
}

void relay_identity_key(const struct relay_identity *id, struct buf *out)
{
    for (size_t i = 0; i < id->chain.n; i++)
        buf_printf(out, "\n+%.*s", SLICE_ARG(id->chain.items[i]));
    for (size_t i = 0; i < 2 && id->chain.n == 0; i++)
        buf_printf(out, "\n%.*s\n%.*s", SLICE_ARG(id->pairs[i][0]), SLICE_ARG(id->pairs[i][1]));
}

static void wipe(struct buf *pem)
{
    if (pem->mem)
        explicit_bzero(pem->mem, pem->size);
    buf_release(pem);
}

static enum result read_chain(struct relay *r, const struct relay_identity *id,
                              struct tls_identity **ret, struct error *err)
{
    struct buf pem;
    enum result result = OK;
    buf_init(&pem, PEM_MAX);
    for (size_t i = 0; i < id->chain.n && result == OK; i++) {
        result = kept_files_read(&r->files, conf_path(id->chain.items[i]), &pem, err);
        buf_putc(&pem, '\n'); /* the next file begins a line */
    }
    if (result == OK)
        result = tls_identity_chain(buf_slice(&pem), ret, err);
    wipe(&pem);
    return result;
}

static enum result read_pair(struct relay *r, const struct slice paths[2],
                             struct tls_identity **ret, struct error *err)
{
    struct buf cert, key;
    buf_init(&cert, PEM_MAX);
    buf_init(&key, PEM_MAX);
    enum result result = kept_files_read(&r->files, paths[0], &cert, err);
    if (result == OK)
        result = kept_files_read(&r->files, paths[1], &key, err);
    if (result == OK)
        result = tls_identity_pair(buf_slice(&cert), buf_slice(&key), ret, err);
    wipe(&cert);
    wipe(&key);
    return result;
}

/* Takes the identity. */
static void use(struct tls_context *tls, struct tls_identity *identity, enum result result,
                struct slice path, struct error *err)
{
    if (result == OK)
        result = tls_client_identity(tls, identity, err);
    if (result != OK)
        LOG(LOG_ERROR, "relay.certificate", LOG_S("path", path), LOG_C("why", err->text),
            LOG_C("then", "servers that ask for a certificate are not shown this one"));
    tls_identity_unref(identity);
}

void relay_identity_use(struct relay *r, const struct relay_identity *id, struct tls_context *tls)
{
    struct tls_identity *identity = NULL;
    struct error err = {""};
    if (id->chain.n) {
        enum result result = read_chain(r, id, &identity, &err);
        use(tls, identity, result, id->chain.items[0], &err);
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        if (id->pairs[i][0].len == 0)
            continue;
        identity = NULL;
        enum result result = read_pair(r, id->pairs[i], &identity, &err);
        use(tls, identity, result, id->pairs[i][0], &err);
    }
}
