/* sync.c: see sync.h. The difference is gathered as sequence numbers first, since view_diff can't
 * be stopped half way; nothing is allocated when only new messages arrived, which is the usual
 * case. */
#include "proto/imap/sync.h"

#include <stdlib.h>

#include "proto/imap/command.h"
#include "proto/imap/ranges.h"
#include "proto/imap/search_update.h"

struct numbers {
    uint32_t *items;
    size_t n, size;
};

struct imap_sync {
    struct imap_view *newest;
    struct numbers gone, changed;
    struct imap_ranges vanished; /* the gone ones' UIDs, for who is told these */
    size_t gone_told, changed_told;
    /* For searches that are kept up to date: UIDs that go; what changed, known to the client or
     * not. */
    struct numbers gone_uids, touched;
    uint32_t expected; /* messages that the client counts once it knows of the gone ones */
    bool uid, failed, updated_gone, told_new;
};

struct gathering {
    struct imap *im;
    struct imap_sync *sync;
    const struct imap_quiet *quiet;
};

static void add(struct imap_sync *s, struct numbers *list, uint32_t n)
{
    if (list->n == list->size) {
        size_t size = list->size ? list->size * 2 : 16;
        uint32_t *items = realloc(list->items, size * sizeof *items);
        if (!items) {
            s->failed = true;
            return;
        }
        list->items = items;
        list->size = size;
    }
    list->items[list->n++] = n;
}

/* RFC 7162 3.2.10, RFC 9586 3.4: then there is no EXPUNGE. */
static bool tells_vanished(const struct imap *im)
{
    return im->enabled & (IMAP_QRESYNC | IMAP_UIDONLY);
}

static void on_gone(void *arg, uint32_t old_seq, uint32_t uid)
{
    struct gathering *g = arg;
    add(g->sync, &g->sync->gone, tells_vanished(g->im) ? uid : old_seq);
    if (g->im->contexts)
        add(g->sync, &g->sync->gone_uids, uid);
}

static void on_changed(void *arg, uint32_t new_seq, const struct imap_entry *e)
{
    struct gathering *g = arg;
    const struct imap *im = g->im;
    if (im->contexts)
        add(g->sync, &g->sync->touched, new_seq);
    if (g->quiet && g->quiet->knows) {
        uint32_t old_seq = im->ops->seek(im->view, e->uid);
        if (g->quiet->knows(g->quiet->arg, im->view, old_seq, e))
            return;
    }
    add(g->sync, &g->sync->changed, new_seq);
}

static void free_sync(struct imap *im, struct imap_sync *s)
{
    if (s->newest)
        im->ops->view_release(s->newest);
    imap_ranges_release(&s->vanished);
    free(s->gone.items);
    free(s->gone_uids.items);
    free(s->touched.items);
    free(s->changed.items);
    free(s);
}

void imap_sync_abandon(struct imap *im)
{
    if (im->sync)
        free_sync(im, im->sync);
    im->sync = NULL;
}

/* What is to be told between the two views. FAILED: no memory, the client learns it later. */
static enum result gather(struct imap *im, struct imap_sync *s, const struct imap_quiet *quiet)
{
    struct gathering g = {im, s, quiet};
    struct imap_view_info info;
    im->ops->view_info(im->view, &info);
    im->ops->diff(im->view, s->newest, on_gone, on_changed, &g);
    s->expected = info.count - (uint32_t)s->gone.n;
    for (size_t i = s->gone.n; tells_vanished(im) && i-- > 0;)
        imap_ranges_add(&s->vanished, s->gone.items[i], s->gone.items[i]);
    s->failed |= s->vanished.failed;
    return s->failed ? FAILED : OK;
}

enum result imap_sync_begin(struct imap *im, bool expunges, bool uid,
                            const struct imap_quiet *quiet)
{
    struct imap_view *newest = NULL;
    enum result r = im->ops->view(im->ctx, im->mailbox, &newest);
    if (r != OK)
        return r == NOT_FOUND ? NOT_FOUND : OK;
    struct imap_sync *s = newest == im->view ? NULL : calloc(1, sizeof *s);
    if (!s) {
        im->ops->view_release(newest);
        return OK;
    }
    *s = (struct imap_sync){.newest = newest, .uid = uid};
    /* RFC 3501 7.4.1: without EXPUNGE a newer view would give other messages the old numbers. */
    if (gather(im, s, quiet) != OK || (s->gone.n && !expunges)) {
        free_sync(im, s);
        return OK;
    }
    im->sync = s;
    return OK;
}

/* RFC 5267 4.3: while the numbers still mean what they did. */
static void update_gone(struct imap *im, struct imap_sync *s)
{
    size_t n = s->gone_uids.n;
    uint32_t *uids = s->gone_uids.items;
    for (size_t i = 0; i < n / 2; i++) { /* they came highest first */
        uint32_t other = uids[i];
        uids[i] = uids[n - 1 - i];
        uids[n - 1 - i] = other;
    }
    if (n)
        search_update_gone(im, uids, n);
    s->updated_gone = true;
}

static bool tell_gone(struct imap *im, struct imap_sync *s)
{
    if (!s->updated_gone)
        update_gone(im, s);
    if (tells_vanished(im))
        return imap_ranges_tell(im, "* VANISHED ", &s->vanished);
    for (; s->gone_told < s->gone.n; s->gone_told++) {
        if (imap_full(im))
            return false;
        buf_puts(im->out, "* ");
        buf_put_u64(im->out, s->gone.items[s->gone_told]);
        buf_puts(im->out, " EXPUNGE\r\n");
    }
    return true;
}

/* From here on the client's numbers are those of the newest view. */
static void tell_new(struct imap *im, struct imap_sync *s)
{
    struct imap_view_info info;
    im->ops->view_info(s->newest, &info);
    im->ops->view_release(im->view);
    im->view = s->newest;
    s->newest = NULL;
    s->told_new = true;
    if (info.count != s->expected) {
        buf_puts(im->out, "* ");
        buf_put_u64(im->out, info.count);
        buf_puts(im->out, " EXISTS\r\n");
    }
    if (info.keywords > im->keywords_told)
        imap_put_flag_lists(im, false);
}

static bool tell_changed(struct imap *im, struct imap_sync *s)
{
    for (; s->changed_told < s->changed.n; s->changed_told++) {
        if (imap_full(im))
            return false;
        uint32_t seq = s->changed.items[s->changed_told];
        imap_put_flags_response(im, im->view, seq, im->ops->entry(im->view, seq), s->uid);
    }
    return true;
}

bool imap_sync_step(struct imap *im)
{
    struct imap_sync *s = im->sync;
    if (!s)
        return true;
    if (!tell_gone(im, s))
        return false;
    if (!s->told_new)
        tell_new(im, s);
    if (!tell_changed(im, s) ||
        !search_update_step(im, s->touched.items, s->touched.n, s->expected + 1))
        return false;
    imap_sync_abandon(im);
    return true;
}
