/* tls_sessions.c: see tls_sessions.h. A session of TLS 1.3 is used once (RFC 8446 C.4), an older
 * one until it is too old. */
#include "io/tls_sessions.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/map.h"
#include "io/tls_context.h"

struct kept {
    struct list_node node; /* in the order of their coming */
    SSL_SESSION *session;
    int64_t until_ms;
    size_t key_len;
    char key[];
};

struct tls_sessions {
    pthread_mutex_t lock;
    struct map by_key;
    struct list_node all;
    int64_t lifetime_ms;
};

struct tls_sessions *tls_sessions_new(int64_t lifetime_s)
{
    struct tls_sessions *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    pthread_mutex_init(&s->lock, NULL);
    map_init(&s->by_key, TLS_SESSIONS_MAX + 1);
    list_init(&s->all);
    s->lifetime_ms = lifetime_s * 1000;
    return s;
}

static struct slice key_of(const struct kept *k)
{
    return slice_of(k->key, k->key_len);
}

static void drop(struct tls_sessions *s, struct kept *k)
{
    list_remove(&k->node);
    (void)map_remove(&s->by_key, key_of(k));
    SSL_SESSION_free(k->session);
    free(k);
}

void tls_sessions_free(struct tls_sessions *s)
{
    if (!s)
        return;
    LIST_FOR_EACH(n, &s->all)
    {
        drop(s, CONTAINER_OF(n, struct kept, node));
    }
    map_release(&s->by_key);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

bool tls_sessions_put(struct tls_sessions *s, struct slice key, SSL_SESSION *session)
{
    struct kept *k = calloc(1, sizeof *k + key.len);
    if (!k)
        return false;
    k->session = session;
    k->until_ms = clock_monotonic_ms() + s->lifetime_ms;
    k->key_len = key.len;
    if (key.len)
        memcpy(k->key, key.data, key.len);
    pthread_mutex_lock(&s->lock);
    struct kept *before = map_get(&s->by_key, key);
    if (before)
        drop(s, before);
    bool put = map_put(&s->by_key, key, k) == OK;
    if (put)
        list_push_back(&s->all, &k->node);
    if (s->by_key.used > TLS_SESSIONS_MAX)
        drop(s, CONTAINER_OF(s->all.next, struct kept, node));
    pthread_mutex_unlock(&s->lock);
    if (!put)
        free(k);
    return put;
}

SSL_SESSION *tls_sessions_take(struct tls_sessions *s, struct slice key)
{
    SSL_SESSION *session = NULL;
    pthread_mutex_lock(&s->lock);
    struct kept *k = map_get(&s->by_key, key);
    bool fresh = k && clock_monotonic_ms() < k->until_ms && SSL_SESSION_is_resumable(k->session);
    if (fresh && SSL_SESSION_up_ref(k->session) == 1)
        session = k->session;
    if (k && (!fresh || SSL_SESSION_get_protocol_version(k->session) >= TLS1_3_VERSION))
        drop(s, k);
    pthread_mutex_unlock(&s->lock);
    return session;
}
