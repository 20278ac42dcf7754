/* fake_store.c: see fake_store.h. One sorted array; not for threads. */
#include "fake_store.h"

#include <assert.h>
#include <stdlib.h>

struct pair {
    char *key, *value;
    size_t key_len, value_len;
};

struct op {
    struct pair pair;
    bool del;
};

struct kv {
    struct store *store;
    struct pair *pairs;
    size_t n, room;
};

struct kv_batch {
    struct list_node node;
    struct kv *kv;
    struct op *ops;
    size_t n;
    unsigned released;
    kv_done_fn *done;
    void *arg;
};

struct store {
    struct kv kv;
    struct list_node submitted;
    bool auto_commit;
    unsigned released, fail;
    enum result fail_with;
    size_t walked;
    uint64_t message;
    struct buf bytes;
};

struct delivery {
    struct store *store;
    struct kv_batch *batch;
};

struct kv_iter {
    struct kv copy;
    struct slice prefix;
    char prefix_bytes[KV_KEY_MAX];
    size_t at;
    struct store *store;
};

static char *copy_bytes(struct slice s)
{
    char *p = malloc(s.len + 1);
    assert(p);
    if (s.len)
        memcpy(p, s.data, s.len);
    return p;
}

static struct pair pair_new(struct slice key, struct slice value)
{
    return (struct pair){copy_bytes(key), copy_bytes(value), key.len, value.len};
}

static void pair_free(struct pair *p)
{
    free(p->key);
    free(p->value);
}

static struct slice key_of(const struct pair *p)
{
    return slice_of(p->key, p->key_len);
}

static size_t seek(const struct kv *kv, struct slice key)
{
    size_t low = 0, high = kv->n;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (slice_cmp(key_of(&kv->pairs[mid]), key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool is_at(const struct kv *kv, size_t i, struct slice key)
{
    return i < kv->n && slice_eq(key_of(&kv->pairs[i]), key);
}

static void apply_put(struct kv *kv, struct pair p)
{
    size_t i = seek(kv, key_of(&p));
    if (is_at(kv, i, key_of(&p))) {
        pair_free(&kv->pairs[i]);
    } else {
        if (kv->n == kv->room) {
            kv->room = kv->room ? 2 * kv->room : 64;
            kv->pairs = realloc(kv->pairs, kv->room * sizeof *kv->pairs);
            assert(kv->pairs);
        }
        memmove(kv->pairs + i + 1, kv->pairs + i, (kv->n - i) * sizeof *kv->pairs);
        kv->n++;
    }
    kv->pairs[i] = p;
}

static void apply_del(struct kv *kv, struct slice key)
{
    size_t i = seek(kv, key);
    if (!is_at(kv, i, key))
        return;
    pair_free(&kv->pairs[i]);
    memmove(kv->pairs + i, kv->pairs + i + 1, (kv->n - i - 1) * sizeof *kv->pairs);
    kv->n--;
}

struct kv_batch *kv_batch_new(struct kv *kv, unsigned flags)
{
    struct kv_batch *b = calloc(1, sizeof *b);
    (void)flags;
    assert(b);
    b->kv = kv;
    return b;
}

void kv_batch_free(struct kv_batch *b)
{
    for (size_t i = 0; b && i < b->n; i++)
        pair_free(&b->ops[i].pair);
    if (b)
        free(b->ops);
    free(b);
}

static void add_op(struct kv_batch *b, struct slice key, struct slice value, bool del)
{
    assert(key.len > 0 && key.len <= KV_KEY_MAX && value.len <= KV_VALUE_MAX);
    if ((b->n & (b->n - 1)) == 0) /* full at each power of two */
        b->ops = realloc(b->ops, (b->n ? 2 * b->n : 1) * sizeof *b->ops);
    assert(b->ops);
    b->ops[b->n++] = (struct op){pair_new(key, value), del};
}

void kv_batch_put(struct kv_batch *b, struct slice key, struct slice value)
{
    add_op(b, key, value, false);
}

void kv_batch_del(struct kv_batch *b, struct slice key)
{
    add_op(b, key, SLICE_NONE, true);
}

static void apply(struct kv_batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        struct op *o = &b->ops[i];
        if (o->del) {
            apply_del(b->kv, key_of(&o->pair));
            pair_free(&o->pair);
        } else {
            apply_put(b->kv, o->pair);
        }
    }
    b->n = 0;
    b->kv->store->released += b->released;
}

void fake_commit(struct store *s)
{
    struct list_node *n;
    while ((n = list_pop_front(&s->submitted))) {
        struct kv_batch *b = CONTAINER_OF(n, struct kv_batch, node);
        apply(b);
        if (b->done)
            b->done(b->arg, OK);
        kv_batch_free(b);
    }
}

void fake_crash(struct store *s)
{
    struct list_node *n;
    while ((n = list_pop_front(&s->submitted)))
        kv_batch_free(CONTAINER_OF(n, struct kv_batch, node));
}

enum result kv_submit(struct kv_batch *b, kv_done_fn *done, void *arg)
{
    struct store *s = b->kv->store;
    if (s->fail) {
        s->fail--;
        kv_batch_free(b);
        return s->fail_with;
    }
    b->done = done;
    b->arg = arg;
    list_push_back(&s->submitted, &b->node);
    if (s->auto_commit)
        fake_commit(s);
    return OK;
}

enum result kv_commit(struct kv_batch *b)
{
    struct store *s = b->kv->store;
    enum result r = kv_submit(b, NULL, NULL);
    fake_commit(s);
    return r;
}

enum result kv_get(struct kv *kv, const struct kv_snapshot *at, struct slice key, struct buf *out)
{
    size_t i = seek(kv, key);
    (void)at;
    if (!is_at(kv, i, key))
        return NOT_FOUND;
    buf_append(out, slice_of(kv->pairs[i].value, kv->pairs[i].value_len));
    return OK;
}

/* Iterators keep a copy, so a moment needs nothing. */
struct kv_snapshot *kv_snapshot_new(struct kv *kv)
{
    return (struct kv_snapshot *)kv;
}

void kv_snapshot_free(struct kv_snapshot *s)
{
    (void)s;
}

struct kv_iter *kv_iter_new(struct kv *kv, const struct kv_snapshot *at, struct slice prefix,
                            struct slice from)
{
    struct kv_iter *it = calloc(1, sizeof *it);
    (void)at;
    assert(it && prefix.len <= sizeof it->prefix_bytes);
    memcpy(it->prefix_bytes, prefix.data, prefix.len);
    it->prefix = slice_of(it->prefix_bytes, prefix.len);
    it->store = kv->store;
    it->copy.n = kv->n; /* as of now */
    it->copy.pairs = calloc(kv->n + 1, sizeof *it->copy.pairs);
    size_t start = seek(kv, slice_cmp(from, prefix) > 0 ? from : prefix);
    it->at = start;
    for (size_t i = start; i < kv->n && slice_starts(key_of(&kv->pairs[i]), prefix); i++)
        it->copy.pairs[i] =
            pair_new(key_of(&kv->pairs[i]), slice_of(kv->pairs[i].value, kv->pairs[i].value_len));
    return it;
}

bool kv_iter_next(struct kv_iter *it, struct slice *ret_key, struct slice *ret_value)
{
    const struct pair *p = &it->copy.pairs[it->at];
    if (it->at >= it->copy.n || !p->key)
        return false;
    *ret_key = key_of(p);
    *ret_value = slice_of(p->value, p->value_len);
    it->at++;
    it->store->walked++;
    return true;
}

enum result kv_iter_free(struct kv_iter *it)
{
    for (size_t i = 0; i < it->copy.n; i++)
        pair_free(&it->copy.pairs[i]);
    free(it->copy.pairs);
    free(it);
    return OK;
}

bool store_traces(const struct store *s, uint64_t message)
{
    (void)s, (void)message;
    return true;
}

struct kv *store_kv(struct store *s)
{
    return &s->kv;
}

struct kv_batch *delivery_batch(struct delivery *d)
{
    return d->batch;
}

void delivery_hold(struct delivery *d, struct slice holder_key)
{
    assert(holder_key.len > 0);
    (void)d;
}

enum result delivery_new(struct store *s, uint64_t id, struct delivery **ret)
{
    struct delivery *d = calloc(1, sizeof *d);
    (void)id;
    assert(d);
    d->store = s;
    d->batch = kv_batch_new(&s->kv, 0);
    *ret = d;
    return OK;
}

enum result delivery_submit(struct delivery *d, store_done_fn *done, void *arg)
{
    struct kv_batch *b = d->batch;
    free(d);
    return kv_submit(b, done, arg);
}

void delivery_abandon(struct delivery *d)
{
    kv_batch_free(d->batch);
    free(d);
}

void message_release(struct store *s, struct kv_batch *b, uint64_t message, struct slice holder_key)
{
    (void)s;
    assert(message && holder_key.len > 0);
    b->released++;
}

enum result message_read(struct store *s, uint64_t message, uint64_t from, uint64_t len,
                         struct buf *out)
{
    if (message != s->message)
        return NOT_FOUND;
    struct slice part = slice_sub(buf_slice(&s->bytes), (size_t)from, (size_t)len);
    buf_append(out, part);
    return OK;
}

struct store *fake_store_new(bool auto_commit)
{
    struct store *s = calloc(1, sizeof *s);
    assert(s);
    s->kv.store = s;
    s->auto_commit = auto_commit;
    list_init(&s->submitted);
    buf_init(&s->bytes, 4 << 20);
    return s;
}

void fake_store_free(struct store *s)
{
    fake_crash(s);
    for (size_t i = 0; i < s->kv.n; i++)
        pair_free(&s->kv.pairs[i]);
    free(s->kv.pairs);
    buf_release(&s->bytes);
    free(s);
}

void fake_message(struct store *s, uint64_t id, struct slice bytes)
{
    s->message = id;
    buf_reset(&s->bytes);
    buf_append(&s->bytes, bytes);
}

unsigned fake_released(const struct store *s)
{
    return s->released;
}

size_t fake_walked(const struct store *s)
{
    return s->walked;
}

size_t fake_count(const struct store *s, const char *prefix)
{
    size_t n = 0;
    for (size_t i = 0; i < s->kv.n; i++)
        n += slice_starts(key_of(&s->kv.pairs[i]), slice_cstr(prefix));
    return n;
}

void fake_fail(struct store *s, unsigned n, enum result r)
{
    s->fail = n;
    s->fail_with = r;
}

void fake_put(struct store *s, struct slice key, struct slice value)
{
    apply_put(&s->kv, pair_new(key, value));
}
