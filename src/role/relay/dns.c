/* dns.c: the resolver, its replacement when smtp_dns_resolver or the trust anchors change, and
 * questions of the other roles. */
#include "role/relay/relay.h"

#include <stdlib.h>

enum { ANCHORS_MAX = 256 * 1024 };

struct old_resolver {
    struct list_node node; /* in relay->old_resolvers */
    struct relay *relay;
    struct resolver *resolver;
};

/* The bytes of smtp_dnssec_trust_anchor_file; "" where nothing is to be validated. */
static enum result read_anchors(struct relay *relay, const struct conf *c, struct buf *out,
                                struct error *err)
{
    if (!slice_is_nocase(c->smtp_dns_support_level, "dnssec"))
        return OK;
    enum result r = kept_files_read(&relay->files, c->smtp_dnssec_trust_anchor_file, out, err);
    if (r == OK && (!buf_ok(out) || buf_len(out) == 0))
        r = error_set(err, FAILED, "it is empty, or too long");
    return r;
}

static enum result make(struct relay *relay, const struct conf *c, struct slice system,
                        struct slice anchors, struct error *err)
{
    struct resolver_options o = {
        .forward = c->smtp_dns_resolver.data, .system = system, .anchors = anchors};
    char *forward = strdup(o.forward ? o.forward : "");
    struct slice copy = SLICE_NONE;
    struct resolver *made = NULL;
    enum result r = forward && slice_copy(anchors, &copy) ? resolver_new(&o, &made, err)
                                                          : error_set(err, FAILED, "no memory");
    if (r != OK) {
        free(forward);
        free((char *)copy.data);
        return r;
    }
    free(relay->forward);
    free((char *)relay->anchors.data);
    relay->forward = forward;
    relay->anchors = copy;
    relay->resolver = made;
    return OK;
}

/* Without trust anchors that can be used, DNS goes on, but nothing counts as signed. */
static enum result make_validating(struct relay *relay, const struct conf *c, struct slice system,
                                   struct error *err)
{
    struct buf anchors;
    buf_init(&anchors, ANCHORS_MAX);
    enum result r = read_anchors(relay, c, &anchors, err);
    if (r != OK)
        buf_reset(&anchors);
    relay->anchors_tried = hash_bytes(buf_slice(&anchors));
    if (r == OK)
        r = make(relay, c, system, buf_slice(&anchors), err);
    if (r != OK && slice_is_nocase(c->smtp_dns_support_level, "dnssec")) {
        LOG(LOG_ERROR, "relay.no_dnssec", LOG_S("path", c->smtp_dnssec_trust_anchor_file),
            LOG_C("why", err->text), LOG_C("then", "mail at TLS level dane is deferred"));
        r = make(relay, c, system, SLICE(""), err);
    }
    buf_release(&anchors);
    return r;
}

enum result dns_start(struct relay *relay, struct error *err)
{
    const struct conf *c = role_conf(relay->role);
    buf_init(&relay->system_resolvers, 4096);
    resolver_system(&relay->system_resolvers);
    enum result r = make_validating(relay, c, SLICE_NONE, err);
    conf_unref(c);
    return r;
}

enum result dns_run(struct relay *relay, struct error *err)
{
    return resolver_start(relay->resolver, relay->role->engine, err);
}

/* In the old one's task. */
static void gone(void *arg, struct resolver *r)
{
    struct old_resolver *old = arg;
    struct relay *relay = old->relay;
    (void)r;
    pthread_mutex_lock(&relay->lock);
    list_remove(&old->node);
    pthread_mutex_unlock(&relay->lock);
    free(old);
}

/* With the lock held: nobody asks meanwhile. */
static enum result replace(struct relay *relay, const struct conf *c, struct error *err)
{
    struct slice system = buf_slice(&relay->system_resolvers);
    struct resolver *before = relay->resolver;
    struct old_resolver *old = calloc(1, sizeof *old);
    if (!old)
        return error_set(err, FAILED, "no memory");
    *old = (struct old_resolver){.relay = relay, .resolver = before};
    enum result r = make_validating(relay, c, system.data ? system : SLICE(""), err);
    if (r == OK && (r = dns_run(relay, err)) != OK) {
        resolver_free(relay->resolver);
        relay->resolver = before;
        relay->forward[0] = 0;
    }
    if (r != OK) {
        free(old);
        return r;
    }
    list_push_back(&relay->old_resolvers, &old->node);
    resolver_retire(before, gone, old);
    return OK;
}

static bool is_same(struct relay *relay, const struct conf *c)
{
    struct buf anchors;
    struct error ignored;
    buf_init(&anchors, ANCHORS_MAX);
    if (read_anchors(relay, c, &anchors, &ignored) != OK)
        buf_reset(&anchors);
    bool same = hash_bytes(buf_slice(&anchors)) == relay->anchors_tried &&
                slice_is(c->smtp_dns_resolver, relay->forward);
    buf_release(&anchors);
    return same;
}

/* After a reload the files come behind the settings. */
static bool has_file(const struct relay *relay, const struct conf *c)
{
    bool has = !slice_is_nocase(c->smtp_dns_support_level, "dnssec");
    for (size_t i = 0; i < relay->files.n && !has; i++)
        has = slice_eq(relay->files.items[i].path, c->smtp_dnssec_trust_anchor_file);
    return has;
}

void dns_configured(struct relay *relay)
{
    const struct conf *c = role_conf(relay->role);
    struct error err = {""};
    enum result r = OK;
    pthread_mutex_lock(&relay->lock);
    /* dns_start makes the first one. */
    bool same = !relay->resolver || !has_file(relay, c) || is_same(relay, c);
    if (!same)
        r = replace(relay, c, &err);
    pthread_mutex_unlock(&relay->lock);
    if (r != OK)
        LOG(LOG_ERROR, "relay.resolver_kept", LOG_C("setting", "smtp_dns_resolver"),
            LOG_C("where", conf_source(c, "smtp_dns_resolver")), LOG_C("why", err.text));
    else if (!same)
        LOG(LOG_INFO, "relay.resolver_changed", LOG_S("smtp_dns_resolver", c->smtp_dns_resolver),
            LOG_C("where", conf_source(c, "smtp_dns_resolver")),
            LOG_S("smtp_dns_support_level", c->smtp_dns_support_level));
    conf_unref(c);
}

enum result dns_ask(struct relay *relay, const char *name, unsigned type, resolver_fn *fn,
                    void *arg)
{
    pthread_mutex_lock(&relay->lock); /* of its replacement */
    enum result r = resolver_ask(relay->resolver, name, type, fn, arg);
    pthread_mutex_unlock(&relay->lock);
    return r;
}

bool dns_validates(struct relay *relay)
{
    pthread_mutex_lock(&relay->lock);
    bool validates = relay->anchors.len > 0;
    pthread_mutex_unlock(&relay->lock);
    return validates;
}

void dns_stop(struct relay *relay)
{
    struct list_node *n;
    while ((n = list_pop_front(&relay->old_resolvers))) {
        struct old_resolver *old = CONTAINER_OF(n, struct old_resolver, node);
        resolver_free(old->resolver);
        free(old);
    }
    resolver_free(relay->resolver);
    buf_release(&relay->system_resolvers);
    free(relay->forward);
    free((char *)relay->anchors.data);
}

/* ---- for the other roles ---- */

struct service {
    struct ipc_channel *from;
    uint64_t call;
};

static void resolved(void *arg, const struct resolver_answer *a)
{
    struct service *s = arg;
    struct slice items[RESOLVER_ANSWERS_MAX];
    struct buf texts;
    size_t ends[RESOLVER_ANSWERS_MAX + 1] = {0}, n = 0;
    struct ipc_message m = {.type = IPC_RESOLVE_RESULT};
    buf_init(&texts, IPC_INLINE_MAX);
    for (size_t i = 0; i < a->n; i++)
        if (resolver_text(a->type, a->records[i], &texts) == OK && buf_ok(&texts)) {
            n++;
            ends[n] = buf_len(&texts);
        } else {
            buf_truncate(&texts, ends[n]);
        }
    for (size_t i = 0; i < n; i++)
        items[i] = slice_sub(buf_slice(&texts), ends[i], ends[i + 1] - ends[i]);
    static const uint8_t codes[] = {[RESOLVER_FOUND] = 0,
                                    [RESOLVER_NO_DATA] = 1,
                                    [RESOLVER_TEMPORARY] = 2,
                                    [RESOLVER_NO_NAME] = 3};
    m.RESOLVE_RESULT.code = codes[a->outcome];
    m.RESOLVE_RESULT.answers = (struct slice_list){items, n};
    m.RESOLVE_RESULT.secure = a->secure;
    ipc_answer(s->from, s->call, &m);
    buf_release(&texts);
    free(s);
}

void dns_serve(struct relay *relay, struct ipc_channel *from, struct ipc_message *m)
{
    char name[256];
    struct service *s = malloc(sizeof *s);
    struct slice asked = m->RESOLVE.name;
    enum result r = s && asked.len < sizeof name ? OK : FAILED;
    if (r == OK) {
        memcpy(name, asked.data ? asked.data : "", asked.len);
        name[asked.len] = 0;
        *s = (struct service){from, m->call};
        r = dns_ask(relay, name, m->RESOLVE.type, resolved, s);
    }
    if (r != OK) {
        free(s);
        ipc_answer_failure(from, m->call, "not asked");
    }
}
