#include "base/map.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

struct map_slot {
    uint64_t hash;
    char *key; /* NULL: never used; TOMBSTONE: removed */
    size_t key_len;
    void *value;
};

static char tombstone;
#define TOMBSTONE (&tombstone)
enum { FIRST_SIZE = 16 };

static uint64_t hash_key[2];

static void draw_hash_key(void)
{
    /* Without entropy the map still works; it is only easier to attack. */
    if (getrandom(hash_key, sizeof hash_key, 0) != sizeof hash_key)
        hash_key[0] = (uint64_t)(uintptr_t)&hash_key;
}

static uint64_t rotl(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

uint64_t hash_bytes(struct slice s)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, draw_hash_key);
    uint64_t v[4] = {
        0x736f6d6570736575 ^ hash_key[0],
        0x646f72616e646f6d ^ hash_key[1],
        0x6c7967656e657261 ^ hash_key[0],
        0x7465646279746573 ^ hash_key[1],
    };
    size_t at = 0;
    for (; at + 8 <= s.len; at += 8) {
        uint64_t m;
        memcpy(&m, s.data + at, 8);
        v[3] ^= m;
        sip_round(v);
        sip_round(v);
        v[0] ^= m;
    }
    uint64_t last = (uint64_t)s.len << 56;
    for (size_t i = 0; at + i < s.len; i++)
        last |= (uint64_t)(unsigned char)s.data[at + i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_init(struct map *m, size_t max_entries)
{
    *m = (struct map){.max = max_entries};
}

static bool is_live(const struct map_slot *s)
{
    return s->key && s->key != TOMBSTONE;
}

void map_release(struct map *m)
{
    for (size_t i = 0; i < m->size; i++)
        if (is_live(&m->slots[i]))
            free(m->slots[i].key);
    free(m->slots);
    *m = (struct map){.max = m->max};
}

static struct map_slot *find(const struct map *m, uint64_t hash, struct slice key)
{
    if (m->size == 0)
        return NULL;
    for (size_t i = hash & (m->size - 1);; i = (i + 1) & (m->size - 1)) {
        struct map_slot *s = &m->slots[i];
        if (!s->key)
            return NULL;
        if (is_live(s) && s->hash == hash && slice_eq(slice_of(s->key, s->key_len), key))
            return s;
    }
}

static struct map_slot *free_slot(struct map_slot *slots, size_t size, uint64_t hash)
{
    size_t i = hash & (size - 1);
    while (is_live(&slots[i]))
        i = (i + 1) & (size - 1);
    return &slots[i];
}

/* Keeps at least a third of the slots never used, so that probing ends. */
static bool make_room(struct map *m)
{
    if (m->size && (m->occupied + 1) * 3 <= m->size * 2)
        return true;
    size_t size = m->size ? m->size : FIRST_SIZE;
    while ((m->used + 1) * 2 > size)
        size *= 2;
    struct map_slot *slots = calloc(size, sizeof *slots);
    if (!slots)
        return false;
    for (size_t i = 0; i < m->size; i++)
        if (is_live(&m->slots[i]))
            *free_slot(slots, size, m->slots[i].hash) = m->slots[i];
    free(m->slots);
    m->slots = slots;
    m->size = size;
    m->occupied = m->used;
    return true;
}

enum result map_put(struct map *m, struct slice key, void *value)
{
    uint64_t hash = hash_bytes(key);
    if (find(m, hash, key))
        return EXISTS;
    if (m->used >= m->max)
        return LIMIT;
    char *copy = malloc(key.len + 1);
    if (!copy || !make_room(m)) {
        free(copy);
        return FAILED;
    }
    if (key.len)
        memcpy(copy, key.data, key.len);
    struct map_slot *s = free_slot(m->slots, m->size, hash);
    if (!s->key)
        m->occupied++;
    *s = (struct map_slot){hash, copy, key.len, value};
    m->used++;
    return OK;
}

void *map_get(const struct map *m, struct slice key)
{
    struct map_slot *s = find(m, hash_bytes(key), key);
    return s ? s->value : NULL;
}

void *map_remove(struct map *m, struct slice key)
{
    struct map_slot *s = find(m, hash_bytes(key), key);
    if (!s)
        return NULL;
    void *value = s->value;
    free(s->key);
    *s = (struct map_slot){.key = TOMBSTONE};
    m->used--;
    return value;
}

bool map_next(const struct map *m, size_t *at, struct slice *ret_key, void **ret_value)
{
    while (*at < m->size) {
        const struct map_slot *s = &m->slots[(*at)++];
        if (is_live(s)) {
            *ret_key = slice_of(s->key, s->key_len);
            *ret_value = s->value;
            return true;
        }
    }
    return false;
}
