/* site.c: what waits for one domain is due now: postqueue -s and ETRN (RFC 1985). */
#include <stdlib.h>

#include "base/arena.h"
#include "role/mailbox/feed.h"
#include "role/mailbox/mailbox.h"

enum { SITE_MAX = 20000 };

struct site {
    struct slice name;
    uint64_t *ids;
    size_t n;
};

static bool goes_to(const struct queue_info *i, struct slice site)
{
    for (size_t k = 0; k < i->n_rcpts; k++) {
        struct slice a = i->rcpts[k].address;
        size_t at = slice_rfind(a, '@');
        if (at != SIZE_MAX && slice_eq_nocase(slice_from(a, at + 1), site))
            return true;
    }
    return false;
}

static bool each_of_site(void *arg, const struct queue_info *i)
{
    struct site *s = arg;
    if (goes_to(i, s->name))
        s->ids[s->n++] = i->message;
    return s->n < SITE_MAX;
}

enum result mailbox_flush_site(struct mailbox_role *m, struct slice name)
{
    struct arena a;
    struct site s = {.name = name};
    struct queue_look look = {.each = each_of_site, .arg = &s};
    arena_init(&a, SITE_MAX * sizeof *s.ids + 4096);
    s.ids = arena_alloc_n(&a, SITE_MAX, sizeof *s.ids);
    enum result r = s.ids ? queue_list(m->queue, &look) : FAILED;
    if (s.n == SITE_MAX)
        LOG(LOG_WARNING, "queue.site_in_part", LOG_S("site", name), LOG_U("messages", s.n),
            LOG_C("then", "ask again for the others"));
    for (size_t i = 0; i < s.n && r == OK; i++) {
        r = queue_flush(m->queue, s.ids[i]);
        r = r == NOT_FOUND || r == BUSY ? OK : r; /* gone, or under way: as it should be */
    }
    arena_release(&a);
    feed_kick(m->feed);
    return r;
}

/* ---- FLUSH_SITE ---- */

/* The whole queue is read for it: one at a time, on a thread that may wait. */
struct flush {
    struct mailbox_role *mailbox;
    struct ipc_channel *from;
    uint64_t call;
    size_t len;
    char name[256];
};

static void answer(struct ipc_channel *to, uint64_t call, bool ok)
{
    struct ipc_message m = {.type = IPC_FLUSH_SITE_RESULT, .FLUSH_SITE_RESULT = {.ok = ok}};
    ipc_answer(to, call, &m);
}

static void flush(void *arg)
{
    struct flush *f = arg;
    enum result r = mailbox_flush_site(f->mailbox, slice_of(f->name, f->len));
    answer(f->from, f->call, r == OK);
    atomic_store(&f->mailbox->flushing, false);
    free(f);
}

void mailbox_flush_asked(struct mailbox_role *m, struct ipc_channel *from, struct ipc_message *msg)
{
    struct slice name = msg->FLUSH_SITE.domain;
    struct flush *f = name.len <= sizeof f->name ? calloc(1, sizeof *f) : NULL;
    if (f && !atomic_exchange(&m->flushing, true)) {
        *f = (struct flush){.mailbox = m, .from = from, .call = msg->call, .len = name.len};
        memcpy(f->name, name.data, name.len);
        if (io_run_blocking(m->role->engine, flush, f) == OK)
            return;
        atomic_store(&m->flushing, false);
    }
    free(f);
    answer(from, msg->call, false);
}
