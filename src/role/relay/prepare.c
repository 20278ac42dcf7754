/* prepare.c: a job's message and envelope as they leave: smtp_header_checks and its like, then
 * smtp_generic_maps, which auth knows. Postfix's smtp(8) does it in this order. A job without
 * either goes on at once. */
#include <stdlib.h>

#include "base/clock.h"
#include "mime/header.h"
#include "mime/rewriting.h"
#include "mime/submission.h"
#include "role/relay/relay.h"
#include "role/relay/tables.h"

enum {
    SCRATCH_MAX = 1 << 20,
    GROWTH_MAX = 1 << 20,
    LINE_LOGGED = 200,
    CHECKS_MAX_MS = 300 * 1000 /* of one message, where servers are asked */
};

static void defer(struct rjob *j, const char *status, const char *why)
{
    struct verdict v;
    verdict_set(&v, SMTP_DEFERRED, status, "%s", why);
    job_finish_all(j, &v, "");
}

/* A connection is held as its messages demand. */
static bool part_by_demand(struct rjob *j)
{
    if (j->demand == TLS_DEMAND_NONE)
        return true;
    const char *name = dest_name_with(j->destination, j->demand, &j->arena);
    if (name)
        j->destination = slice_cstr(name);
    return name != NULL;
}

static void go_on(struct rjob *j)
{
    job_describe(j);
    if (!part_by_demand(j)) {
        defer(j, "4.3.0", "no memory");
        return;
    }
    pthread_mutex_lock(&j->relay->lock);
    dest_submit(j->relay, j, j->limit);
    pthread_mutex_unlock(&j->relay->lock);
}

static void take_changed(struct rjob *j, struct buf changed)
{
    buf_release(&j->changed);
    j->changed = changed;
    j->message = buf_slice(&j->changed);
}

/* ---- checks ---- */

static void on_event(void *arg, const struct content_event *e)
{
    const struct rjob *j = arg;
    LOG(e->problem || e->action == ACTION_WARN ? LOG_WARNING : LOG_INFO, "message.check",
        LOG_C("id", log_id(j->message_id).text), LOG_C("check", "smtp"),
        LOG_C("class", content_class_name(e->class)),
        LOG_C("action", content_action_name(e->action)), LOG_S("text", e->text),
        LOG_S("where", e->where), LOG_S("line", slice_sub(e->line, 0, LINE_LOGGED)),
        LOG_C("problem", e->problem ? e->problem : ""));
}

/* Of a message whose tables may ask servers: on a helper thread. */
static enum result look_at_all(struct rjob *j, const struct content_checks *checks, struct arena *a,
                               struct content_result *ret)
{
    int64_t until_ms = clock_monotonic_ms() + CHECKS_MAX_MS;
    struct content_run *run = NULL;
    struct content_question q;
    struct arena values;
    if (content_run_new(checks, j->message, a, on_event, j, &run) != OK)
        return FAILED;
    arena_init(&values, SCRATCH_MAX);
    while (content_run_next(run, &q)) {
        struct table_match match = {SLICE(""), SLICE("")};
        struct error err = {"the tables took too long over this message"};
        enum result found = FAILED;
        if (clock_monotonic_ms() < until_ms)
            found = tables_find(&checks->tables[q.class], slice_sub(q.line, 0, IPC_INLINE_MAX),
                                &values, &match, &err);
        content_run_answer(run, found, &match, err.text);
        arena_clear(&values);
    }
    arena_release(&values);
    return content_run_end(run, ret);
}

/* False: the job is over. */
static bool check(struct rjob *j, const struct content_set *set)
{
    struct content_result r = {.verdict = CONTENT_ACCEPT};
    struct arena a;
    if (!set)
        return true;
    arena_init(&a, SCRATCH_MAX);
    bool done = !set->broken && look_at_all(j, &set->checks, &a, &r) == OK;
    arena_release(&a);
    if (done && r.changed)
        take_changed(j, r.message);
    if (done && r.verdict == CONTENT_ACCEPT)
        return true;
    defer(j, set->broken ? "4.3.5" : "4.3.0",
          "a table of smtp_header_checks or its like can't be asked now");
    return false;
}

/* ---- addresses ---- */

static bool write_header(struct rjob *j)
{
    struct submission s = {.origin = SLICE(""),
                           .keep_missing = true,
                           .keep_bcc = true,
                           .map = rewriting_find,
                           .map_arg = j->rewriting};
    struct buf whole;
    size_t body;
    unsigned changes = 0;
    buf_init(&whole, j->message.len + GROWTH_MAX);
    enum result r = submission_complete(j->message, &s, &whole, &body, &changes);
    if (r == OK && changes)
        buf_append(&whole, slice_from(j->message, body));
    bool fits = r == OK && buf_ok(&whole);
    if (fits && changes)
        take_changed(j, whole);
    else
        buf_release(&whole);
    return fits;
}

static void answered(void *arg, struct ipc_message *m)
{
    struct rjob *j = arg;
    struct rewriting *r = j->rewriting;
    bool told = m->type == IPC_REWRITE_RESULT && m->REWRITE_RESULT.addresses.n == r->n;
    for (size_t i = 0; told && i < r->n; i++)
        r->made[i] = arena_dup(&j->arena, m->REWRITE_RESULT.addresses.items[i]);
    if (told) {
        j->mail.sender = rewriting_find_text(r, true, j->mail.sender);
        for (size_t i = 0; i < j->mail.n_rcpts; i++)
            j->rcpts[i].address = rewriting_find_text(r, false, j->rcpts[i].address);
    }
    if (!told || arena_failed(&j->arena))
        defer(j, "4.3.0", "smtp_generic_maps can't be asked now");
    else if (!write_header(j))
        defer(j, "4.3.0", "no memory for the header that smtp_generic_maps ask for");
    else
        go_on(j);
}

static void ask_generic(struct rjob *j, struct slice service)
{
    struct ipc_message m = {.type = IPC_REWRITE};
    struct rewriting *r = ARENA_NEW(&j->arena, struct rewriting);
    if (!r) {
        defer(j, "4.3.0", "out of memory");
        return;
    }
    rewriting_init(r, &j->arena);
    j->rewriting = r;
    rewriting_add_text(r, true, j->mail.sender);
    for (size_t i = 0; i < j->mail.n_rcpts; i++)
        rewriting_add_text(r, false, j->rcpts[i].address);
    submission_addresses(slice_sub(j->message, 0, header_length(j->message)), SLICE(""),
                         rewriting_add, r);
    if (r->left_out)
        LOG(LOG_WARNING, "relay.addresses_kept", LOG_C("id", log_id(j->message_id).text),
            LOG_C("setting", "smtp_generic_maps"), LOG_C("why", "the header has too many"));
    m.REWRITE.service = service;
    m.REWRITE.classes = (struct slice_list){r->classes, r->n};
    m.REWRITE.addresses = (struct slice_list){r->addresses, r->n};
    ipc_request(j->relay->role->peers[ROLE_AUTH], &m, answered, j);
}

/* ---- the way in ---- */

/* Mail of different senders must not share a connection where the login depends on them: the
 * sender becomes a part of the destination's name (dest_sender). False: no memory. */
static bool part_by_sender(struct rjob *j, const struct conf *c)
{
    if (!c->smtp_sender_dependent_authentication || !c->smtp_sasl_auth_enable ||
        c->smtp_sasl_password_maps.n == 0)
        return true;
    char *name =
        arena_printf(&j->arena, "%.*s\n%.*s", SLICE_ARG(j->destination), SLICE_ARG(j->mail.sender));
    if (name)
        j->destination = slice_cstr(name);
    return name != NULL;
}

static void check_and_go_on(struct rjob *j, const struct content_set *set, const struct conf *c,
                            struct slice service)
{
    if (!check(j, set))
        return;
    if (c->smtp_generic_maps.n)
        ask_generic(j, service);
    else
        go_on(j);
}

struct later {
    struct rjob *job;
    const struct conf *conf;
    struct relay_tables *tables;
};

static void later_free(struct later *k)
{
    relay_tables_unref(k->tables);
    conf_unref(k->conf);
    free(k);
}

void job_prepare_drop(void *later)
{
    struct later *k = later;
    job_free(k->job);
    later_free(k);
}

static void run_later(void *arg)
{
    struct later *k = arg;
    char label[RELAY_LABEL_SIZE];
    const struct conf *c = relay_service(k->conf, k->job->destination, label);
    check_and_go_on(k->job, relay_checks(k->tables, slice_cstr(label)), c, slice_cstr(label));
    later_free(k);
}

/* On a helper thread. */
static void check_later(struct rjob *j, const struct conf *conf, struct relay_tables *tables)
{
    struct later *k = malloc(sizeof *k);
    if (!k) {
        defer(j, "4.3.0", "no memory");
        return;
    }
    *k = (struct later){j, conf_ref(conf), relay_tables_ref(tables)};
    if (io_line_put(&j->relay->checks_line, run_later, k) == OK)
        return;
    defer(j, "4.3.0", "too many questions to tables wait");
    later_free(k);
}

void job_prepare(struct rjob *j, const struct conf *conf, struct relay_tables *tables)
{
    char label[RELAY_LABEL_SIZE];
    const struct conf *c = relay_service(conf, j->destination, label);
    struct slice transport, nexthop, service = slice_cstr(label);
    target_route_split(j->destination, &transport, &nexthop);
    if (!slice_is(conf_transport_kind(conf, transport), "smtp")) {
        go_on(j);
        return;
    }
    if (!part_by_sender(j, c)) {
        struct verdict v;
        verdict_set(&v, SMTP_DEFERRED, "4.3.0", "no memory");
        job_finish_all(j, &v, "");
        return;
    }
    const struct content_set *set = relay_checks(tables, service);
    if (set && content_checks_wait(&set->checks))
        check_later(j, conf, tables);
    else
        check_and_go_on(j, set, c, service);
}
