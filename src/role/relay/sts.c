/* sts.c: the MTA-STS policy of a next hop, step by step, and what it means for the host that is
 * tried. Each step waits for its answers while the connection sleeps. */
#include <arpa/inet.h>
#include <stdio.h>

#include "base/clock.h"
#include "role/relay/conn.h"
#include "role/relay/sts.h"

enum { ENTRY_MAX = 64 * 1024, ADDRESSES_MAX = 1000, TURN_MS = 250, TURNS_MAX = 480 };

void sts_init(struct sts *s)
{
    buf_init(&s->kept, ENTRY_MAX);
    buf_init(&s->addresses, ADDRESSES_MAX);
    buf_init(&s->fetched, STS_POLICY_BYTES_MAX);
}

/* ---- one fetch at a time for a domain, and few in all: a slow web server keeps a helper thread
 * ---- */

static bool take_turn(struct outconn *c)
{
    pthread_mutex_lock(&c->relay->lock);
    c->sts.fetching = map_put(&c->relay->sts_fetching, slice_cstr(c->sts.domain), c) == OK;
    pthread_mutex_unlock(&c->relay->lock);
    return c->sts.fetching;
}

static void end_turn(struct outconn *c)
{
    if (!c->sts.fetching)
        return;
    pthread_mutex_lock(&c->relay->lock);
    (void)map_remove(&c->relay->sts_fetching, slice_cstr(c->sts.domain));
    pthread_mutex_unlock(&c->relay->lock);
    c->sts.fetching = false;
}

void sts_release(struct outconn *c)
{
    buf_release(&c->sts.kept);
    buf_release(&c->sts.addresses);
    buf_release(&c->sts.fetched);
}

/* ---- what it means ---- */

static void put_off(struct outconn *c, const char *status, const char *text)
{
    verdict_set(&c->last, SMTP_DEFERRED, status, "%s: %s", c->remote, text);
    conn_next_address(c);
}

/* The policy's file names the hosts that take the domain's mail, and they must show that they are
 * what they say (RFC 8461 4). */
static enum result enforce(struct outconn *c)
{
    struct tls_policy *p = &c->policy;
    p->level = TLS_LEVEL_SECURE;
    p->match.items = arena_alloc(&c->texts, sizeof *p->match.items);
    if (!p->match.items)
        return FAILED;
    p->match.items[0] = SLICE("hostname");
    p->match.n = 1;
    return OK;
}

static void apply_policy(struct outconn *c, const struct sts_policy *policy)
{
    c->sts.unnamed = !sts_policy_names(policy, slice_cstr(conn_address(c)->host));
    bool only_tested = slice_is_nocase(c->conf->smtp_mta_sts, "testing");
    char why[400];
    c->sts.mode = policy->mode == STS_MODE_ENFORCE && only_tested ? STS_MODE_TESTING : policy->mode;
    c->policy.servername = SLICE("hostname");
    c->policy.system_authorities = true;
    snprintf(why, sizeof why, "it is no mail host of %s by the domain's MTA-STS policy",
             c->sts.domain);
    if (c->sts.unnamed)
        LOG(LOG_WARNING, "relay.sts_mx", LOG_C("domain", c->sts.domain), LOG_C("remote", c->remote),
            LOG_C("mode", sts_mode_name(c->sts.mode)), LOG_C("why", why));
    if (c->sts.mode != STS_MODE_ENFORCE) {
        conn_reach(c);
    } else if (c->sts.unnamed) {
        conn_tell(c, "validation-failure", "mx-mismatch");
        put_off(c, "4.7.5", why);
    } else if (enforce(c) != OK) {
        put_off(c, "4.3.0", "no memory for its MTA-STS policy");
    } else {
        conn_reach(c);
    }
}

static void apply(struct outconn *c)
{
    struct sts_entry e;
    struct sts_policy policy;
    if (sts_entry_read(buf_slice(&c->sts.kept), &e) == OK &&
        sts_entry_holds(&e, clock_realtime_s()) &&
        sts_policy_parse(e.policy, &policy, NULL) == OK && policy.mode != STS_MODE_NONE)
        apply_policy(c, &policy);
    else
        conn_reach(c);
}

/* ---- waiting ---- */

static void one_answer(struct outconn *c)
{
    if (atomic_fetch_sub(&c->sts.open, 1) == 1)
        io_wake(&c->task);
}

static void wait_for(struct outconn *c, int stage, unsigned answers)
{
    c->state = READING;
    c->sts.stage = stage;
    atomic_store(&c->sts.open, answers);
}

/* ---- the record ---- */

static void on_record(void *arg, const struct resolver_answer *a)
{
    struct outconn *c = arg;
    struct slice texts[RESOLVER_ANSWERS_MAX], id;
    struct buf all;
    size_t ends[RESOLVER_ANSWERS_MAX + 1] = {0}, n = 0;
    buf_init(&all, 64 * 1024);
    for (size_t i = 0; i < a->n; i++)
        if (resolver_text(DNS_TXT, a->records[i], &all) == OK && buf_ok(&all))
            ends[++n] = buf_len(&all);
        else
            buf_truncate(&all, ends[n]);
    for (size_t i = 0; i < n; i++)
        texts[i] = slice_sub(buf_slice(&all), ends[i], ends[i + 1] - ends[i]);
    if (sts_record(texts, n, &id) == OK)
        snprintf(c->sts.id, sizeof c->sts.id, "%.*s", SLICE_ARG(id));
    buf_release(&all);
    one_answer(c);
}

static void ask_record(struct outconn *c)
{
    char name[300];
    snprintf(name, sizeof name, "_mta-sts.%s", c->sts.domain);
    wait_for(c, STS_RECORD, 1);
    if (dns_ask(c->relay, name, DNS_TXT, on_record, c) != OK)
        put_off(c, "4.4.3", "its MTA-STS policy can't be asked for");
}

/* ---- what is kept ---- */

static void on_entry(void *arg, struct ipc_message *m)
{
    struct outconn *c = arg;
    bool told = m->type == IPC_STS_RESULT;
    buf_reset(&c->sts.kept);
    if (told)
        buf_append(&c->sts.kept, m->STS_RESULT.entry);
    c->sts.looked = told && buf_ok(&c->sts.kept) ? OK : FAILED;
    one_answer(c);
}

static void ask_entry(struct outconn *c)
{
    struct ipc_message m = {.type = IPC_STS_ASK, .STS_ASK = {slice_cstr(c->sts.domain)}};
    io_task_deadline(&c->task, 0);
    wait_for(c, STS_ENTRY, 1);
    ipc_request(c->relay->role->peers[ROLE_MAILBOX], &m, on_entry, c);
}

/* ---- the web server ---- */

static void fetch_and_wake(void *arg)
{
    struct outconn *c = arg;
    sts_fetch(c->relay, &c->sts);
    one_answer(c);
}

static void fetch(struct outconn *c)
{
    wait_for(c, STS_FETCH, 1);
    if (io_run_blocking(c->relay->role->engine, fetch_and_wake, c) == OK)
        return;
    end_turn(c);
    put_off(c, "4.3.0", "too many questions wait to fetch its MTA-STS policy");
}

/* In the resolver's task, one after the other. */
static void on_address(void *arg, const struct resolver_answer *a)
{
    struct outconn *c = arg;
    for (size_t i = 0; i < a->n && i < 8; i++) {
        char text[INET6_ADDRSTRLEN];
        int family = a->records[i].len == 16 ? AF_INET6 : AF_INET;
        if ((a->records[i].len == 4 || a->records[i].len == 16) &&
            inet_ntop(family, a->records[i].data, text, sizeof text))
            buf_printf(&c->sts.addresses, "%s%s", buf_len(&c->sts.addresses) ? "," : "", text);
    }
    one_answer(c);
}

static void ask_addresses(struct outconn *c)
{
    static const unsigned types[] = {DNS_A, DNS_AAAA};
    struct slice use = c->conf->inet_protocols;
    bool all = slice_search(use, SLICE("all")) != SIZE_MAX;
    const bool wanted[] = {all || slice_search(use, SLICE("ipv4")) != SIZE_MAX,
                           all || slice_search(use, SLICE("ipv6")) != SIZE_MAX};
    char name[300];
    snprintf(name, sizeof name, "mta-sts.%s", c->sts.domain);
    buf_reset(&c->sts.addresses);
    wait_for(c, STS_ADDRESSES, 3); /* one is ours, until all are asked */
    for (int i = 0; i < 2; i++)
        if (!wanted[i] || dns_ask(c->relay, name, types[i], on_address, c) != OK)
            one_answer(c);
    one_answer(c);
}

/* ---- after the fetch ---- */

static void on_kept(void *arg, struct ipc_message *m)
{
    struct outconn *c = arg;
    if (m->type != IPC_STS_KEPT)
        LOG(LOG_WARNING, "relay.sts_not_kept", LOG_C("domain", c->sts.domain));
    one_answer(c);
}

/* The next one to ask must find it, so mailbox's answer is waited for. */
static void keep(struct outconn *c, const struct sts_entry *e)
{
    struct ipc_message m = {.type = IPC_STS_KEEP};
    struct buf before = c->sts.kept; /* where the entry's texts may be */
    buf_init(&c->sts.kept, ENTRY_MAX);
    sts_entry_write(e, &c->sts.kept);
    buf_release(&before);
    m.STS_KEEP.domain = slice_cstr(c->sts.domain);
    m.STS_KEEP.entry = buf_slice(&c->sts.kept);
    wait_for(c, STS_KEEPING, 1);
    ipc_request(c->relay->role->peers[ROLE_MAILBOX], &m, on_kept, c);
}

static void keep_new(struct outconn *c, const struct sts_policy *p, int64_t now)
{
    struct buf written;
    buf_init(&written, ENTRY_MAX);
    sts_policy_write(p, &written);
    struct sts_entry e = sts_entry_fetched(p, buf_slice(&written), slice_cstr(c->sts.id), now);
    LOG(LOG_INFO, "relay.sts_fetched", LOG_C("domain", c->sts.domain), LOG_C("id", c->sts.id),
        LOG_C("mode", sts_mode_name(p->mode)), LOG_U("mx", p->n_mx), LOG_U("max_age", p->max_age));
    keep(c, &e);
    buf_release(&written);
}

/* In the words of RFC 8460 4.3. */
static const char *problem_of(enum result fetched)
{
    return fetched == DENIED  ? "sts-webpki-invalid"
           : fetched == LIMIT ? "sts-policy-invalid"
                              : "sts-policy-fetch-error";
}

/* What is there goes on; without, the five minutes before the next attempt are kept. */
static void keep_failure(struct outconn *c, int64_t now)
{
    struct sts_entry e;
    bool holds = sts_entry_read(buf_slice(&c->sts.kept), &e) == OK && sts_entry_holds(&e, now);
    if (!holds)
        e = (struct sts_entry){
            .id = SLICE(""), .policy = SLICE(""), .until_s = now + STS_RETRY_AFTER_S};
    e.failed_s = now;
    c->sts.problem = problem_of(c->sts.result);
    LOG(LOG_WARNING, "relay.sts_failed", LOG_C("domain", c->sts.domain), LOG_C("id", c->sts.id),
        LOG_C("problem", c->sts.problem), LOG_C("why", c->sts.why.text),
        LOG_C("then", holds ? "the policy before holds" : "no policy holds"));
    conn_tell_fetch(c);
    keep(c, &e);
}

static void fetched(struct outconn *c)
{
    struct sts_policy p;
    int64_t now = clock_realtime_s();
    if (c->sts.result == OK && sts_policy_parse(buf_slice(&c->sts.fetched), &p, NULL) == OK)
        keep_new(c, &p, now);
    else
        keep_failure(c, now);
}

static void known(struct outconn *c)
{
    buf_release(&c->sts.fetched);
    end_turn(c);
    c->sts.stage = STS_KNOWN;
    apply(c);
}

/* ---- the steps ---- */

static void entry_known(struct outconn *c)
{
    struct sts_entry e = {.id = SLICE("")};
    if (c->sts.looked != OK) {
        put_off(c, "4.3.0", "what is kept of its MTA-STS policy can't be read");
        return;
    }
    if (buf_len(&c->sts.kept) && sts_entry_read(buf_slice(&c->sts.kept), &e) != OK)
        LOG(LOG_WARNING, "relay.sts_damaged", LOG_C("domain", c->sts.domain));
    bool holds = sts_entry_holds(&e, clock_realtime_s());
    if (!sts_entry_stale(&e, slice_cstr(c->sts.id), clock_realtime_s())) {
        c->sts.stage = STS_KNOWN;
        apply(c);
    } else if (take_turn(c)) {
        ask_addresses(c);
    } else if (holds) { /* whose turn it is will bring the new one */
        c->sts.stage = STS_KNOWN;
        apply(c);
    } else if (++c->sts.turns > TURNS_MAX) {
        put_off(c, "4.3.0", "its MTA-STS policy waits too long to be fetched");
    } else {
        wait_for(c, STS_TURN, 0);
        io_task_deadline(&c->task, TURN_MS);
    }
}

void conn_sts_read(struct outconn *c)
{
    if (atomic_load(&c->sts.open) > 0)
        return;
    switch (c->sts.stage) {
    case STS_RECORD:
    case STS_TURN:
        ask_entry(c);
        return;
    case STS_ENTRY:
        entry_known(c);
        return;
    case STS_ADDRESSES:
        fetch(c);
        return;
    case STS_FETCH:
        fetched(c);
        return;
    case STS_KEEPING:
        known(c);
        return;
    case STS_NEW:
    case STS_KNOWN:
        return;
    }
}

/* ---- whether there is one ---- */

/* The administrator's own entry, DANE and whatever is as strict count more, and so does a sender
 * who wants above all that it arrives; brackets mean the host itself, which no domain speaks for.
 */
static bool counts(const struct outconn *c)
{
    struct slice nexthop = slice_cstr(conn_address(c)->nexthop);
    return !c->lmtp && !conn_address(c)->path && c->policy.where.len == 0 &&
           c->policy.level <= TLS_LEVEL_ENCRYPT && dest_demand(c->dest) != TLS_DEMAND_OPTIONAL &&
           nexthop.len && nexthop.data[0] != '[' && !slice_is_nocase(c->conf->smtp_mta_sts, "no");
}

bool conn_domain(const struct outconn *c, char out[static STS_DOMAIN_SIZE])
{
    struct slice nexthop = slice_cstr(conn_address(c)->nexthop);
    return sts_domain(tls_nexthop_name(nexthop), out) == OK;
}

void conn_sts(struct outconn *c)
{
    char domain[STS_DOMAIN_SIZE];
    c->sts.mode = STS_MODE_NONE;
    c->sts.unnamed = false;
    if (!counts(c) || !conn_domain(c, domain)) {
        conn_reach(c);
        return;
    }
    bool known = c->sts.stage == STS_KNOWN && strcmp(domain, c->sts.domain) == 0;
    if (known) {
        apply(c);
        return;
    }
    c->sts.id[0] = 0;
    c->sts.problem = NULL;
    c->sts.turns = 0;
    memcpy(c->sts.domain, domain, sizeof domain);
    ask_record(c);
}
