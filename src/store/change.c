/* change.c: a batch's changes of mailboxes, from preparation to publication (see internal.h). */
#include <stdlib.h>

#include "base/clock.h"
#include "store/internal.h"

struct change *change_new(struct store *s, size_t max_ops)
{
    struct change *c = calloc(1, sizeof *c + max_ops * sizeof c->ops[0]);
    if (!c)
        return NULL;
    c->store = s;
    c->max_ops = max_ops;
    return c;
}

static void op_release(struct op *op)
{
    view_unref(op->view);
    view_unref(op->latest_before);
    free(op->appended);
    mailbox_unref(op->mailbox);
}

void change_free(struct change *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_ops; i++)
        op_release(&c->ops[i]);
    free(c->dead_messages);
    free(c);
}

struct op *change_op(struct change *c, struct mailbox *m)
{
    struct view *base = mailbox_latest_loaded(m), *v = NULL;
    if (base && !(v = view_clone(base))) {
        view_unref(base);
        return NULL;
    }
    struct op *op = &c->ops[c->n_ops++];
    mailbox_ref(m);
    op->mailbox = m;
    op->head = op->head_before = m->head;
    op->head.modseq++;
    op->view = v;
    op->latest_before = base;
    return op;
}

static enum result remember(struct op *op, const struct entry *e)
{
    if (op->view)
        return view_push(op->view, e);
    size_t n = op->n_appended;
    if ((n & (n - 1)) == 0) { /* full at each power of two */
        struct entry *more = realloc(op->appended, (n ? n * 2 : 1) * sizeof *more);
        if (!more)
            return FAILED;
        op->appended = more;
    }
    op->appended[op->n_appended++] = *e;
    return OK;
}

void entry_put(const struct mailbox *m, struct kv_batch *b, const struct entry *e)
{
    char mem[64];
    struct buf value = {.mem = mem, .size = sizeof mem, .max = sizeof mem};
    struct key key = key_entry(m->id, e->uid);
    entry_encode(e, &value);
    kv_batch_put(b, key_slice(&key), buf_slice(&value));
}

enum result op_append(struct op *op, struct kv_batch *b, struct entry *e)
{
    struct head *h = &op->head;
    if (h->uidnext == UINT32_MAX || h->count == UINT32_MAX)
        return LIMIT;
    if (e->uid < h->uidnext)
        e->uid = h->uidnext;
    if (e->uid == UINT32_MAX)
        return LIMIT;
    e->modseq = h->modseq;
    e->savedate = clock_realtime_s();
    enum result r = remember(op, e);
    if (r != OK)
        return r;
    h->uidnext = e->uid + 1;
    h->count++;
    h->bytes += e->size;
    h->unseen += !(e->flags & FLAG_SEEN);
    entry_put(op->mailbox, b, e);
    struct key ref = key_reference(e->message, op->mailbox->id, e->uid);
    kv_batch_put(b, key_slice(&ref), SLICE(""));
    return OK;
}

/* ---- submission ---- */

static void put_head(struct op *op, struct kv_batch *b)
{
    struct mailbox *m = op->mailbox;
    char mem[128];
    struct buf value = {.mem = mem, .size = sizeof mem, .max = sizeof mem};
    struct key key = key_head(m->account->id, m->id);
    head_encode(&op->head, &value);
    kv_batch_put(b, key_slice(&key), buf_slice(&value));
}

static void put_keywords(struct op *op, struct kv_batch *b)
{
    struct mailbox *m = op->mailbox;
    if (!m->keywords_dirty)
        return;
    struct buf value;
    buf_init(&value, KEYWORDS_MAX * (KEYWORD_LENGTH_MAX + 1) + 1);
    struct key key = key_keywords(m->account->id, m->id);
    keywords_encode(m->keywords, &value);
    if (buf_ok(&value)) {
        kv_batch_put(b, key_slice(&key), buf_slice(&value));
        op->wrote_keywords = true;
        m->keywords_dirty = false;
    }
    buf_release(&value);
}

static void set_totals(struct account *a, const struct head *from, const struct head *to)
{
    a->bytes += to->bytes - from->bytes;
    a->messages = a->messages + to->count - from->count;
}

static void install(struct op *op)
{
    struct mailbox *m = op->mailbox;
    m->head = op->head;
    set_totals(m->account, &op->head_before, &op->head);
    if (op->view) {
        op->view->head = op->head;
        view_set_keywords(op->view, m->keywords);
    }
    pthread_mutex_lock(&m->publish);
    if (op->view) {
        view_unref(m->latest);
        m->latest = view_ref(op->view);
    }
    list_push_back(&m->pending, &op->node);
    pthread_mutex_unlock(&m->publish);
}

/* kv refused the batch: as if nothing had been. */
static void uninstall(struct op *op)
{
    struct mailbox *m = op->mailbox;
    m->head = op->head_before;
    set_totals(m->account, &op->head, &op->head_before);
    m->keywords_dirty |= op->wrote_keywords;
    pthread_mutex_lock(&m->publish);
    if (op->view) {
        view_unref(m->latest);
        m->latest = view_ref(op->latest_before);
    }
    list_remove(&op->node);
    pthread_mutex_unlock(&m->publish);
}

static void publish(struct op *op, bool durable)
{
    struct mailbox *m = op->mailbox;
    struct view *before = NULL;
    pthread_mutex_lock(&m->publish);
    list_remove(&op->node);
    if (durable) {
        m->durable = op->head;
        if (op->view) {
            before = m->published;
            m->published = view_ref(op->view);
        }
        LIST_FOR_EACH(n, &m->watches)
        {
            struct mailbox_watch *w = CONTAINER_OF(n, struct mailbox_watch, node);
            w->changed(w);
        }
    }
    pthread_mutex_unlock(&m->publish);
    view_unref(before);
    if (durable)
        account_changed(m->account);
}

static void leave_flight(struct store *s)
{
    pthread_mutex_lock(&s->lock);
    if (--s->in_flight == 0)
        pthread_cond_broadcast(&s->quiet);
    pthread_mutex_unlock(&s->lock);
}

/* In the commit thread. */
static void change_done(void *arg, enum result r)
{
    struct change *c = arg;
    struct store *s = c->store;
    for (size_t i = 0; i < c->n_ops; i++)
        publish(&c->ops[i], r == OK);
    if (r == OK && c->n_dead)
        reaper_hint(s, c->dead_messages, c->n_dead, false);
    store_done_fn *done = c->done;
    void *done_arg = c->arg;
    change_free(c);
    if (done)
        done(done_arg, r);
    leave_flight(s);
}

enum result change_submit(struct change *c, struct kv_batch *b, store_done_fn *done, void *arg)
{
    struct store *s = c->store;
    c->done = done;
    c->arg = arg;
    for (size_t i = 0; i < c->n_ops; i++) {
        put_head(&c->ops[i], b);
        put_keywords(&c->ops[i], b);
        install(&c->ops[i]);
    }
    pthread_mutex_lock(&s->lock);
    s->in_flight++;
    pthread_mutex_unlock(&s->lock);
    enum result r = kv_submit(b, change_done, c);
    if (r == OK)
        return OK;
    for (size_t i = c->n_ops; i-- > 0;)
        uninstall(&c->ops[i]);
    change_free(c);
    leave_flight(s);
    return r;
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

size_t sort_unique(uint32_t *list, size_t n)
{
    bool sorted = true;
    for (size_t i = 1; i < n && sorted; i++)
        sorted = list[i - 1] < list[i];
    if (sorted)
        return n;
    qsort(list, n, sizeof *list, compare_u32);
    size_t kept = 1;
    for (size_t i = 1; i < n; i++)
        if (list[i] != list[kept - 1])
            list[kept++] = list[i];
    return kept;
}
