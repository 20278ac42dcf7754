/* dane.c: the TLSA records of a host before it is connected to, and the level that they come to
 * (RFC 7672). The answer comes on the resolver's thread, while the connection sleeps. */
#include <stdio.h>

#include "role/relay/conn.h"
#include "role/tls_rules.h"

static void put_off(struct outconn *c, const char *status, const char *text)
{
    verdict_set(&c->last, SMTP_DEFERRED, status, "%s: %s", c->remote, text);
    conn_next_address(c);
}

static void settle(struct outconn *c, enum tlsa_found found)
{
    struct tls_policy_settings s;
    struct error err = {""};
    tls_policy_settings(c->conf, c->lmtp, &s);
    if (tls_policy_dane(&s, &c->policy, found, conn_address(c)->mx_signed, &err) == OK)
        conn_sts(c);
    else
        put_off(c, "4.7.5", err.text);
}

/* ---- the question ---- */

/* RFC 7672 2.1.2: records that are there but not signed are as good as none. (Of an alias there are
 * no usable ones: it is told apart by being there.) */
static void answered(void *arg, const struct resolver_answer *a)
{
    struct outconn *c = arg;
    struct dane *d = &c->dane;
    bool there = a->outcome == RESOLVER_FOUND && a->secure;
    d->failed = a->outcome == RESOLVER_TEMPORARY;
    for (size_t i = 0; there && a->type == DNS_TLSA && i < a->n && d->n < DANE_RECORDS_MAX; i++) {
        struct slice copy = SLICE_NONE;
        if (tlsa_usable(a->records[i]))
            copy = arena_dup(&c->texts, a->records[i]);
        if (copy.data)
            d->records[d->n++] = copy;
    }
    d->found = d->n ? TLSA_USABLE : there ? TLSA_UNUSABLE : TLSA_NONE;
    atomic_store(&d->there, true);
    io_wake(&c->task);
}

static void ask(struct outconn *c, const char *base, bool alias)
{
    char name[300];
    c->dane.n = 0;
    c->dane.alias = alias;
    snprintf(c->dane.base, sizeof c->dane.base, "%s", base);
    if (alias)
        snprintf(name, sizeof name, "%s", base);
    else
        snprintf(name, sizeof name, "_%u._tcp.%s", conn_port(conn_address(c)), base);
    atomic_store(&c->dane.there, false);
    c->state = RESOLVING;
    if (dns_ask(c->relay, name, alias ? DNS_CNAME : DNS_TLSA, answered, c) != OK)
        put_off(c, "4.4.3", "its TLSA records can't be asked for");
}

void conn_resolved(struct outconn *c)
{
    const struct address *a = conn_address(c);
    if (!atomic_load(&c->dane.there))
        return;
    if (c->dane.failed) { /* or somebody keeps us from seeing them */
        conn_tell(c, "dnssec-invalid", "no answer, or a bogus one");
        put_off(c, "4.7.5", "its TLSA records can't be looked up: no answer, or a bogus one");
    } else if (c->dane.alias && c->dane.found != TLSA_NONE)
        ask(c, a->host, false);
    else if (!c->dane.alias && c->dane.found == TLSA_NONE && strcmp(c->dane.base, a->host) != 0)
        ask(c, a->host, false); /* RFC 7672 2.2.2: the alias's end has none, so its own count */
    else
        settle(c, c->dane.found);
}

/* ---- whether there is one ---- */

void conn_dane(struct outconn *c)
{
    const struct address *a = conn_address(c);
    struct tls_policy_settings s;
    bool only = c->policy.level == TLS_LEVEL_DANE_ONLY;
    tls_policy_settings(c->conf, c->lmtp, &s);
    if (c->policy.level != TLS_LEVEL_DANE && !only)
        conn_sts(c);
    else if (!slice_is_nocase(c->held->smtp_dns_support_level, "dnssec"))
        put_off(c, "4.7.5", "TLS level dane needs smtp_dns_support_level = dnssec");
    else if (!dns_validates(c->relay))
        put_off(c, "4.7.5", "TLS level dane: smtp_dnssec_trust_anchor_file can't be used");
    else if (!a->mx_signed && (only || slice_is_nocase(s.insecure_mx, "may")))
        settle(c, TLSA_NONE);
    else if (a->is_signed)
        ask(c, a->canonical[0] ? a->canonical : a->host, false);
    else if (a->canonical[0]) /* RFC 7672 2.2.2: a signed alias into a zone that is not */
        ask(c, a->host, true);
    else
        settle(c, TLSA_NONE);
}
