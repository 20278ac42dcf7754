/* tls.c: see tls.h. */
#include "role/relay/tls.h"

#include <stdlib.h>

#include "conf/paths.h"
#include "role/authorities.h"
#include "role/relay/identity.h"
#include "role/tls_rules.h"
#include "role/wiring.h"

enum { RULES_ARENA = 256 * 1024, KEY_MAX = 64 * 1024, PEM_MAX = 8 << 20 };

struct relay_tls {
    struct relay_tls *next;
    char *key; /* the rules as text */
    struct tls_context *context;
};

/* Who may vouch for servers; who we are; sessions. */
struct authorities {
    struct slice file, folder;
    struct slice_list anchors; /* they alone, when there are some */
    bool system;
    int depth;
    struct relay_identity identity; /* what servers that ask are shown */
    int64_t sessions_s;             /* how long a session may be resumed; 0: never */
};

static char *key_of(const struct tls_rules *rules, const struct authorities *by)
{
    struct buf b;
    buf_init(&b, KEY_MAX);
    buf_printf(&b, "%u %s %s\n%.*s\n%.*s\n%d %d %lld", rules->versions,
               rules->ciphers ? rules->ciphers : "", rules->curves ? rules->curves : "",
               SLICE_ARG(by->file), SLICE_ARG(by->folder), by->system, by->depth,
               (long long)by->sessions_s);
    for (size_t i = 0; i < by->anchors.n; i++)
        buf_printf(&b, "\n=%.*s", SLICE_ARG(by->anchors.items[i]));
    relay_identity_key(&by->identity, &b);
    buf_putc(&b, 0);
    char *key = buf_ok(&b) ? strdup(b.mem) : NULL;
    buf_release(&b);
    return key;
}

/* What can't be read vouches for nobody. Lock held. */
static void trust(struct relay *r, struct tls_context *tls, struct slice path, bool folder)
{
    struct buf pem;
    struct error err = {""};
    unsigned n;
    if (path.len == 0)
        return;
    buf_init(&pem, PEM_MAX);
    enum result result = kept_files_read(&r->files, path, &pem, &err);
    if (result == OK)
        result = folder ? authorities_add_folder(tls, path, buf_slice(&pem), &err)
                        : tls_add_authorities(tls, buf_slice(&pem), &n, &err);
    if (result != OK)
        LOG(LOG_ERROR, "relay.authorities", LOG_S("path", path), LOG_C("why", err.text),
            LOG_C("then", "no server's certificate is verified by them"));
    buf_release(&pem);
}

/* Lock held. */
static void trust_all(struct relay *r, struct tls_context *tls, const struct authorities *by)
{
    for (size_t i = 0; i < by->anchors.n; i++)
        trust(r, tls, conf_path(by->anchors.items[i]), false);
    if (by->anchors.n) {
        tls_client_anchors(tls);
        return;
    }
    trust(r, tls, by->file, false);
    trust(r, tls, by->folder, true);
    if (by->system && r->system_authorities)
        trust(r, tls, SLICE(SECRET_SYSTEM_AUTHORITIES), false);
}

static enum result make_context(struct relay *r, const struct tls_rules *rules,
                                const struct authorities *by, struct tls_context **ret,
                                struct error *err)
{
    struct tls_context *tls;
    enum result result = tls_client_new(rules, &tls, err);
    if (result != OK)
        return result;
    trust_all(r, tls, by);
    relay_identity_use(r, &by->identity, tls);
    tls_client_depth(tls, by->depth);
    if (by->sessions_s && tls_client_resume(tls, by->sessions_s, err) != OK) {
        tls_context_unref(tls);
        return FAILED;
    }
    *ret = tls;
    return OK;
}

/* Takes the key. Lock held. */
static enum result add(struct relay *r, const struct tls_rules *rules, const struct authorities *by,
                       char *key, struct tls_context **ret, struct error *err)
{
    struct relay_tls *one = calloc(1, sizeof *one);
    enum result result =
        one ? make_context(r, rules, by, &one->context, err) : error_set(err, FAILED, "no memory");
    if (result != OK) {
        LOG(LOG_ERROR, "relay.tls", LOG_C("why", err->text));
        free(one);
        free(key);
        return result;
    }
    one->key = key;
    one->next = r->tls;
    r->tls = one;
    *ret = tls_context_ref(one->context);
    return OK;
}

static enum result find(struct relay *r, const struct tls_rules *rules,
                        const struct authorities *by, struct tls_context **ret, struct error *err)
{
    char *key = key_of(rules, by);
    enum result result = OK;
    if (!key)
        return error_set(err, FAILED, "no memory");
    pthread_mutex_lock(&r->lock);
    struct relay_tls *one = r->tls;
    while (one && strcmp(one->key, key) != 0)
        one = one->next;
    if (one) {
        *ret = tls_context_ref(one->context);
        free(key);
    } else {
        result = add(r, rules, by, key, ret, err);
    }
    pthread_mutex_unlock(&r->lock);
    return result;
}

enum result relay_tls_find(struct relay *r, const struct conf *c, bool lmtp,
                           const struct tls_policy *p, struct tls_context **ret, struct error *err)
{
    struct arena a;
    struct tls_rules rules;
    int64_t depth = lmtp ? c->lmtp_tls_scert_verifydepth : c->smtp_tls_scert_verifydepth;
    /* Postfix counts the authorities with the one that is trusted, OpenSSL those in between. */
    struct authorities by = {.file = conf_path(lmtp ? c->lmtp_tls_CAfile : c->smtp_tls_CAfile),
                             .folder = conf_path(lmtp ? c->lmtp_tls_CApath : c->smtp_tls_CApath),
                             .system = c->tls_append_default_CA || p->system_authorities,
                             .identity = relay_identity_of(c, lmtp),
                             .depth = depth > 0 ? (int)depth - 1 : 0,
                             .sessions_s = lmtp ? c->lmtp_tls_session_cache_timeout
                                                : c->smtp_tls_session_cache_timeout};
    /* MTA-STS (RFC 8461 4.2) means the authorities that all the world knows. */
    if (!p->system_authorities)
        by.anchors = lmtp ? c->lmtp_tls_trust_anchor_file : c->smtp_tls_trust_anchor_file;
    arena_init(&a, RULES_ARENA);
    enum result result = tls_rules_client(c, lmtp, p, &a, &rules, err);
    if (result == OK)
        result = find(r, &rules, &by, ret, err);
    arena_release(&a);
    return result;
}

/* Lock held. */
static void append_pem(struct relay *r, struct slice path, struct buf *out)
{
    struct error ignored; /* relay.authorities tells it where servers need it */
    if (path.len && kept_files_read(&r->files, path, out, &ignored) == OK)
        buf_putc(out, '\n');
}

void relay_authorities(struct relay *r, struct buf *out)
{
    const struct conf *c = role_conf(r->role);
    buf_init(out, PEM_MAX);
    pthread_mutex_lock(&r->lock);
    append_pem(r, conf_path(c->smtp_tls_CAfile), out);
    append_pem(r, conf_path(c->smtp_tls_CApath), out);
    if (r->system_authorities)
        append_pem(r, SLICE(SECRET_SYSTEM_AUTHORITIES), out);
    pthread_mutex_unlock(&r->lock);
    conf_unref(c);
}

void relay_tls_forget(struct relay *r)
{
    for (struct relay_tls *one = r->tls, *next; one; one = next) {
        next = one->next;
        tls_context_unref(one->context);
        free(one->key);
        free(one);
    }
    r->tls = NULL;
}
