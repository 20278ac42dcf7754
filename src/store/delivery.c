/* delivery.c: a message on its way in: its bytes, its targets, and the one batch that holds all. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "store/internal.h"

enum {
    INLINE_MAX = 64 * 1024, /* a message up to this size stays with the batch */
    BLOB_SIZE = 256 * 1024, /* larger ones are blobs of this size, and memory is bounded by it */
    TARGETS_MAX = 100000,
    BLOBS_MAX = 64 * 1024
};

struct target {
    struct account *account;
    struct slice mailbox;
    uint8_t flags;
    bool must_exist, may_exceed;
    struct slice *keywords;
    size_t n_keywords;
    int64_t internaldate;
    struct slice origin, uidl;
    uint32_t uid;
    uint32_t *ret_uid, *ret_uidvalidity;
    struct target *twin; /* another mention of the same mailbox */
};

struct delivery {
    struct store *store;
    struct kv_batch *batch;
    uint64_t id, size;
    struct buf data; /* what is not written yet */
    uint64_t *blobs; /* written, not adopted */
    size_t n_blobs;
    struct buf summary;
    struct arena mem;
    struct target **targets;
    size_t n_targets;
    struct map known; /* account id and mailbox -> target */
    bool held;
    struct mailbox *replaced; /* of which this message goes; or NULL */
    uint32_t replaced_uid;
};

enum result delivery_new(struct store *s, uint64_t id, struct delivery **ret)
{
    struct delivery *d = calloc(1, sizeof *d);
    if (!d)
        return FAILED;
    d->store = s;
    d->id = id;
    d->batch = kv_batch_new(s->kv, 0);
    if (!d->batch) {
        free(d);
        return FAILED;
    }
    buf_init(&d->data, BLOB_SIZE);
    buf_init(&d->summary, KV_VALUE_MAX / 2);
    arena_init(&d->mem, (size_t)256 << 20);
    map_init(&d->known, TARGETS_MAX);
    *ret = d;
    return OK;
}

static void delivery_free(struct delivery *d)
{
    for (size_t i = 0; i < d->n_targets; i++)
        account_unref(d->targets[i]->account);
    if (d->replaced)
        mailbox_unref(d->replaced);
    map_release(&d->known);
    free(d->targets);
    free(d->blobs);
    buf_release(&d->data);
    buf_release(&d->summary);
    arena_release(&d->mem);
    free(d);
}

static void abandon_blobs(struct delivery *d)
{
    for (size_t i = 0; i < d->n_blobs; i++)
        kv_blob_abandon(d->store->kv, d->blobs[i]);
}

void delivery_abandon(struct delivery *d)
{
    if (!d)
        return;
    abandon_blobs(d);
    kv_batch_free(d->batch);
    delivery_free(d);
}

/* ---- its bytes ---- */

static enum result add_blob(struct delivery *d, uint64_t blob)
{
    size_t n = d->n_blobs;
    if (n >= BLOBS_MAX)
        return LIMIT;
    if ((n & (n - 1)) == 0) { /* full at each power of two */
        uint64_t *more = realloc(d->blobs, (n ? n * 2 : 1) * sizeof *more);
        if (!more)
            return FAILED;
        d->blobs = more;
    }
    d->blobs[d->n_blobs++] = blob;
    return OK;
}

static enum result stream_out(struct delivery *d)
{
    uint64_t blob;
    enum result r = kv_blob_write(d->store->kv, buf_slice(&d->data), &blob);
    if (r != OK)
        return r;
    buf_reset(&d->data);
    r = add_blob(d, blob);
    if (r != OK)
        kv_blob_abandon(d->store->kv, blob);
    return r;
}

enum result delivery_write(struct delivery *d, struct slice bytes)
{
    while (bytes.len) {
        size_t room = BLOB_SIZE - buf_len(&d->data);
        if (room == 0) {
            enum result r = stream_out(d);
            if (r != OK)
                return r;
            continue;
        }
        struct slice part = slice_sub(bytes, 0, room);
        buf_append(&d->data, part);
        if (!buf_ok(&d->data))
            return FAILED;
        d->size += part.len;
        bytes = slice_from(bytes, part.len);
    }
    return OK;
}

void delivery_summary(struct delivery *d, struct slice summary)
{
    buf_reset(&d->summary);
    buf_append(&d->summary, summary);
}

/* ---- its targets ---- */

static enum result copy_target(struct delivery *d, const struct delivery_target *t,
                               struct slice mailbox, struct target **ret)
{
    struct target *c = ARENA_NEW(&d->mem, struct target);
    struct slice *keywords = arena_alloc_n(&d->mem, t->n_keywords + 1, sizeof *keywords);
    if (!c || !keywords)
        return FAILED;
    *c = (struct target){
        .account = t->account,
        .mailbox = arena_dup(&d->mem, mailbox),
        .flags = t->flags,
        .must_exist = t->must_exist,
        .may_exceed = t->may_exceed,
        .keywords = keywords,
        .n_keywords = t->n_keywords,
        .internaldate = t->internaldate ? t->internaldate : clock_realtime_s(),
        .origin = t->origin.len ? arena_dup(&d->mem, t->origin) : SLICE(""),
        .uidl = t->uidl.len ? arena_dup(&d->mem, t->uidl) : SLICE(""),
        .uid = t->uid,
        .ret_uid = t->ret_uid,
        .ret_uidvalidity = t->ret_uidvalidity,
    };
    for (size_t i = 0; i < t->n_keywords; i++)
        keywords[i] = arena_dup(&d->mem, t->keywords[i]);
    if (arena_failed(&d->mem))
        return FAILED;
    *ret = c;
    return OK;
}

static enum result list_target(struct delivery *d, struct target *t)
{
    size_t n = d->n_targets;
    if ((n & (n - 1)) == 0) { /* full at each power of two */
        struct target **more = realloc(d->targets, (n ? n * 2 : 1) * sizeof(struct target *));
        if (!more)
            return FAILED;
        d->targets = more;
    }
    account_ref(t->account);
    d->targets[d->n_targets++] = t;
    return OK;
}

static enum result add_target(struct delivery *d, const struct delivery_target *t,
                              struct slice mailbox)
{
    struct target *copy;
    enum result r = copy_target(d, t, mailbox, &copy);
    if (r != OK)
        return r;
    struct buf key;
    buf_init(&key, MAILBOX_NAME_MAX + 16);
    buf_put_le64(&key, t->account->id);
    buf_append(&key, mailbox);
    struct target *first = map_get(&d->known, buf_slice(&key));
    if (first) {
        copy->twin = first->twin;
        first->twin = copy;
    } else {
        r = map_put(&d->known, buf_slice(&key), copy);
        if (r == OK)
            r = list_target(d, copy);
    }
    buf_release(&key);
    return r;
}

enum result delivery_add(struct delivery *d, const struct delivery_target *t)
{
    struct buf canonical;
    buf_init(&canonical, MAILBOX_NAME_MAX + 1);
    enum result r = name_canonical(t->mailbox, &canonical);
    if (r == OK)
        r = add_target(d, t, buf_slice(&canonical));
    buf_release(&canonical);
    return r;
}

void delivery_replace(struct delivery *d, struct mailbox *m, uint32_t uid)
{
    mailbox_ref(m);
    d->replaced = m;
    d->replaced_uid = uid;
}

struct kv_batch *delivery_batch(struct delivery *d)
{
    return d->batch;
}

void delivery_hold(struct delivery *d, struct slice holder_key)
{
    struct buf key;
    buf_init(&key, KV_KEY_MAX);
    key_holder(&key, d->id, holder_key);
    kv_batch_put(d->batch, buf_slice(&key), SLICE(""));
    buf_release(&key);
    d->held = true;
}

void message_release(struct store *s, struct kv_batch *b, uint64_t message, struct slice holder_key)
{
    struct buf key;
    buf_init(&key, KV_KEY_MAX);
    key_holder(&key, message, holder_key);
    kv_batch_del(b, buf_slice(&key));
    buf_release(&key);
    maybe_dead_put(b, message);
    reaper_hint(s, &message, 1, true);
}

/* ---- submission ---- */

static enum result put_message(struct delivery *d)
{
    size_t streamed = d->n_blobs;
    enum result r = OK;
    if (d->size > INLINE_MAX && buf_len(&d->data) > INLINE_MAX) {
        r = stream_out(d);
        streamed = d->n_blobs;
    } else if (buf_len(&d->data)) {
        uint64_t blob = kv_batch_blob(d->batch, buf_slice(&d->data));
        r = add_blob(d, blob);
    }
    if (r != OK)
        return r;
    for (size_t i = 0; i < streamed; i++)
        kv_batch_adopt(d->batch, d->blobs[i]);
    struct buf value;
    buf_init(&value, KV_VALUE_MAX);
    struct key key = key_message(d->id);
    message_record_encode(d->size, d->n_blobs > 1 ? BLOB_SIZE : d->size, d->blobs, d->n_blobs,
                          buf_slice(&d->summary), &value);
    if (buf_ok(&value) && buf_ok(&d->summary))
        kv_batch_put(d->batch, key_slice(&key), buf_slice(&value));
    else
        r = LIMIT;
    buf_release(&value);
    d->n_blobs = streamed; /* those that are to be abandoned if it fails */
    return r;
}

/* The mailbox of a target, made when it is missing (which waits for its commit, but is rare). */
static enum result ensure_mailbox(struct target *t)
{
    enum result r = account_enter(t->account);
    if (r != OK)
        return r;
    const struct folder *f = folder_find(t->account, t->mailbox);
    bool missing = !f || !f->mailbox;
    account_leave(t->account);
    if (!missing)
        return OK;
    if (t->must_exist)
        return NOT_FOUND;
    r = mailbox_create(t->account, t->mailbox, 0);
    return r == EXISTS ? OK : r;
}

static int by_account(const void *a, const void *b)
{
    const struct target *x = *(struct target *const *)a, *y = *(struct target *const *)b;
    if (x->account->id != y->account->id)
        return x->account->id < y->account->id ? -1 : 1;
    return 0;
}

static bool first_of_account(const struct delivery *d, size_t i)
{
    return i == 0 || d->targets[i - 1]->account != d->targets[i]->account;
}

/* In the order of their ids. On failure none is locked. */
static enum result lock_accounts(struct delivery *d)
{
    for (size_t i = 0; i < d->n_targets; i++) {
        if (!first_of_account(d, i))
            continue;
        enum result r = account_enter(d->targets[i]->account);
        if (r == OK)
            continue;
        while (i-- > 0)
            if (first_of_account(d, i))
                account_leave(d->targets[i]->account);
        return r;
    }
    return OK;
}

static void unlock_accounts(struct delivery *d)
{
    for (size_t i = 0; i < d->n_targets; i++)
        if (first_of_account(d, i))
            account_leave(d->targets[i]->account);
}

static void tell_uid(struct target *t, uint32_t uid, uint32_t uidvalidity)
{
    for (; t; t = t->twin) {
        if (t->ret_uid)
            *t->ret_uid = uid;
        if (t->ret_uidvalidity)
            *t->ret_uidvalidity = uidvalidity;
    }
}

/* ---- replacement ---- */

/* Loads its mailbox and finds the message; *ret_size: what it holds. */
static enum result find_replaced(const struct delivery *d, uint64_t *ret_size)
{
    struct view *v = NULL;
    enum result r = d->replaced->dead ? CONFLICT : mailbox_latest(d->replaced, &v);
    if (r != OK)
        return r;
    uint32_t seq = view_find(v, d->replaced_uid);
    *ret_size = seq ? view_entry(v, seq)->size : 0;
    view_unref(v);
    return seq ? OK : CONFLICT;
}

static enum result remove_replaced(struct delivery *d, struct change *c)
{
    struct op *op = NULL;
    for (size_t i = 0; i < c->n_ops; i++)
        if (c->ops[i].mailbox == d->replaced)
            op = &c->ops[i];
    if (!op)
        op = change_op(c, d->replaced);
    return op && op->view ? expunge_in(c, d->batch, op, &d->replaced_uid, 1, false) : FAILED;
}

static enum result admit(struct delivery *d, const struct target *t, uint64_t replaced_size)
{
    if (!d->replaced)
        return quota_admit(t->account, t->mailbox, d->size, 1, t->may_exceed);
    return quota_admit_replacement(t->account, folder_name_of(d->replaced), t->mailbox, d->size,
                                   replaced_size);
}

/* ---- the batch ---- */

static enum result add_reference(struct delivery *d, struct change *c, struct target *t,
                                 uint64_t replaced_size)
{
    struct account *a = t->account;
    const struct folder *f = folder_find(a, t->mailbox);
    if (!f || !f->mailbox)
        return CONFLICT; /* deleted since ensure_mailbox */
    bool imported = t->origin.len > 0;
    enum result r = imported ? origin_check(f->mailbox, t->origin) : admit(d, t, replaced_size);
    if (r != OK)
        return r;
    struct entry e = {.uid = t->uid,
                      .flags = t->flags,
                      .internaldate = t->internaldate,
                      .size = d->size,
                      .message = d->id};
    for (size_t i = 0; i < t->n_keywords; i++) {
        uint32_t bit;
        if (keyword_bit(f->mailbox, t->keywords[i], &bit) == OK)
            e.keywords |= (uint64_t)1 << bit;
    }
    struct op *op = change_op(c, f->mailbox);
    r = op ? op_append(op, d->batch, &e) : FAILED;
    if (r == OK && imported)
        origin_put(f->mailbox, d->batch, e.uid, t->origin, t->uidl);
    else if (r == OK)
        journey_put(f->mailbox, d->batch, TRACE_STORED, &e);
    if (r == OK)
        tell_uid(t, e.uid, op->head.uidvalidity);
    return r;
}

/* With all accounts locked. Takes the batch. */
static enum result submit_locked(struct delivery *d, store_done_fn *done, void *arg)
{
    struct change *c = change_new(d->store, d->n_targets + (d->replaced != NULL));
    uint64_t replaced_size = 0;
    enum result r = c ? OK : FAILED;
    if (r == OK && d->replaced)
        r = find_replaced(d, &replaced_size);
    for (size_t i = 0; r == OK && i < d->n_targets; i++)
        r = add_reference(d, c, d->targets[i], replaced_size);
    if (r == OK && d->replaced)
        r = remove_replaced(d, c);
    if (r != OK) {
        kv_batch_free(d->batch);
        change_free(c);
        return r;
    }
    return change_submit(c, d->batch, done, arg);
}

static enum result submit(struct delivery *d, store_done_fn *done, void *arg)
{
    enum result r = d->n_targets || d->held ? put_message(d) : INVALID;
    for (size_t i = 0; r == OK && i < d->n_targets; i++)
        r = ensure_mailbox(d->targets[i]);
    if (r == OK && d->n_targets)
        qsort(d->targets, d->n_targets, sizeof(struct target *), by_account);
    if (r == OK)
        r = lock_accounts(d);
    if (r != OK) {
        kv_batch_free(d->batch);
        return r;
    }
    r = submit_locked(d, done, arg);
    unlock_accounts(d);
    return r;
}

enum result delivery_submit(struct delivery *d, store_done_fn *done, void *arg)
{
    enum result r = submit(d, done, arg);
    if (r != OK)
        abandon_blobs(d);
    delivery_free(d);
    return r;
}
