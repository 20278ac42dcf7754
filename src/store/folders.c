/* folders.c: making, deleting, renaming and listing mailboxes. These are rare: each writes its
 * batch under the account's lock, waits for the commit and reads the tables again. */
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "store/internal.h"

void folder_put(const struct account *a, struct kv_batch *b, struct slice name, unsigned attrs,
                uint64_t mailbox)
{
    struct buf key, value;
    buf_init(&key, KV_KEY_MAX);
    buf_init(&value, 64);
    key_folder(&key, a->id, name);
    struct folder_record rec = {attrs, mailbox};
    folder_record_encode(&rec, &value);
    kv_batch_put(b, buf_slice(&key), buf_slice(&value));
    buf_release(&key);
    buf_release(&value);
}

static void del_folder(const struct account *a, struct kv_batch *b, struct slice name)
{
    struct buf key;
    buf_init(&key, KV_KEY_MAX);
    key_folder(&key, a->id, name);
    kv_batch_del(b, buf_slice(&key));
    buf_release(&key);
}

/* A name that goes: it stays as a subscription (RFC 3501 6.3.4, 6.3.6). */
static void drop_name(const struct account *a, struct kv_batch *b, const struct folder *f)
{
    if (f->attrs & MAILBOX_SUBSCRIBED)
        folder_put(a, b, f->name, MAILBOX_SUBSCRIBED | MAILBOX_NONEXISTENT, 0);
    else
        del_folder(a, b, f->name);
}

void folder_put_new(struct account *a, struct kv_batch *b, struct slice name, unsigned attrs)
{
    /* RFC 3501 2.3.1.1: a name that is made again has a greater UIDVALIDITY. */
    uint32_t now = (uint32_t)clock_realtime_s();
    a->last_uidvalidity = a->last_uidvalidity >= now ? a->last_uidvalidity + 1 : now;
    struct head head = {.uidvalidity = a->last_uidvalidity, .uidnext = 1, .modseq = 1};
    uint64_t id = log_id_new();
    folder_put(a, b, name, attrs, id);
    struct buf value;
    buf_init(&value, 128);
    head_encode(&head, &value);
    struct key key = key_head(a->id, id);
    kv_batch_put(b, key_slice(&key), buf_slice(&value));
    buf_release(&value);
}

static enum result commit_and_reload(struct account *a, struct kv_batch *b)
{
    enum result r = kv_commit(b);
    if (r != OK)
        return r;
    a->loaded = false;
    r = account_load_tables(a);
    account_changed(a);
    return r;
}

static bool is_there(const struct folder *f)
{
    return f && !(f->attrs & MAILBOX_NONEXISTENT);
}

static bool has_children(const struct account *a, size_t i)
{
    for (size_t k = i + 1; k < a->n_folders; k++) {
        if (!name_is_below(a->folders[k].name, a->folders[i].name))
            return false;
        if (is_there(&a->folders[k]))
            return true;
    }
    return false;
}

/* ---- create ---- */

/* Makes the mailbox of this name unless it is there. */
static void make_missing(struct account *a, struct kv_batch *b, struct slice name, unsigned attrs,
                         bool even_noselect)
{
    struct folder *f = folder_find(a, name);
    if (f && (f->mailbox || (is_there(f) && !even_noselect)))
        return;
    unsigned kept = f ? f->attrs & MAILBOX_SUBSCRIBED : 0;
    folder_put_new(a, b, name, attrs | kept);
}

/* RFC 3501 6.3.3: "any superior hierarchical names that are needed" are made too. */
static size_t make_parents(struct account *a, struct kv_batch *b, struct slice name)
{
    size_t levels = 0;
    for (size_t i = 0; i < name.len; i++) {
        if (name.data[i] != '/')
            continue;
        make_missing(a, b, slice_sub(name, 0, i), 0, false);
        levels++;
    }
    return levels;
}

static enum result create(struct account *a, struct slice name, unsigned special_use)
{
    struct folder *f = folder_find(a, name);
    if (f && f->mailbox)
        return EXISTS;
    struct kv_batch *b = kv_batch_new(a->store->kv, 0);
    if (!b)
        return FAILED;
    size_t levels = make_parents(a, b, name);
    if (a->n_folders + levels + 1 > MAILBOXES_MAX) {
        kv_batch_free(b);
        return LIMIT;
    }
    make_missing(a, b, name, special_use & MAILBOX_SPECIAL, true);
    account_put_record(a, b, false);
    return commit_and_reload(a, b);
}

enum result mailbox_create(struct account *a, struct slice name, unsigned special_use)
{
    struct buf canonical;
    buf_init(&canonical, MAILBOX_NAME_MAX + 1);
    /* RFC 3501 6.3.3: a trailing separator only says that children are to come. */
    if (name.len > 1 && name.data[name.len - 1] == '/')
        name.len--;
    enum result r = name_canonical(name, &canonical);
    if (r == OK)
        r = account_enter(a);
    if (r == OK) {
        r = create(a, buf_slice(&canonical), special_use);
        account_leave(a);
    }
    buf_release(&canonical);
    return r;
}

/* ---- delete ---- */

static void delete_mailbox(struct account *a, struct kv_batch *b, const struct mailbox *m)
{
    struct key dead = key_dead_mailbox(m->id), head = key_head(a->id, m->id),
               keywords = key_keywords(a->id, m->id);
    kv_batch_put(b, key_slice(&dead), SLICE("\1"));
    kv_batch_del(b, key_slice(&head));
    kv_batch_del(b, key_slice(&keywords));
}

static enum result delete_name(struct account *a, struct slice name)
{
    bool found;
    size_t i = folder_seek(a, name, &found);
    if (!found || !is_there(&a->folders[i]))
        return NOT_FOUND;
    const struct folder *f = &a->folders[i];
    bool children = has_children(a, i);
    /* RFC 3501 6.3.4: neither INBOX nor a \Noselect name with inferiors can be deleted. */
    if (slice_is(name, "INBOX") || (!f->mailbox && children))
        return DENIED;
    struct kv_batch *b = kv_batch_new(a->store->kv, KV_BATCH_ESSENTIAL);
    if (!b)
        return FAILED;
    if (f->mailbox)
        delete_mailbox(a, b, f->mailbox);
    if (children)
        folder_put(a, b, name, (f->attrs & MAILBOX_SUBSCRIBED) | MAILBOX_NOSELECT, 0);
    else
        drop_name(a, b, f);
    return commit_and_reload(a, b);
}

enum result mailbox_delete(struct account *a, struct slice name)
{
    struct buf canonical;
    buf_init(&canonical, MAILBOX_NAME_MAX + 1);
    enum result r = name_canonical(name, &canonical);
    if (r == OK)
        r = account_enter(a);
    if (r == OK) {
        r = delete_name(a, buf_slice(&canonical));
        account_leave(a);
    }
    buf_release(&canonical);
    if (r == OK)
        reaper_wake(a->store);
    return r;
}

/* ---- rename ---- */

/* The name that folder f gets; INVALID, LIMIT, EXISTS. */
static enum result new_name(const struct account *a, const struct folder *f, size_t from_len,
                            struct slice to, struct buf *ret)
{
    buf_reset(ret);
    if (to.len + f->name.len - from_len > MAILBOX_NAME_MAX)
        return LIMIT;
    buf_append(ret, to);
    buf_append(ret, slice_from(f->name, from_len));
    if (!buf_ok(ret))
        return FAILED;
    return is_there(folder_find(a, buf_slice(ret))) ? EXISTS : OK;
}

static bool moves(const struct folder *f, struct slice from)
{
    return is_there(f) && (slice_eq(f->name, from) || name_is_below(f->name, from));
}

/* Old names first, so that a name may be both old and new. */
static enum result put_moves(struct account *a, struct kv_batch *b, struct slice from,
                             struct slice to)
{
    for (size_t i = 0; i < a->n_folders; i++)
        if (moves(&a->folders[i], from))
            drop_name(a, b, &a->folders[i]);
    struct buf name;
    buf_init(&name, MAILBOX_NAME_MAX + 1);
    enum result r = OK;
    for (size_t i = 0; r == OK && i < a->n_folders; i++) {
        const struct folder *f = &a->folders[i];
        if (!moves(f, from))
            continue;
        r = new_name(a, f, from.len, to, &name);
        if (r != OK)
            break;
        const struct folder *there = folder_find(a, buf_slice(&name));
        unsigned subscribed = there ? there->attrs & MAILBOX_SUBSCRIBED : 0;
        folder_put(a, b, buf_slice(&name), (f->attrs & ~(unsigned)MAILBOX_SUBSCRIBED) | subscribed,
                   f->mailbox ? f->mailbox->id : 0);
    }
    buf_release(&name);
    return r;
}

static enum result rename_name(struct account *a, struct slice from, struct slice to)
{
    if (!is_there(folder_find(a, from)))
        return NOT_FOUND;
    if (is_there(folder_find(a, to)))
        return EXISTS;
    if (name_is_below(to, from))
        return INVALID;
    struct kv_batch *b = kv_batch_new(a->store->kv, KV_BATCH_ESSENTIAL);
    if (!b)
        return FAILED;
    size_t levels = make_parents(a, b, to);
    enum result r = a->n_folders + levels + 1 > MAILBOXES_MAX ? LIMIT : put_moves(a, b, from, to);
    if (r != OK) {
        kv_batch_free(b);
        return r;
    }
    account_put_record(a, b, false);
    return commit_and_reload(a, b);
}

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool finished;
    enum result result;
};

static void finish(void *arg, enum result r)
{
    struct waiter *w = arg;
    pthread_mutex_lock(&w->lock);
    w->finished = true;
    w->result = r;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->lock);
}

static enum result move_and_wait(struct mailbox *from, struct mailbox *to, const uint32_t *uids,
                                 uint32_t *ret_uids, size_t n)
{
    struct waiter w = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, OK};
    uint32_t uidvalidity;
    enum result r = mailbox_copy(from, to, true, uids, n, ret_uids, &uidvalidity, finish, &w);
    if (r != OK)
        return r;
    pthread_mutex_lock(&w.lock);
    while (!w.finished)
        pthread_cond_wait(&w.cond, &w.lock);
    pthread_mutex_unlock(&w.lock);
    return w.result;
}

static enum result move_all(struct mailbox *from, struct mailbox *to)
{
    struct view *v;
    enum result r = mailbox_view(from, &v);
    if (r != OK)
        return r;
    uint32_t n = view_count(v);
    uint32_t *uids = malloc(((size_t)n * 2 + 1) * sizeof *uids);
    if (!uids)
        r = FAILED;
    for (uint32_t i = 0; r == OK && i < n; i++)
        uids[i] = view_entry(v, i + 1)->uid;
    for (uint32_t at = 0; r == OK && at < n; at += CHANGE_CHUNK) {
        uint32_t here = n - at < CHANGE_CHUNK ? n - at : CHANGE_CHUNK;
        r = move_and_wait(from, to, uids + at, uids + n, here);
    }
    free(uids);
    view_unref(v);
    return r;
}

/* RFC 3501 6.3.5: "Renaming INBOX … moves all messages in INBOX to a new mailbox with the given
 * name, leaving INBOX empty"; its inferiors stay. */
static enum result rename_inbox(struct account *a, struct slice to)
{
    enum result r = mailbox_create(a, to, 0);
    if (r != OK)
        return r;
    struct mailbox *inbox = NULL, *target = NULL;
    r = mailbox_open(a, SLICE("INBOX"), &inbox);
    if (r == OK)
        r = mailbox_open(a, to, &target);
    if (r == OK)
        r = move_all(inbox, target);
    mailbox_unref(inbox);
    mailbox_unref(target);
    return r;
}

enum result mailbox_rename(struct account *a, struct slice from, struct slice to)
{
    struct buf old_name, target;
    buf_init(&old_name, MAILBOX_NAME_MAX + 1);
    buf_init(&target, MAILBOX_NAME_MAX + 1);
    enum result r = name_canonical(from, &old_name);
    if (r == OK)
        r = name_canonical(to, &target);
    if (r == OK && slice_is(buf_slice(&old_name), "INBOX")) {
        r = rename_inbox(a, buf_slice(&target));
    } else if (r == OK && (r = account_enter(a)) == OK) {
        r = rename_name(a, buf_slice(&old_name), buf_slice(&target));
        account_leave(a);
    }
    buf_release(&old_name);
    buf_release(&target);
    return r;
}

/* ---- subscribe ---- */

static enum result subscribe(struct account *a, struct slice name, bool on)
{
    const struct folder *f = folder_find(a, name);
    if (f ? !(f->attrs & MAILBOX_SUBSCRIBED) == !on : !on)
        return OK;
    if (!f && a->n_folders >= MAILBOXES_MAX)
        return LIMIT;
    struct kv_batch *b = kv_batch_new(a->store->kv, KV_BATCH_ESSENTIAL);
    if (!b)
        return FAILED;
    unsigned attrs = f ? f->attrs ^ MAILBOX_SUBSCRIBED : MAILBOX_SUBSCRIBED | MAILBOX_NONEXISTENT;
    if (attrs == MAILBOX_NONEXISTENT)
        del_folder(a, b, name);
    else
        folder_put(a, b, name, attrs, f && f->mailbox ? f->mailbox->id : 0);
    return commit_and_reload(a, b);
}

enum result mailbox_subscribe(struct account *a, struct slice name, bool on)
{
    struct buf canonical;
    buf_init(&canonical, MAILBOX_NAME_MAX + 1);
    enum result r = name_canonical(name, &canonical);
    if (r == OK)
        r = account_enter(a);
    if (r == OK) {
        r = subscribe(a, buf_slice(&canonical), on);
        account_leave(a);
    }
    buf_release(&canonical);
    return r;
}

/* ---- list ---- */

/* A copy, so that `each` may call the store. */
static enum result copy_list(struct account *a, struct arena *mem, struct mailbox_info **ret,
                             size_t *ret_n)
{
    struct mailbox_info *list = arena_alloc_n(mem, a->n_folders + 1, sizeof *list);
    for (size_t i = 0; list && i < a->n_folders; i++) {
        const struct folder *f = &a->folders[i];
        list[i] = (struct mailbox_info){
            .name = arena_dup(mem, f->name),
            .id = f->mailbox ? f->mailbox->id : 0,
            .attrs = f->attrs,
            .has_children = has_children(a, i),
            .uidvalidity = f->mailbox ? f->mailbox->head.uidvalidity : 0,
        };
    }
    if (arena_failed(mem))
        return FAILED;
    *ret = list;
    *ret_n = a->n_folders;
    return OK;
}

enum result mailbox_list(struct account *a, bool (*each)(void *arg, const struct mailbox_info *m),
                         void *arg)
{
    struct arena mem;
    arena_init(&mem, (size_t)MAILBOXES_MAX * (MAILBOX_NAME_MAX + 128));
    enum result r = account_enter(a);
    if (r == OK) {
        struct mailbox_info *list = NULL;
        size_t n = 0;
        r = copy_list(a, &mem, &list, &n);
        account_leave(a);
        for (size_t i = 0; r == OK && i < n && each(arg, &list[i]); i++) {
        }
    }
    arena_release(&mem);
    return r;
}
