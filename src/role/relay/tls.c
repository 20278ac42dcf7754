/* tls.c: see tls.h. */
#include "role/relay/tls.h"

#include <stdlib.h>

#include "role/tls_rules.h"

enum { RULES_ARENA = 256 * 1024, KEY_MAX = 64 * 1024 };

struct relay_tls {
    struct relay_tls *next;
    char *key; /* the rules as text */
    struct tls_context *context;
};

static char *key_of(const struct tls_rules *rules)
{
    struct buf b;
    buf_init(&b, KEY_MAX);
    buf_printf(&b, "%u %s %s", rules->versions, rules->ciphers ? rules->ciphers : "",
               rules->curves ? rules->curves : "");
    char *key = buf_ok(&b) ? strndup(b.mem, buf_len(&b)) : NULL;
    buf_release(&b);
    return key;
}

/* Takes the key. Lock held. */
static enum result add(struct relay *r, const struct tls_rules *rules, char *key,
                       struct tls_context **ret, struct error *err)
{
    struct relay_tls *one = calloc(1, sizeof *one);
    enum result result = one ? tls_client_new(rules, false, &one->context, err)
                             : error_set(err, FAILED, "no memory");
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

static enum result find(struct relay *r, const struct tls_rules *rules, struct tls_context **ret,
                        struct error *err)
{
    char *key = key_of(rules);
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
        result = add(r, rules, key, ret, err);
    }
    pthread_mutex_unlock(&r->lock);
    return result;
}

enum result relay_tls_find(struct relay *r, const struct conf *c, bool lmtp, bool mandatory,
                           struct tls_context **ret, struct error *err)
{
    struct arena a;
    struct tls_rules rules;
    arena_init(&a, RULES_ARENA);
    enum result result = tls_rules_client(c, lmtp, mandatory, &a, &rules, err);
    if (result == OK)
        result = find(r, &rules, ret, err);
    arena_release(&a);
    return result;
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
