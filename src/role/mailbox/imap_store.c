/* imap_store.c: the store in the words of the IMAP core (struct imap_ops). */
#include "role/mailbox/imap.h"

#include <stddef.h>

#include "base/clock.h"

/* The core's types are the store's, under names of its own: proto/ does not know the store. */
#define SAME(type_a, type_b, field)                                                                \
    _Static_assert(offsetof(type_a, field) == offsetof(type_b, field), "entries differ: " #field)
SAME(struct imap_entry, struct entry, uid);
SAME(struct imap_entry, struct entry, flags);
SAME(struct imap_entry, struct entry, keywords);
SAME(struct imap_entry, struct entry, modseq);
SAME(struct imap_entry, struct entry, internaldate);
SAME(struct imap_entry, struct entry, size);
SAME(struct imap_entry, struct entry, message);
SAME(struct imap_entry, struct entry, savedate);
_Static_assert(sizeof(struct imap_entry) == sizeof(struct entry), "entries differ in size");
_Static_assert((int)IMAP_SEEN == (int)FLAG_SEEN && (int)IMAP_DRAFT == (int)FLAG_DRAFT,
               "flags differ");
_Static_assert((int)IMAP_NOSELECT == (int)MAILBOX_NOSELECT &&
                   (int)IMAP_SPECIAL == (int)MAILBOX_SPECIAL &&
                   (int)IMAP_NONEXISTENT == (int)MAILBOX_NONEXISTENT,
               "attributes differ");

static struct mailbox *box(struct imap_mailbox *m)
{
    return (struct mailbox *)m;
}

static const struct view *pictured(const struct imap_view *v)
{
    return (const struct view *)v;
}

static struct account *account_of(void *ctx)
{
    return ((struct imap_session *)ctx)->session->account;
}

/* ---- mailboxes ---- */

enum result imap_own_name(void *ctx, struct slice name, struct buf *ret)
{
    const struct imap_session *i = ctx;
    buf_init(ret, MAILBOX_NAME_MAX);
    return names_to_store(i->names, name, ret);
}

static const struct mailbox_names *names_of(void *ctx)
{
    return ((struct imap_session *)ctx)->names;
}

struct listing {
    bool (*each)(void *arg, const struct imap_mailbox_info *m);
    void *arg;
    const struct mailbox_names *names;
    struct buf name;
};

/* With a prefix such as "INBOX." everything else is below INBOX. */
static bool is_level(const struct mailbox_names *n, struct slice name)
{
    const struct namespace *space = &n->spaces[0];
    return slice_is(name, "INBOX") && space->prefix.len == 6 &&
           slice_starts_nocase(space->prefix, name) && space->prefix.data[5] == space->separator;
}

static bool list_one(void *arg, const struct mailbox_info *m)
{
    struct listing *l = arg;
    struct imap_mailbox_info info = {.attrs = m->attrs, .has_children = m->has_children};
    buf_reset(&l->name);
    if (names_to_client(l->names, m->name, &l->name) != OK)
        return true;
    info.name = buf_slice(&l->name);
    info.attrs |= names_special_use(l->names, m->name);
    info.has_children = info.has_children || is_level(l->names, m->name);
    return l->each(l->arg, &info);
}

static enum result list(void *ctx, bool (*each)(void *arg, const struct imap_mailbox_info *m),
                        void *arg)
{
    struct listing l = {.each = each, .arg = arg, .names = names_of(ctx)};
    buf_init(&l.name, 2 * MAILBOX_NAME_MAX);
    enum result r = mailbox_list(account_of(ctx), list_one, &l);
    buf_release(&l.name);
    return r;
}

static enum result create(void *ctx, struct slice name, unsigned special_use)
{
    struct buf own;
    enum result r = imap_own_name(ctx, name, &own);
    if (r == OK)
        r = mailbox_create(account_of(ctx), buf_slice(&own), special_use);
    buf_release(&own);
    return r == NOT_FOUND ? INVALID : r;
}

static enum result remove_mailbox(void *ctx, struct slice name)
{
    struct buf own;
    enum result r = imap_own_name(ctx, name, &own);
    if (r == OK)
        r = mailbox_delete(account_of(ctx), buf_slice(&own));
    buf_release(&own);
    return r;
}

static enum result rename_mailbox(void *ctx, struct slice from, struct slice to)
{
    struct buf own, other;
    enum result r = imap_own_name(ctx, from, &own);
    enum result second = imap_own_name(ctx, to, &other);
    if (r == OK && second != OK)
        r = INVALID;
    if (r == OK)
        r = mailbox_rename(account_of(ctx), buf_slice(&own), buf_slice(&other));
    buf_release(&own);
    buf_release(&other);
    return r;
}

static enum result subscribe(void *ctx, struct slice name, bool on)
{
    struct buf own;
    enum result r = imap_own_name(ctx, name, &own);
    if (r == OK)
        r = mailbox_subscribe(account_of(ctx), buf_slice(&own), on);
    buf_release(&own);
    return r;
}

static enum result open_mailbox(void *ctx, struct slice name, struct imap_mailbox **ret)
{
    struct buf own;
    struct mailbox *m;
    enum result r = imap_own_name(ctx, name, &own);
    if (r == OK)
        r = mailbox_open(account_of(ctx), buf_slice(&own), &m);
    if (r == OK)
        *ret = (struct imap_mailbox *)m;
    buf_release(&own);
    return r;
}

static void close_mailbox(void *ctx, struct imap_mailbox *m)
{
    (void)ctx;
    mailbox_unref(box(m));
}

static uint64_t id_of_mailbox(const struct imap_mailbox *m)
{
    return mailbox_id((const struct mailbox *)m);
}

static enum result name_of_mailbox(void *ctx, struct imap_mailbox *m, struct buf *out)
{
    struct buf own;
    buf_init(&own, MAILBOX_NAME_MAX);
    enum result r = mailbox_name(box(m), &own);
    if (r == OK)
        r = names_to_client(names_of(ctx), buf_slice(&own), out);
    buf_release(&own);
    return r;
}

/* ---- views ---- */

static enum result newest_view(void *ctx, struct imap_mailbox *m, struct imap_view **ret)
{
    struct view *v;
    enum result r = mailbox_view(box(m), &v);
    (void)ctx;
    if (r == OK)
        *ret = (struct imap_view *)v;
    return r;
}

static void release_view(struct imap_view *v)
{
    view_unref((struct view *)v);
}

static void info_of_view(const struct imap_view *view, struct imap_view_info *ret)
{
    const struct view *v = pictured(view);
    *ret = (struct imap_view_info){
        .count = view_count(v),
        .uidvalidity = view_uidvalidity(v),
        .uidnext = view_uidnext(v),
        .unseen = view_unseen(v),
        .first_unseen = view_first_unseen(v),
        .keywords = view_keyword_count(v),
        .highest_modseq = view_highest_modseq(v),
        .bytes = view_bytes(v),
    };
}

static const struct imap_entry *entry_of_view(const struct imap_view *v, uint32_t seq)
{
    return (const struct imap_entry *)view_entry(pictured(v), seq);
}

static uint32_t seek(const struct imap_view *v, uint32_t uid)
{
    return view_seek(pictured(v), uid);
}

static struct slice keyword_of_view(const struct imap_view *v, uint32_t bit)
{
    return view_keyword(pictured(v), bit);
}

struct comparing {
    void (*gone)(void *arg, uint32_t old_seq, uint32_t uid);
    void (*changed)(void *arg, uint32_t new_seq, const struct imap_entry *e);
    void *arg;
};

static void one_gone(void *arg, uint32_t old_seq, uint32_t uid)
{
    struct comparing *c = arg;
    if (c->gone)
        c->gone(c->arg, old_seq, uid);
}

static void one_changed(void *arg, uint32_t new_seq, const struct entry *e)
{
    struct comparing *c = arg;
    if (c->changed)
        c->changed(c->arg, new_seq, (const struct imap_entry *)e);
}

static void diff(const struct imap_view *from, const struct imap_view *to,
                 void (*gone)(void *arg, uint32_t old_seq, uint32_t uid),
                 void (*changed)(void *arg, uint32_t new_seq, const struct imap_entry *e),
                 void *arg)
{
    struct comparing c = {gone, changed, arg};
    view_diff(pictured(from), pictured(to), one_gone, one_changed, &c);
}

static enum result vanished(void *ctx, struct imap_mailbox *m, uint64_t since_modseq,
                            void (*each)(void *arg, uint32_t uid), void *arg)
{
    (void)ctx;
    return mailbox_vanished(box(m), since_modseq, each, arg);
}

static void has_changed(struct mailbox_watch *w)
{
    session_wake(CONTAINER_OF(w, struct imap_session, watch)->session);
}

static void watch(void *ctx, struct imap_mailbox *m)
{
    struct imap_session *i = ctx;
    i->watch.changed = has_changed;
    mailbox_watch(box(m), &i->watch);
}

static void unwatch(void *ctx, struct imap_mailbox *m)
{
    mailbox_unwatch(box(m), &((struct imap_session *)ctx)->watch);
}

static void account_has_changed(struct account_watch *w)
{
    struct imap_session *i = CONTAINER_OF(w, struct imap_session, account_watch);
    atomic_store(&i->account_changed, true);
    session_wake(i->session);
}

static void watch_account(void *ctx)
{
    struct imap_session *i = ctx;
    i->account_watch.changed = account_has_changed;
    account_watch(i->session->account, &i->account_watch);
}

static void unwatch_account(void *ctx)
{
    account_unwatch(account_of(ctx), &((struct imap_session *)ctx)->account_watch);
}

static bool has_account_changed(void *ctx)
{
    return atomic_exchange(&((struct imap_session *)ctx)->account_changed, false);
}

static enum result status(void *ctx, struct slice name, struct imap_view_info *ret,
                          uint64_t *ret_id)
{
    struct imap_mailbox *m;
    struct mailbox_status s;
    enum result r = open_mailbox(ctx, name, &m);
    if (r != OK)
        return r;
    r = mailbox_status(box(m), &s);
    if (r == OK) {
        *ret = (struct imap_view_info){.count = s.count,
                                       .uidvalidity = s.uidvalidity,
                                       .uidnext = s.uidnext,
                                       .unseen = s.unseen,
                                       .highest_modseq = s.highest_modseq,
                                       .bytes = s.bytes};
        *ret_id = mailbox_id(box(m));
    }
    close_mailbox(ctx, m);
    return r;
}

/* ---- changes ---- */

static enum result keyword_bit(void *ctx, struct imap_mailbox *m, struct slice name,
                               uint32_t *ret_bit)
{
    (void)ctx;
    return mailbox_keyword(box(m), name, ret_bit);
}

static void one_refused(void *arg, uint32_t uid)
{
    struct imap_session *i = arg;
    if (i->refused)
        i->refused(i->refused_arg, uid);
}

static enum result change(void *ctx, struct imap_mailbox *m, const struct imap_change *c,
                          const uint32_t *uids, size_t n, void (*refused)(void *arg, uint32_t uid),
                          void *arg)
{
    static const enum flag_op ops[] = {
        [IMAP_FLAGS_SET] = FLAGS_SET,
        [IMAP_FLAGS_ADD] = FLAGS_ADD,
        [IMAP_FLAGS_REMOVE] = FLAGS_REMOVE,
    };
    struct imap_session *i = ctx;
    i->refused = refused;
    i->refused_arg = arg;
    imap_begin(i);
    enum result r = mailbox_store_flags(box(m), ops[c->op], c->flags, c->keywords, uids, n,
                                        c->unchanged_since, one_refused, imap_done, i);
    return r == OK ? OK : imap_not_begun(ctx, r);
}

static enum result expunge(void *ctx, struct imap_mailbox *m, const uint32_t *uids, size_t n)
{
    imap_begin(ctx);
    enum result r = mailbox_expunge(box(m), uids, n, true, imap_done, ctx);
    return r == OK ? OK : imap_not_begun(ctx, r);
}

static enum result copy(void *ctx, struct imap_mailbox *from, struct imap_mailbox *to, bool move,
                        const uint32_t *uids, size_t n, uint32_t *ret_uids,
                        uint32_t *ret_uidvalidity)
{
    imap_begin(ctx);
    enum result r =
        mailbox_copy(box(from), box(to), move, uids, n, ret_uids, ret_uidvalidity, imap_done, ctx);
    return r == OK ? OK : imap_not_begun(ctx, r);
}

/* ---- messages ---- */

struct summarizing {
    void (*each)(void *arg, size_t i, struct slice summary);
    void *arg;
};

static void one_summary(void *arg, size_t i, struct slice summary)
{
    struct summarizing *s = arg;
    s->each(s->arg, i, summary.len ? summary : SLICE_NONE);
}

static enum result summaries(void *ctx, const uint64_t *messages, size_t n,
                             void (*each)(void *arg, size_t i, struct slice summary), void *arg)
{
    struct summarizing s = {each, arg};
    return message_summaries(((struct imap_session *)ctx)->session->store, messages, n, one_summary,
                             &s);
}

static enum result read_message(void *ctx, uint64_t message, uint64_t from, uint64_t len,
                                struct buf *out)
{
    return message_read(((struct imap_session *)ctx)->session->store, message, from, len, out);
}

_Static_assert(sizeof(struct imap_metadata) == sizeof(struct metadata) &&
                   offsetof(struct imap_metadata, value) == offsetof(struct metadata, value),
               "annotations differ");

static enum result each_metadata(void *ctx, struct slice mailbox,
                                 void (*each)(void *arg, struct slice name, struct slice value),
                                 void *arg)
{
    struct buf own;
    buf_init(&own, 1);
    enum result r = mailbox.len ? imap_own_name(ctx, mailbox, &own) : OK;
    if (r == OK)
        r = metadata_each(account_of(ctx), buf_slice(&own), each, arg);
    buf_release(&own);
    return r;
}

static enum result set_metadata(void *ctx, struct slice mailbox, const struct imap_metadata *items,
                                size_t n)
{
    struct buf own;
    buf_init(&own, 1);
    enum result r = mailbox.len ? imap_own_name(ctx, mailbox, &own) : OK;
    if (r == OK)
        r = metadata_set(account_of(ctx), buf_slice(&own), (const struct metadata *)items, n);
    buf_release(&own);
    return r;
}

static int64_t now(void *ctx)
{
    (void)ctx;
    return clock_realtime_s();
}

static enum result quota(void *ctx, struct imap_quota *ret)
{
    struct imap_session *i = ctx;
    struct store_limits l;
    uint64_t bytes, messages;
    enum result r = account_quota(i->session->account, &l, &bytes, &messages);
    if (r == OK)
        *ret = (struct imap_quota){slice_cstr(i->quota_root), bytes, l.bytes, messages, l.messages};
    return r;
}

static void client_id(void *ctx, struct slice text)
{
    struct imap_session *i = ctx;
    LOG(LOG_INFO, "imap.client", LOG_CTX(i->session->log_context), LOG_S("id", text));
}

const struct imap_ops imap_store_ops = {
    .list = list,
    .create = create,
    .remove = remove_mailbox,
    .rename = rename_mailbox,
    .subscribe = subscribe,
    .open = open_mailbox,
    .close = close_mailbox,
    .mailbox_id = id_of_mailbox,
    .mailbox_name = name_of_mailbox,
    .view = newest_view,
    .view_release = release_view,
    .view_info = info_of_view,
    .entry = entry_of_view,
    .seek = seek,
    .keyword = keyword_of_view,
    .diff = diff,
    .vanished = vanished,
    .watch = watch,
    .unwatch = unwatch,
    .watch_account = watch_account,
    .unwatch_account = unwatch_account,
    .account_changed = has_account_changed,
    .status = status,
    .keyword_bit = keyword_bit,
    .change = change,
    .expunge = expunge,
    .copy = copy,
    .summaries = summaries,
    .read = read_message,
    .append_begin = imap_append_begin,
    .append_write = imap_append_write,
    .append_end = imap_append_end,
    .append_abandon = imap_append_abandon,
    .metadata = each_metadata,
    .set_metadata = set_metadata,
    .now = now,
    .quota = quota,
    .client_id = client_id,
};
