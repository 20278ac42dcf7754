/* import.c: what a mailbox of another server brings along: UIDVALIDITY and UIDs (IMAP clients keep
 * their caches), UIDLs (POP3 clients don't fetch everything again), and the origin of each message,
 * by which an import that is repeated knows what is here already. */
#include "base/cursor.h"
#include "store/internal.h"

enum { ORIGIN_MAX = 200, UIDL_MAX = 70 };

enum result origin_check(const struct mailbox *m, struct slice origin)
{
    struct buf key, value;
    if (origin.len > ORIGIN_MAX)
        return INVALID;
    buf_init(&key, KV_KEY_MAX);
    buf_init(&value, 16);
    key_origin(&key, m->id, origin);
    enum result r = kv_get(m->account->store->kv, NULL, buf_slice(&key), &value);
    buf_release(&key);
    buf_release(&value);
    return r == NOT_FOUND ? OK : r == OK ? EXISTS : r;
}

void origin_put(const struct mailbox *m, struct kv_batch *b, uint32_t uid, struct slice origin,
                struct slice uidl)
{
    struct buf key, value;
    buf_init(&key, KV_KEY_MAX);
    buf_init(&value, UIDL_MAX + 1);
    key_origin(&key, m->id, origin);
    buf_putc(&value, STORE_FORMAT);
    buf_put_le32(&value, uid);
    kv_batch_put(b, buf_slice(&key), buf_slice(&value));
    if (uidl.len && uidl.len <= UIDL_MAX) {
        struct key at = key_uidl(m->id, uid);
        buf_reset(&value);
        buf_putc(&value, STORE_FORMAT);
        buf_append(&value, uidl);
        kv_batch_put(b, key_slice(&at), buf_slice(&value));
    }
    buf_release(&key);
    buf_release(&value);
}

/* ---- adoption ---- */

static void take_head(struct head *h, const struct mailbox_origin *o)
{
    if (o->uidvalidity && h->uidnext == 1)
        h->uidvalidity = o->uidvalidity;
    if (o->uidvalidity == h->uidvalidity && o->uidnext > h->uidnext)
        h->uidnext = o->uidnext;
}

static void tell(const struct head *h, struct mailbox_status *ret)
{
    *ret = (struct mailbox_status){.count = h->count,
                                   .unseen = h->unseen,
                                   .uidnext = h->uidnext,
                                   .uidvalidity = h->uidvalidity,
                                   .highest_modseq = h->modseq,
                                   .bytes = h->bytes};
}

/* With the account locked. */
static enum result adopt(struct account *a, const struct mailbox_origin *o,
                         struct mailbox_status *ret, store_done_fn *done, void *arg)
{
    struct folder *f = folder_find(a, o->mailbox);
    if (!f || !f->mailbox)
        return CONFLICT; /* deleted since it was made */
    struct change *c = change_new(a->store, 1);
    struct kv_batch *b = kv_batch_new(a->store->kv, 0);
    struct op *op = c && b ? change_op(c, f->mailbox) : NULL;
    if (!op) {
        change_free(c);
        kv_batch_free(b);
        return FAILED;
    }
    take_head(&op->head, o);
    /* RFC 3501 2.3.1.1: what is made later under this name has a greater one. */
    if (op->head.uidvalidity > a->last_uidvalidity)
        a->last_uidvalidity = op->head.uidvalidity;
    f->attrs |= (o->attrs & (MAILBOX_SUBSCRIBED | MAILBOX_SPECIAL)) | MAILBOX_ADOPTED;
    folder_put(a, b, f->name, f->attrs, f->mailbox->id);
    account_put_record(a, b, false);
    tell(&op->head, ret);
    return change_submit(c, b, done, arg);
}

enum result mailbox_adopt(struct account *a, const struct mailbox_origin *o,
                          struct mailbox_status *ret, store_done_fn *done, void *arg)
{
    struct buf canonical;
    struct mailbox_origin own = *o;
    buf_init(&canonical, MAILBOX_NAME_MAX + 1);
    enum result r = name_canonical(o->mailbox, &canonical);
    own.mailbox = buf_slice(&canonical);
    if (r == OK)
        r = mailbox_create(a, own.mailbox, 0);
    if (r == OK || r == EXISTS)
        r = account_enter(a);
    if (r == OK) {
        r = adopt(a, &own, ret, done, arg);
        account_leave(a);
    }
    buf_release(&canonical);
    return r;
}

/* ---- UIDLs ---- */

static enum result is_adopted(struct mailbox *m, bool *ret)
{
    struct account *a = m->account;
    enum result r = account_enter(a);
    if (r != OK)
        return r;
    *ret = false;
    for (size_t i = 0; i < a->n_folders; i++)
        if (a->folders[i].mailbox == m)
            *ret = a->folders[i].attrs & MAILBOX_ADOPTED;
    account_leave(a);
    return OK;
}

enum result mailbox_uidls(struct mailbox *m,
                          void (*each)(void *arg, uint32_t uid, struct slice uidl), void *arg)
{
    bool adopted;
    enum result r = is_adopted(m, &adopted);
    if (r != OK || !adopted)
        return r;
    struct key prefix = key_uidls(m->id);
    struct kv_iter *it = kv_iter_new(m->account->store->kv, NULL, key_slice(&prefix), SLICE_NONE);
    if (!it)
        return FAILED;
    struct slice key, value;
    while (kv_iter_next(it, &key, &value)) {
        struct cursor at = cursor_of(slice_from(key, prefix.len)), c = cursor_of(value);
        uint32_t uid = cursor_be32(&at);
        if (cursor_done(&at) && cursor_u8(&c) == STORE_FORMAT && c.rest.len)
            each(arg, uid, c.rest);
    }
    return kv_iter_free(it);
}
