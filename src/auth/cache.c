#include "auth/cache.h"

#include "auth/mac.h"
#include "base/list.h"
#include "base/map.h"

#include <pthread.h>
#include <stdlib.h>

struct entry {
    struct list_node by_age; /* the oldest is first */
    int64_t expiry_ms;
    unsigned char digest[MAC_LEN];
    size_t account_len;
    char account[];
};

struct password_cache {
    pthread_mutex_t lock;
    struct map by_account;
    struct list_node by_age;
    size_t max;
    uint64_t generation;
    unsigned char key[MAC_KEY_LEN];
};

enum result password_cache_new(size_t max_accounts, struct password_cache **ret)
{
    struct password_cache *c = calloc(1, sizeof *c);
    if (!c || random_bytes(c->key, sizeof c->key) != OK) {
        free(c);
        return FAILED;
    }
    pthread_mutex_init(&c->lock, NULL);
    map_init(&c->by_account, max_accounts);
    list_init(&c->by_age);
    c->max = max_accounts;
    *ret = c;
    return OK;
}

static void drop(struct password_cache *c, struct entry *e)
{
    map_remove(&c->by_account, slice_of(e->account, e->account_len));
    list_remove(&e->by_age);
    explicit_bzero(e->digest, sizeof e->digest);
    free(e);
}

static void drop_all(struct password_cache *c)
{
    LIST_FOR_EACH(n, &c->by_age)
    drop(c, CONTAINER_OF(n, struct entry, by_age));
}

void password_cache_free(struct password_cache *c)
{
    if (!c)
        return;
    drop_all(c);
    map_release(&c->by_account);
    pthread_mutex_destroy(&c->lock);
    explicit_bzero(c->key, sizeof c->key);
    free(c);
}

static enum result digest_of(const struct password_cache *c, struct slice account,
                             struct slice password, unsigned char ret[MAC_LEN])
{
    struct mac m;
    mac_init(&m);
    mac_add(&m, account);
    mac_add(&m, password);
    return mac_finish(&m, c->key, ret);
}

bool password_cache_hit(struct password_cache *c, struct slice account, struct slice password,
                        int64_t now_ms)
{
    unsigned char digest[MAC_LEN];
    if (digest_of(c, account, password, digest) != OK)
        return false;
    pthread_mutex_lock(&c->lock);
    struct entry *e = map_get(&c->by_account, account);
    if (e && now_ms >= e->expiry_ms) {
        drop(c, e);
        e = NULL;
    }
    bool hit = e && mac_equal(digest, e->digest);
    pthread_mutex_unlock(&c->lock);
    return hit;
}

uint64_t password_cache_generation(struct password_cache *c)
{
    pthread_mutex_lock(&c->lock);
    uint64_t generation = c->generation;
    pthread_mutex_unlock(&c->lock);
    return generation;
}

static struct entry *make(struct password_cache *c, struct slice account)
{
    if (c->by_account.used >= c->max && !list_empty(&c->by_age))
        drop(c, CONTAINER_OF(c->by_age.next, struct entry, by_age));
    struct entry *e = malloc(sizeof *e + account.len);
    if (!e)
        return NULL;
    *e = (struct entry){.account_len = account.len};
    memcpy(e->account, account.data, account.len);
    list_init(&e->by_age);
    if (map_put(&c->by_account, account, e) != OK) {
        free(e);
        return NULL;
    }
    return e;
}

void password_cache_put(struct password_cache *c, uint64_t generation, struct slice account,
                        struct slice password, int64_t ttl_ms, int64_t now_ms)
{
    unsigned char digest[MAC_LEN];
    if (ttl_ms <= 0 || account.len == 0 || digest_of(c, account, password, digest) != OK)
        return;
    pthread_mutex_lock(&c->lock);
    struct entry *e = NULL;
    if (generation == c->generation) {
        e = map_get(&c->by_account, account);
        if (!e)
            e = make(c, account);
    }
    if (e) {
        memcpy(e->digest, digest, MAC_LEN);
        e->expiry_ms = now_ms + ttl_ms;
        list_remove(&e->by_age);
        list_push_back(&c->by_age, &e->by_age);
    }
    pthread_mutex_unlock(&c->lock);
}

void password_cache_empty(struct password_cache *c)
{
    pthread_mutex_lock(&c->lock);
    c->generation++;
    drop_all(c);
    pthread_mutex_unlock(&c->lock);
}

size_t password_cache_count(struct password_cache *c)
{
    pthread_mutex_lock(&c->lock);
    size_t n = c->by_account.used;
    pthread_mutex_unlock(&c->lock);
    return n;
}
