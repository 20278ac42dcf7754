/* pop3.c: POP3 after the login: the core (proto/pop3) over a view of the account's INBOX.
 *
 * The view does not change while the session lasts, as RFC 1939 wants it, and nobody else is kept
 * out: what another session removes meanwhile is still listed here, and RETR says that it is gone.
 * Marked messages are removed at QUIT in one commit, and the reply follows it. */
#include "role/mailbox/session.h"

#include "proto/pop3/pop3.h"

#include <stdlib.h>

enum {
    IN_MAX = 8 * 1024,
    OUT_SOFT = 256 * 1024,
    TIMEOUT_MS = 10 * 60 * 1000,
    KEPT_MAX = 512 << 20
};

static const struct pop3_config config = {.out_soft = OUT_SOFT};

/* A UIDL that an import brought along: a piece of kept_text. */
struct kept_uidl {
    uint32_t uid;
    uint32_t at, len;
};

struct pop3_session {
    struct pop3 core;
    struct mailbox *inbox;
    struct view *view;
    struct kept_uidl *kept; /* of messages that came with one, by uid */
    size_t n_kept;
    struct buf kept_text;
    uint32_t retrieved, removed;
    bool committing;
    atomic_bool committed; /* set by the commit thread, with the result before it */
    enum result commit_result;
    struct session *session;
};

static uint64_t drop_size(void *arg, uint32_t number)
{
    struct pop3_session *p = arg;
    return view_entry(p->view, number)->size;
}

static int by_uid(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = ((const struct kept_uidl *)b)->uid;
    return x < y ? -1 : x > y;
}

/* RFC 1939 7: never given to another message of this maildrop, the same in every session. */
static void drop_uidl(void *arg, uint32_t number, struct buf *out)
{
    struct pop3_session *p = arg;
    uint32_t uid = view_entry(p->view, number)->uid;
    const struct kept_uidl *kept =
        p->n_kept ? bsearch(&uid, p->kept, p->n_kept, sizeof *kept, by_uid) : NULL;
    if (kept) {
        buf_append(out, slice_sub(buf_slice(&p->kept_text), kept->at, kept->len));
        return;
    }
    buf_printf(out, "%08x%08x", view_uidvalidity(p->view), view_entry(p->view, number)->uid);
}

static void keep_uidl(void *arg, uint32_t uid, struct slice uidl)
{
    struct pop3_session *p = arg;
    uint32_t seq = view_seek(p->view, uid);
    if (seq > view_count(p->view) || view_entry(p->view, seq)->uid != uid)
        return; /* removed */
    size_t n = p->n_kept;
    if ((n & (n - 1)) == 0) { /* full at each power of two */
        struct kept_uidl *more = realloc(p->kept, (n ? n * 2 : 1) * sizeof *more);
        if (!more) {
            p->kept_text.failed = true;
            return;
        }
        p->kept = more;
    }
    p->kept[p->n_kept++] =
        (struct kept_uidl){uid, (uint32_t)buf_len(&p->kept_text), (uint32_t)uidl.len};
    buf_append(&p->kept_text, uidl);
}

static void free_state(struct pop3_session *p)
{
    free(p->kept);
    buf_release(&p->kept_text);
    pop3_release(&p->core);
    if (p->view)
        view_unref(p->view);
    if (p->inbox)
        mailbox_unref(p->inbox);
    free(p);
}

static enum result open_inbox(struct session *s, struct pop3_session *p)
{
    enum result r = mailbox_open(s->account, SLICE("INBOX"), &p->inbox);
    if (r == OK)
        r = mailbox_view(p->inbox, &p->view);
    buf_init(&p->kept_text, KEPT_MAX);
    if (r == OK)
        r = mailbox_uidls(p->inbox, keep_uidl, p);
    if (r == OK && !buf_ok(&p->kept_text))
        r = LIMIT;
    if (r != OK)
        return r;
    struct pop3_maildrop drop = {
        .count = view_count(p->view), .size = drop_size, .uidl = drop_uidl, .arg = p};
    return pop3_open_maildrop(&p->core, &config, &drop, &s->out);
}

static enum result start(struct session *s, struct slice tag)
{
    struct pop3_session *p = calloc(1, sizeof *p);
    enum result r = p ? open_inbox(s, p) : FAILED;
    (void)tag;
    if (r != OK) {
        LOG(LOG_ERROR, "pop3.unavailable", LOG_CTX(s->log_context), LOG_C("why", result_name(r)));
        buf_puts(&s->out, "-ERR [SYS/TEMP] The mailbox is not available.\r\n");
        if (p)
            free_state(p);
        return r;
    }
    p->session = s;
    s->state = p;
    return OK;
}

static void send_piece(struct session *s, struct pop3_session *p, const struct pop3_request *q)
{
    struct buf piece;
    buf_init(&piece, POP3_PIECE);
    enum result r =
        message_read(s->store, view_entry(p->view, q->number)->message, q->from, q->len, &piece);
    if (r == OK && buf_len(&piece)) {
        p->retrieved += q->from == 0;
        pop3_message_bytes(&p->core, buf_slice(&piece), &s->out);
    } else {
        if (r != NOT_FOUND)
            LOG(LOG_ERROR, "pop3.unreadable", LOG_CTX(s->log_context),
                LOG_C("message", log_id(view_entry(p->view, q->number)->message).text),
                LOG_C("why", result_name(r)));
        pop3_message_failed(&p->core, r == NOT_FOUND, &s->out);
    }
    buf_release(&piece);
}

static void on_commit(void *arg, enum result r)
{
    struct pop3_session *p = arg;
    p->commit_result = r;
    atomic_store(&p->committed, true);
    session_finish(p->session);
}

static uint32_t *marked_uids(const struct pop3_session *p, size_t *ret_n)
{
    size_t n = 0;
    uint32_t *uids = calloc(pop3_deleted_count(&p->core), sizeof *uids);
    for (uint32_t i = 1; uids && i <= view_count(p->view); i++)
        if (pop3_deleted(&p->core, i))
            uids[n++] = view_entry(p->view, i)->uid;
    *ret_n = n;
    return uids;
}

/* True when the commit is under way. */
static bool commit(struct session *s, struct pop3_session *p)
{
    size_t n;
    uint32_t *uids = marked_uids(p, &n);
    session_begin(s);
    enum result r = uids ? mailbox_expunge(p->inbox, uids, n, false, on_commit, p) : FAILED;
    free(uids);
    if (r == OK) {
        p->committing = true;
        return true;
    }
    session_finish(s);
    pop3_committed(&p->core, r, &s->out);
    return false;
}

static void finish_commit(struct session *s, struct pop3_session *p)
{
    p->committing = false;
    p->removed = p->commit_result == OK ? pop3_deleted_count(&p->core) : 0;
    if (p->commit_result != OK)
        LOG(LOG_ERROR, "pop3.not_removed", LOG_CTX(s->log_context),
            LOG_C("why", result_name(p->commit_result)));
    pop3_committed(&p->core, p->commit_result, &s->out);
}

/* One want of the core; false when the session has to wait. */
static bool serve(struct session *s, struct pop3_session *p)
{
    struct slice in = buf_slice(&s->in);
    struct pop3_request q;
    enum pop3_want want = pop3_step(&p->core, &in, &s->out, &q);
    buf_consume(&s->in, buf_len(&s->in) - in.len);
    switch (want) {
    case POP3_WANT_MESSAGE:
        send_piece(s, p, &q);
        return true;
    case POP3_WANT_COMMIT:
        return !commit(s, p);
    case POP3_WANT_INPUT:
        /* What is left of an input that has ended is no line. */
        if (s->input_ended)
            session_close(s);
        return false;
    case POP3_WANT_CLOSE:
        session_close(s);
        return false;
    default: /* FLUSH: run is called again; the wants of a login don't arise here */
        return false;
    }
}

static void run(struct session *s)
{
    struct pop3_session *p = s->state;
    if (p->committing) {
        if (!atomic_load(&p->committed))
            return;
        finish_commit(s, p);
    }
    while (serve(s, p))
        ;
}

static void timeout(struct session *s)
{
    struct pop3_session *p = s->state;
    /* RFC 1939 3: silence is no QUIT; nothing is removed. */
    pop3_bye(&p->core, "Disconnected for inactivity.", &s->out);
}

static void end(struct session *s)
{
    struct pop3_session *p = s->state;
    LOG(LOG_INFO, "pop3.done", LOG_CTX(s->log_context), LOG_U("messages", view_count(p->view)),
        LOG_U("retrieved", p->retrieved), LOG_U("removed", p->removed));
    free_state(p);
    s->state = NULL;
}

const struct session_protocol session_pop3 = {.name = "pop3",
                                              .in_max = IN_MAX,
                                              .timeout_ms = TIMEOUT_MS,
                                              .start = start,
                                              .run = run,
                                              .timeout = timeout,
                                              .end = end};
