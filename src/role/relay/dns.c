/* dns.c: the resolver, its replacement when smtp_dns_resolver changes, and questions of the other
 * roles. */
#include "role/relay/relay.h"

#include <stdlib.h>

struct old_resolver {
    struct list_node node; /* in relay->old_resolvers */
    struct relay *relay;
    struct resolver *resolver;
};

static enum result make(struct relay *relay, const struct conf *c, struct slice system,
                        struct error *err)
{
    struct resolver_options o = {.forward = c->smtp_dns_resolver.data, .system = system};
    char *forward = strdup(o.forward ? o.forward : "");
    struct resolver *made = NULL;
    enum result r = forward ? resolver_new(&o, &made, err) : error_set(err, FAILED, "no memory");
    if (r != OK) {
        free(forward);
        return r;
    }
    free(relay->forward);
    relay->forward = forward;
    relay->resolver = made;
    return OK;
}

enum result dns_start(struct relay *relay, struct error *err)
{
    const struct conf *c = role_conf(relay->role);
    buf_init(&relay->system_resolvers, 4096);
    resolver_system(&relay->system_resolvers);
    enum result r = make(relay, c, SLICE_NONE, err);
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
    enum result r = make(relay, c, system.data ? system : SLICE(""), err);
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

void dns_configured(struct relay *relay)
{
    const struct conf *c = role_conf(relay->role);
    struct error err = {""};
    enum result r = OK;
    pthread_mutex_lock(&relay->lock);
    bool same = slice_is(c->smtp_dns_resolver, relay->forward);
    if (!same)
        r = replace(relay, c, &err);
    pthread_mutex_unlock(&relay->lock);
    if (r != OK)
        LOG(LOG_ERROR, "relay.resolver_kept", LOG_C("setting", "smtp_dns_resolver"),
            LOG_C("where", conf_source(c, "smtp_dns_resolver")), LOG_C("why", err.text));
    else if (!same)
        LOG(LOG_INFO, "relay.resolver_changed", LOG_S("smtp_dns_resolver", c->smtp_dns_resolver),
            LOG_C("where", conf_source(c, "smtp_dns_resolver")));
    conf_unref(c);
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
        pthread_mutex_lock(&relay->lock); /* of its replacement */
        r = resolver_ask(relay->resolver, name, m->RESOLVE.type, resolved, s);
        pthread_mutex_unlock(&relay->lock);
    }
    if (r != OK) {
        free(s);
        ipc_answer_failure(from, m->call, "not asked");
    }
}
