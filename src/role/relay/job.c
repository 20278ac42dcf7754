/* job.c: a delivery attempt, from RELAY_JOB to RELAY_RESULT. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "mime/header.h"
#include "mime/rewriting.h"
#include "role/relay/relay.h"

enum { JOB_ARENA_MAX = 32 << 20, REPLY_MAX = 1000 };

void verdict_set(struct verdict *v, enum smtp_outcome outcome, const char *status,
                 const char *format, ...)
{
    va_list ap;
    v->outcome = outcome;
    v->remote = v->missed = false;
    snprintf(v->status, sizeof v->status, "%s", status);
    va_start(ap, format);
    vsnprintf(v->text, sizeof v->text, format, ap);
    va_end(ap);
}

/* ---- taking ---- */

static bool has_high_bytes(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.data[i] >= 0x80)
            return true;
    return false;
}

/* RFC 6531 3.4: what the client asked for is needed only when there is something of it. */
static bool needs_smtputf8(const struct rjob *j)
{
    bool needed = has_high_bytes(j->mail.sender) ||
                  has_high_bytes(slice_sub(j->message, 0, header_length(j->message)));
    for (size_t i = 0; !needed && i < j->mail.n_rcpts; i++)
        needed = has_high_bytes(j->rcpts[i].address);
    return needed;
}

static enum result take_message(struct rjob *j, struct ipc_message *m)
{
    const struct ipc_RELAY_JOB *q = &m->RELAY_JOB;
    if (m->n_fds == 0) {
        j->message = arena_dup(&j->arena, q->message);
        return j->message.data && q->message.len == q->size ? OK : INVALID;
    }
    enum result r = ipc_memfd_map(m->fds[0], q->size, &j->mapped);
    j->message = j->mapped;
    return r;
}

static enum result take_recipients(struct rjob *j, const struct ipc_RELAY_JOB *q)
{
    size_t n = q->rcpts.n;
    if (n == 0 || q->dsn_notify.n != n || q->dsn_orcpt.n != n)
        return INVALID;
    j->rcpts = arena_alloc_n(&j->arena, n, sizeof *j->rcpts);
    j->given = arena_alloc_n(&j->arena, n, sizeof *j->given);
    for (size_t i = 0; j->rcpts && j->given && i < n; i++) {
        j->given[i] = arena_dup(&j->arena, q->rcpts.items[i]);
        j->rcpts[i] =
            (struct smtp_client_rcpt){j->given[i], arena_dup(&j->arena, q->dsn_notify.items[i]),
                                      arena_dup(&j->arena, q->dsn_orcpt.items[i])};
    }
    return arena_failed(&j->arena) ? FAILED : OK;
}

enum result job_new(struct relay *relay, struct ipc_channel *from, struct ipc_message *m,
                    struct rjob **ret)
{
    const struct ipc_RELAY_JOB *q = &m->RELAY_JOB;
    struct rjob *j = calloc(1, sizeof *j);
    if (!j)
        return FAILED;
    list_init(&j->node);
    arena_init(&j->arena, JOB_ARENA_MAX);
    j->relay = relay;
    j->from = from;
    j->call = m->call;
    j->message_id = q->message_id;
    j->attempt = q->attempt;
    j->limit = q->concurrency ? q->concurrency : 1;
    j->started_ms = clock_monotonic_ms();
    j->destination = arena_dup(&j->arena, q->destination);
    enum result r = take_recipients(j, q);
    if (r == OK)
        r = take_message(j, m);
    if (r != OK) {
        job_free(j);
        return r;
    }
    j->mail = (struct smtp_client_mail){.sender = arena_dup(&j->arena, q->sender),
                                        .rcpts = j->rcpts,
                                        .n_rcpts = q->rcpts.n,
                                        .ret = arena_dup(&j->arena, q->ret),
                                        .envid = arena_dup(&j->arena, q->envid)};
    j->smtputf8 = q->smtputf8;
    j->mail.require_tls = q->require_tls;
    j->eightbit = q->eightbit;
    *ret = j;
    return OK;
}

/* RFC 8689 4.1, 5: the header field does not count beside REQUIRETLS, and a bounce is not lost for
 * want of it. */
static enum tls_demand demand_of(const struct rjob *j)
{
    struct header_field f;
    struct slice header = slice_sub(j->message, 0, header_length(j->message));
    if (j->mail.require_tls)
        return j->mail.sender.len ? TLS_DEMAND_REQUIRED : TLS_DEMAND_NONE;
    bool no =
        header_find(header, "TLS-Required", &f) == OK && slice_is_nocase(slice_trim(f.body), "No");
    return no ? TLS_DEMAND_OPTIONAL : TLS_DEMAND_NONE;
}

void job_describe(struct rjob *j)
{
    j->demand = demand_of(j);
    j->mail.size = j->message.len;
    j->mail.eightbit = j->eightbit || has_high_bytes(j->message);
    j->mail.smtputf8 = j->smtputf8 && needs_smtputf8(j);
}

void job_free(struct rjob *j)
{
    if (j->mapped.data)
        ipc_memfd_unmap(j->mapped);
    if (j->rewriting)
        rewriting_release(j->rewriting);
    buf_release(&j->changed);
    arena_release(&j->arena);
    free(j);
}

/* ---- ending ---- */

static const char *outcome_word(enum smtp_outcome o)
{
    return o == SMTP_SENT ? "sent" : o == SMTP_FAILED ? "failed" : "deferred";
}

static void count(struct relay *relay, enum smtp_outcome o)
{
    uint64_t *counter = o == SMTP_SENT     ? &relay->sent
                        : o == SMTP_FAILED ? &relay->failed
                                           : &relay->deferred;
    __atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static void log_recipient(const struct rjob *j, size_t i, const struct smtp_client_result *r,
                          const char *remote, const char *tls)
{
    int64_t ms = clock_monotonic_ms() - j->started_ms;
    LOG(LOG_INFO, "relay.attempt", LOG_C("id", log_id(j->message_id).text),
        LOG_S("from", j->mail.sender), LOG_S("to", j->given[i]),
        LOG_C("relay", *remote ? remote : "none"), LOG_I("delay_ms", ms),
        LOG_U("attempt", j->attempt), LOG_S("dsn", r->status),
        LOG_C("status", r->outcome == SMTP_FAILED ? "bounced" : outcome_word(r->outcome)),
        LOG_C("tls", tls), LOG_S("reply", r->text));
}

struct lists {
    struct slice *outcomes, *statuses, *replies, *remotes, *diag_types;
};

static bool alloc_lists(struct rjob *j, struct lists *l)
{
    size_t n = j->mail.n_rcpts;
    l->outcomes = arena_alloc_n(&j->arena, n, sizeof(struct slice));
    l->statuses = arena_alloc_n(&j->arena, n, sizeof(struct slice));
    l->replies = arena_alloc_n(&j->arena, n, sizeof(struct slice));
    l->remotes = arena_alloc_n(&j->arena, n, sizeof(struct slice));
    l->diag_types = arena_alloc_n(&j->arena, n, sizeof(struct slice));
    return !arena_failed(&j->arena);
}

static void answer(struct rjob *j, const struct lists *l, const char *tls)
{
    size_t n = j->mail.n_rcpts;
    struct ipc_message m = {.type = IPC_RELAY_RESULT};
    m.RELAY_RESULT.message_id = j->message_id;
    m.RELAY_RESULT.outcomes = (struct slice_list){l->outcomes, n};
    m.RELAY_RESULT.statuses = (struct slice_list){l->statuses, n};
    m.RELAY_RESULT.replies = (struct slice_list){l->replies, n};
    m.RELAY_RESULT.remotes = (struct slice_list){l->remotes, n};
    m.RELAY_RESULT.diag_types = (struct slice_list){l->diag_types, n};
    m.RELAY_RESULT.reports = j->reports;
    m.RELAY_RESULT.missed = j->missed;
    m.RELAY_RESULT.tls = slice_cstr(tls);
    ipc_answer(j->from, j->call, &m);
}

/* A packet has a limit: with many recipients each one's words get their share of it. */
static size_t reply_share(size_t n)
{
    size_t share = IPC_INLINE_MAX / n;
    return share > REPLY_MAX ? REPLY_MAX : share;
}

void job_finish(struct rjob *j, const struct smtp_client_result *results, const char *remote,
                const char *tls)
{
    struct lists l;
    bool have = alloc_lists(j, &l);
    for (size_t i = 0; have && i < j->mail.n_rcpts; i++) {
        const struct smtp_client_result *r = &results[i];
        l.outcomes[i] = slice_cstr(outcome_word(r->outcome));
        l.statuses[i] = r->status;
        l.replies[i] = slice_sub(r->text, 0, reply_share(j->mail.n_rcpts));
        l.remotes[i] = slice_cstr(remote);
        l.diag_types[i] = r->remote ? SLICE("smtp") : SLICE("x-postrider");
        log_recipient(j, i, r, remote, tls);
        count(j->relay, r->outcome);
    }
    if (have)
        answer(j, &l, tls);
    else
        ipc_answer_failure(j->from, j->call, "no memory");
    job_free(j);
}

void job_finish_all(struct rjob *j, const struct verdict *v, const char *remote)
{
    struct smtp_client_result *results = arena_alloc_n(&j->arena, j->mail.n_rcpts, sizeof *results);
    if (!results) {
        ipc_answer_failure(j->from, j->call, "no memory");
        job_free(j);
        return;
    }
    for (size_t i = 0; i < j->mail.n_rcpts; i++)
        results[i] = (struct smtp_client_result){v->outcome, v->remote, slice_cstr(v->status),
                                                 slice_cstr(v->text)};
    j->missed = v->missed;
    job_finish(j, results, remote, "");
}
