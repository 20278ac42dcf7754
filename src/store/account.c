/* account.c: accounts in memory: found or loaded by name, kept a while after their last use,
 * created on first use. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/internal.h"

static void account_free(struct account *a)
{
    account_free_tables(a);
    pthread_mutex_destroy(&a->lock);
    free((char *)a->name.data);
    free(a);
}

static struct account *account_new(struct store *s, struct slice name)
{
    struct account *a = calloc(1, sizeof *a);
    char *copy = malloc(name.len + 1);
    if (!a || !copy) {
        free(a);
        free(copy);
        return NULL;
    }
    memcpy(copy, name.data, name.len);
    a->store = s;
    a->name = slice_of(copy, name.len);
    list_init(&a->idle);
    list_init(&a->watches);
    pthread_mutex_init(&a->watching, NULL);
    pthread_mutex_init(&a->lock, NULL);
    return a;
}

void account_watch(struct account *a, struct account_watch *w)
{
    pthread_mutex_lock(&a->watching);
    list_push_back(&a->watches, &w->node);
    pthread_mutex_unlock(&a->watching);
}

/* `changed` runs under the lock that this takes. */
void account_unwatch(struct account *a, struct account_watch *w)
{
    pthread_mutex_lock(&a->watching);
    list_remove(&w->node);
    pthread_mutex_unlock(&a->watching);
}

void account_changed(struct account *a)
{
    pthread_mutex_lock(&a->watching);
    LIST_FOR_EACH(n, &a->watches)
    {
        struct account_watch *w = CONTAINER_OF(n, struct account_watch, node);
        w->changed(w);
    }
    pthread_mutex_unlock(&a->watching);
}

static size_t weight(const struct account *a)
{
    return 1 + a->n_mailboxes;
}

/* A reference to the account in memory, which may have to be loaded. */
static struct account *lookup(struct store *s, struct slice name)
{
    pthread_mutex_lock(&s->lock);
    struct account *a = map_get(&s->accounts, name);
    if (!a) {
        a = account_new(s, name);
        if (a && map_put(&s->accounts, name, a) != OK) {
            account_free(a);
            a = NULL;
        }
    } else if (a->refs == 0) {
        list_remove(&a->idle);
        s->idle_weight -= weight(a);
    }
    if (a)
        a->refs++;
    pthread_mutex_unlock(&s->lock);
    return a;
}

void account_ref(struct account *a)
{
    pthread_mutex_lock(&a->store->lock);
    a->refs++;
    pthread_mutex_unlock(&a->store->lock);
}

/* Under store.lock. */
static void forget(struct store *s, struct account *a)
{
    if (map_get(&s->accounts, a->name) == a)
        map_remove(&s->accounts, a->name);
}

/* Under store.lock: accounts that have been unused longest, to be freed by the caller. */
static void take_surplus(struct store *s, struct list_node *ret)
{
    while (s->idle_weight > IDLE_ACCOUNTS_MAX) {
        struct account *a = CONTAINER_OF(list_pop_front(&s->idle), struct account, idle);
        s->idle_weight -= weight(a);
        forget(s, a);
        list_push_back(ret, &a->idle);
    }
}

void account_unref(struct account *a)
{
    if (!a)
        return;
    struct store *s = a->store;
    struct list_node surplus;
    list_init(&surplus);
    pthread_mutex_lock(&s->lock);
    if (--a->refs == 0) {
        if (a->loaded && !a->dead) {
            list_push_back(&s->idle, &a->idle);
            s->idle_weight += weight(a);
            take_surplus(s, &surplus);
        } else {
            forget(s, a);
            list_push_back(&surplus, &a->idle);
        }
    }
    pthread_mutex_unlock(&s->lock);
    LIST_FOR_EACH(n, &surplus)
    account_free(CONTAINER_OF(n, struct account, idle));
}

void accounts_close(struct store *s)
{
    size_t at = 0;
    struct slice name;
    void *a;
    while (map_next(&s->accounts, &at, &name, &a))
        account_free(a);
}

struct slice account_name(const struct account *a)
{
    return a->name;
}

/* ---- the account's record ---- */

static enum result read_record(struct store *s, struct slice name, struct account_record *ret)
{
    struct buf key, value;
    buf_init(&key, KV_KEY_MAX);
    buf_init(&value, 64);
    key_account(&key, name);
    enum result r = kv_get(s->kv, NULL, buf_slice(&key), &value);
    if (r == OK)
        r = account_record_decode(buf_slice(&value), ret);
    buf_release(&key);
    buf_release(&value);
    return r;
}

void account_put_record(struct account *a, struct kv_batch *b, bool deleted)
{
    struct buf key, value;
    buf_init(&key, KV_KEY_MAX);
    buf_init(&value, 64);
    key_account(&key, a->name);
    struct account_record rec = {deleted, a->id, a->last_uidvalidity};
    account_record_encode(&rec, &value);
    kv_batch_put(b, buf_slice(&key), buf_slice(&value));
    buf_release(&key);
    buf_release(&value);
}

/* The store's lock keeps the list where it is; it is taken within the account's, as ever. */
static void put_folders(struct account *a, struct kv_batch *b)
{
    struct store *s = a->store;
    folder_put_new(a, b, SLICE("INBOX"), MAILBOX_SUBSCRIBED);
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->n_folders; i++)
        folder_put_new(a, b, s->folders[i].name, s->folders[i].attrs);
    pthread_mutex_unlock(&s->lock);
}

static enum result create_record(struct account *a)
{
    struct kv_batch *b = kv_batch_new(a->store->kv, 0);
    if (!b)
        return FAILED;
    a->id = log_id_new();
    put_folders(a, b);
    account_put_record(a, b, false);
    return kv_commit(b);
}

/* Under the account's lock. */
static enum result account_load(struct account *a, bool create)
{
    struct account_record rec;
    enum result r = read_record(a->store, a->name, &rec);
    if (r != OK && r != NOT_FOUND)
        return r;
    if (r == OK) {
        a->last_uidvalidity = rec.last_uidvalidity;
        a->id = rec.id;
    }
    if (r == NOT_FOUND || rec.deleted) {
        r = create ? create_record(a) : NOT_FOUND;
        if (r != OK)
            return r;
    }
    return account_load_tables(a);
}

enum result account_enter(struct account *a)
{
    pthread_mutex_lock(&a->lock);
    enum result r = a->dead ? NOT_FOUND : a->loaded ? OK : account_load(a, false);
    if (r != OK)
        pthread_mutex_unlock(&a->lock);
    return r;
}

void account_leave(struct account *a)
{
    pthread_mutex_unlock(&a->lock);
}

static enum result open_account(struct store *s, struct slice name, bool create,
                                struct account **ret)
{
    if (name.len == 0)
        return INVALID;
    if (name.len > ACCOUNT_NAME_MAX)
        return LIMIT;
    for (;;) {
        struct account *a = lookup(s, name);
        if (!a)
            return FAILED;
        pthread_mutex_lock(&a->lock);
        bool dead = a->dead;
        enum result r = a->loaded || dead ? OK : account_load(a, create);
        pthread_mutex_unlock(&a->lock);
        if (r == OK && !dead) {
            *ret = a;
            return OK;
        }
        account_unref(a);
        if (r != OK)
            return r;
    }
}

enum result account_open(struct store *s, struct slice name, struct account **ret)
{
    return open_account(s, name, true, ret);
}

enum result account_usage(struct account *a, uint64_t *ret_bytes, uint64_t *ret_messages)
{
    enum result r = account_enter(a);
    if (r != OK)
        return r;
    *ret_bytes = a->bytes;
    *ret_messages = a->messages;
    account_leave(a);
    return OK;
}

enum result account_list(struct store *s, void (*each)(void *arg, struct slice name), void *arg)
{
    struct kv_iter *it = kv_iter_new(s->kv, NULL, SLICE("a"), SLICE_NONE);
    if (!it)
        return FAILED;
    struct slice key, value;
    while (kv_iter_next(it, &key, &value)) {
        struct account_record rec;
        if (account_record_decode(value, &rec) != OK)
            atomic_fetch_add(&s->damaged, 1);
        else if (!rec.deleted)
            each(arg, slice_from(key, 1));
    }
    return kv_iter_free(it);
}

/* ---- deletion ---- */

static void delete_records(struct account *a, struct kv_batch *b)
{
    for (size_t i = 0; i < a->n_mailboxes; i++) {
        struct mailbox *m = a->mailboxes[i];
        struct key dead = key_dead_mailbox(m->id), head = key_head(a->id, m->id),
                   keywords = key_keywords(a->id, m->id);
        kv_batch_put(b, key_slice(&dead), SLICE("\1"));
        kv_batch_del(b, key_slice(&head));
        kv_batch_del(b, key_slice(&keywords));
    }
    /* What hangs on the account itself goes as what hangs on a mailbox does. */
    struct key own = key_dead_mailbox(a->id);
    kv_batch_put(b, key_slice(&own), SLICE("\1"));
    struct buf key;
    buf_init(&key, KV_KEY_MAX);
    for (size_t i = 0; i < a->n_folders; i++) {
        buf_reset(&key);
        key_folder(&key, a->id, a->folders[i].name);
        kv_batch_del(b, buf_slice(&key));
    }
    buf_release(&key);
    /* The record stays, for its last UIDVALIDITY. */
    account_put_record(a, b, true);
}

/* Under its lock. What was in flight when the batch was made is committed before it. */
static enum result delete_account(struct account *a)
{
    struct kv_batch *b = kv_batch_new(a->store->kv, KV_BATCH_ESSENTIAL);
    if (!b)
        return FAILED;
    delete_records(a, b);
    enum result r = kv_commit(b);
    if (r != OK)
        return r;
    a->dead = true;
    for (size_t i = 0; i < a->n_mailboxes; i++)
        mailbox_die(a->mailboxes[i]);
    pthread_mutex_lock(&a->store->lock);
    forget(a->store, a);
    pthread_mutex_unlock(&a->store->lock);
    return OK;
}

enum result account_delete(struct store *s, struct slice name)
{
    struct account *a;
    enum result r = open_account(s, name, false, &a);
    if (r != OK)
        return r;
    r = account_enter(a);
    if (r == OK) {
        r = delete_account(a);
        account_leave(a);
    }
    account_unref(a);
    if (r == OK)
        reaper_wake(s);
    return r;
}
