/* metadata.c: annotations of mailboxes and of accounts (RFC 5464): names and values, kept under the
 * id of what they belong to, so that they follow a mailbox that is renamed. */
#include "base/cursor.h"
#include "store/internal.h"

/* Under the account's lock: the id of the mailbox, or of the account for "". */
static enum result object_of(const struct account *a, struct slice mailbox, uint64_t *ret)
{
    if (mailbox.len == 0) {
        *ret = a->id;
        return OK;
    }
    const struct folder *f = folder_find(a, mailbox);
    if (!f || !f->mailbox)
        return NOT_FOUND;
    *ret = f->mailbox->id;
    return OK;
}

static enum result walk(struct store *s, uint64_t object,
                        void (*each)(void *arg, struct slice name, struct slice value), void *arg)
{
    struct key prefix = key_annotations(object);
    struct kv_iter *it = kv_iter_new(s->kv, NULL, key_slice(&prefix), SLICE_NONE);
    struct slice key, value;
    if (!it)
        return FAILED;
    while (kv_iter_next(it, &key, &value)) {
        struct cursor c = cursor_of(value);
        if (cursor_u8(&c) == STORE_FORMAT)
            each(arg, slice_from(key, prefix.len), c.rest);
        else
            atomic_fetch_add(&s->damaged, 1);
    }
    return kv_iter_free(it);
}

enum result metadata_each(struct account *a, struct slice mailbox,
                          void (*each)(void *arg, struct slice name, struct slice value), void *arg)
{
    struct buf canonical;
    uint64_t object = 0;
    buf_init(&canonical, MAILBOX_NAME_MAX + 1);
    enum result r = mailbox.len ? name_canonical(mailbox, &canonical) : OK;
    if (r == OK)
        r = account_enter(a);
    if (r == OK) {
        r = object_of(a, buf_slice(&canonical), &object);
        account_leave(a);
    }
    buf_release(&canonical);
    return r == OK ? walk(a->store, object, each, arg) : r;
}

/* What there will be: how many and how large. */
struct counting {
    const struct metadata *items;
    size_t n, entries, bytes;
};

static void count_one(void *arg, struct slice name, struct slice value)
{
    struct counting *c = arg;
    for (size_t i = 0; i < c->n; i++)
        if (slice_eq(c->items[i].name, name))
            return;
    c->entries++;
    c->bytes += name.len + value.len;
}

static enum result check_room(struct store *s, uint64_t object, const struct metadata *items,
                              size_t n)
{
    struct counting c = {items, n, 0, 0};
    enum result r = walk(s, object, count_one, &c);
    for (size_t i = 0; i < n; i++) {
        c.entries += items[i].value.data != NULL;
        c.bytes += items[i].value.data ? items[i].name.len + items[i].value.len : 0;
    }
    if (r == OK && (c.entries > METADATA_ENTRIES_MAX || c.bytes > METADATA_BYTES_MAX))
        return LIMIT;
    return r;
}

static void put_one(struct kv_batch *b, uint64_t object, const struct metadata *item)
{
    struct buf key, value;
    struct key prefix = key_annotations(object);
    buf_init(&key, KV_KEY_MAX);
    buf_init(&value, METADATA_BYTES_MAX + 1);
    buf_append(&key, key_slice(&prefix));
    buf_append(&key, item->name);
    buf_putc(&value, STORE_FORMAT);
    buf_append(&value, item->value);
    if (item->value.data)
        kv_batch_put(b, buf_slice(&key), buf_slice(&value));
    else
        kv_batch_del(b, buf_slice(&key));
    buf_release(&key);
    buf_release(&value);
}

static enum result set(struct account *a, struct slice mailbox, const struct metadata *items,
                       size_t n)
{
    uint64_t object = 0;
    enum result r = object_of(a, mailbox, &object);
    if (r == OK)
        r = check_room(a->store, object, items, n);
    struct kv_batch *b = r == OK ? kv_batch_new(a->store->kv, 0) : NULL;
    if (!b)
        return r == OK ? FAILED : r;
    for (size_t i = 0; i < n; i++)
        put_one(b, object, &items[i]);
    r = kv_commit(b);
    if (r == OK)
        account_changed(a);
    return r;
}

enum result metadata_set(struct account *a, struct slice mailbox, const struct metadata *items,
                         size_t n)
{
    struct buf canonical;
    buf_init(&canonical, MAILBOX_NAME_MAX + 1);
    enum result r = mailbox.len ? name_canonical(mailbox, &canonical) : OK;
    for (size_t i = 0; i < n && r == OK; i++)
        if (items[i].name.len == 0 || items[i].name.len > METADATA_NAME_MAX)
            r = INVALID;
    if (r == OK)
        r = account_enter(a);
    if (r == OK) {
        r = set(a, buf_slice(&canonical), items, n);
        account_leave(a);
    }
    buf_release(&canonical);
    return r;
}
