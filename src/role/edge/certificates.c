/* certificates.c: see certificates.h. Each certificate is kept in parsed form under its paths: when
 * a file changes, what is new is read, and what turned out broken stays as it was. */
#include "role/edge/certificates.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "conf/paths.h"
#include "role/authorities.h"
#include "role/certificates.h"
#include "role/tls_rules.h"

enum { PEM_MAX = 4 << 20, RULES_ARENA = 256 * 1024 };

struct pem_file {
    struct slice path, bytes; /* one piece of memory */
    bool there;
};

/* A certificate under the paths that it is read from. */
struct kept {
    struct kept *next;
    char *key;
    struct tls_identity *identity; /* NULL: could never be read */
    bool looked;                   /* since the files came */
};

struct edge_certificates {
    struct pem_file *files;
    size_t n;
    struct kept *kept;
};

/* ---- files ---- */

static void free_files(struct edge_certificates *c)
{
    for (size_t i = 0; i < c->n; i++) {
        explicit_bzero((char *)c->files[i].bytes.data, c->files[i].bytes.len);
        free((char *)c->files[i].path.data);
    }
    free(c->files);
    c->files = NULL;
    c->n = 0;
}

static bool keep_file(struct pem_file *f, const struct role_secret *s)
{
    char *mem = malloc(s->path.len + s->bytes.len + 1);
    if (!mem)
        return false;
    memcpy(mem, s->path.data, s->path.len);
    if (s->bytes.len)
        memcpy(mem + s->path.len, s->bytes.data, s->bytes.len);
    *f = (struct pem_file){slice_of(mem, s->path.len), slice_of(mem + s->path.len, s->bytes.len),
                           s->there};
    return true;
}

bool edge_certificates_take(struct edge_certificates **c, const struct role_secret *secrets,
                            size_t n)
{
    struct edge_certificates *e = *c ? *c : calloc(1, sizeof *e);
    if (!e)
        return false;
    *c = e;
    free_files(e);
    e->files = calloc(n + 1, sizeof *e->files);
    for (size_t i = 0; e->files && i < n; i++)
        if (slice_is(secrets[i].setting, "smtpd_tls_files") &&
            keep_file(&e->files[e->n], &secrets[i]))
            e->n++;
    for (struct kept *k = e->kept; k; k = k->next)
        k->looked = false;
    return e->files != NULL;
}

void edge_certificates_free(struct edge_certificates *c)
{
    if (!c)
        return;
    free_files(c);
    for (struct kept *k = c->kept, *next; k; k = next) {
        next = k->next;
        tls_identity_unref(k->identity);
        free(k->key);
        free(k);
    }
    free(c);
}

static enum result read_file(void *arg, struct slice path, struct buf *out, struct error *err)
{
    const struct edge_certificates *c = arg;
    for (size_t i = 0; c && i < c->n; i++)
        if (slice_eq(c->files[i].path, path) && c->files[i].there) {
            buf_append(out, c->files[i].bytes);
            return buf_ok(out) ? OK : FAILED;
        }
    return error_set(err, NOT_FOUND, "%.*s can't be read", SLICE_ARG(path));
}

/* ---- certificates ---- */

static enum result read_identity(struct edge_certificates *c, const struct certificate *x,
                                 struct tls_identity **ret, struct error *err)
{
    struct buf pem[2];
    enum result r = OK;
    buf_init(&pem[0], PEM_MAX);
    buf_init(&pem[1], PEM_MAX);
    for (size_t i = 0; i < x->n && r == OK; i++) {
        r = read_file(c, x->paths[i], &pem[x->chain ? 0 : i], err);
        buf_putc(&pem[0], '\n'); /* the next file begins a line */
    }
    if (r == OK && x->chain)
        r = tls_identity_chain(buf_slice(&pem[0]), ret, err);
    else if (r == OK)
        r = tls_identity_pair(buf_slice(&pem[0]), buf_slice(&pem[1]), ret, err);
    for (size_t i = 0; i < 2; i++) {
        if (pem[i].mem)
            explicit_bzero(pem[i].mem, pem[i].size);
        buf_release(&pem[i]);
    }
    return r;
}

/* Takes the key. */
static struct kept *kept_new(struct edge_certificates *c, char *key)
{
    struct kept *k = key ? calloc(1, sizeof *k) : NULL;
    if (!k) {
        free(key);
        return NULL;
    }
    k->key = key;
    k->next = c->kept;
    c->kept = k;
    return k;
}

/* NULL: no memory. */
static struct kept *find_kept(struct edge_certificates *c, const struct certificate *x)
{
    struct buf key;
    buf_init(&key, CERTIFICATE_PATHS_MAX * 4096);
    for (size_t i = 0; i < x->n; i++)
        buf_printf(&key, "%s%.*s", i ? " " : "", SLICE_ARG(x->paths[i]));
    buf_puts(&key, x->chain ? " +" : "");
    buf_putc(&key, 0);
    struct kept *k = NULL;
    if (buf_ok(&key)) {
        k = c->kept;
        while (k && strcmp(k->key, key.mem) != 0)
            k = k->next;
        k = k ? k : kept_new(c, strdup(key.mem));
    }
    buf_release(&key);
    return k;
}

/* NULL: there is none. */
static struct tls_identity *identity_of(struct edge_certificates *c, const struct certificate *x)
{
    struct error err = {""};
    struct tls_identity *fresh = NULL;
    struct kept *k = find_kept(c, x);
    if (!k || k->looked)
        return k ? k->identity : NULL;
    k->looked = true;
    if (read_identity(c, x, &fresh, &err) == OK) {
        LOG(LOG_INFO, "tls.certificate", LOG_C("setting", x->setting), LOG_S("name", x->name),
            LOG_S("path", x->paths[0]), LOG_C("result", k->identity ? "taken anew" : "taken"));
        tls_identity_unref(k->identity);
        k->identity = fresh;
    } else {
        LOG(LOG_ERROR, "tls.certificate", LOG_C("setting", x->setting), LOG_S("name", x->name),
            LOG_S("path", x->paths[0]), LOG_C("result", "not taken"), LOG_C("why", err.text),
            LOG_C("then", k->identity ? "the one before stays in use" : "it is not shown"));
    }
    return k->identity;
}

/* ---- contexts ---- */

struct building {
    struct edge_certificates *all;
    struct tls_context *context;
    struct slice address;
    bool addressed, has_default; /* certificates of this address alone are looked at */
    size_t own_names;            /* so many names are those of the address */
    unsigned n;
};

static void add(void *arg, const struct certificate *x)
{
    struct building *b = arg;
    struct error err = {""};
    bool own = x->address.len && slice_eq(x->address, b->address);
    char label[512];
    if (b->addressed ? !own : x->address.len > 0)
        return;
    /* What is for the address takes the place of what is for all. */
    if (!b->addressed &&
        (x->name.len == 0 ? b->has_default : tls_server_find(b->context, x->name) < b->own_names))
        return;
    struct tls_identity *identity = identity_of(b->all, x);
    if (!identity)
        return;
    snprintf(label, sizeof label, "%.*s", SLICE_ARG(x->paths[0]));
    if (tls_server_add(b->context, x->name, identity, label, &err) != OK)
        LOG(LOG_ERROR, "tls.certificate", LOG_C("setting", x->setting), LOG_C("path", label),
            LOG_C("why", err.text));
    else
        b->n++;
}

static void add_all(struct building *b, const struct conf *conf, enum edge_tls_kind kind)
{
    const struct table_reader reader = {.read = read_file, .arg = b->all};
    enum certificate_side side = kind == EDGE_TLS_LOGIN ? CERTIFICATES_LOGIN : CERTIFICATES_SMTP;
    b->addressed = true;
    if (b->address.len)
        certificates_each(conf, side, &reader, add, b);
    b->has_default = *tls_context_label(b->context);
    b->own_names = tls_server_names(b->context);
    b->addressed = false;
    certificates_each(conf, side, &reader, add, b);
}

/* Postfix (postconf(5) smtpd_tls_req_ccert) requires a certificate only where TLS is required. */
static bool requires(const struct conf *c, enum edge_tls_kind kind)
{
    bool mandatory = kind == EDGE_TLS_SMTPS || slice_is(c->smtpd_tls_security_level, "encrypt");
    return kind != EDGE_TLS_LOGIN && c->smtpd_tls_req_ccert &&
           (mandatory || c->postfix_config.len == 0);
}

static enum result add_folder(struct edge_certificates *all, struct tls_context *tls,
                              struct slice folder, struct error *err)
{
    struct buf text;
    buf_init(&text, PEM_MAX);
    enum result r = read_file(all, folder, &text, err);
    if (r == OK)
        r = authorities_add_folder(tls, folder, buf_slice(&text), err);
    buf_release(&text);
    return r;
}

static bool ask(struct edge_certificates *all, struct tls_context *tls, const struct conf *c,
                enum edge_tls_kind kind, struct error *err)
{
    bool login = kind == EDGE_TLS_LOGIN;
    struct slice path = conf_path(login ? c->ssl_ca : c->smtpd_tls_CAfile);
    struct slice folder = login ? SLICE_NONE : conf_path(c->smtpd_tls_CApath);
    struct buf pem;
    enum result r = OK;
    if (login ? !c->ssl_verify_client_cert && !c->auth_ssl_require_client_cert
              : !c->smtpd_tls_ask_ccert && !c->smtpd_tls_req_ccert)
        return true;
    buf_init(&pem, PEM_MAX);
    if (path.len)
        r = read_file(all, path, &pem, err);
    /* Postfix counts the authorities with the one that is trusted, OpenSSL those in between. */
    int depth = c->smtpd_tls_ccert_verifydepth > 0 ? (int)c->smtpd_tls_ccert_verifydepth - 1 : 0;
    struct tls_client_rules rules = {.required = requires(c, kind),
                                     .ca_pem = buf_slice(&pem),
                                     .crl = login && c->ssl_require_crl,
                                     .depth = login ? -1 : depth};
    if (r == OK)
        r = tls_server_ask(tls, &rules, err);
    if (r == OK && folder.len)
        r = add_folder(all, tls, folder, err);
    if (r != OK) {
        LOG(LOG_ERROR, "tls.authorities", LOG_S("path", path), LOG_S("folder", folder),
            LOG_C("why", err->text), LOG_C("then", "no client certificate is verified"));
        rules.ca_pem = SLICE("");
        r = tls_server_ask(tls, &rules, err);
    }
    buf_release(&pem);
    return r == OK;
}

static bool new_context(const struct conf *c, enum edge_tls_kind kind, struct tls_context **ret,
                        struct error *err)
{
    struct arena a;
    struct tls_rules rules;
    arena_init(&a, RULES_ARENA);
    bool mandatory = kind == EDGE_TLS_SMTPS || slice_is(c->smtpd_tls_security_level, "encrypt");
    enum result r = kind == EDGE_TLS_LOGIN ? tls_rules_login(c, &a, &rules, err)
                                           : tls_rules_smtpd(c, mandatory, &a, &rules, err);
    if (r == OK)
        r = tls_server_new(&rules, ret, err);
    arena_release(&a);
    return r == OK;
}

struct tls_context *edge_tls_new(struct edge_certificates *all, const struct conf *conf,
                                 enum edge_tls_kind kind, struct slice address)
{
    static const char *const names[] = {"smtp", "smtps", "login"};
    struct error err = {"there is no certificate"};
    struct building b = {.all = all, .address = address};
    if (!all || (kind == EDGE_TLS_LOGIN && slice_is(conf->ssl, "no")))
        return NULL;
    bool ok = new_context(conf, kind, &b.context, &err);
    if (ok) {
        add_all(&b, conf, kind);
        ok = b.n > 0 && ask(all, b.context, conf, kind, &err);
    }
    if (ok)
        return b.context;
    bool meant =
        certificates_none(conf, kind == EDGE_TLS_LOGIN ? CERTIFICATES_LOGIN : CERTIFICATES_SMTP);
    LOG(meant ? LOG_INFO : LOG_ERROR, "tls.off", LOG_C("for", names[kind]), LOG_C("why", err.text));
    tls_context_unref(b.context);
    return NULL;
}

/* ---- addresses ---- */

struct listing {
    void (*each)(void *arg, struct slice address);
    void *arg;
};

static void list_address(void *arg, const struct certificate *x)
{
    const struct listing *l = arg;
    if (x->address.len)
        l->each(l->arg, x->address);
}

void edge_tls_addresses(struct edge_certificates *c, const struct conf *conf,
                        void (*each)(void *arg, struct slice address), void *arg)
{
    const struct table_reader reader = {.read = read_file, .arg = c};
    struct listing l = {each, arg};
    for (int side = 0; side < CERTIFICATE_SIDES; side++)
        certificates_each(conf, (enum certificate_side)side, &reader, list_address, &l);
}
