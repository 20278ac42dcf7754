/* fake_imap.c: see fake_imap.h. */
#include "fake_imap.h"

#include <stdlib.h>

#include "base/map.h"
#include "mime/summary.h"

const char *const fake_texts[FAKE_TEXTS] = {
    "From: Alice <alice@example.org>\r\nTo: bob@example.net\r\nSubject: first\r\n"
    "Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nMessage-ID: <1@example.org>\r\n\r\n"
    "Hello Bob,\r\nthis is plain.\r\n",
    "From: =?utf-8?q?J=C3=BCrgen?= <j@example.org>\r\nTo: bob@example.net\r\nCc: cy@example.net\r\n"
    "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\npreamble\r\n--b\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "U2Now7ZuZSBHcsO8w59l\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n"
    "Subject: inside\r\n\r\ninner body\r\n--b--\r\n",
    "Subject: no end",
    "Subject: third\r\nX-Folded: one\r\n two\r\nX-Other: three\r\n\r\nlast\r\n",
};

/* ---- views ---- */

struct fake_view {
    struct fake_world *world;
    int refs;
    uint64_t modseq;
    uint32_t count, uidvalidity, uidnext, n_keywords;
    struct imap_entry entries[FAKE_MESSAGES];
    char keywords[64][80];
};

struct handle {
    struct fake_world *world;
    struct fake_mailbox *box;
    uint32_t uidvalidity;
    struct fake_view *last;
};

static struct handle *handle_of(struct imap_mailbox *m)
{
    return (struct handle *)m;
}

static struct fake_view *view_of(const struct imap_view *v)
{
    return (struct fake_view *)(uintptr_t)v;
}

static void release_view(struct imap_view *v)
{
    if (--view_of(v)->refs == 0) {
        view_of(v)->world->views--;
        free(v);
    }
}

static enum result newest(void *ctx, struct imap_mailbox *m, struct imap_view **ret)
{
    struct handle *h = handle_of(m);
    if (!h->box->used || h->box->uidvalidity != h->uidvalidity)
        return NOT_FOUND;
    if (!h->last || h->last->modseq != h->box->modseq) {
        struct fake_view *v = calloc(1, sizeof *v);
        if (h->last)
            release_view((struct imap_view *)h->last);
        *v = (struct fake_view){.world = ctx,
                                .refs = 1,
                                .modseq = h->box->modseq,
                                .count = h->box->count,
                                .uidvalidity = h->box->uidvalidity,
                                .uidnext = h->box->uidnext,
                                .n_keywords = h->box->n_keywords};
        for (uint32_t i = 0; i < v->count; i++)
            v->entries[i] = h->box->messages[i].entry;
        memcpy(v->keywords, h->box->keywords, sizeof v->keywords);
        h->last = v;
        ((struct fake_world *)ctx)->views++;
    }
    h->last->refs++;
    *ret = (struct imap_view *)h->last;
    return OK;
}

static void view_info(const struct imap_view *wrapped, struct imap_view_info *ret)
{
    const struct fake_view *v = view_of(wrapped);
    *ret = (struct imap_view_info){.count = v->count,
                                   .uidvalidity = v->uidvalidity,
                                   .uidnext = v->uidnext,
                                   .keywords = v->n_keywords,
                                   .highest_modseq = v->modseq};
    for (uint32_t i = v->count; i-- > 0;) {
        ret->bytes += v->entries[i].size;
        if (!(v->entries[i].flags & IMAP_SEEN)) {
            ret->unseen++;
            ret->first_unseen = i + 1;
        }
    }
}

static const struct imap_entry *entry(const struct imap_view *v, uint32_t seq)
{
    /* A sequence number that is not there is a bug of the core. */
    if (seq < 1 || seq > view_of(v)->count)
        abort();
    return &view_of(v)->entries[seq - 1];
}

static uint32_t seek(const struct imap_view *v, uint32_t uid)
{
    uint32_t i = 0;
    while (i < view_of(v)->count && view_of(v)->entries[i].uid < uid)
        i++;
    return i + 1;
}

static struct slice keyword(const struct imap_view *v, uint32_t bit)
{
    return bit < view_of(v)->n_keywords ? slice_cstr(view_of(v)->keywords[bit]) : SLICE_NONE;
}

static const struct imap_entry *same(const struct fake_view *v, uint32_t uid)
{
    uint32_t seq = seek((const struct imap_view *)v, uid);
    return seq <= v->count && v->entries[seq - 1].uid == uid ? &v->entries[seq - 1] : NULL;
}

static void diff(const struct imap_view *from, const struct imap_view *to,
                 void (*gone)(void *arg, uint32_t old_seq, uint32_t uid),
                 void (*changed)(void *arg, uint32_t new_seq, const struct imap_entry *e),
                 void *arg)
{
    const struct fake_view *a = view_of(from), *b = view_of(to);
    for (uint32_t i = a->count; i-- > 0;)
        if (!same(b, a->entries[i].uid))
            gone(arg, i + 1, a->entries[i].uid);
    for (uint32_t i = 0; i < b->count; i++) {
        const struct imap_entry *was = same(a, b->entries[i].uid);
        if (was && was->modseq != b->entries[i].modseq)
            changed(arg, i + 1, &b->entries[i]);
    }
}

/* ---- mailboxes ---- */

struct fake_mailbox *fake_find(struct fake_world *w, struct slice name)
{
    for (int i = 0; i < FAKE_MAILBOXES; i++)
        if (w->boxes[i].used && slice_eq(slice_cstr(w->boxes[i].name), name))
            return &w->boxes[i];
    return NULL;
}

static enum result list(void *ctx, bool (*each)(void *arg, const struct imap_mailbox_info *m),
                        void *arg)
{
    struct fake_world *w = ctx;
    for (int i = 0; i < FAKE_MAILBOXES; i++) {
        if (!w->boxes[i].used)
            continue;
        struct imap_mailbox_info info = {slice_cstr(w->boxes[i].name), w->boxes[i].attrs, false};
        for (int j = 0; j < FAKE_MAILBOXES; j++) {
            struct slice other = slice_cstr(w->boxes[j].name);
            if (w->boxes[j].used && other.len > info.name.len && slice_starts(other, info.name) &&
                other.data[info.name.len] == '/')
                info.has_children = true;
        }
        if (!each(arg, &info))
            break;
    }
    return OK;
}

static enum result create(void *ctx, struct slice name, unsigned special_use)
{
    struct fake_world *w = ctx;
    if (name.len == 0 || name.len > 1000)
        return INVALID;
    if (fake_find(w, name))
        return EXISTS;
    for (int i = 0; i < FAKE_MAILBOXES; i++) {
        struct fake_mailbox *m = &w->boxes[i];
        if (m->used)
            continue;
        memset(m, 0, sizeof *m);
        memcpy(m->name, name.data, name.len);
        m->used = true;
        m->attrs = special_use;
        m->uidvalidity = 100 + w->made++;
        m->uidnext = 1;
        m->modseq = 1;
        return OK;
    }
    return LIMIT;
}

static void drop_messages(struct fake_mailbox *m)
{
    for (uint32_t i = 0; i < m->count; i++)
        free(m->messages[i].bytes);
    m->count = 0;
}

static enum result remove_mailbox(void *ctx, struct slice name)
{
    struct fake_mailbox *m = fake_find(ctx, name);
    if (slice_is(name, "INBOX"))
        return DENIED;
    if (!m)
        return NOT_FOUND;
    drop_messages(m);
    m->used = false;
    return OK;
}

static enum result rename_mailbox(void *ctx, struct slice from, struct slice to)
{
    struct fake_mailbox *m = fake_find(ctx, from);
    if (!m)
        return NOT_FOUND;
    if (fake_find(ctx, to))
        return EXISTS;
    if (to.len == 0 || to.len > 1000)
        return INVALID;
    memset(m->name, 0, sizeof m->name);
    memcpy(m->name, to.data, to.len);
    return OK;
}

static enum result subscribe(void *ctx, struct slice name, bool on)
{
    struct fake_mailbox *m = fake_find(ctx, name);
    if (m)
        m->attrs = on ? m->attrs | IMAP_SUBSCRIBED : m->attrs & ~(unsigned)IMAP_SUBSCRIBED;
    return m ? OK : NOT_FOUND;
}

static enum result open_mailbox(void *ctx, struct slice name, struct imap_mailbox **ret)
{
    struct fake_world *w = ctx;
    struct fake_mailbox *m = fake_find(w, name);
    if (!m)
        return NOT_FOUND;
    if (m->attrs & IMAP_NOSELECT)
        return DENIED;
    struct handle *h = calloc(1, sizeof *h);
    *h = (struct handle){w, m, m->uidvalidity, NULL};
    w->mailboxes++;
    *ret = (struct imap_mailbox *)h;
    return OK;
}

static void close_mailbox(void *ctx, struct imap_mailbox *m)
{
    struct fake_world *w = ctx;
    w->mailboxes--;
    if (handle_of(m)->last)
        release_view((struct imap_view *)handle_of(m)->last);
    free(m);
}

static enum result vanished(void *ctx, struct imap_mailbox *m, uint64_t since_modseq,
                            void (*each)(void *arg, uint32_t uid), void *arg)
{
    const struct fake_mailbox *box = handle_of(m)->box;
    (void)ctx;
    if (since_modseq < box->forgotten_to)
        return CONFLICT;
    for (uint32_t uid = 1; uid < box->uidnext; uid++)
        for (uint32_t i = 0; i < box->n_gone; i++)
            if (box->gone[i].uid == uid && box->gone[i].modseq > since_modseq)
                each(arg, uid);
    return OK;
}

static uint64_t id_of_mailbox(const struct imap_mailbox *m)
{
    return ((const struct handle *)m)->uidvalidity;
}

static enum result name_of_mailbox(void *ctx, struct imap_mailbox *m, struct buf *out)
{
    const struct handle *h = handle_of(m);
    (void)ctx;
    if (!h->box->used || h->box->uidvalidity != h->uidvalidity)
        return NOT_FOUND;
    buf_puts(out, h->box->name);
    return OK;
}

static void watch(void *ctx, struct imap_mailbox *m)
{
    ((struct fake_world *)ctx)->watched = handle_of(m)->box;
}

static void unwatch(void *ctx, struct imap_mailbox *m)
{
    (void)m;
    ((struct fake_world *)ctx)->watched = NULL;
}

static uint64_t account_state(const struct fake_world *w)
{
    struct buf all;
    buf_init(&all, 1 << 20);
    for (int i = 0; i < FAKE_MAILBOXES; i++)
        if (w->boxes[i].used)
            buf_printf(&all, "%s %x %u %llu\n", w->boxes[i].name, w->boxes[i].attrs,
                       w->boxes[i].uidvalidity, (unsigned long long)w->boxes[i].modseq);
    buf_append(&all, slice_of(w->annotations, sizeof w->annotations));
    uint64_t hash = hash_bytes(buf_slice(&all));
    buf_release(&all);
    return hash;
}

static bool account_changed(void *ctx)
{
    struct fake_world *w = ctx;
    uint64_t now = account_state(w), before = w->account_seen;
    w->account_seen = now;
    return now != before;
}

static void watch_account(void *ctx)
{
    struct fake_world *w = ctx;
    w->account_watched = true;
    w->account_seen = account_state(w);
}

static void unwatch_account(void *ctx)
{
    ((struct fake_world *)ctx)->account_watched = false;
}

static enum result quick_status(void *ctx, struct slice name, struct imap_view_info *ret,
                                uint64_t *ret_id)
{
    struct imap_mailbox *m;
    struct imap_view *v;
    enum result r = open_mailbox(ctx, name, &m);
    if (r != OK)
        return r;
    r = newest(ctx, m, &v);
    if (r == OK) {
        view_info(v, ret);
        *ret_id = id_of_mailbox(m);
        release_view(v);
    }
    close_mailbox(ctx, m);
    return r;
}

/* ---- changes ---- */

static enum result submitted(struct fake_world *w)
{
    if (w->answer_due)
        abort(); /* one at a time */
    w->answer_due = true;
    w->answer = w->fail;
    w->fail = OK;
    return OK;
}

void fake_answer(struct fake_world *w, struct imap *im)
{
    if (!w->answer_due)
        return;
    w->answer_due = false;
    imap_answer(im, w->answer);
}

static struct fake_message *message_of(struct fake_mailbox *m, uint32_t uid)
{
    for (uint32_t i = 0; i < m->count; i++)
        if (m->messages[i].entry.uid == uid)
            return &m->messages[i];
    return NULL;
}

static enum result keyword_bit(void *ctx, struct imap_mailbox *m, struct slice name,
                               uint32_t *ret_bit)
{
    struct fake_mailbox *box = handle_of(m)->box;
    (void)ctx;
    for (uint32_t i = 0; i < box->n_keywords; i++) {
        if (slice_eq_nocase(slice_cstr(box->keywords[i]), name)) {
            *ret_bit = i;
            return OK;
        }
    }
    if (box->n_keywords == 64 || name.len > 64)
        return LIMIT;
    memcpy(box->keywords[box->n_keywords], name.data, name.len);
    *ret_bit = box->n_keywords++;
    return OK;
}

static void touch(struct fake_mailbox *m, struct imap_entry *e)
{
    e->modseq = ++m->modseq;
}

static enum result change(void *ctx, struct imap_mailbox *m, const struct imap_change *c,
                          const uint32_t *uids, size_t n, void (*refused)(void *arg, uint32_t uid),
                          void *arg)
{
    struct fake_world *w = ctx;
    for (size_t i = 0; i < n && w->fail == OK; i++) {
        struct fake_message *msg = message_of(handle_of(m)->box, uids[i]);
        if (!msg)
            continue;
        struct imap_entry *e = &msg->entry;
        if (e->modseq > c->unchanged_since) {
            refused(arg, uids[i]);
            continue;
        }
        e->flags = c->op == IMAP_FLAGS_SET   ? c->flags
                   : c->op == IMAP_FLAGS_ADD ? e->flags | c->flags
                                             : e->flags & ~c->flags;
        e->keywords = c->op == IMAP_FLAGS_SET   ? c->keywords
                      : c->op == IMAP_FLAGS_ADD ? e->keywords | c->keywords
                                                : e->keywords & ~c->keywords;
        touch(handle_of(m)->box, e);
    }
    return submitted(w);
}

void fake_expunge(struct fake_mailbox *m, uint32_t uid)
{
    struct fake_message *msg = message_of(m, uid);
    if (!msg)
        return;
    free(msg->bytes);
    size_t i = (size_t)(msg - m->messages);
    memmove(msg, msg + 1, (m->count - i - 1) * sizeof *msg);
    m->count--;
    m->modseq++;
    if (m->n_gone == FAKE_GONE) {
        m->n_gone = 0;
        m->forgotten_to = m->modseq;
        return;
    }
    m->gone[m->n_gone].uid = uid;
    m->gone[m->n_gone++].modseq = m->modseq;
}

static enum result expunge(void *ctx, struct imap_mailbox *m, const uint32_t *uids, size_t n)
{
    struct fake_world *w = ctx;
    for (size_t i = 0; i < n && w->fail == OK; i++) {
        struct fake_message *msg = message_of(handle_of(m)->box, uids[i]);
        if (msg && (msg->entry.flags & IMAP_DELETED))
            fake_expunge(handle_of(m)->box, uids[i]);
    }
    return submitted(w);
}

/* A message's number says in which mailbox it lies: mailbox << 32 | its UID. */
static uint64_t number_of(const struct fake_mailbox *m, uint32_t uid)
{
    return (uint64_t)m->uidvalidity << 32 | uid;
}

/* 1994-02-11 12:00:00 UTC */
static int64_t now(void *ctx)
{
    (void)ctx;
    return 760968000;
}

static struct fake_message *add(struct fake_mailbox *m, const struct fake_message *from)
{
    if (m->count == FAKE_MESSAGES)
        return NULL;
    struct fake_message *msg = &m->messages[m->count++];
    *msg = *from;
    /* Appended or copied; of what others deliver it is not known. */
    msg->entry.savedate = from->bytes || from->entry.uid ? now(NULL) : 0;
    msg->entry.uid = m->uidnext++;
    msg->entry.message = number_of(m, msg->entry.uid);
    touch(m, &msg->entry);
    if (from->bytes) {
        msg->bytes = malloc(from->len + 1);
        memcpy(msg->bytes, from->bytes, from->len);
    }
    return msg;
}

void fake_deliver(struct fake_mailbox *m, int text, uint8_t flags)
{
    struct fake_message msg = {.text = text};
    msg.entry.flags = flags;
    msg.entry.internaldate = 760686745 + 86400 * text; /* 1994-02-08 05:52:25 UTC */
    msg.entry.size = strlen(fake_texts[text]);
    add(m, &msg);
}

void fake_flag(struct fake_mailbox *m, uint32_t uid, uint8_t flags)
{
    struct fake_message *msg = message_of(m, uid);
    if (!msg)
        return;
    msg->entry.flags = flags;
    touch(m, &msg->entry);
}

static enum result copy(void *ctx, struct imap_mailbox *from, struct imap_mailbox *to, bool move,
                        const uint32_t *uids, size_t n, uint32_t *ret_uids,
                        uint32_t *ret_uidvalidity)
{
    struct fake_world *w = ctx;
    struct fake_mailbox *source = handle_of(from)->box, *target = handle_of(to)->box;
    if (target->count + n > FAKE_MESSAGES)
        return LIMIT;
    for (size_t i = 0; i < n && w->fail == OK; i++) {
        struct fake_message *msg = message_of(source, uids[i]);
        struct fake_message *made = msg ? add(target, msg) : NULL;
        ret_uids[i] = made ? made->entry.uid : 0;
        if (made && move && source != target)
            fake_expunge(source, uids[i]);
    }
    *ret_uidvalidity = target->uidvalidity;
    return submitted(w);
}

/* ---- messages ---- */

static struct slice bytes_of(struct fake_world *w, uint64_t number)
{
    for (int i = 0; i < FAKE_MAILBOXES; i++) {
        struct fake_mailbox *m = &w->boxes[i];
        struct fake_message *msg =
            m->used && m->uidvalidity == number >> 32 ? message_of(m, (uint32_t)number) : NULL;
        if (msg)
            return msg->bytes ? slice_of(msg->bytes, msg->len) : slice_cstr(fake_texts[msg->text]);
    }
    return SLICE_NONE;
}

static enum result summaries(void *ctx, const uint64_t *messages, size_t n,
                             void (*each)(void *arg, size_t i, struct slice summary), void *arg)
{
    for (size_t i = 0; i < n; i++) {
        struct slice bytes = bytes_of(ctx, messages[i]);
        struct buf out;
        buf_init(&out, SUMMARY_BYTES_MAX);
        bool made = bytes.data && summary_build(bytes, &out) == OK;
        each(arg, i, made ? buf_slice(&out) : SLICE_NONE);
        buf_release(&out);
    }
    return OK;
}

static enum result read_message(void *ctx, uint64_t message, uint64_t from, uint64_t len,
                                struct buf *out)
{
    struct slice bytes = bytes_of(ctx, message);
    if (!bytes.data)
        return NOT_FOUND;
    buf_append(out, slice_sub(bytes, (size_t)from, (size_t)len));
    return OK;
}

static enum result append_begin(void *ctx, const struct imap_append *a)
{
    struct fake_world *w = ctx;
    if (w->appending)
        abort();
    if (!fake_find(w, a->mailbox))
        return NOT_FOUND;
    w->append = *a;
    w->appending = true;
    buf_init(&w->incoming, 100000);
    return OK;
}

static enum result append_write(void *ctx, struct slice bytes)
{
    struct fake_world *w = ctx;
    buf_append(&w->incoming, bytes);
    if (buf_ok(&w->incoming))
        return OK;
    buf_release(&w->incoming);
    w->appending = false;
    return LIMIT;
}

static enum result append_end(void *ctx, uint32_t *ret_uidvalidity, uint32_t *ret_uid)
{
    struct fake_world *w = ctx;
    struct fake_mailbox *m = fake_find(w, w->append.mailbox);
    struct fake_message msg = {.text = -1};
    w->appending = false;
    struct slice bytes = buf_slice(&w->incoming);
    msg.bytes = malloc(bytes.len + 1);
    memcpy(msg.bytes, bytes.data, bytes.len);
    msg.len = bytes.len;
    msg.entry.flags = w->append.flags;
    msg.entry.size = msg.len;
    msg.entry.internaldate = w->append.internaldate ? w->append.internaldate : 1000000000;
    struct fake_message *old =
        w->append.replaced ? message_of(handle_of(w->append.replaced)->box, w->append.replaced_uid)
                           : NULL;
    if ((w->append.replaced && !old) || w->fail != OK) {
        free(msg.bytes);
        buf_release(&w->incoming);
        return w->fail != OK ? submitted(w) : CONFLICT;
    }
    struct fake_message *made = m ? add(m, &msg) : NULL;
    free(msg.bytes);
    buf_release(&w->incoming);
    if (!made)
        return m ? LIMIT : NOT_FOUND;
    *ret_uidvalidity = m->uidvalidity;
    *ret_uid = made->entry.uid;
    if (old)
        fake_expunge(handle_of(w->append.replaced)->box, w->append.replaced_uid);
    return submitted(w);
}

static void append_abandon(void *ctx)
{
    struct fake_world *w = ctx;
    buf_release(&w->incoming);
    w->appending = false;
}

static enum result metadata(void *ctx, struct slice mailbox,
                            void (*each)(void *arg, struct slice name, struct slice value),
                            void *arg)
{
    struct fake_world *w = ctx;
    if (mailbox.len && !fake_find(w, mailbox))
        return NOT_FOUND;
    for (int i = 0; i < FAKE_ANNOTATIONS; i++) {
        struct fake_annotation *a = &w->annotations[i];
        if (a->used && slice_eq(slice_cstr(a->mailbox), mailbox))
            each(arg, slice_cstr(a->name), slice_of(a->value, a->len));
    }
    return OK;
}

static enum result set_one(struct fake_world *w, struct slice mailbox,
                           const struct imap_metadata *item)
{
    struct fake_annotation *a = NULL;
    for (int i = FAKE_ANNOTATIONS; i-- > 0;) {
        struct fake_annotation *at = &w->annotations[i];
        bool same = at->used && slice_eq(slice_cstr(at->mailbox), mailbox) &&
                    slice_eq(slice_cstr(at->name), item->name);
        if (same || (!at->used && !(a && a->used)))
            a = at;
    }
    if (!a || item->value.len > sizeof a->value || item->name.len >= sizeof a->name ||
        mailbox.len >= sizeof a->mailbox)
        return LIMIT;
    memset(a, 0, sizeof *a);
    a->used = item->value.data != NULL;
    if (!a->used)
        return OK;
    if (mailbox.len)
        memcpy(a->mailbox, mailbox.data, mailbox.len);
    memcpy(a->name, item->name.data, item->name.len);
    if (item->value.len)
        memcpy(a->value, item->value.data, item->value.len);
    a->len = item->value.len;
    return OK;
}

static enum result set_metadata(void *ctx, struct slice mailbox, const struct imap_metadata *items,
                                size_t n)
{
    enum result r = mailbox.len && !fake_find(ctx, mailbox) ? NOT_FOUND : OK;
    for (size_t i = 0; i < n && r == OK; i++)
        r = set_one(ctx, mailbox, &items[i]);
    return r;
}

static void client_id(void *ctx, struct slice text)
{
    (void)ctx;
    (void)text;
}

static enum result fake_quota(void *ctx, struct imap_quota *ret)
{
    (void)ctx;
    *ret = (struct imap_quota){SLICE("User quota"), 2049, 10240, 3, UINT64_MAX};
    return OK;
}

const struct imap_ops fake_ops = {
    .quota = fake_quota,
    .list = list,
    .create = create,
    .remove = remove_mailbox,
    .rename = rename_mailbox,
    .subscribe = subscribe,
    .open = open_mailbox,
    .close = close_mailbox,
    .mailbox_id = id_of_mailbox,
    .mailbox_name = name_of_mailbox,
    .view = newest,
    .view_release = release_view,
    .view_info = view_info,
    .entry = entry,
    .seek = seek,
    .keyword = keyword,
    .diff = diff,
    .vanished = vanished,
    .watch = watch,
    .unwatch = unwatch,
    .watch_account = watch_account,
    .unwatch_account = unwatch_account,
    .account_changed = account_changed,
    .status = quick_status,
    .keyword_bit = keyword_bit,
    .change = change,
    .expunge = expunge,
    .copy = copy,
    .summaries = summaries,
    .read = read_message,
    .append_begin = append_begin,
    .append_write = append_write,
    .append_end = append_end,
    .append_abandon = append_abandon,
    .metadata = metadata,
    .set_metadata = set_metadata,
    .now = now,
    .client_id = client_id,
};

void fake_init(struct fake_world *w)
{
    static const struct {
        const char *name;
        unsigned attrs;
    } boxes[] = {{"INBOX", IMAP_SUBSCRIBED},
                 {"Sent", IMAP_SENT | IMAP_SUBSCRIBED},
                 {"Trash", IMAP_TRASH},
                 {"work", IMAP_NOSELECT},
                 {"work/p\xc3\xa4per", IMAP_SUBSCRIBED}};
    memset(w, 0, sizeof *w);
    for (size_t i = 0; i < sizeof boxes / sizeof *boxes; i++)
        if (create(w, slice_cstr(boxes[i].name), boxes[i].attrs) != OK)
            abort();
    for (int i = 0; i < FAKE_TEXTS; i++)
        fake_deliver(&w->boxes[0], i, i == 0 ? IMAP_SEEN : 0);
}

void fake_release(struct fake_world *w)
{
    for (int i = 0; i < FAKE_MAILBOXES; i++)
        drop_messages(&w->boxes[i]);
}
