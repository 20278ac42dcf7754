/* peer.c: the server of a connection: how much TLS its next hop must have, the handshake, and
 * whether its certificate shows what the policy wants (TLS_README). */
#include "role/relay/conn.h"
#include "role/relay/hop.h"
#include "role/relay/tls.h"
#include "role/tls_rules.h"

#include <stdio.h>

/* ---- the policy ---- */

static struct slice_list policy_maps(const struct outconn *c)
{
    return c->lmtp ? c->conf->lmtp_tls_policy_maps : c->conf->smtp_tls_policy_maps;
}

bool conn_policy_waits(const struct outconn *c)
{
    return relay_tables_wait(c->tables, policy_maps(c));
}

/* As policies know it: lmtp(8) allows "inet:" before it. */
static struct slice nexthop_of(const struct outconn *c)
{
    struct slice nexthop = slice_cstr(conn_address(c)->nexthop);
    return slice_from(nexthop, c->lmtp && slice_starts(nexthop, SLICE("inet:")) ? 5 : 0);
}

/* Certificates have names in ASCII. */
static struct tls_peer_names names_of(struct outconn *c)
{
    char name[256];
    struct slice nexthop = tls_nexthop_name(nexthop_of(c));
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(nexthop));
    if (nexthop.len < sizeof name && hop_to_ascii(name))
        nexthop = arena_dup(&c->texts, slice_cstr(name));
    return (struct tls_peer_names){nexthop, slice_cstr(conn_address(c)->host)};
}

/* A Unix socket leads nowhere else: encryption has no use there, but a server that must be known is
 * not known by it. */
static enum result without_network(struct outconn *c, struct error *err)
{
    if (c->policy.level > TLS_LEVEL_ENCRYPT)
        return error_set(err, INVALID, "TLS level %s has no meaning for a Unix socket",
                         tls_level_name(c->policy.level));
    c->policy.level = TLS_LEVEL_NONE;
    return OK;
}

enum result conn_policy(struct outconn *c, struct error *err)
{
    struct tls_policy_settings s;
    struct tables maps;
    tls_policy_settings(c->conf, c->lmtp, &s);
    enum result r =
        relay_tables_of(c->tables, c->lmtp ? "lmtp_tls_policy_maps" : "smtp_tls_policy_maps",
                        policy_maps(c), &c->texts, &maps, err);
    if (r == OK)
        r = tls_policy_find(&s, &maps, nexthop_of(c), &c->texts, &c->policy, err);
    if (r == OK && c->policy.ignored)
        LOG(LOG_WARNING, "relay.tls_policy", LOG_S("where", c->policy.where),
            LOG_C("ignored", c->policy.ignored));
    if (r == OK && dest_demand(c->dest) == TLS_DEMAND_OPTIONAL)
        tls_policy_relax(&c->policy);
    return r == OK && conn_address(c)->path ? without_network(c, err) : r;
}

/* LMTP is the last step: what it hands over within this machine goes nowhere else. By SMTP it may.
 */
static bool ends_here(const struct outconn *c)
{
    const struct address *a = conn_address(c);
    return a->path || (c->lmtp && conn_loopback(a));
}

enum result conn_demand(struct outconn *c)
{
    if (dest_demand(c->dest) != TLS_DEMAND_REQUIRED || ends_here(c))
        return OK;
    c->config.require_tls = true;
    return tls_policy_require(&c->policy, conn_address(c)->mx_signed, &c->texts);
}

/* ---- the certificate ---- */

static bool has_fingerprint(const struct outconn *c)
{
    struct slice digest =
        c->lmtp ? c->conf->lmtp_tls_fingerprint_digest : c->conf->smtp_tls_fingerprint_digest;
    for (int key = 0; key < 2; key++) {
        char name[16], print[TLS_FINGERPRINT_MAX];
        snprintf(name, sizeof name, "%.*s", SLICE_ARG(digest));
        if (!tls_peer_fingerprint(c->stream.tls, name, key, print))
            return false;
        for (size_t i = 0; i < c->policy.match.n; i++)
            if (slice_is_nocase(c->policy.match.items[i], print))
                return true;
    }
    return false;
}

static bool has_name(struct outconn *c, struct slice_list names)
{
    for (size_t i = 0; i < names.n; i++) {
        const char *name = arena_dup(&c->texts, names.items[i]).data;
        if (name && tls_peer_has_name(c->stream.tls, name))
            return true;
    }
    return false;
}

static enum result check_names(struct outconn *c, struct error *err)
{
    const struct tls_peer_names who = names_of(c);
    struct slice_list names;
    char list[160] = "";
    if (tls_policy_names(&c->policy, &who, &c->texts, &names) != OK)
        return error_set(err, FAILED, "no memory");
    if (has_name(c, names))
        return OK;
    for (size_t i = 0; i < names.n && strlen(list) < sizeof list - 1; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%.*s", i ? ", " : "",
                 SLICE_ARG(names.items[i]));
    return error_set(err, DENIED, "server certificate not verified: it is not for %s", list);
}

/* In words of RFC 8460 4.3. */
static const char *trust_problem(const char *why)
{
    return strcmp(why, "certificate has expired") == 0 ? "certificate-expired"
                                                       : "certificate-not-trusted";
}

/* A policy in mode testing lets mail go, and its domain wants to know what would not. */
static const char *tested_problem(struct outconn *c, bool trusted, const char *why)
{
    if (c->sts.mode != STS_MODE_TESTING)
        return NULL;
    if (c->sts.unnamed)
        return "validation-failure";
    if (!trusted)
        return trust_problem(why);
    return tls_peer_has_name(c->stream.tls, conn_address(c)->host) ? NULL
                                                                   : "certificate-host-mismatch";
}

/* In Postfix's words: *ret_word is untrusted, trusted, or verified where it shows what the level
 * wants. */
static enum result check_certificate(struct outconn *c, const char **ret_word, struct error *err)
{
    const char *why;
    bool trusted = tls_peer_trusted(c->stream.tls, &why);
    enum result r = OK;
    *ret_word = trusted ? "trusted" : "untrusted";
    c->tls_problem = tested_problem(c, trusted, why);
    switch (c->policy.level) {
    case TLS_LEVEL_FINGERPRINT:
        if (!has_fingerprint(c))
            r = error_set(err, DENIED,
                          "server certificate not verified: no fingerprint of the policy is its");
        break;
    case TLS_LEVEL_VERIFY:
    case TLS_LEVEL_SECURE:
        c->tls_problem = trusted ? "certificate-host-mismatch" : trust_problem(why);
        r = trusted ? check_names(c, err)
                    : error_set(err, DENIED, "server certificate not trusted: %s", why);
        break;
    case TLS_LEVEL_DANE:
        if (!tls_dane_matched(c->stream.tls, &why))
            r = error_set(err, DENIED,
                          "server certificate not verified: the TLSA records of %s say otherwise "
                          "(%s)",
                          c->dane.base, why);
        break;
    default:
        return OK;
    }
    if (r == OK) {
        *ret_word = "verified";
        c->login.verified = true;
        c->tls_problem = NULL;
    }
    return r;
}

static enum result describe(struct outconn *c, struct error *err)
{
    const char *word = "";
    struct buf text;
    enum result r = check_certificate(c, &word, err);
    buf_init(&text, sizeof c->tls - 1);
    tls_describe(c->stream.tls, &text);
    snprintf(c->tls, sizeof c->tls, "%.*s %s%s", SLICE_ARG(buf_slice(&text)), word,
             c->sts.mode == STS_MODE_ENFORCE ? " policy=sts" : "");
    buf_release(&text);
    return r;
}

/* ---- the handshake ---- */

void conn_tls_failed(struct outconn *c, const struct error *err)
{
    conn_tell(c, c->tls_problem ? c->tls_problem : "validation-failure", err->text);
    verdict_set(&c->last, SMTP_DEFERRED, "4.7.5", "TLS with %s: %s%s", c->remote, err->text,
                c->sts.mode == STS_MODE_ENFORCE ? " (MTA-STS)" : "");
    /* RFC 7435: what can't be encrypted still goes, but over a new connection. */
    if (c->config.tls == SMTP_TLS_MAY && !c->plain && !c->config.sasl)
        conn_in_clear(c);
    else
        conn_next_address(c);
}

void conn_handshake(struct outconn *c)
{
    struct error err = {""};
    enum result r = stream_handshake(&c->stream, &err);
    if (r == BUSY) {
        c->state = HANDSHAKING;
        io_task_want(&c->task, c->stream.wants);
        return;
    }
    if (r == OK)
        r = describe(c, &err);
    if (r != OK) {
        conn_tls_failed(c, &err);
        return;
    }
    c->login.tls = c->stream.tls;
    conn_tell(c, c->tls_problem ? c->tls_problem : "", c->sts.unnamed ? "mx-mismatch" : "");
    smtp_client_tls_done(&c->client);
    c->state = TALKING;
    conn_talk(c);
}

/* RFC 7672 3.2.2: an authority's certificate may be for the host or for the domain itself. */
static enum result start_dane(struct outconn *c, struct error *err)
{
    struct tls *tls = c->stream.tls;
    const char *nexthop = arena_dup(&c->texts, names_of(c).nexthop).data;
    enum result r = tls_dane_start(tls, c->dane.base, err);
    if (r == OK && conn_address(c)->mx_signed)
        r = nexthop ? tls_dane_name(tls, nexthop, err) : error_set(err, FAILED, "no memory");
    size_t taken = 0;
    for (size_t i = 0; r == OK && i < c->dane.n; i++)
        taken += tls_dane_record(tls, c->dane.records[i], err) == OK;
    if (r == OK && taken == 0) {
        c->tls_problem = "tlsa-invalid";
        r = error_set(err, INVALID, "no TLSA record of %s can be used", c->dane.base);
    }
    return r;
}

/* The server by its address, and the name that it was told, which chose its certificate. */
static void resume(struct outconn *c, const char *name)
{
    const char *key = arena_printf(&c->texts, "%s %s", c->remote, name ? name : "");
    if (key)
        tls_resume(c->stream.tls, slice_cstr(key));
}

void conn_start_tls(struct outconn *c)
{
    struct error err = {""};
    struct tls_context *tls = NULL;
    c->tls_problem = NULL;
    const struct tls_peer_names who = names_of(c);
    const char *name = arena_dup(&c->texts, tls_policy_servername(&c->policy, &who)).data;
    enum result r = relay_tls_find(c->relay, c->conf, c->lmtp, &c->policy, &tls, &err);
    if (r == OK)
        r = stream_start_tls(&c->stream, tls, c->policy.level == TLS_LEVEL_DANE ? NULL : name,
                             &err);
    tls_context_unref(tls);
    io_task_deadline(&c->task, conn_patience_ms(c));
    if (r == OK && c->policy.level == TLS_LEVEL_DANE)
        r = start_dane(c, &err);
    else if (r == OK)
        resume(c, name);
    if (r != OK)
        conn_tls_failed(c, &err);
    else
        conn_handshake(c);
}
