/* rcpt.c: RCPT_CHECK (may this envelope go there, and where does it lead?) and EXPAND. On the way
 * of every message: answered at once from the snapshot, in the channel's thread. Only a system
 * account that is not known yet has to be asked for; then the message is kept and looked at again
 * with the answer. */
#include "role/auth/auth.h"

#include "base/clock.h"
#include "policy/policy.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    ARENA_LIMIT = 4 * 1024 * 1024,
    ASKED_MAX = 50,           /* names asked for on behalf of one recipient */
    TARGETS_BYTES = 96 * 1024 /* what fits a packet beside the rest */
};

/* A recipient being looked at. When it must wait, it is copied into an arena of its own. */
struct query {
    struct auth_role *auth;
    struct ipc_channel *channel;
    uint64_t call, conn;
    bool expand; /* EXPAND: only where it leads */
    struct slice service, sender, rcpt;
    struct slice peer_ip; /* of the client's socket, when edge sent it; "" otherwise */
    bool submitter;       /* service "sendmail", and the socket proved it */
    unsigned asked;
    bool unavailable; /* agent could not be asked */
};

/* What was found out about it. */
struct finding {
    struct resolved resolved;
    struct slice_list targets; /* as messages carry them */
    struct decision decision;
    struct grant grant;
    bool granted;
};

static void look_at(struct query *q);

static struct slice target_text(const struct directory_target *from, struct arena *a)
{
    static const enum target_kind kinds[] = {[DIRECTORY_MAIL] = TARGET_REMOTE,
                                             [DIRECTORY_COMMAND] = TARGET_COMMAND,
                                             [DIRECTORY_FILE] = TARGET_FILE};
    struct target t = {.local = from->local,
                       .account = from->account,
                       .detail = from->detail,
                       .address = from->address,
                       .route = from->route,
                       .kind = from->local ? TARGET_LOCAL : kinds[from->kind],
                       .user = from->user,
                       .text = from->text};
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
        list.items[list.n] = target_text(&r->targets[i], a);
        if (!list.items[list.n].data || arena_failed(a))
            return FAILED;
        bytes += list.items[list.n++].len + 8;
    }
    if (bytes > TARGETS_BYTES)
        return LIMIT;
    *ret = list;
    return OK;
}

static struct directory_system system_of(const struct query *q, const struct directory *d)
{
    bool pam = directory_conf(d)->pam_service.len > 0;
    return (struct directory_system){pam ? system_account_known : NULL, q->auth->system,
                                     system_file_known};
}

/* RFC 5321 2.4: it may be anybody's, and it is theirs when it leads to their account. */
static bool owns(const struct query *q, const struct directory *d, struct slice account,
                 struct arena *a)
{
    struct resolved r;
    struct directory_system system = system_of(q, d);
    directory_resolve(d, q->sender, &system, a, &r);
    for (size_t i = 0; i < r.n && r.kind == RESOLVE_LOCAL; i++)
        if (r.targets[i].local && slice_eq(r.targets[i].account, account))
            return true;
    /* The account itself is known to be there, whatever its own aliases say. */
    return r.kind == RESOLVE_ASK && !r.wish && slice_eq(r.ask, account);
}

static enum policy_rcpt class_of(const struct resolved *r)
{
    static const enum policy_rcpt classes[] = {
        [RESOLVE_LOCAL] = POLICY_RCPT_LOCAL,     [RESOLVE_UNKNOWN] = POLICY_RCPT_UNKNOWN,
        [RESOLVE_FOREIGN] = POLICY_RCPT_FOREIGN, [RESOLVE_MALFORMED] = POLICY_RCPT_MALFORMED,
        [RESOLVE_ASK] = POLICY_RCPT_UNAVAILABLE, [RESOLVE_BROKEN] = POLICY_RCPT_BROKEN,
    };
    return classes[r->kind];
}

static void decide(const struct query *q, const struct directory *d, struct arena *a,
                   struct finding *f)
{
    struct slice account;
    struct slice entry;
    struct policy_facts facts = {
        .rcpt = class_of(&f->resolved),
        .rcpt_text = q->rcpt,
        .found_rule = f->resolved.rule,
        .found_where = f->resolved.where,
        .sender = q->sender,
    };
    const struct conf *c = directory_conf(d);
    if (policy_service_parse(q->service, &facts.service) != OK)
        facts.service = POLICY_SUBMISSION; /* the strictest */
    auth_login_of(q->auth, q->conn, a, &account, &facts.login);
    if (account.data && c->smtpd_sender_login_check && q->sender.len)
        facts.sender_owned = owns(q, d, account, a);
    facts.in_mynetworks = facts.rcpt == POLICY_RCPT_FOREIGN && q->peer_ip.len &&
                          conf_network_match(c->mynetworks, q->peer_ip, &entry);
    f->decision = policy_rcpt_decide(&facts, c, a);
}

static void permit_targets(const struct query *q, const struct directory *d, struct arena *a,
                           struct finding *f)
{
    directory_route_targets(d, q->sender, a, &f->resolved);
    enum result r =
        arena_failed(a) ? FAILED : format_targets(directory_conf(d), &f->resolved, a, &f->targets);
    if (r == OK)
        r = grant_rcpt_make(&q->auth->key, q->conn, q->rcpt, f->targets, clock_realtime_s(),
                            &f->grant);
    f->granted = r == OK;
    if (r != OK) {
        f->targets = (struct slice_list){NULL, 0};
        f->decision = (struct decision){451, "4.3.0", SLICE("Temporary lookup failure"),
                                        r == LIMIT ? "too_many_targets" : "no_memory", SLICE("")};
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
    struct ipc_message m = {
        .type = IPC_RCPT_RESULT,
        .RCPT_RESULT = {.code = d->code,
                        .enhanced = slice_cstr(d->enhanced),
                        .text = d->text,
                        .rule = slice_cstr(d->rule),
                        .where = d->where,
                        .targets = f->targets,
                        .grant = f->granted ? grant_slice(&f->grant) : SLICE_NONE}};
    ipc_answer(q->channel, q->call, &m);
}

static void answer_expand(const struct query *q, const struct directory *d, struct arena *a,
                          struct finding *f)
{
    struct policy_facts facts = {.service = POLICY_LMTP,
                                 .rcpt = class_of(&f->resolved),
                                 .rcpt_text = q->rcpt,
                                 .found_rule = f->resolved.rule,
                                 .found_where = f->resolved.where};
    bool foreign = f->resolved.kind == RESOLVE_FOREIGN;
    f->decision = policy_rcpt_decide(&facts, directory_conf(d), a);
    unsigned code = foreign ? 250 : f->decision.code;
    if (code == 250)
        directory_route_targets(d, SLICE(""), a, &f->resolved); /* for bounces */
    if (code == 250 && format_targets(directory_conf(d), &f->resolved, a, &f->targets) != OK)
        code = 451;
    struct ipc_message m = {.type = IPC_EXPAND_RESULT,
                            .EXPAND_RESULT = {.code = code,
                                              .text = code == 250 ? SLICE("Ok") : f->decision.text,
                                              .targets = f->targets}};
    ipc_answer(q->channel, q->call, &m);
}

static void answer(const struct query *q, const struct directory *d, struct arena *a,
                   struct finding *f)
{
    log_problem(q, &f->resolved);
    if (q->expand) {
        answer_expand(q, d, a, f);
        return;
    }
    if (slice_is(q->service, "sendmail"))
        f->decision = auth_submission_decide(&f->resolved, q->submitter, q->rcpt, a);
    else
        decide(q, d, a, f);
    if (f->decision.code == 250)
        permit_targets(q, d, a, f);
    answer_check(q, f);
}

/* A query that waits for agent: its own copy of everything. */
struct waiting {
    struct query query;
    struct arena arena;
};

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

static void take_told(void *arg, bool told)
{
    struct waiting *w = arg;
    struct auth_role *a = w->query.auth;
    w->query.unavailable = !told;
    w->query.asked++;
    look_at(&w->query);
    arena_release(&w->arena);
    free(w);
    count_out(a);
}

/* False: no memory, or too many wait. */
static bool wait_for(const struct query *q, const struct resolved *r)
{
    struct waiting *w = calloc(1, sizeof *w);
    if (!w)
        return false;
    w->query = *q;
    arena_init(&w->arena, 64 * 1024);
    w->query.service = arena_dup(&w->arena, q->service);
    w->query.sender = arena_dup(&w->arena, q->sender);
    w->query.rcpt = arena_dup(&w->arena, q->rcpt);
    w->query.peer_ip = arena_dup(&w->arena, q->peer_ip);
    if (arena_failed(&w->arena) || !count_in(q->auth)) {
        arena_release(&w->arena);
        free(w);
        return false;
    }
    if (r->wish)
        system_file_ask(q->auth, r->wish, take_told, w);
    else
        system_account_ask(q->auth, r->ask, take_told, w);
    return true;
}

static void look_at(struct query *q)
{
    struct arena arena;
    struct finding f = {.granted = false};
    const struct directory *d = auth_directory(q->auth);
    struct directory_system system = system_of(q, d);
    arena_init(&arena, ARENA_LIMIT);
    directory_resolve(d, q->rcpt, &system, &arena, &f.resolved);
    bool ask = f.resolved.kind == RESOLVE_ASK && !q->unavailable && q->asked < ASKED_MAX;
    if (!ask || !wait_for(q, &f.resolved))
        answer(q, d, &arena, &f);
    arena_release(&arena);
    directory_unref(d);
}

/* The address behind the socket that edge handed over: what a client can't lie about. */
static struct slice peer_ip(const struct ipc_message *m, char out[INET6_ADDRSTRLEN])
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
    return inet_ntop(family, address, out, INET6_ADDRSTRLEN) ? slice_cstr(out) : SLICE("");
}

void auth_rcpt_check(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m)
{
    char ip[INET6_ADDRSTRLEN];
    unsigned uid;
    const struct ipc_RCPT_CHECK *r = &m->RCPT_CHECK;
    struct query q = {
        .auth = a,
        .channel = from,
        .call = m->call,
        .conn = r->conn,
        .service = r->service,
        .sender = r->sender,
        .rcpt = r->rcpt,
        .peer_ip = peer_ip(m, ip),
        .submitter = auth_submitter(a, m, &uid),
    };
    pthread_mutex_lock(&a->lock);
    a->recipients++;
    pthread_mutex_unlock(&a->lock);
    look_at(&q);
}

void auth_expand(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m)
{
    struct query q = {
        .auth = a,
        .channel = from,
        .call = m->call,
        .expand = true,
        .service = SLICE(""),
        .sender = SLICE(""),
        .rcpt = m->EXPAND.address,
        .peer_ip = SLICE(""),
    };
    look_at(&q);
}
