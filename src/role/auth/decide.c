/* decide.c: runs the policy for a query and fetches what it asks for: addresses from the directory
 * at once, DNS from relay, tables that ask a server and pauses while the query waits. */
#include "role/auth/query.h"

#include "role/auth/explain.h"
#include "role/auth/policies.h"

#include <stdlib.h>

enum { ASKED_MAX = 50, WAITING_LIMIT = 1024 * 1024 };

/* A query that waits: its own copy of everything, and the answers so far. */
struct waiting {
    struct query query;
    struct arena arena;
    struct policy_answers answers;
    struct auth_policies *policies;
    struct policy_question question; /* what is waited for */
    struct io_task timer;            /* of a pause */
};

/* ---- waiting ---- */

static bool count_in(struct auth_role *a)
{
    pthread_mutex_lock(&a->lock);
    bool room = a->n_queries < QUERIES_MAX;
    a->n_queries += room;
    pthread_mutex_unlock(&a->lock);
    return room;
}

static void count_out(struct auth_role *a)
{
    pthread_mutex_lock(&a->lock);
    a->n_queries--;
    pthread_mutex_unlock(&a->lock);
}

static void copy(struct arena *a, struct slice *s)
{
    if (s->data)
        *s = arena_dup(a, *s);
}

static void copy_facts(struct policy_facts *f, struct arena *a)
{
    struct slice *all[] = {&f->ip,    &f->name,   &f->reverse_name,     &f->helo,
                           &f->login, &f->sender, &f->cert_fingerprint, &f->key_fingerprint,
                           &f->rcpt,  &f->etrn};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        copy(a, all[i]);
}

static void end_waiting(struct waiting *w)
{
    struct auth_role *a = w->query.auth;
    auth_policies_unref(w->policies);
    arena_release(&w->arena);
    free(w);
    count_out(a);
}

/* The query as one that waits; NULL: no memory, or too many wait. */
static struct waiting *keep(struct query *q)
{
    if (q->waiting)
        return q->waiting;
    struct waiting *w = calloc(1, sizeof *w);
    if (!w)
        return NULL;
    w->query = *q;
    w->query.waiting = w;
    arena_init(&w->arena, WAITING_LIMIT);
    w->answers.arena = &w->arena;
    copy(&w->arena, &w->query.label);
    copy(&w->arena, &w->query.sender);
    copy(&w->arena, &w->query.rcpt);
    copy_facts(&w->query.facts, &w->arena);
    if (arena_failed(&w->arena) || !count_in(q->auth)) {
        arena_release(&w->arena);
        free(w);
        return NULL;
    }
    w->policies = auth_policies_get(q->auth);
    return w;
}

static void look(void *arg)
{
    struct waiting *w = arg;
    if (query_look_at(&w->query))
        end_waiting(w);
}

static bool directory_must_wait(struct auth_role *a)
{
    const struct directory *d = auth_directory(a);
    bool waits = directory_waits(d);
    directory_unref(d);
    return waits;
}

static void give_up(const struct query *q)
{
    static const char why[] = "too much waits for tables, or no memory";
    if (q->explain)
        explain_gave_up(q->explain, why);
    else
        ipc_answer_failure(q->channel, q->call, why);
}

/* The channels' threads wait for nobody. */
static void look_again(struct waiting *w)
{
    if (!directory_must_wait(w->query.auth)) {
        look(w);
    } else if (auth_run_tables(w->query.auth, look, w) != OK) {
        give_up(&w->query);
        end_waiting(w);
    }
}

void query_start(struct query *q)
{
    if (!directory_must_wait(q->auth)) {
        (void)query_look_at(q);
        return;
    }
    struct waiting *w = keep(q);
    if (w)
        look_again(w);
    else
        give_up(q);
}

/* ---- agent ---- */

static void take_told(void *arg, bool told)
{
    struct waiting *w = arg;
    w->query.unavailable = !told;
    w->query.asked++;
    look_again(w);
}

bool query_ask_agent(struct query *q, const struct resolved *r)
{
    struct waiting *w = q->unavailable || q->asked >= ASKED_MAX ? NULL : keep(q);
    if (!w)
        return false;
    if (r->wish)
        system_file_ask(w->query.auth, r->wish, take_told, w);
    else
        system_account_ask(w->query.auth, r->ask, take_told, w);
    return true;
}

static void take_submitter(void *arg, enum submitter s)
{
    struct waiting *w = arg;
    w->query.submitter = s;
    look_again(w);
}

bool query_ask_submitter(struct query *q)
{
    struct waiting *w = keep(q);
    if (w)
        auth_submitter_ask(w->query.auth, w->query.uid, take_submitter, w);
    return w != NULL;
}

/* ---- DNS ---- */

static enum policy_dns dns_outcome(const struct ipc_message *m)
{
    static const enum policy_dns outcomes[] = {POLICY_DNS_FOUND, POLICY_DNS_NO_DATA,
                                               POLICY_DNS_TEMPORARY, POLICY_DNS_NO_NAME};
    if (m->type != IPC_RESOLVE_RESULT || m->RESOLVE_RESULT.code > 3)
        return POLICY_DNS_TEMPORARY;
    return outcomes[m->RESOLVE_RESULT.code];
}

static void take_dns(void *arg, struct ipc_message *m)
{
    struct waiting *w = arg;
    struct slice_list none = {NULL, 0};
    bool found = m->type == IPC_RESOLVE_RESULT;
    policy_answer_dns(&w->answers, &w->question, dns_outcome(m),
                      found ? m->RESOLVE_RESULT.answers : none);
    look_again(w);
}

static void ask_dns(struct waiting *w)
{
    struct ipc_message m = {.type = IPC_RESOLVE,
                            .RESOLVE = {.name = w->question.key, .type = w->question.type}};
    ipc_request(w->query.auth->role->peers[ROLE_RELAY], &m, take_dns, w);
}

/* ---- tables that ask a server ---- */

static void ask_server(void *arg)
{
    struct waiting *w = arg;
    struct arena a;
    struct table_match match = {0};
    struct error err = {""};
    arena_init(&a, QUERY_ARENA_LIMIT);
    enum result r = table_find(w->question.table, w->question.key, &a, &match, &err);
    if (r != OK && r != NOT_FOUND)
        LOG(LOG_WARNING, "table.failed", LOG_S("table", table_name(w->question.table)),
            LOG_C("why", err.text));
    policy_answer_table(&w->answers, &w->question, r, &match);
    arena_release(&a);
    look_again(w);
}

/* ---- pauses ---- */

static void pause_over(struct io_task *t, unsigned events)
{
    struct waiting *w = CONTAINER_OF(t, struct waiting, timer);
    if (!(events & IO_TIMER)) {
        io_task_deadline(t, (int64_t)w->question.seconds * 1000);
        return;
    }
    io_task_close(t);
    policy_answer_sleep(&w->answers, &w->question);
    look_again(w);
}

static void take_pause(struct waiting *w)
{
    io_task_open(w->query.auth->role->engine, &w->timer, -1, pause_over);
    io_wake(&w->timer);
}

/* False: it can't be had. */
static bool fetch(struct query *q, const struct policy_question *question)
{
    struct waiting *w = keep(q);
    if (!w)
        return false;
    w->question = *question;
    w->question.key = arena_dup(&w->arena, question->key);
    if (arena_failed(&w->arena)) {
        if (!q->waiting)
            end_waiting(w);
        return false;
    }
    if (question->ask == POLICY_ASK_DNS)
        ask_dns(w);
    else if (question->ask == POLICY_ASK_SLEEP)
        take_pause(w);
    else if (auth_run_tables(q->auth, ask_server, w) != OK) {
        if (!q->waiting)
            end_waiting(w);
        return false;
    }
    return true;
}

/* ---- addresses ---- */

static struct policy_address address_of(const struct resolved *r, struct slice full)
{
    static const enum policy_known kinds[] = {
        [RESOLVE_LOCAL] = POLICY_LISTED,
        [RESOLVE_UNKNOWN] = POLICY_UNLISTED,
        [RESOLVE_FOREIGN] = POLICY_LISTED,
        [RESOLVE_MALFORMED] = POLICY_MALFORMED,
        [RESOLVE_ASK] = POLICY_UNAVAILABLE,
        [RESOLVE_BROKEN] = POLICY_BROKEN,
        [RESOLVE_UNAVAILABLE] = POLICY_UNAVAILABLE,
    };
    static const enum policy_class classes[] = {
        [CLASS_LOCAL] = POLICY_CLASS_LOCAL,     [CLASS_ALIAS] = POLICY_CLASS_ALIAS,
        [CLASS_MAILBOX] = POLICY_CLASS_MAILBOX, [CLASS_RELAY] = POLICY_CLASS_RELAY,
        [CLASS_OTHER] = POLICY_CLASS_OTHER,
    };
    bool malformed = r->kind == RESOLVE_MALFORMED;
    return (struct policy_address){.known = kinds[r->kind],
                                   .class = malformed ? POLICY_CLASS_OTHER : classes[r->class],
                                   .routed = r->routed,
                                   .full = r->full.len ? r->full : full,
                                   .code = r->code,
                                   .status = r->status,
                                   .text = r->text,
                                   .rule = slice_cstr(r->rule),
                                   .where = r->where};
}

/* False: agent must be asked first. */
static bool answer_address(struct query *q, const struct directory *d, struct arena *a,
                           const struct policy_question *question, struct policy_answers *answers,
                           const struct finding *f)
{
    struct resolved r = f->resolved;
    struct slice full = q->rcpt;
    if (!slice_eq(question->key, q->facts.rcpt) || q->facts.rcpt.len == 0) {
        struct directory_system system = query_system(q, d);
        full = slice_eq(question->key, q->facts.sender) ? q->sender : question->key;
        directory_resolve(d, full, &system, a, &r);
        if (r.kind == RESOLVE_ASK && query_ask_agent(q, &r))
            return false;
    }
    struct policy_address address = address_of(&r, full);
    policy_answer_address(answers, question, &address);
    return true;
}

/* ---- the run ---- */

static void log_notes(const struct query *q, const struct decision *d)
{
    for (size_t i = 0; i < d->notes.n; i++) {
        struct slice text = d->notes.items[i], kind = slice_split(&text, ' ');
        bool problem = slice_is(kind, "problem");
        LOG(problem ? LOG_ERROR : LOG_INFO, "policy.note", LOG_C("conn", log_id(q->conn).text),
            LOG_S("kind", kind), LOG_S("client", q->facts.ip), LOG_S("helo", q->facts.helo),
            LOG_S("from", q->facts.sender), LOG_S("rcpt", q->facts.rcpt), LOG_S("text", text));
    }
}

static void fail(struct finding *f, const char *rule)
{
    f->decision = (struct decision){.code = 451,
                                    .enhanced = SLICE("4.3.0"),
                                    .text = SLICE("Temporary lookup failure"),
                                    .rule = slice_cstr(rule),
                                    .where = SLICE("")};
}

/* False: waits. */
static bool run(struct query *q, const struct policy *p, const struct directory *d, struct arena *a,
                struct finding *f)
{
    struct policy_answers mine = {.arena = a};
    struct policy_answers *answers = q->waiting ? &q->waiting->answers : &mine;
    struct policy_question question;
    answers->story = q->explain ? explain_story(q->explain) : NULL;
    while (!policy_run(p, q->stage, &q->facts, answers, a, &f->decision, &question)) {
        if (question.ask == POLICY_ASK_ADDRESS) {
            if (!answer_address(q, d, a, &question, answers, f))
                return false;
        } else if (fetch(q, &question)) {
            return false;
        } else {
            fail(f, "too many wait");
            return true;
        }
    }
    return true;
}

bool query_decide(struct query *q, const struct directory *d, struct arena *a, struct finding *f)
{
    struct auth_policies *ps = auth_policies_get(q->auth);
    const struct policy *p = ps ? auth_policy_for(ps, q->label) : NULL;
    bool decided = true;
    if (p)
        decided = run(q, p, d, a, f);
    else
        fail(f, "no policy");
    if (decided && !q->explain)
        log_notes(q, &f->decision);
    auth_policies_unref(ps);
    return decided;
}
