/* action.c: ACTION_ASK: an action of a table names a recipient beside or instead of those that RCPT
 * gave, or a filter for these. edge is not believed that there is such an action: the line of the
 * message is looked up here once more. Nor that it may send to a recipient: a filter may give back
 * to anywhere what it gets, so only one that was granted to this connection gets there. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "content/set.h"
#include "role/auth/query.h"
#include "role/auth/tables.h"
#include "role/checks.h"

enum { SETS_MAX = 251 /* one for all, and as many services as the configuration may have */ };

/* The tables of the mail that one listener takes. */
struct listener_set {
    char label[80];
    struct content_set *set; /* NULL: no such table is named */
};

struct auth_actions {
    pthread_mutex_t lock;
    struct listener_set *sets; /* the first is that of all others; NULL: none could be made yet */
    size_t n;
};

static void free_sets(struct listener_set *sets, size_t n)
{
    for (size_t i = 0; i < n; i++)
        content_set_unref(sets[i].set);
    free(sets);
}

enum result auth_actions_new(struct auth_actions **ret)
{
    struct auth_actions *s = calloc(1, sizeof *s);
    if (!s)
        return FAILED;
    pthread_mutex_init(&s->lock, NULL);
    *ret = s;
    return OK;
}

void auth_actions_free(struct auth_actions *s)
{
    if (!s)
        return;
    free_sets(s->sets, s->n);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- tables ---- */

/* edge opens the same tables and reports what is wrong with them. */
static void silent_problem(void *arg, struct slice file, unsigned line, const char *reason)
{
    (void)arg, (void)file, (void)line, (void)reason;
}

static void silent_failure(void *arg, struct slice spec, const char *why)
{
    (void)arg, (void)spec, (void)why;
}

static enum result add_set(struct auth_role *a, const struct conf *c, struct slice label,
                           struct listener_set *sets, size_t *n)
{
    const struct table_reader reader = auth_table_reader(a);
    struct content_source s = {
        .reader = &reader, .problem = silent_problem, .failed = silent_failure, .arg = a};
    struct listener_set *one = &sets[*n];
    checks_source(c, &s);
    snprintf(one->label, sizeof one->label, "%.*s", SLICE_ARG(label));
    enum result r = content_set_open(&s, &one->set);
    *n += r == OK;
    return r;
}

/* That of all, and those of listeners whose mail other tables check. */
static enum result add_sets(struct auth_role *a, const struct conf *c, struct listener_set *sets,
                            size_t *n)
{
    struct slice label;
    enum result r = add_set(a, c, SLICE(""), sets, n);
    for (size_t i = 0; r == OK && (label = checks_label(c, i)).data && *n < SETS_MAX; i++) {
        const struct conf *own = conf_for_service(c, label);
        if (own != c && !checks_same(c, own))
            r = add_set(a, own, label, sets, n);
    }
    return r;
}

void auth_actions_build(struct auth_role *a)
{
    const struct conf *conf = role_conf(a->role);
    struct listener_set *fresh = calloc(SETS_MAX, sizeof *fresh);
    size_t n = 0;
    enum result r = fresh ? add_sets(a, conf, fresh, &n) : FAILED;
    conf_unref(conf);
    if (r != OK) {
        free_sets(fresh, n);
        return;
    }
    pthread_mutex_lock(&a->actions->lock);
    struct listener_set *old = a->actions->sets;
    size_t n_old = a->actions->n;
    a->actions->sets = fresh;
    a->actions->n = n;
    pthread_mutex_unlock(&a->actions->lock);
    free_sets(old, n_old);
}

/* ---- the question ---- */

/* A line of a message that came by a listener, and whose tables edge means. */
struct line {
    struct slice label, source, text;
};

static struct content_set *content_now(struct auth_actions *s, struct slice label)
{
    struct content_set *set = NULL;
    pthread_mutex_lock(&s->lock);
    size_t i = s->n;
    while (i > 1 && !slice_is(label, s->sets[i - 1].label))
        i--;
    if (i > 0)
        set = content_set_ref(s->sets[i - 1].set);
    pthread_mutex_unlock(&s->lock);
    return set;
}

/* Do its tables ask servers? */
static bool waits(struct auth_actions *s, struct slice label, struct slice source)
{
    enum content_class class = content_class_of(source);
    struct content_set *set = content_now(s, label);
    bool yes = set && class < CONTENT_CLASSES && set->checks.waits[class];
    content_set_unref(set);
    return yes;
}

/* edge asks where it has tables: without any, this is not yet, or no longer, the configuration that
 * edge has, and the line must not pass for that. */
static enum result look_up(struct auth_actions *s, const struct line *l, struct arena *arena,
                           struct table_match *ret, struct error *err)
{
    enum content_class class = content_class_of(l->source);
    struct content_set *set = content_now(s, l->label);
    enum result r;
    if (!set || class == CONTENT_CLASSES || set->checks.tables[class].n == 0)
        r = error_set(err, FAILED, "auth has no such tables");
    else if (set->broken)
        r = error_set(err, FAILED, "a table could not be opened");
    else
        r = tables_find(&set->checks.tables[class], l->text, arena, ret, err);
    if (r == OK)
        *ret = (struct table_match){arena_dup(arena, ret->value), arena_dup(arena, ret->where)};
    content_set_unref(set);
    if (r == OK && arena_failed(arena))
        r = error_set(err, FAILED, "no memory");
    return r;
}

/* What a line of a message asks for: an address, or for a recipient a transport:destination.
 * NOT_FOUND: nothing of the kind. FAILED: it can't be told now. */
static enum result action_of(struct auth_actions *s, const struct ipc_ACTION_ASK *q,
                             struct arena *arena, struct slice *ret)
{
    const struct line line = {q->label, q->source, q->text};
    bool filter = q->rcpt.len > 0;
    struct table_match match;
    struct error err;
    struct slice text;
    enum result r = look_up(s, &line, arena, &match, &err);
    if (r != OK)
        return r == NOT_FOUND ? NOT_FOUND : FAILED;
    enum content_action action = content_action_parse(match.value, &text);
    bool wanted =
        filter ? action == ACTION_FILTER : action == ACTION_REDIRECT || action == ACTION_BCC;
    if (!wanted || text.len == 0)
        return NOT_FOUND;
    *ret = text;
    return OK;
}

static void answer_none(struct ipc_channel *from, uint64_t call, struct slice reason)
{
    struct ipc_message none = {.type = IPC_ACTION_RESULT};
    none.ACTION_RESULT.reason = reason;
    ipc_answer(from, call, &none);
}

static void answer_no_action(struct ipc_channel *from, uint64_t call, enum result r)
{
    if (r == NOT_FOUND)
        answer_none(from, call, SLICE("no table asks for that"));
    else
        ipc_answer_failure(from, call, "a table of the message's checks can't be asked now");
}

/* FILTER, for a recipient that edge was granted. */
static void answer_filter(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m,
                          struct arena *arena)
{
    const struct ipc_ACTION_ASK *q = &m->ACTION_ASK;
    const struct grant_key *key = &a->role->grant_key;
    struct slice route;
    enum result r = action_of(a->actions, q, arena, &route);
    struct ipc_message answer = {.type = IPC_ACTION_RESULT};
    struct grant grant;
    if (r != OK) {
        answer_no_action(from, m->call, r);
        return;
    }
    if (grant_rcpt_check(key, q->grant, q->conn, q->rcpt, q->targets, clock_realtime_s()) != OK) {
        LOG(LOG_ERROR, "filter.grant_refused", LOG_C("conn", log_id(q->conn).text),
            LOG_S("rcpt", q->rcpt));
        answer_none(from, m->call, SLICE("the recipient was not granted"));
        return;
    }
    const struct directory *d = auth_directory(a);
    bool known = action_transport_known(d, route);
    struct slice_list targets = {NULL, 0};
    if (known) /* what it finds may live in the directory, the targets do not */
        targets = action_filter_targets(action_filter_addresses(d, q->rcpt, q->label, arena), route,
                                        q->targets, arena);
    directory_unref(d);
    if (!known) {
        answer_none(from, m->call, SLICE("there is no such transport"));
        return;
    }
    if (targets.n == 0 ||
        grant_rcpt_make(key, q->conn, q->rcpt, targets, clock_realtime_s(), &grant) != OK) {
        answer_none(from, m->call, SLICE("its addresses can't be told now"));
        return;
    }
    answer.ACTION_RESULT.address = q->rcpt;
    answer.ACTION_RESULT.targets = targets;
    answer.ACTION_RESULT.grant = grant_slice(&grant);
    ipc_answer(from, m->call, &answer);
}

static enum result rewrite_one(const struct directory *d, const struct ipc_REWRITE *q, size_t i,
                               bool on_the_way_out, struct arena *a, struct slice *ret,
                               struct error *err)
{
    struct slice address = q->addresses.items[i];
    if (on_the_way_out)
        return directory_generic(d, q->service, address, a, ret, err);
    return directory_header_address(d, q->service, slice_is(q->classes.items[i], "s"), address, a,
                                    ret, err);
}

void auth_rewrite(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m)
{
    const struct ipc_REWRITE *q = &m->REWRITE;
    bool out = ipc_channel_peer(from) == ROLE_RELAY;
    const struct directory *d = auth_directory(a);
    struct ipc_message answer = {.type = IPC_REWRITE_RESULT};
    struct error err = {"malformed"};
    struct arena arena;
    size_t n = q->addresses.n;
    arena_init(&arena, QUERY_ARENA_LIMIT);
    struct slice *made = arena_alloc_n(&arena, n + 1, sizeof *made);
    bool told = made && q->classes.n == n;
    for (size_t i = 0; told && i < n; i++)
        told = rewrite_one(d, q, i, out, &arena, &made[i], &err) == OK;
    answer.REWRITE_RESULT.addresses = (struct slice_list){made, n};
    if (told)
        ipc_answer(from, m->call, &answer);
    else
        ipc_answer_failure(from, m->call, err.text);
    arena_release(&arena);
    directory_unref(d);
}

static void serve_action(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m)
{
    struct arena arena;
    arena_init(&arena, QUERY_ARENA_LIMIT);
    if (m->ACTION_ASK.rcpt.len) {
        answer_filter(a, from, m, &arena);
        arena_release(&arena);
        return;
    }
    struct query q = {
        .auth = a,
        .channel = from,
        .call = m->call,
        .conn = m->ACTION_ASK.conn,
        .action = true,
        .stage = POLICY_AT_RCPT,
        .label = m->ACTION_ASK.label,
        .sender = m->ACTION_ASK.sender,
    };
    enum result r = action_of(a->actions, &m->ACTION_ASK, &arena, &q.rcpt);
    if (r == OK)
        query_start(&q);
    else
        answer_no_action(from, m->call, r);
    arena_release(&arena);
}

void auth_action_ask(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m)
{
    const struct directory *d = auth_directory(a);
    bool wait = waits(a->actions, m->ACTION_ASK.label, m->ACTION_ASK.source) ||
                (m->ACTION_ASK.rcpt.len && directory_waits(d));
    directory_unref(d);
    auth_serve_or_wait(a, wait, from, m, serve_action);
}

static void serve_check(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m)
{
    const struct ipc_CHECK_ASK *q = &m->CHECK_ASK;
    struct ipc_message answer = {.type = IPC_CHECK_RESULT};
    const struct line line = {q->label, q->source, q->text};
    struct table_match match = {SLICE(""), SLICE("")};
    struct error err = {""};
    struct arena arena;
    arena_init(&arena, QUERY_ARENA_LIMIT);
    enum result r = look_up(a->actions, &line, &arena, &match, &err);
    answer.CHECK_RESULT.code = r == OK ? 0 : r == NOT_FOUND ? 1 : 2;
    answer.CHECK_RESULT.value = r == OK ? match.value : SLICE("");
    answer.CHECK_RESULT.where = r == OK ? match.where : SLICE("");
    answer.CHECK_RESULT.reason = slice_cstr(err.text);
    ipc_answer(from, m->call, &answer);
    arena_release(&arena);
}

void auth_check_ask(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m)
{
    auth_serve_or_wait(a, waits(a->actions, m->CHECK_ASK.label, m->CHECK_ASK.source), from, m,
                       serve_check);
}
