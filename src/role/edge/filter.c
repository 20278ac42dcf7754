/* filter.c: whom a message goes to in the end, and FILTER of header_checks and its like: auth makes
 * of each recipient's grant one that leads to the filter. */
#include "base/log.h"
#include "role/edge/content.h"

/* As RCPT, REDIRECT and BCC say. */
static const struct smtp_rcpt **choose(struct conn *c, struct arena *a, size_t *ret_n)
{
    const struct smtp_tx *tx = c->smtp.session.tx;
    const struct edge_work *w = c->smtp.work;
    size_t most = tx->n_rcpts + (w ? w->n_asks : 0), n = 0;
    const struct smtp_rcpt **list = arena_alloc_n(a, most + 1, sizeof *list), *redirect = NULL;
    /* An access table's word at a recipient; its targets are where it was redirected to. */
    if (tx->redirected && tx->redirected <= tx->n_rcpts)
        redirect = &tx->rcpts[tx->redirected - 1];
    for (size_t i = 0; w && i < w->n_asks; i++)
        if (w->asks[i].redirect && w->asks[i].rcpt.address.len)
            redirect = &w->asks[i].rcpt; /* the last one counts */
    c->smtp.sent.redirected = redirect != NULL;
    if (list && redirect)
        list[n++] = redirect;
    for (size_t i = 0; list && !redirect && i < tx->n_rcpts; i++)
        list[n++] = &tx->rcpts[i];
    for (size_t i = 0; list && w && i < w->n_asks; i++)
        if (!w->asks[i].redirect && w->asks[i].rcpt.address.len)
            list[n++] = &w->asks[i].rcpt;
    *ret_n = n;
    return list;
}

const struct smtp_rcpt **content_rcpts(struct conn *c, struct arena *a, size_t *ret_n)
{
    const struct edge_work *w = c->smtp.work;
    if (!w || !w->filter.rcpts)
        return choose(c, a, ret_n);
    *ret_n = w->filter.n;
    return w->filter.chosen;
}

static bool begin(struct conn *c, struct edge_work *w)
{
    struct content_filter *f = &w->filter;
    const struct smtp_rcpt **list = choose(c, &w->arena, &f->n);
    f->filtered = arena_alloc_n(&w->arena, f->n + 1, sizeof *f->filtered);
    f->chosen = arena_alloc_n(&w->arena, f->n + 1, sizeof(struct smtp_rcpt *));
    if (!list || !f->filtered || !f->chosen)
        return false;
    for (size_t i = 0; i < f->n; i++)
        f->chosen[i] = &f->filtered[i];
    f->rcpts = list;
    return true;
}

bool filter_is_asking(const struct edge_work *w)
{
    return w->filter.rcpts && w->filter.done < w->filter.n;
}

bool filter_ask(struct conn *c, struct edge_work *w)
{
    struct content_filter *f = &w->filter;
    struct ipc_message m = {.type = IPC_ACTION_ASK};
    if (f->text.len == 0 || w->failed)
        return false;
    if (!f->rcpts && !begin(c, w)) {
        w->failed = true;
        return false;
    }
    if (f->done == f->n)
        return false;
    const struct smtp_rcpt *r = f->rcpts[f->done];
    m.ACTION_ASK.conn = c->id;
    m.ACTION_ASK.label = slice_cstr(c->label);
    m.ACTION_ASK.sender = c->smtp.session.tx->sender;
    m.ACTION_ASK.source = f->source;
    m.ACTION_ASK.text = f->text;
    m.ACTION_ASK.rcpt = r->address;
    m.ACTION_ASK.targets = r->targets;
    m.ACTION_ASK.grant = r->grant;
    conn_request(c, ROLE_AUTH, &m);
    return true;
}

static void fail(struct conn *c, struct edge_work *w, struct slice why)
{
    LOG(LOG_WARNING, "message.action_failed", LOG_CTX(conn_ctx(c)),
        LOG_C("id", log_id(c->smtp.session.tx->id).text), LOG_C("action", "FILTER"),
        LOG_S("rcpt", w->filter.rcpts[w->filter.done]->address), LOG_S("why", why));
    w->filter.done = w->filter.n; /* the message is refused: the rest need not be asked */
    w->failed = true;
}

void filter_answered(struct conn *c, struct edge_work *w, const struct conn_answer *a)
{
    struct content_filter *f = &w->filter;
    if (a->type != IPC_ACTION_RESULT) {
        fail(c, w, SLICE("auth did not answer"));
        return;
    }
    if (a->action.address.len == 0) {
        fail(c, w, a->action.reason);
        return;
    }
    struct smtp_rcpt *r = &f->filtered[f->done];
    *r = *f->rcpts[f->done]; /* what the client asked for by DSN stays */
    r->targets = content_copy_list(&w->arena, a->action.targets);
    r->grant = arena_dup(&w->arena, a->action.grant);
    if (arena_failed(&w->arena))
        fail(c, w, SLICE("no memory"));
    else
        f->done++;
}
