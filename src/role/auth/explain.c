#include "role/auth/explain.h"

#include <stdlib.h>

#include "mime/address.h"
#include "role/auth/policies.h"
#include "role/client_name.h"

enum { STEPS_MAX = 1500, LINES_MAX = 4000, WAYS_MAX = 1000, EXPLAIN_LIMIT = 4 << 20 };

struct explain {
    struct auth_role *auth;
    struct ipc_channel *channel;
    uint64_t call;
    struct arena arena;
    struct policy_facts facts; /* all; a stage has those that are known by then */
    struct slice label, sender, rcpt, account;
    enum policy_stage stage;
    struct policy_step steps[STEPS_MAX];
    struct policy_story story;
    struct slice lines[LINES_MAX], ways[WAYS_MAX];
    size_t n_lines, n_ways;
    bool cut;
};

static void end(struct explain *e)
{
    arena_release(&e->arena);
    free(e);
}

void explain_gave_up(struct explain *e, const char *why)
{
    ipc_answer_failure(e->channel, e->call, why);
    end(e);
}

/* ---- what is told ---- */

struct policy_story *explain_story(struct explain *e)
{
    return &e->story;
}

void explain_anew(struct explain *e)
{
    e->n_ways = 0;
}

void explain_login(const struct explain *e, struct slice *ret_account, struct slice *ret_login)
{
    bool known = e->stage >= POLICY_AT_MAIL && e->facts.login.data;
    *ret_account = known ? e->account : SLICE_NONE;
    *ret_login = known ? e->facts.login : SLICE_NONE;
}

/* Fields with NULs between them. */
static void add_line(struct explain *e, struct slice *to, size_t *n, size_t max,
                     const struct slice *fields, size_t n_fields)
{
    struct buf b;
    buf_init(&b, 64 * 1024);
    for (size_t i = 0; i < n_fields; i++) {
        if (i)
            buf_putc(&b, '\0');
        buf_append(&b, fields[i]);
    }
    struct slice line = buf_ok(&b) && *n < max ? arena_dup(&e->arena, buf_slice(&b)) : SLICE_NONE;
    buf_release(&b);
    if (line.data)
        to[(*n)++] = line;
    else
        e->cut = true;
}

void explain_way(void *arg, const char *rule, struct slice where, struct slice from,
                 struct slice to)
{
    struct explain *e = arg;
    struct slice fields[] = {slice_cstr(rule), where, from, to};
    add_line(e, e->ways, &e->n_ways, WAYS_MAX, fields, 4);
}

static struct slice stage_name(enum policy_stage s)
{
    static const char *const names[] = {[POLICY_AT_CLIENT] = "connect",
                                        [POLICY_AT_HELO] = "helo",
                                        [POLICY_AT_MAIL] = "mail",
                                        [POLICY_AT_RCPT] = "rcpt"};
    return s <= POLICY_AT_RCPT ? slice_cstr(names[s]) : SLICE("");
}

static void add_step(struct explain *e, const struct policy_step *s)
{
    static const char *const kinds[] = {[POLICY_STEP_LIST] = "list",
                                        [POLICY_STEP_RULE] = "restriction",
                                        [POLICY_STEP_TABLE] = "table",
                                        [POLICY_STEP_DNS] = "dns",
                                        [POLICY_STEP_ADDRESS] = "address"};
    const char *depth = arena_printf(&e->arena, "%u", s->depth);
    struct slice fields[] = {slice_cstr(kinds[s->kind]),
                             stage_name(e->stage),
                             slice_cstr(depth ? depth : "0"),
                             s->name,
                             s->key,
                             s->where,
                             s->result};
    add_line(e, e->lines, &e->n_lines, LINES_MAX, fields, sizeof fields / sizeof *fields);
}

static void add_story(struct explain *e)
{
    for (size_t i = 0; i < e->story.n; i++)
        add_step(e, &e->story.items[i]);
    e->cut |= e->story.cut;
    e->story.n = 0;
}

/* ---- the stages ---- */

/* What a query at the stage knows, as edge would say it. */
static struct policy_facts facts_at(const struct explain *e)
{
    struct policy_facts f = e->facts;
    f.login = SLICE_NONE; /* complete_facts */
    if (e->stage < POLICY_AT_HELO)
        f.helo = SLICE_NONE;
    if (e->stage < POLICY_AT_MAIL)
        f.sender = SLICE_NONE;
    if (e->stage < POLICY_AT_RCPT)
        f.rcpt = SLICE_NONE;
    return f;
}

static bool asks(struct explain *e)
{
    struct auth_policies *ps = auth_policies_get(e->auth);
    const struct policy *p = ps ? auth_policy_for(ps, e->label) : NULL;
    bool wanted = p && policy_asks(policy_conf(p), e->stage) &&
                  (e->stage != POLICY_AT_HELO || e->facts.helo.data);
    auth_policies_unref(ps);
    return wanted;
}

/* Those before RCPT as smtpd_delay_reject wants it. */
static void put_query(struct explain *e)
{
    while (e->stage < POLICY_AT_RCPT && !asks(e))
        e->stage++;
    struct query q = {.auth = e->auth,
                      .channel = e->channel,
                      .call = e->call,
                      .explain = e,
                      .stage = e->stage,
                      .label = e->label,
                      .sender = e->stage >= POLICY_AT_MAIL ? e->sender : SLICE(""),
                      .rcpt = e->stage == POLICY_AT_RCPT ? e->rcpt : SLICE(""),
                      .facts = facts_at(e)};
    query_start(&q);
}

static void answer(struct explain *e, const struct finding *f)
{
    const struct decision *d = &f->decision;
    struct ipc_message m = {.type = IPC_EXPLAIN_RESULT,
                            .EXPLAIN_RESULT = {.code = d->code,
                                               .enhanced = d->enhanced,
                                               .text = d->text,
                                               .rule = d->rule,
                                               .where = d->where,
                                               .stage = stage_name(e->stage),
                                               .sender = f->sender,
                                               .cut = e->cut,
                                               .steps = {e->lines, e->n_lines},
                                               .ways = {e->ways, e->n_ways},
                                               .targets = f->targets,
                                               .actions = d->actions,
                                               .notes = d->notes}};
    ipc_answer(e->channel, e->call, &m);
    end(e);
}

void explain_decided(const struct query *q, const struct finding *f)
{
    struct explain *e = q->explain;
    add_story(e);
    if (f->decision.code == 250 && e->stage < POLICY_AT_RCPT) {
        e->stage++;
        put_query(e);
    } else {
        answer(e, f);
    }
}

/* ---- the client's name ---- */

static void take_name(void *arg, const struct client_name *found, bool done)
{
    static const char *const why[] = {[POLICY_NAME_OK] = "confirmed: it has the address",
                                      [POLICY_NAME_TEMPORARY] = "no answer for now",
                                      [POLICY_NAME_NONE] = "no such name",
                                      [POLICY_NAME_FORGED] = "it has not the address"};
    struct explain *e = arg;
    if (!done)
        return;
    struct policy_facts *f = &e->facts;
    f->name_status = found->name_status;
    f->reverse_status = found->reverse_status;
    f->reverse_name = arena_dup(&e->arena, slice_cstr(found->reverse));
    f->name = found->name_status == POLICY_NAME_OK ? f->reverse_name : SLICE("");
    struct policy_step reverse = {
        .kind = POLICY_STEP_DNS,
        .name = SLICE("PTR"),
        .key = f->ip,
        .result = found->reverse[0] ? f->reverse_name : slice_cstr(why[found->reverse_status])};
    struct policy_step address = {.kind = POLICY_STEP_DNS,
                                  .name = SLICE("A"),
                                  .key = f->reverse_name,
                                  .result = slice_cstr(why[found->name_status])};
    if (slice_find(f->ip, ':') != SIZE_MAX)
        address.name = SLICE("AAAA");
    add_step(e, &reverse);
    if (found->reverse[0])
        add_step(e, &address);
    put_query(e);
}

static bool is_loopback(struct slice ip)
{
    return slice_starts(ip, SLICE("127.")) || slice_is(ip, "::1");
}

/* As edge finds it (edge/peer_name.c), unless it was given. */
static void find_name(struct explain *e, const struct conf *c, struct slice given)
{
    struct policy_facts *f = &e->facts;
    const char *ip = arena_printf(&e->arena, "%.*s", SLICE_ARG(f->ip));
    f->name = f->reverse_name = given.len ? given : is_loopback(f->ip) ? SLICE("localhost") : given;
    if (!f->name.len)
        f->name_status = f->reverse_status = POLICY_NAME_NONE;
    if (f->name.len || !ip || !c->smtpd_peername_lookup)
        put_query(e);
    else
        client_name_find(e->auth->role, ip, take_name, e);
}

/* ---- the question ---- */

static bool takes_mail(const struct listen_url *u)
{
    return u->service == LISTEN_SMTP || u->service == LISTEN_SMTPS ||
           u->service == LISTEN_SUBMISSION || u->service == LISTEN_SUBMISSIONS ||
           u->service == LISTEN_LMTP;
}

/* The listener that the text names: by its label, else the first of that protocol. */
static bool find_listener(const struct conf *c, struct slice text, struct listen_url *ret)
{
    for (int by_label = 1; by_label >= 0; by_label--)
        for (size_t i = 0; i < c->listen.n; i++)
            if (listen_parse(c->listen.items[i], ret) == OK && takes_mail(ret) &&
                slice_eq(by_label ? ret->label : slice_cstr(listen_service_name(ret->service)),
                         text))
                return true;
    return false;
}

static bool comes_first(const struct conf *c, size_t at, struct slice label)
{
    struct listen_url u;
    for (size_t i = 0; i < at; i++)
        if (listen_parse(c->listen.items[i], &u) == OK && takes_mail(&u) &&
            slice_eq(u.label, label))
            return false;
    return true;
}

/* Why there is none. */
static const char *no_listener(struct explain *e, const struct conf *c, struct slice text)
{
    const char *names = "";
    struct listen_url u;
    for (size_t i = 0; names && i < c->listen.n; i++)
        if (listen_parse(c->listen.items[i], &u) == OK && takes_mail(&u) &&
            comes_first(c, i, u.label))
            names =
                arena_printf(&e->arena, "%s%s%.*s", names, *names ? ", " : "", SLICE_ARG(u.label));
    const char *why =
        names && *names
            ? arena_printf(&e->arena, "there is no listener %.*s: --service takes one of %s",
                           SLICE_ARG(text), names)
            : "`listen` names no listener that takes mail";
    return why ? why : "no memory";
}

/* NULL, or why there is no such service. */
static const char *find_service(struct explain *e, const struct conf *c, struct slice text)
{
    struct policy_facts *f = &e->facts;
    struct listen_url u;
    if (!find_listener(c, text, &u))
        return no_listener(e, c, text);
    bool submission = u.service == LISTEN_SUBMISSION || u.service == LISTEN_SUBMISSIONS;
    f->service = submission                 ? POLICY_SUBMISSION
                 : u.service == LISTEN_LMTP ? POLICY_LMTP
                                            : POLICY_SMTP;
    f->tls |= u.service == LISTEN_SUBMISSIONS || u.service == LISTEN_SMTPS;
    e->label = arena_dup(&e->arena, u.label);
    return NULL;
}

/* With its domain, as the SMTP server completes it; data NULL: no address. *ret_given as the client
 * wrote it, without what only quotes. */
static struct slice full_address(struct explain *e, const struct conf *c, struct slice text,
                                 struct slice *ret_given)
{
    struct address a;
    unsigned options = ADDRESS_NO_DOMAIN | ADDRESS_FINAL_DOT;
    if (text.len >= 2 && text.data[0] == '<' && text.data[text.len - 1] == '>')
        text = slice_sub(text, 1, text.len - 2);
    text = arena_dup(&e->arena, text);
    *ret_given = text;
    if (text.len == 0)
        return SLICE("");
    if (address_parse(text, options, &a) != OK)
        return SLICE_NONE;
    struct slice domain = a.domain.len                             ? a.domain
                          : slice_is_nocase(a.local, "postmaster") ? c->myhostname
                                                                   : c->myorigin;
    const char *full = arena_printf(&e->arena, "%.*s@%.*s", SLICE_ARG(a.local), SLICE_ARG(domain));
    return full ? slice_cstr(full) : SLICE_NONE;
}

static struct slice account_of(struct explain *e, struct slice login)
{
    const struct directory *d = auth_directory(e->auth);
    const struct passwd_user *u = directory_login(d, login);
    struct slice name =
        u ? arena_dup(&e->arena, u->name) : directory_system_login(d, login, &e->arena);
    directory_unref(d);
    return name.data ? name : login;
}

/* NULL, or what is wrong with the question. */
static const char *take(struct explain *e, const struct conf *c, const struct ipc_EXPLAIN *m)
{
    struct policy_facts *f = &e->facts;
    *f = (struct policy_facts){.ip = arena_dup(&e->arena, m->client_ip),
                               .ip_proven = true,
                               .own_ips = auth_own_ips(),
                               .helo = m->helo.len ? arena_dup(&e->arena, m->helo) : SLICE_NONE,
                               .esmtp = true,
                               .tls = m->tls,
                               .login = SLICE_NONE,
                               .etrn = SLICE_NONE};
    const char *why = find_service(e, c, m->service);
    if (why)
        return why;
    f->sasl = f->service == POLICY_SUBMISSION ||
              (f->service == POLICY_SMTP && conf_for_service(c, e->label)->smtpd_sasl_auth_enable);
    e->sender = full_address(e, c, m->sender, &f->sender);
    e->rcpt = full_address(e, c, m->rcpt, &f->rcpt);
    if (!e->sender.data || !e->rcpt.len)
        return "SMTP knows no such address";
    if (m->login.len) {
        f->login = arena_dup(&e->arena, m->login);
        e->account = account_of(e, f->login);
    }
    return arena_failed(&e->arena) ? "no memory" : NULL;
}

void auth_explain(struct auth_role *a, struct ipc_channel *from, struct ipc_message *m)
{
    struct explain *e = calloc(1, sizeof *e);
    if (!e) {
        ipc_answer_failure(from, m->call, "no memory");
        return;
    }
    e->auth = a;
    e->channel = from;
    e->call = m->call;
    e->story = (struct policy_story){.items = e->steps, .size = STEPS_MAX};
    arena_init(&e->arena, EXPLAIN_LIMIT);
    const struct conf *c = role_conf(a->role);
    const char *wrong = take(e, c, &m->EXPLAIN);
    if (wrong)
        explain_gave_up(e, wrong);
    else
        find_name(e, conf_for_service(c, e->label), arena_dup(&e->arena, m->EXPLAIN.client_name));
    conf_unref(c);
}
