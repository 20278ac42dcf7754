#include "role/edge/content.h"

#include <stdlib.h>

#include "base/clock.h"
#include "role/edge/deliver.h"

enum {
    WORK_ARENA_MAX = 1 << 20,
    LINE_LOGGED = 200,
    CHECKS_MAX_MS = 300 * 1000 /* RFC 5321 4.5.3.2.6: the client waits ten minutes */
};

/* ---- the work of a message ---- */

static struct edge_work *work_of(struct conn *c)
{
    if (!c->smtp.work) {
        c->smtp.work = calloc(1, sizeof *c->smtp.work);
        if (c->smtp.work)
            arena_init(&c->smtp.work->arena, WORK_ARENA_MAX);
    }
    return c->smtp.work;
}

void content_end(struct conn *c)
{
    if (!c->smtp.work)
        return;
    rewrite_end(c->smtp.work);
    if (c->smtp.work->run) {
        enum result ignored = content_run_end(c->smtp.work->run, NULL); /* the client left */
        (void)ignored;
    }
    arena_release(&c->smtp.work->arena);
    free(c->smtp.work);
    c->smtp.work = NULL;
}

/* Every recipient gets the same answer, which is ours. */
static void answer_all(struct conn *c, const char *code, struct slice text)
{
    struct arena a;
    struct ipc_message m = {.type = IPC_DELIVER_RESULT};
    size_t n = c->smtp.session.tx->n_rcpts;
    arena_init(&a, 1 << 20);
    struct slice *texts = arena_alloc_n(&a, 2 * n + 1, sizeof *texts);
    for (size_t i = 0; texts && i < n; i++) {
        texts[i] = slice_cstr(code);
        texts[n + i] = text;
    }
    if (!texts)
        m.type = IPC_FAILURE;
    m.DELIVER_RESULT.codes = (struct slice_list){texts, n};
    m.DELIVER_RESULT.texts = (struct slice_list){texts ? texts + n : NULL, n};
    conn_answer_myself(c, &m);
    arena_release(&a);
}

/* What an access table's HOLD says at a recipient, or at a stage before or behind; data NULL: there
 * is none. */
static struct slice access_hold(const struct smtp_tx *tx)
{
    for (size_t i = 0; i < tx->n_actions; i++) {
        struct slice text = tx->actions[i];
        if (slice_is(slice_split(&text, ' '), "hold"))
            return text.data ? text : SLICE("");
    }
    return SLICE_NONE;
}

/* The journey will tell why. */
static void set_hold(struct edge_work *w, const char *check, struct slice text, struct slice where)
{
    const char *why = arena_printf(&w->arena, "%s: HOLD%s%.*s%s%.*s%s", check, text.len ? " " : "",
                                   SLICE_ARG(slice_sub(text, 0, LINE_LOGGED)),
                                   where.len ? "  [" : "", SLICE_ARG(where), where.len ? "]" : "");
    w->hold = slice_cstr(why ? why : "HOLD");
}

static void add_ask(struct edge_work *w, bool redirect, struct slice source, struct slice text)
{
    if (!w || w->n_asks == CONTENT_ASKS_MAX)
        return;
    struct content_ask *a = &w->asks[w->n_asks++];
    *a = (struct content_ask){.redirect = redirect,
                              .source = arena_dup(&w->arena, source),
                              .text = arena_dup(&w->arena, text)};
}

/* The last one counts. */
static void set_filter(struct edge_work *w, struct slice source, struct slice text)
{
    if (!w)
        return;
    w->filter.source = arena_dup(&w->arena, source);
    w->filter.text = arena_dup(&w->arena, slice_sub(text, 0, IPC_INLINE_MAX));
    w->failed |= !w->filter.source.data || !w->filter.text.data;
}

/* ---- header_checks and body_checks ---- */

static void on_event(void *arg, const struct content_event *e)
{
    struct conn *c = arg;
    bool bad = e->problem || e->action == ACTION_WARN || e->action == ACTION_REJECT;
    if (!e->problem && e->action == ACTION_HOLD && work_of(c))
        set_hold(c->smtp.work, content_class_name(e->class), e->text, e->where);
    if (!e->problem && (e->action == ACTION_REDIRECT || e->action == ACTION_BCC))
        add_ask(work_of(c), e->action == ACTION_REDIRECT, slice_cstr(content_class_name(e->class)),
                e->line);
    if (!e->problem && e->action == ACTION_FILTER)
        set_filter(work_of(c), slice_cstr(content_class_name(e->class)), e->line);
    LOG(bad ? LOG_WARNING : LOG_INFO, "message.check", LOG_CTX(conn_ctx(c)),
        LOG_C("id", log_id(c->smtp.session.tx->id).text),
        LOG_C("check", content_class_name(e->class)),
        LOG_C("action", content_action_name(e->action)), LOG_S("text", e->text),
        LOG_S("where", e->where), LOG_S("line", slice_sub(e->line, 0, LINE_LOGGED)),
        LOG_S("from", c->smtp.session.tx->sender), LOG_C("problem", e->problem ? e->problem : ""));
}

/* What the checks found. True: go on. */
static bool conclude(struct conn *c, const struct content_result *r)
{
    struct smtp_tx *tx = c->smtp.session.tx;
    bool rewrite = rewrite_is_wanted(c);
    if (r->changed) {
        buf_release(&tx->message);
        tx->message = r->message;
    }
    if (r->verdict == CONTENT_REJECT)
        answer_all(c, r->reply.data[0] == '4' ? "451" : "550", r->reply);
    else if (r->verdict == CONTENT_UNAVAILABLE)
        answer_all(c, "451", SLICE("4.3.0 Error: message checks are not available now"));
    else if (r->verdict == CONTENT_DISCARD)
        answer_all(c, "250", SLICE("2.0.0 Ok"));
    else if (rewrite && (!work_of(c) || !rewrite_begin(c, c->smtp.work)))
        answer_all(c, "452", SLICE("4.3.1 Insufficient system storage"));
    else
        return true;
    return false;
}

/* Where no table asks a server. */
static bool check(struct conn *c, const struct content_checks *checks)
{
    struct content_result r = {.verdict = CONTENT_ACCEPT};
    struct arena a;
    arena_init(&a, WORK_ARENA_MAX);
    bool done =
        content_check(checks, buf_slice(&c->smtp.session.tx->message), &a, on_event, c, &r) == OK;
    if (!done)
        answer_all(c, "452", SLICE("4.3.1 Insufficient system storage"));
    bool go_on = done && conclude(c, &r);
    arena_release(&a);
    return go_on;
}

/* As conclude, where the run is at its end. */
static bool end_run(struct conn *c, struct edge_work *w)
{
    struct content_result r = {.verdict = CONTENT_ACCEPT};
    struct content_run *run = w->run;
    w->run = NULL;
    if (content_run_end(run, &r) == OK)
        return conclude(c, &r);
    answer_all(c, "452", SLICE("4.3.1 Insufficient system storage"));
    return false;
}

static bool begin_run(struct conn *c, const struct content_checks *checks)
{
    struct edge_work *w = work_of(c);
    if (!w || content_run_new(checks, buf_slice(&c->smtp.session.tx->message), &w->arena, on_event,
                              c, &w->run) != OK) {
        answer_all(c, "452", SLICE("4.3.1 Insufficient system storage"));
        return false;
    }
    w->run_until_ms = clock_monotonic_ms() + CHECKS_MAX_MS;
    return content_run_next(w->run, &w->question) || end_run(c, w);
}

static void ask_tables(struct conn *c, const struct edge_work *w)
{
    struct ipc_message m = {.type = IPC_CHECK_ASK};
    m.CHECK_ASK.label = slice_cstr(c->label);
    m.CHECK_ASK.source = slice_cstr(content_class_name(w->question.class));
    m.CHECK_ASK.text = slice_sub(w->question.line, 0, IPC_INLINE_MAX);
    conn_request(c, ROLE_AUTH, &m);
}

static bool take_answer(struct conn *c, struct edge_work *w, const struct conn_answer *a)
{
    bool told = a->type == IPC_CHECK_RESULT;
    const struct table_match match = {told ? a->check.value : SLICE(""),
                                      told ? a->check.where : SLICE("")};
    if (!told)
        content_run_answer(w->run, FAILED, &match, "auth did not answer");
    else if (clock_monotonic_ms() > w->run_until_ms)
        content_run_answer(w->run, FAILED, &match, "the tables took too long over this message");
    else if (a->check.code > 1)
        content_run_answer(w->run, FAILED, &match, a->check.reason.data);
    else
        content_run_answer(w->run, a->check.code == 0 ? OK : NOT_FOUND, &match, NULL);
    return content_run_next(w->run, &w->question) || end_run(c, w);
}

bool content_begin(struct conn *c)
{
    const struct content_set *content = c->settings->content;
    const struct content_result fine = {.verdict = CONTENT_ACCEPT};
    struct slice hold = access_hold(c->smtp.session.tx);
    if (hold.data) {
        if (!work_of(c)) {
            answer_all(c, "452", SLICE("4.3.1 Insufficient system storage"));
            return false;
        }
        set_hold(c->smtp.work, "access table", hold, SLICE(""));
    }
    if (!content)
        return conclude(c, &fine);
    if (content->broken) {
        answer_all(c, "451", SLICE("4.3.5 Error: message checks are not available now"));
        return false;
    }
    return content_checks_wait(&content->checks) ? begin_run(c, &content->checks)
                                                 : check(c, &content->checks);
}

/* ---- recipients that actions name ---- */

bool content_ask_next(struct conn *c)
{
    struct edge_work *w = c->smtp.work;
    struct ipc_message m = {.type = IPC_ACTION_ASK};
    if (w && w->run) {
        ask_tables(c, w);
        return true;
    }
    if (w && w->asked == w->n_asks)
        return filter_ask(c, w) || rewrite_ask(c, w);
    if (!w)
        return false;
    const struct content_ask *a = &w->asks[w->asked];
    m.ACTION_ASK.conn = c->id;
    m.ACTION_ASK.label = slice_cstr(c->label);
    m.ACTION_ASK.sender = c->smtp.session.tx->sender;
    m.ACTION_ASK.source = a->source;
    m.ACTION_ASK.text = slice_sub(a->text, 0, IPC_INLINE_MAX);
    conn_request(c, ROLE_AUTH, &m);
    return true;
}

struct slice_list content_copy_list(struct arena *a, struct slice_list l)
{
    struct slice *items = arena_alloc_n(a, l.n + 1, sizeof *items);
    for (size_t i = 0; items && i < l.n; i++)
        items[i] = arena_dup(a, l.items[i]);
    return (struct slice_list){items, items ? l.n : 0};
}

/* Auth's answer about a recipient that an action named. */
static void take_recipient(struct conn *c, struct edge_work *w, const struct conn_answer *answer)
{
    struct content_ask *a = &w->asks[w->asked++];
    if (answer->type != IPC_ACTION_RESULT || answer->action.address.len == 0) {
        LOG(LOG_WARNING, "message.action_failed", LOG_CTX(conn_ctx(c)),
            LOG_C("id", log_id(c->smtp.session.tx->id).text),
            LOG_C("action", a->redirect ? "REDIRECT" : "BCC"),
            LOG_S("line", slice_sub(a->text, 0, LINE_LOGGED)),
            LOG_S("why", answer->type == IPC_ACTION_RESULT ? answer->action.reason
                                                           : SLICE("auth did not answer")));
        w->failed |= a->redirect || answer->type != IPC_ACTION_RESULT;
        return;
    }
    a->rcpt = (struct smtp_rcpt){.address = arena_dup(&w->arena, answer->action.address),
                                 .notify = SLICE("NEVER"),
                                 .orcpt = SLICE(""),
                                 .targets = content_copy_list(&w->arena, answer->action.targets),
                                 .grant = arena_dup(&w->arena, answer->action.grant)};
}

bool content_answered(struct conn *c, const struct conn_answer *a)
{
    struct edge_work *w = c->smtp.work;
    if (w->run)
        return take_answer(c, w, a);
    if (filter_is_asking(w))
        filter_answered(c, w, a);
    else if (w->asked == w->n_asks)
        rewrite_answered(c, w, a);
    else
        take_recipient(c, w, a);
    return true;
}

bool content_failed(struct conn *c)
{
    if (!c->smtp.work || !c->smtp.work->failed)
        return false;
    answer_all(c, "451",
               SLICE("4.3.5 Error: the message could not be redirected, filtered or rewritten"));
    return true;
}
