/* overlay.c: see overlay.h. */
#include "kv/overlay.h"

#include "base/map.h"

void overlay_init(struct overlay *o)
{
    memset(o->buckets, 0, sizeof o->buckets);
    pthread_mutex_init(&o->lock, NULL);
}

void overlay_release(struct overlay *o)
{
    pthread_mutex_destroy(&o->lock);
}

static struct overlay_entry **bucket_of(struct overlay *o, uint64_t hash)
{
    return &o->buckets[hash % OVERLAY_BUCKETS];
}

void overlay_add(struct overlay *o, struct overlay_entry *entries, size_t n)
{
    pthread_mutex_lock(&o->lock);
    for (size_t i = 0; i < n; i++) {
        struct overlay_entry **bucket = bucket_of(o, entries[i].hash);
        entries[i].next = *bucket;
        *bucket = &entries[i];
    }
    pthread_mutex_unlock(&o->lock);
}

void overlay_remove(struct overlay *o, struct overlay_entry *entries, size_t n)
{
    pthread_mutex_lock(&o->lock);
    for (size_t i = 0; i < n; i++) {
        struct overlay_entry **at = bucket_of(o, entries[i].hash);
        while (*at && *at != &entries[i])
            at = &(*at)->next;
        if (*at)
            *at = entries[i].next;
    }
    pthread_mutex_unlock(&o->lock);
}

bool overlay_check(struct overlay *o, struct slice key, struct slice expected,
                   bool *ret_as_expected)
{
    uint64_t hash = hash_bytes(key);
    pthread_mutex_lock(&o->lock);
    struct overlay_entry *e = *bucket_of(o, hash);
    while (e && (e->hash != hash || !slice_eq(e->key, key)))
        e = e->next;
    if (e)
        *ret_as_expected = expected.data ? !e->deleted && slice_eq(e->value, expected) : e->deleted;
    pthread_mutex_unlock(&o->lock);
    return e != NULL;
}
