#include "role/mailbox/drop.h"

enum { AT_ONCE = 1000 };

struct dropping {
    struct kv *kv;
    struct slice prefix;
    bool (*drops)(void *arg, struct slice key, struct slice value);
    void *arg;
    size_t n, left; /* of the last walk */
};

/* One walk, and what it can take away in one commit. */
static enum result drop_some(struct dropping *d)
{
    struct slice key, value;
    struct kv_batch *b = kv_batch_new(d->kv, KV_BATCH_ESSENTIAL);
    struct kv_iter *it = kv_iter_new(d->kv, NULL, d->prefix, SLICE_NONE);
    d->n = d->left = 0;
    while (b && it && kv_iter_next(it, &key, &value)) {
        bool drops = d->n < AT_ONCE && d->drops(d->arg, key, value);
        if (drops)
            kv_batch_del(b, key);
        d->n += drops;
        d->left += !drops;
    }
    enum result r = b && it ? OK : FAILED;
    if (it && kv_iter_free(it) != OK)
        r = FAILED;
    if (r == OK && d->n)
        return kv_commit(b);
    kv_batch_free(b);
    return r;
}

enum result drop_records(struct kv *kv, struct slice prefix,
                         bool (*drops)(void *arg, struct slice key, struct slice value), void *arg,
                         size_t *ret_left)
{
    struct dropping d = {.kv = kv, .prefix = prefix, .drops = drops, .arg = arg};
    enum result r;
    do
        r = drop_some(&d);
    while (r == OK && d.n == AT_ONCE);
    if (r == OK)
        *ret_left = d.left;
    return r;
}
