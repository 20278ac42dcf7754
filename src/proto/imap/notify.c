/* notify.c: see notify.h. When something in the account has changed, its mailboxes are listed anew
 * and compared with what the client was told of: so events need no queue, and many of them become
 * one answer. */
#include "proto/imap/notify.h"

#include <stdlib.h>

#include "base/map.h"
#include "proto/imap/list.h"

enum {
    KNOWN_MAX = 8 * 1024 * 1024, /* bytes that a session may keep of its mailboxes */
    MAILBOXES_MAX = 100000,
    TOO_MUCH = IMAP_OUT_MAX / 2 /* so much at once is too much */
};

/* An annotation. */
struct note {
    struct note *next;
    struct slice name;
    uint64_t value; /* hash */
};

struct box {
    struct box *next;
    struct slice name;
    unsigned attrs, events;
    bool has_children;
    bool followed; /* it has another name now */
    uint64_t id;   /* 0: it can't be selected */
    struct imap_view_info info;
    struct note *notes;
};

struct notify_known {
    struct arena arena;
    struct box *first, **end;
    const struct box *status_next;
    struct note *server;
    bool failed;
};

/* ---- gathering ---- */

struct gathering {
    struct imap *im;
    const struct imap_notify *notify;
    struct notify_known *known;
    struct note **end;
};

static unsigned events_of(const struct imap *im, const struct imap_notify *n,
                          const struct imap_mailbox_info *m)
{
    for (const struct notify_group *g = n->groups; g; g = g->next)
        if (imap_filter_matches(g->filter, imap_separator(im->config), m))
            return g->events;
    return 0;
}

static bool on_mailbox(void *arg, const struct imap_mailbox_info *m)
{
    struct gathering *g = arg;
    struct notify_known *k = g->known;
    struct box *b = ARENA_NEW(&k->arena, struct box);
    struct slice name = arena_dup(&k->arena, m->name);
    k->failed |= !b || !name.data;
    if (k->failed)
        return false;
    b->name = name;
    b->attrs = m->attrs;
    b->has_children = m->has_children;
    b->events = events_of(g->im, g->notify, m);
    *k->end = b;
    k->end = &b->next;
    return true;
}

static void on_note(void *arg, struct slice name, struct slice value)
{
    struct gathering *g = arg;
    struct note *note = ARENA_NEW(&g->known->arena, struct note);
    struct slice copy = arena_dup(&g->known->arena, name);
    g->known->failed |= !note || !copy.data;
    if (g->known->failed)
        return;
    *note = (struct note){NULL, copy, hash_bytes(value)};
    *g->end = note;
    g->end = &note->next;
}

static void gather_notes(struct gathering *g, struct slice mailbox, struct note **ret)
{
    g->end = ret;
    /* One that is gone has none. */
    if (g->im->ops->metadata(g->im->ctx, mailbox, on_note, g) != OK)
        *ret = NULL;
}

static enum result gather(struct imap *im, const struct imap_notify *n, struct notify_known *ret)
{
    struct gathering g = {im, n, ret, NULL};
    arena_init(&ret->arena, KNOWN_MAX);
    ret->end = &ret->first;
    enum result r = im->ops->list(im->ctx, on_mailbox, &g);
    for (struct box *b = ret->first; r == OK && b && !ret->failed; b = b->next) {
        if (!(b->attrs & (IMAP_NOSELECT | IMAP_NONEXISTENT)) &&
            im->ops->status(im->ctx, b->name, &b->info, &b->id) != OK)
            b->id = 0; /* deleted meanwhile */
        if (b->id && (b->events & NOTIFY_METADATA))
            gather_notes(&g, b->name, &b->notes);
    }
    if (r == OK && (n->events & NOTIFY_SERVER_METADATA))
        gather_notes(&g, SLICE(""), &ret->server);
    return ret->failed ? LIMIT : r;
}

static void free_known(struct notify_known *k)
{
    if (k)
        arena_release(&k->arena);
    free(k);
}

/* NULL: no memory for all of them, *ret_result says so; or they can't be read now. */
static struct notify_known *look(struct imap *im, const struct imap_notify *n,
                                 enum result *ret_result)
{
    struct notify_known *k = calloc(1, sizeof *k);
    *ret_result = k ? gather(im, n, k) : FAILED;
    if (*ret_result == OK)
        return k;
    free_known(k);
    return NULL;
}

/* ---- telling ---- */

static void put_list(struct imap *im, const struct box *b, bool gone, struct slice old_name)
{
    struct buf *out = im->out;
    buf_puts(out, "* LIST (");
    if (gone || (b->attrs & IMAP_NONEXISTENT))
        buf_puts(out, "\\NonExistent");
    else if (b->attrs & IMAP_NOSELECT)
        buf_puts(out, "\\Noselect");
    else
        buf_puts(out, b->has_children ? "\\HasChildren" : "\\HasNoChildren");
    if (!gone && (b->attrs & IMAP_SUBSCRIBED))
        buf_puts(out, " \\Subscribed");
    if (!gone)
        imap_put_special_use(out, b->attrs);
    buf_puts(out, ") ");
    imap_put_separator(out, imap_separator(im->config));
    buf_putc(out, ' ');
    imap_put_mailbox(im, b->name);
    if (old_name.data) { /* RFC 5465 5.4 */
        buf_puts(out, " (\"OLDNAME\" (");
        imap_put_mailbox(im, old_name);
        buf_puts(out, "))");
    }
    buf_puts(out, "\r\n");
}

static bool is_selected(const struct imap *im, const struct box *b)
{
    return im->mailbox && b->id == im->ops->mailbox_id(im->mailbox);
}

static void put_status(struct imap *im, const struct box *b, bool all, bool numbers, bool modseq)
{
    struct buf *out = im->out;
    buf_puts(out, "* STATUS ");
    imap_put_mailbox(im, b->name);
    buf_puts(out, " (");
    if (numbers)
        buf_printf(out, "MESSAGES %u UIDNEXT %u ", b->info.count, b->info.uidnext);
    if (all)
        buf_printf(out, "UIDVALIDITY %u ", b->info.uidvalidity);
    buf_printf(out, "UNSEEN %u", b->info.unseen);
    if (modseq)
        buf_printf(out, " HIGHESTMODSEQ %llu", (unsigned long long)b->info.highest_modseq);
    buf_puts(out, ")\r\n");
}

static void tell_messages(struct imap *im, const struct box *was, const struct box *b)
{
    static const struct box none;
    bool modseq = im->enabled & IMAP_CONDSTORE;
    if (!b->id || is_selected(im, b) || !(b->events & NOTIFY_MESSAGES))
        return;
    bool other = !was || was->info.uidvalidity != b->info.uidvalidity;
    was = was ? was : &none;
    bool numbers =
        other || was->info.uidnext != b->info.uidnext || was->info.count != b->info.count;
    bool flags = (b->events & NOTIFY_FLAGS) &&
                 (was->info.unseen != b->info.unseen ||
                  (modseq && was->info.highest_modseq != b->info.highest_modseq));
    if (numbers || flags)
        put_status(im, b, other, numbers, modseq);
}

static void tell_notes(struct imap *im, struct slice mailbox, const struct note *a,
                       const struct note *b)
{
    bool told = false;
    while (a || b) {
        int order = !a ? 1 : !b ? -1 : slice_cmp(a->name, b->name);
        bool same = order == 0 && a->value == b->value;
        struct slice name = order <= 0 ? a->name : b->name;
        a = order <= 0 ? a->next : a;
        b = order >= 0 ? b->next : b;
        if (same)
            continue;
        if (!told) {
            buf_puts(im->out, "* METADATA ");
            imap_put_mailbox(im, mailbox);
        }
        told = true;
        buf_putc(im->out, ' ');
        imap_put_astring(im->out, name);
    }
    if (told)
        buf_puts(im->out, "\r\n");
}

static bool is_there(const struct box *b)
{
    return b && !(b->attrs & IMAP_NONEXISTENT);
}

/* The mailboxes that were known, by name and by id. */
struct known_maps {
    struct map names, ids;
};

/* A mailbox of now: `o` had its name. */
static void tell_box(struct imap *im, struct known_maps *maps, const struct box *b)
{
    const struct box *o = map_get(&maps->names, b->name);
    struct box *was = b->id ? map_get(&maps->ids, map_key_u64(&b->id)) : NULL;
    bool renamed = was && was != o;
    /* What it was before counts too: it may have been another group's. */
    unsigned events = b->events | (was ? was->events : o ? o->events : 0);
    bool name = renamed || is_there(o) != is_there(b) ||
                ((o->attrs ^ b->attrs) & (IMAP_NOSELECT | IMAP_NONEXISTENT));
    unsigned attrs_before = renamed ? was->attrs : o ? o->attrs : 0;
    bool subscribed = (attrs_before ^ b->attrs) & IMAP_SUBSCRIBED;
    if (renamed)
        was->followed = true;
    if ((name && (events & NOTIFY_NAME)) || (subscribed && (events & NOTIFY_SUBSCRIPTION)))
        put_list(im, b, false, renamed ? was->name : SLICE_NONE);
    tell_messages(im, was, b);
    if (b->events & NOTIFY_METADATA)
        tell_notes(im, b->name, was ? was->notes : NULL, b->notes);
}

static bool fill(struct known_maps *maps, struct notify_known *k)
{
    map_init(&maps->names, MAILBOXES_MAX);
    map_init(&maps->ids, MAILBOXES_MAX);
    for (struct box *b = k->first; b; b = b->next)
        if (map_put(&maps->names, b->name, b) != OK ||
            (b->id && map_put(&maps->ids, map_key_u64(&b->id), b) != OK))
            return false;
    return true;
}

/* False: it is too much. */
static bool tell_difference(struct imap *im, struct notify_known *old, struct notify_known *now)
{
    struct known_maps before, after;
    bool ok = fill(&before, old);
    ok = fill(&after, now) && ok;
    for (struct box *b = now->first; ok && b; b = b->next) {
        tell_box(im, &before, b);
        ok = buf_len(im->out) < TOO_MUCH;
    }
    for (struct box *o = old->first; ok && o; o = o->next) {
        if (o->followed || map_get(&after.names, o->name))
            continue;
        if (o->events & (is_there(o) ? NOTIFY_NAME : NOTIFY_SUBSCRIPTION))
            put_list(im, o, true, SLICE_NONE);
        ok = buf_len(im->out) < TOO_MUCH;
    }
    if (ok && (im->notify->events & NOTIFY_SERVER_METADATA))
        tell_notes(im, SLICE(""), old->server, now->server);
    map_release(&before.names);
    map_release(&before.ids);
    map_release(&after.names);
    map_release(&after.ids);
    return ok;
}

/* RFC 5465 5.8: as if by NOTIFY NONE. */
static void overflow(struct imap *im)
{
    imap_notify_end(im);
    buf_puts(im->out, "* OK [NOTIFICATIONTOO_MUCH] Too much has changed.\r\n");
}

static void tell_others(struct imap *im, struct imap_notify *n)
{
    enum result r;
    n->due = false;
    if (!n->events)
        return;
    struct notify_known *now = look(im, n, &r);
    if (!now) {
        overflow(im);
        return;
    }
    bool ok = tell_difference(im, n->known, now);
    free_known(n->known);
    n->known = now;
    if (!ok)
        overflow(im);
}

/* ---- the selected mailbox ---- */

/* What was selected last is told of from here on. */
static void follow_selection(struct imap *im, struct imap_notify *n)
{
    struct imap_view_info info;
    uint64_t id = im->ops->mailbox_id(im->mailbox);
    if (n->selected_id == id)
        return;
    im->ops->view_info(im->view, &info);
    n->selected_id = id;
    n->uidnext = info.uidnext;
}

/* RFC 5465 5.2: what the client wants of new messages, by a FETCH of our own. */
static void fetch_new(struct imap *im, struct imap_notify *n)
{
    struct imap_view_info info;
    uint32_t from = n->uidnext;
    im->ops->view_info(im->view, &info);
    if (info.uidnext <= from)
        return;
    n->uidnext = info.uidnext;
    if (!n->fetch.len || im->ops->seek(im->view, from) > info.count)
        return;
    struct buf text;
    buf_init(&text, IMAP_COMMAND_MAX + 100);
    buf_printf(&text, "own UID FETCH %u:%u ", from, info.uidnext - 1);
    buf_append(&text, n->fetch);
    if (buf_ok(&text))
        imap_start_own(im, buf_slice(&text));
    buf_release(&text);
}

/* 0: told. */
static enum imap_next tell_selected(struct imap *im, struct imap_notify *n)
{
    follow_selection(im, n);
    if (n->due && imap_sync_begin(im, !n->delayed, true, NULL) == NOT_FOUND) {
        imap_bye(im, "The selected mailbox was deleted.", im->out);
        return IMAP_NEED_CLOSE;
    }
    if (!imap_sync_step(im))
        return IMAP_NEED_FLUSH;
    fetch_new(im, n);
    return 0;
}

enum imap_next imap_notify_run(struct imap *im)
{
    struct imap_notify *n = im->notify;
    enum imap_next next = 0;
    /* What IDLE has begun. */
    if (!imap_sync_step(im))
        return IMAP_NEED_FLUSH;
    n->due |= im->ops->account_changed(im->ctx);
    if (n->selected && im->mailbox)
        next = tell_selected(im, n);
    if (!next && n->due)
        tell_others(im, n);
    return next;
}

/* ---- begin and end ---- */

bool imap_notify_put_status(struct imap *im)
{
    struct notify_known *k = im->notify ? im->notify->known : NULL;
    const struct box *b = k ? k->status_next : NULL;
    if (!b)
        return false;
    k->status_next = b->next;
    if (b->id && (b->events & NOTIFY_MESSAGES) && !is_selected(im, b))
        put_status(im, b, true, true, (im->enabled & IMAP_CONDSTORE) || (b->events & NOTIFY_FLAGS));
    return true;
}

enum result imap_notify_begin(struct imap *im, struct imap_notify *n)
{
    enum result r;
    im->notify = n;
    im->ops->watch_account(im->ctx);
    n->known = look(im, n, &r);
    if (n->known)
        n->known->status_next = n->known->first;
    if (im->mailbox)
        follow_selection(im, n);
    if (r != OK)
        imap_notify_end(im);
    return r;
}

void imap_notify_end(struct imap *im)
{
    struct imap_notify *n = im->notify;
    if (!n)
        return;
    im->ops->unwatch_account(im->ctx);
    free_known(n->known);
    arena_release(&n->arena);
    free(n);
    im->notify = NULL;
}
