/* mailbox.c: mailboxes in memory: handles, watches. */
#include <stdlib.h>

#include "store/internal.h"

struct mailbox *mailbox_new(struct account *a, uint64_t id, const struct head *head)
{
    struct mailbox *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    m->account = a;
    m->id = id;
    atomic_init(&m->refs, 1);
    m->head = m->durable = *head;
    pthread_mutex_init(&m->publish, NULL);
    list_init(&m->pending);
    list_init(&m->watches);
    list_init(&m->lru);
    return m;
}

void mailbox_ref(struct mailbox *m)
{
    account_ref(m->account);
    atomic_fetch_add(&m->refs, 1);
}

void mailbox_release(struct mailbox *m)
{
    if (atomic_fetch_sub(&m->refs, 1) != 1)
        return;
    cache_forget(m);
    view_unref(m->latest);
    view_unref(m->published);
    keywords_unref(m->keywords);
    pthread_mutex_destroy(&m->publish);
    free(m);
}

void mailbox_unref(struct mailbox *m)
{
    if (!m)
        return;
    struct account *a = m->account;
    mailbox_release(m);
    account_unref(a);
}

void mailbox_die(struct mailbox *m)
{
    cache_forget(m);
    pthread_mutex_lock(&m->publish);
    m->dead = true;
    LIST_FOR_EACH(n, &m->watches)
    {
        struct mailbox_watch *w = CONTAINER_OF(n, struct mailbox_watch, node);
        w->changed(w);
    }
    pthread_mutex_unlock(&m->publish);
}

enum result mailbox_open(struct account *a, struct slice name, struct mailbox **ret)
{
    struct buf canonical;
    buf_init(&canonical, MAILBOX_NAME_MAX + 1);
    enum result r = name_canonical(name, &canonical);
    if (r == OK)
        r = account_enter(a);
    if (r == OK) {
        struct folder *f = folder_find(a, buf_slice(&canonical));
        if (f && f->mailbox) {
            mailbox_ref(f->mailbox);
            *ret = f->mailbox;
        } else {
            r = NOT_FOUND;
        }
        account_leave(a);
    }
    buf_release(&canonical);
    return r;
}

uint64_t mailbox_id(const struct mailbox *m)
{
    return m->id;
}

enum result mailbox_name(struct mailbox *m, struct buf *out)
{
    struct account *a = m->account;
    enum result r = account_enter(a);
    if (r != OK)
        return r;
    r = NOT_FOUND;
    for (size_t i = 0; i < a->n_folders; i++) {
        if (a->folders[i].mailbox != m)
            continue;
        buf_append(out, a->folders[i].name);
        r = buf_ok(out) ? OK : LIMIT;
        break;
    }
    account_leave(a);
    return r;
}

enum result mailbox_status(struct mailbox *m, struct mailbox_status *ret)
{
    pthread_mutex_lock(&m->publish);
    bool dead = m->dead;
    const struct head *h = &m->durable;
    struct mailbox_status s = {h->count,       h->unseen, h->uidnext,
                               h->uidvalidity, h->modseq, h->bytes};
    pthread_mutex_unlock(&m->publish);
    if (dead)
        return NOT_FOUND;
    *ret = s;
    return OK;
}

void mailbox_watch(struct mailbox *m, struct mailbox_watch *w)
{
    pthread_mutex_lock(&m->publish);
    list_push_back(&m->watches, &w->node);
    pthread_mutex_unlock(&m->publish);
}

/* `changed` runs under the lock that this takes. */
void mailbox_unwatch(struct mailbox *m, struct mailbox_watch *w)
{
    pthread_mutex_lock(&m->publish);
    list_remove(&w->node);
    pthread_mutex_unlock(&m->publish);
}
