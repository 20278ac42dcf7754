/* load.c: a mailbox's entries in memory: loaded from kv when somebody looks or changes flags, kept
 * under a budget as long as nobody needs the room.
 *
 * While a mailbox is not loaded it can only grow, so what is pending then is entries to append: a
 * load reads what was durable when it began (by UID) and puts the rest behind it. */
#include <stdlib.h>

#include "base/cursor.h"
#include "store/internal.h"

/* ---- the cache: second chance, newest first ---- */

void cache_forget(struct mailbox *m)
{
    struct store *s = m->account->store;
    pthread_mutex_lock(&s->lru_lock);
    list_remove(&m->lru);
    s->lru_bytes -= m->lru_bytes;
    m->lru_bytes = 0;
    pthread_mutex_unlock(&s->lru_lock);
}

/* Takes the view away when nobody but the cache has it and nothing is pending. */
static bool try_unload(struct mailbox *m)
{
    if (pthread_mutex_trylock(&m->publish) != 0)
        return false;
    struct view *v = m->published;
    bool unload = v && v == m->latest && list_empty(&m->pending) && atomic_load(&v->refs) == 2;
    if (unload)
        m->latest = m->published = NULL;
    pthread_mutex_unlock(&m->publish);
    if (unload) {
        view_unref(v);
        view_unref(v);
    }
    return unload;
}

/* Looks at a bounded number of mailboxes; the ones in use go to the front again. */
static void make_room(struct store *s, struct mailbox *spare)
{
    for (int looked = 0; looked < 64 && s->lru_bytes > s->lru_budget; looked++) {
        struct mailbox *m = CONTAINER_OF(s->lru.prev, struct mailbox, lru);
        list_remove(&m->lru);
        if (m == spare || atomic_exchange(&m->used, false) || !try_unload(m)) {
            list_push_front(&s->lru, &m->lru);
            continue;
        }
        s->lru_bytes -= m->lru_bytes;
        m->lru_bytes = 0;
    }
}

static void cache_note(struct mailbox *m, size_t bytes)
{
    struct store *s = m->account->store;
    pthread_mutex_lock(&s->lru_lock);
    list_remove(&m->lru);
    list_push_front(&s->lru, &m->lru);
    s->lru_bytes += bytes - m->lru_bytes;
    m->lru_bytes = bytes;
    make_room(s, m);
    pthread_mutex_unlock(&s->lru_lock);
}

/* ---- loading ---- */

struct pending {
    struct entry *entries;
    size_t n;
    uint32_t uidnext; /* durable when the load began */
};

static enum result copy_pending(struct mailbox *m, struct pending *ret)
{
    struct pending p = {0};
    enum result r = OK;
    pthread_mutex_lock(&m->publish);
    p.uidnext = m->durable.uidnext;
    LIST_FOR_EACH(node, &m->pending)
    p.n += CONTAINER_OF(node, struct op, node)->n_appended;
    p.entries = p.n ? malloc(p.n * sizeof *p.entries) : NULL;
    if (p.n && !p.entries)
        r = FAILED;
    size_t at = 0;
    LIST_FOR_EACH(node, &m->pending)
    {
        struct op *op = CONTAINER_OF(node, struct op, node);
        if (r == OK && op->n_appended)
            memcpy(p.entries + at, op->appended, op->n_appended * sizeof *p.entries);
        at += op->n_appended;
    }
    pthread_mutex_unlock(&m->publish);
    if (r == OK)
        *ret = p;
    return r;
}

static enum result push_record(struct store *s, struct view *v, struct slice key,
                               struct slice value, uint32_t below)
{
    struct cursor c = cursor_of(slice_from(key, 9));
    uint32_t uid = cursor_be32(&c);
    struct entry e;
    if (!cursor_done(&c) || entry_decode(value, uid, &e) != OK) {
        atomic_fetch_add(&s->damaged, 1);
        return OK;
    }
    return uid < below ? view_push(v, &e) : OK;
}

static enum result scan_entries(struct mailbox *m, struct view *v, uint32_t below)
{
    struct store *s = m->account->store;
    struct key prefix = key_entries(m->id);
    struct kv_iter *it = kv_iter_new(s->kv, NULL, key_slice(&prefix), SLICE_NONE);
    if (!it)
        return FAILED;
    enum result r = OK;
    struct slice key, value;
    while (r == OK && kv_iter_next(it, &key, &value))
        r = push_record(s, v, key, value, below);
    enum result end = kv_iter_free(it);
    return r == OK ? end : r;
}

/* Gives each pending op the view that it will publish; *latest moves on. */
static enum result attach_views(struct mailbox *m, struct view **latest)
{
    LIST_FOR_EACH(node, &m->pending)
    {
        struct op *op = CONTAINER_OF(node, struct op, node);
        struct view *v = view_clone(*latest);
        enum result r = v ? OK : FAILED;
        for (size_t i = 0; r == OK && i < op->n_appended; i++)
            r = view_push(v, &op->appended[i]);
        if (r != OK) {
            view_unref(v);
            return r;
        }
        v->head = op->head;
        op->view = v;
        *latest = v;
    }
    return OK;
}

static void detach_views(struct mailbox *m)
{
    LIST_FOR_EACH(node, &m->pending)
    {
        struct op *op = CONTAINER_OF(node, struct op, node);
        view_unref(op->view);
        op->view = NULL;
    }
}

/* Under m->publish. `base` holds what was durable when the load began. */
static enum result install(struct mailbox *m, struct view *base, const struct pending *p)
{
    enum result r = OK;
    for (size_t i = 0; r == OK && i < p->n && p->entries[i].uid < m->durable.uidnext; i++)
        r = view_push(base, &p->entries[i]);
    if (r != OK)
        return r;
    base->head = m->durable;
    view_set_keywords(base, m->keywords);
    struct view *latest = base;
    r = attach_views(m, &latest);
    if (r != OK) {
        detach_views(m);
        return r;
    }
    m->published = view_ref(base);
    m->latest = view_ref(latest);
    return OK;
}

static enum result load(struct mailbox *m)
{
    struct pending p;
    enum result r = copy_pending(m, &p);
    if (r != OK)
        return r;
    struct view *base = view_new();
    r = base ? scan_entries(m, base, p.uidnext) : FAILED;
    if (r == OK) {
        pthread_mutex_lock(&m->publish);
        r = install(m, base, &p);
        pthread_mutex_unlock(&m->publish);
    }
    if (r == OK)
        cache_note(m, view_memory(base));
    view_unref(base);
    free(p.entries);
    return r;
}

struct view *mailbox_latest_loaded(struct mailbox *m)
{
    pthread_mutex_lock(&m->publish);
    struct view *v = m->latest ? view_ref(m->latest) : NULL;
    pthread_mutex_unlock(&m->publish);
    return v;
}

enum result mailbox_latest(struct mailbox *m, struct view **ret)
{
    for (;;) {
        struct view *v = mailbox_latest_loaded(m);
        if (v) {
            *ret = v;
            return OK;
        }
        enum result r = load(m);
        if (r != OK)
            return r;
    }
}

static struct view *published(struct mailbox *m, bool *ret_dead)
{
    pthread_mutex_lock(&m->publish);
    struct view *v = m->published ? view_ref(m->published) : NULL;
    *ret_dead = m->dead;
    pthread_mutex_unlock(&m->publish);
    return v;
}

enum result mailbox_view(struct mailbox *m, struct view **ret)
{
    for (;;) {
        bool dead;
        struct view *v = published(m, &dead);
        if (v && !dead) {
            if (!atomic_load_explicit(&m->used, memory_order_relaxed))
                atomic_store(&m->used, true);
            *ret = v;
            return OK;
        }
        view_unref(v);
        if (dead)
            return NOT_FOUND;
        enum result r = account_enter(m->account);
        if (r != OK)
            return r;
        r = mailbox_latest(m, &v);
        account_leave(m->account);
        if (r != OK)
            return r;
        view_unref(v);
    }
}
