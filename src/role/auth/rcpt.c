/* rcpt.c: RCPT_CHECK (may this envelope go there, and where does it lead?) and EXPAND. On the way
 * of every message: answered at once from the snapshot, in the channel's thread. Only a system
 * account that is not known yet, or what a restriction wants to know from elsewhere, has to be
 * asked for; then the message is kept and looked at again with the answer (decide.c). */
#include "role/auth/query.h"

#include "base/clock.h"
#include "role/auth/explain.h"
#include "role/auth/policies.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { TARGETS_BYTES = 96 * 1024 }; /* what fits a packet beside the rest */

/* What Delivered-To says to a command or a file where that is not the innermost recipient. */
static struct slice delivered_of(const struct conf *c, const struct directory_target *t)
{
    bool outer = c->frozen_delivered_to && t->kind != DIRECTORY_MAIL && t->delivered.data &&
                 !slice_eq(t->delivered, t->address);
    return outer ? t->delivered : SLICE_NONE;
}

static struct slice target_text(const struct conf *c, const struct directory_target *from,
                                struct arena *a)
{
    static const enum target_kind kinds[] = {[DIRECTORY_MAIL] = TARGET_REMOTE,
                                             [DIRECTORY_COMMAND] = TARGET_COMMAND,
                                             [DIRECTORY_FILE] = TARGET_FILE};
    struct target t = {.local = from->local,
                       .account = from->account,
                       .detail = from->detail,
                       .address = from->address,
                       .route = from->route,
                       .filter = from->filter,
                       .kind = from->local ? TARGET_LOCAL : kinds[from->kind],
                       .user = from->user,
                       .text = from->text,
                       .delivered = delivered_of(c, from),
                       .bcc = from->bcc,
                       .copy_for = from->copy_for};
    struct buf b;
    buf_init(&b, 4096);
    target_format(&t, &b);
    struct slice text = buf_ok(&b) ? arena_dup(a, buf_slice(&b)) : SLICE_NONE;
    buf_release(&b);
    return text;
}

static bool same_text(struct slice a, struct slice b)
{
    return (a.data == NULL) == (b.data == NULL) && slice_eq(a, b);
}

/* What differs from the message itself stands in front of those that it is meant for. Delivered-To
 * counts for what leaves again only. */
static struct target via_of(const struct directory_target *t, bool forward)
{
    bool leaves = !t->local && t->kind == DIRECTORY_MAIL;
    return (struct target){.kind = TARGET_VIA,
                           .sender = t->owner,
                           .delivered = leaves && forward ? t->delivered : SLICE_NONE};
}

static struct slice via_text(const struct target *via, struct arena *a)
{
    struct buf b;
    buf_init(&b, 2048);
    target_format(via, &b);
    struct slice text = buf_ok(&b) ? arena_dup(a, buf_slice(&b)) : SLICE_NONE;
    buf_release(&b);
    return text;
}

static bool has_forward(const struct conf *c)
{
    for (size_t i = 0; i < c->prepend_delivered_header.n; i++)
        if (slice_is_nocase(c->prepend_delivered_header.items[i], "forward"))
            return true;
    return false;
}

/* FAILED: no memory. LIMIT: more than a message carries. */
static enum result format_targets(const struct conf *c, const struct resolved *r, struct arena *a,
                                  struct slice_list *ret)
{
    size_t bytes = 0;
    struct target now = {.kind = TARGET_VIA};
    struct slice_list list = {arena_alloc_n(a, 2 * r->n + 1, sizeof *list.items), 0};
    bool forward = has_forward(c);
    if (!list.items)
        return FAILED;
    for (size_t i = 0; i < r->n; i++) {
        struct target via = via_of(&r->targets[i], forward);
        if (!same_text(via.sender, now.sender) || !same_text(via.delivered, now.delivered)) {
            now = via;
            list.items[list.n] = via_text(&via, a);
            bytes += list.items[list.n++].len + 8;
        }
        list.items[list.n] = target_text(c, &r->targets[i], a);
        if (!list.items[list.n].data || arena_failed(a))
            return FAILED;
        bytes += list.items[list.n++].len + 8;
    }
    if (bytes > TARGETS_BYTES)
        return LIMIT;
    *ret = list;
    return OK;
}

struct directory_system query_system(const struct query *q, const struct directory *d)
{
    bool outside = directory_outside(d) != OUTSIDE_NONE;
    return (struct directory_system){.known = outside ? system_account_known : NULL,
                                     .arg = q->auth->system,
                                     .file = system_file_known,
                                     .service = q->label,
                                     .sender = q->sender};
}

/* RFC 5321 2.4: it may be anybody's, and it is theirs when it leads to their account. */
static bool owns(const struct query *q, const struct directory *d, struct slice account,
                 struct arena *a)
{
    struct resolved r;
    struct directory_system system = query_system(q, d);
    system.service = SLICE(""); /* whose it is says no listener's mapping */
    directory_resolve(d, q->sender, &system, a, &r);
    for (size_t i = 0; i < r.n && r.kind == RESOLVE_LOCAL; i++)
        if (r.targets[i].local && slice_eq(r.targets[i].account, account))
            return true;
    /* The account itself is known to be there, whatever its own aliases say. */
    return r.kind == RESOLVE_ASK && !r.wish && slice_eq(r.ask, account);
}

/* The facts that auth knows itself. */
static void complete_facts(struct query *q, const struct directory *d, struct arena *a)
{
    struct slice account;
    const struct conf *c = directory_conf(d);
    if (q->explain)
        explain_login(q->explain, &account, &q->facts.login);
    else
        auth_login_of(q->auth, q->conn, a, &account, &q->facts.login);
    q->facts.own_ips = auth_own_ips();
    q->facts.sender_owned =
        account.data && c->smtpd_sender_login_check && q->sender.len && owns(q, d, account, a);
}

static void permit_targets(const struct query *q, const struct directory *d, struct arena *a,
                           struct finding *f)
{
    enum result r =
        arena_failed(a) ? FAILED : format_targets(directory_conf(d), &f->resolved, a, &f->targets);
    if (r == OK && !q->explain)
        r = grant_rcpt_make(&q->auth->role->grant_key, q->conn, q->rcpt, f->targets,
                            clock_realtime_s(), &f->grant);
    f->granted = r == OK;
    if (r != OK) {
        f->targets = (struct slice_list){NULL, 0};
        f->decision =
            (struct decision){.code = 451,
                              .enhanced = SLICE("4.3.0"),
                              .text = SLICE("Temporary lookup failure"),
                              .rule = r == LIMIT ? SLICE("too_many_targets") : SLICE("no_memory"),
                              .where = SLICE("")};
    }
}

/* Half an alias that leads nowhere is served, but not in silence. */
static void log_problem(const struct query *q, const struct resolved *r)
{
    if (r->problem)
        LOG(LOG_WARNING, "alias.broken", LOG_C("conn", log_id(q->conn).text),
            LOG_S("rcpt", q->rcpt), LOG_S("target", r->problem_address), LOG_S("where", r->where),
            LOG_C("reason", r->problem));
}

static void answer_check(const struct query *q, const struct finding *f)
{
    const struct decision *d = &f->decision;
    if (q->explain) {
        explain_decided(q, f);
        return;
    }
    struct ipc_message m = {
        .type = IPC_RCPT_RESULT,
        .RCPT_RESULT = {.code = d->code,
                        .enhanced = d->enhanced,
                        .text = d->text,
                        .rule = d->rule,
                        .where = d->where,
                        .actions = d->actions,
                        .targets = f->targets,
                        .sender = f->sender,
                        .grant = f->granted ? grant_slice(&f->grant) : SLICE_NONE}};
    ipc_answer(q->channel, q->call, &m);
}

/* EXPAND: what RCPT would say of it where nobody is kept from anything. */
static unsigned expand_code(const struct resolved *r, struct slice *ret_text)
{
    *ret_text = SLICE("Ok");
    switch (r->kind) {
    case RESOLVE_LOCAL:
    case RESOLVE_FOREIGN:
        return 250;
    case RESOLVE_UNKNOWN:
        *ret_text = SLICE("5.1.1 User unknown");
        return 550;
    case RESOLVE_MALFORMED:
        *ret_text = SLICE("5.1.3 Bad recipient address syntax");
        return 501;
    case RESOLVE_BROKEN:
        *ret_text = SLICE("4.3.5 Server configuration error");
        return 451;
    default:
        *ret_text = SLICE("4.3.0 Temporary lookup failure");
        return 451;
    }
}

static void answer_expand(const struct query *q, const struct directory *d, struct arena *a,
                          struct finding *f)
{
    struct slice text;
    unsigned code = expand_code(&f->resolved, &text);
    if (code == 250 && format_targets(directory_conf(d), &f->resolved, a, &f->targets) != OK)
        code = 451;
    struct ipc_message m = {.type = IPC_EXPAND_RESULT,
                            .EXPAND_RESULT = {.code = code, .text = text, .targets = f->targets}};
    ipc_answer(q->channel, q->call, &m);
}

/* ACTION_ASK: whoever may send here, the administrator's tables sent it there. */
static void answer_action(const struct query *q, const struct directory *d, struct arena *a,
                          struct finding *f)
{
    struct ipc_message m = {.type = IPC_ACTION_RESULT};
    unsigned code = expand_code(&f->resolved, &m.ACTION_RESULT.reason);
    if (code == 250)
        permit_targets(q, d, a, f);
    if (f->granted) {
        m.ACTION_RESULT.address = q->rcpt;
        m.ACTION_RESULT.targets = f->targets;
        m.ACTION_RESULT.grant = grant_slice(&f->grant);
    }
    ipc_answer(q->channel, q->call, &m);
}

static bool has_action(const struct decision *d, const char *name)
{
    for (size_t i = 0; i < d->actions.n; i++) {
        struct slice text = d->actions.items[i];
        if (slice_is(slice_split(&text, ' '), name))
            return true;
    }
    return false;
}

/* The restrictions permit it: does it hold for that domain (RFC 1985 5.2)? */
static void decide_etrn(const struct query *q, const struct directory *d, struct arena *a,
                        struct finding *f)
{
    struct error err = {""};
    enum result r = directory_flushes(d, q->facts.etrn, a, &err);
    if (r == OK)
        return;
    const char *text = arena_printf(a, "<%.*s>: service unavailable", SLICE_ARG(q->facts.etrn));
    bool failed = r == FAILED || !text;
    f->decision = (struct decision){
        .code = failed ? 458 : 459,
        .enhanced = SLICE(""),
        .text = failed ? SLICE("Unable to queue messages") : slice_cstr(text),
        .rule = SLICE("fast_flush_domains"),
        .where = slice_cstr(conf_source(directory_conf(d), "fast_flush_domains"))};
}

/* False: it waits. */
static bool answer(struct query *q, const struct directory *d, struct arena *a, struct finding *f)
{
    if (q->expand) {
        log_problem(q, &f->resolved);
        answer_expand(q, d, a, f);
        return true;
    }
    if (q->action) {
        log_problem(q, &f->resolved);
        answer_action(q, d, a, f);
        return true;
    }
    complete_facts(q, d, a);
    if (q->sendmail && q->submitter == SUBMITTER_ASK) {
        if (query_ask_submitter(q))
            return false;
        q->submitter = SUBMITTER_LATER;
    }
    if (q->sendmail)
        f->decision = auth_submission_decide(&f->resolved, q->submitter, q->rcpt, a);
    else if (!query_decide(q, d, a, f))
        return false;
    log_problem(q, &f->resolved);
    if (f->decision.code == 250 && q->stage == POLICY_AT_ETRN)
        decide_etrn(q, d, a, f);
    if (f->decision.code == 250 && q->stage == POLICY_AT_RCPT && !query_apply_actions(q, d, a, f))
        return false;
    if (f->decision.code == 250 && q->stage == POLICY_AT_RCPT &&
        !has_action(&f->decision, "discard"))
        permit_targets(q, d, a, f);
    answer_check(q, f);
    return true;
}

/* What goes by the envelope as a whole: its sender's new form, and copies. */
static void add_maps(const struct query *q, const struct directory *d,
                     const struct directory_system *system, struct arena *a, struct finding *f)
{
    struct error err = {""};
    bool leads = f->resolved.kind == RESOLVE_LOCAL || f->resolved.kind == RESOLVE_FOREIGN;
    if (q->expand || !leads)
        return;
    if (directory_sender(d, q->label, q->sender, a, &f->sender, &err) != OK) {
        f->resolved.kind = RESOLVE_UNAVAILABLE;
        f->resolved.problem = "the sender can't be looked up";
        f->resolved.problem_address = q->sender;
        return;
    }
    directory_add_copies(d, f->sender, system, a, &f->resolved);
}

bool query_look_at(struct query *q)
{
    struct arena arena;
    struct finding f = {.granted = false};
    const struct directory *d = auth_directory(q->auth);
    struct directory_system system = query_system(q, d);
    bool answered = false;
    if (q->explain) {
        explain_anew(q->explain);
        system.step = explain_way;
        system.step_arg = q->explain;
    }
    arena_init(&arena, QUERY_ARENA_LIMIT);
    f.resolved.rule = "";
    f.sender = q->sender;
    if (q->rcpt.len) {
        directory_resolve(d, q->rcpt, &system, &arena, &f.resolved);
        add_maps(q, d, &system, &arena, &f);
    }
    bool ask = q->rcpt.len && f.resolved.kind == RESOLVE_ASK;
    if (!ask || !query_ask_agent(q, &f.resolved))
        answered = answer(q, d, &arena, &f);
    arena_release(&arena);
    directory_unref(d);
    return answered;
}

struct slice auth_peer_ip(const struct ipc_message *m, char out[static AUTH_IP_TEXT])
{
    struct sockaddr_storage peer = {0};
    socklen_t len = sizeof peer;
    if (m->n_fds == 0 || getpeername(m->fds[0], (struct sockaddr *)&peer, &len) != 0)
        return SLICE("");
    const void *address = NULL;
    if (peer.ss_family == AF_INET)
        address = &((struct sockaddr_in *)&peer)->sin_addr;
    else if (peer.ss_family == AF_INET6)
        address = &((struct sockaddr_in6 *)&peer)->sin6_addr;
    if (!address)
        return SLICE("");
    int family = peer.ss_family;
    /* An IPv4 client of an IPv6 listener. */
    if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)address)) {
        family = AF_INET;
        address = (const char *)address + 12;
    }
    return inet_ntop(family, address, out, AUTH_IP_TEXT) ? slice_cstr(out) : SLICE("");
}

static struct slice given(struct slice as_given, struct slice whole)
{
    return as_given.len ? as_given : whole;
}

/* What edge says of the connection. The client's address counts as proven where its socket came
 * along. */
static struct policy_facts facts_of(const struct ipc_RCPT_CHECK *r, struct slice proven_ip)
{
    struct policy_facts f = {
        .ip = proven_ip.len ? proven_ip : r->client_ip,
        .ip_proven = proven_ip.len > 0,
        .name = r->client_name,
        .reverse_name = r->reverse_name,
        .name_status = r->name_status & 3,
        .reverse_status = r->reverse_status & 3,
        .helo = r->helo_name.len ? r->helo_name : SLICE_NONE,
        .esmtp = r->flags & CHECK_ESMTP,
        .tls = r->flags & CHECK_TLS,
        .pipelined = r->flags & CHECK_PIPELINED,
        .sasl = r->flags & CHECK_SASL,
        .cert_trusted = r->flags & CHECK_CERT_TRUSTED,
        .cert_fingerprint = r->cert_fingerprint,
        .key_fingerprint = r->key_fingerprint,
        .sender = r->flags & CHECK_SENDER ? given(r->sender_given, r->sender) : SLICE_NONE,
        .rcpt = r->rcpt.len ? given(r->rcpt_given, r->rcpt) : SLICE_NONE,
        .n_rcpts = r->n_rcpts,
        .etrn = r->etrn.len ? r->etrn : SLICE_NONE,
    };
    if (policy_service_parse(r->service, &f.service) != OK)
        f.service = POLICY_SUBMISSION; /* the strictest */
    if (f.sender.data == NULL && r->flags & CHECK_SENDER)
        f.sender = SLICE("");
    return f;
}

void auth_rcpt_check(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m)
{
    char ip[INET6_ADDRSTRLEN];
    const struct ipc_RCPT_CHECK *r = &m->RCPT_CHECK;
    struct query q = {
        .auth = a,
        .channel = from,
        .call = m->call,
        .conn = r->conn,
        .stage = r->stage < POLICY_STAGES ? (enum policy_stage)r->stage : POLICY_AT_RCPT,
        .label = r->label,
        .sender = r->sender,
        .rcpt = r->rcpt,
        .sendmail = slice_is(r->service, "sendmail"),
        .facts = facts_of(r, auth_peer_ip(m, ip)),
    };
    q.submitter = auth_submitter(a, m, &q.uid);
    pthread_mutex_lock(&a->lock);
    a->recipients += q.stage == POLICY_AT_RCPT;
    pthread_mutex_unlock(&a->lock);
    query_start(&q);
}

void auth_expand(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m)
{
    struct query q = {
        .auth = a,
        .channel = from,
        .call = m->call,
        .expand = true,
        .stage = POLICY_AT_RCPT,
        .label = SLICE(""),
        .sender = SLICE(""),
        .rcpt = m->EXPAND.address,
    };
    query_start(&q);
}
