/* store.c: opening and closing. */
#include <stdlib.h>

#include "store/internal.h"

/* A store of another format is refused; a fresh one is marked. */
static enum result check_format(struct kv *kv, bool read_only, struct error *err)
{
    struct key key = key_format();
    struct buf value;
    buf_init(&value, 64);
    enum result r = kv_get(kv, NULL, key_slice(&key), &value);
    if (r == OK && !(buf_len(&value) == 1 && buf_slice(&value).data[0] == STORE_FORMAT))
        r = error_set(err, CORRUPT, "the store's format is not %d, which is what I know",
                      STORE_FORMAT);
    buf_release(&value);
    if (r != NOT_FOUND)
        return r;
    if (read_only)
        return OK;
    struct kv_batch *b = kv_batch_new(kv, 0);
    if (!b)
        return FAILED;
    kv_batch_put(b, key_slice(&key), slice_of((char[]){STORE_FORMAT}, 1));
    r = kv_commit(b);
    if (r != OK)
        return error_set(err, r, "marking a fresh store: %s", result_name(r));
    return OK;
}

static void store_free(struct store *s)
{
    free(s->folders);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->lru_lock);
    pthread_cond_destroy(&s->quiet);
    map_release(&s->accounts);
    free(s);
}

static const struct store_folder first_folders[] = {
    {{"Archive", 7}, MAILBOX_ARCHIVE | MAILBOX_SUBSCRIBED},
    {{"Drafts", 6}, MAILBOX_DRAFTS | MAILBOX_SUBSCRIBED},
    {{"Junk", 4}, MAILBOX_JUNK | MAILBOX_SUBSCRIBED},
    {{"Sent", 4}, MAILBOX_SENT | MAILBOX_SUBSCRIBED},
    {{"Trash", 5}, MAILBOX_TRASH | MAILBOX_SUBSCRIBED},
};

enum result store_set_folders(struct store *s, const struct store_folder *folders, size_t n)
{
    size_t bytes = 0;
    n = n < STORE_FOLDERS_MAX ? n : STORE_FOLDERS_MAX;
    for (size_t i = 0; i < n; i++)
        bytes += folders[i].name.len;
    struct store_folder *fresh = malloc(n * sizeof *fresh + bytes + 1);
    if (!fresh)
        return FAILED;
    char *at = (char *)(fresh + n);
    for (size_t i = 0; i < n; i++) {
        size_t len = folders[i].name.len;
        memcpy(at, folders[i].name.data, len);
        fresh[i] = (struct store_folder){slice_of(at, len), folders[i].attrs};
        at += len;
    }
    pthread_mutex_lock(&s->lock);
    struct store_folder *old = s->folders;
    s->folders = fresh;
    s->n_folders = n;
    pthread_mutex_unlock(&s->lock);
    free(old);
    return OK;
}

enum result store_open(struct kv *kv, const struct store_options *o, struct store **ret,
                       struct error *err)
{
    struct store *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(err, FAILED, "out of memory");
    s->kv = kv;
    s->options = *o;
    s->trace_lifetime = o->trace_lifetime;
    s->lru_budget = o->view_cache_bytes ? o->view_cache_bytes : VIEW_CACHE_BYTES;
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->lru_lock, NULL);
    pthread_cond_init(&s->quiet, NULL);
    map_init(&s->accounts, SIZE_MAX);
    list_init(&s->idle);
    list_init(&s->lru);
    enum result r =
        store_set_folders(s, first_folders, sizeof first_folders / sizeof *first_folders);
    if (r == OK)
        r = check_format(kv, o->read_only, err);
    if (r == OK && !o->read_only && (r = reaper_start(s)) != OK)
        r = error_set(err, r, "starting the reaper's thread");
    if (r != OK) {
        store_free(s);
        return r;
    }
    *ret = s;
    return OK;
}

void store_close(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    while (s->in_flight)
        pthread_cond_wait(&s->quiet, &s->lock);
    pthread_mutex_unlock(&s->lock);
    reaper_stop(s);
    accounts_close(s);
    store_free(s);
}

struct kv *store_kv(struct store *s)
{
    return s->kv;
}

void store_stats_get(struct store *s, struct store_stats *ret)
{
    struct store_stats t = {.damaged_records = atomic_load(&s->damaged)};
    pthread_mutex_lock(&s->lock);
    t.accounts_in_memory = s->accounts.used;
    t.changes_in_flight = s->in_flight;
    pthread_mutex_unlock(&s->lock);
    pthread_mutex_lock(&s->lru_lock);
    t.cached_view_bytes = s->lru_bytes;
    pthread_mutex_unlock(&s->lru_lock);
    *ret = t;
}
