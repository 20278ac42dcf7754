/* access.c: the keys by which access tables are asked, in the order of access(5). */
#include "policy/machine.h"

#include <stdlib.h>

#include "mime/address.h"

enum outcome access_key(struct run *r, const struct table *t, struct slice key, unsigned flags,
                        bool *ret_found)
{
    enum result result;
    struct table_match match;
    if ((flags & PARTIAL_KEY) && table_has_patterns(t))
        return DUNNO;
    if (!ask_table(r, t, key, &result, &match))
        return PENDING;
    if (result == NOT_FOUND)
        return DUNNO;
    *ret_found = true;
    if (result != OK) {
        return refuse(r, BY_US, 451, "4.3.5", "<%.*s>: %s rejected: Server configuration error",
                      SLICE_ARG(r->subject.name), r->subject.class);
    }
    r->decided_where = match.where;
    return access_result(r, t, match.value);
}

/* The domain, then those above it: ".example.org" of sub.example.org, or "example.org" when
 * parent_domain_matches_subdomains says so. */
enum outcome access_domain(struct run *r, const struct table *t, struct slice domain,
                           unsigned flags, bool *ret_found)
{
    struct slice name = domain;
    enum outcome o = DUNNO;
    if (name.len > 1 && name.data[name.len - 1] == '.')
        name.len--;
    while (name.len && o == DUNNO && !*ret_found) {
        o = access_key(r, t, name, flags, ret_found);
        flags = PARTIAL_KEY;
        size_t dot = slice_find(slice_from(name, 1), '.');
        if (dot == SIZE_MAX)
            break;
        name = slice_from(name, dot + 1);
        if (r->policy->parents)
            name = slice_from(name, 1);
    }
    return o;
}

/* The address, then the networks that its text begins with. */
enum outcome access_ip(struct run *r, const struct table *t, struct slice ip, unsigned flags,
                       bool *ret_found)
{
    char delimiter = slice_find(ip, ':') == SIZE_MAX ? '.' : ':';
    enum outcome o = DUNNO;
    while (ip.len && o == DUNNO && !*ret_found) {
        o = access_key(r, t, ip, flags, ret_found);
        flags = PARTIAL_KEY;
        size_t at = slice_rfind(ip, delimiter);
        if (at == SIZE_MAX)
            break;
        ip = slice_sub(ip, 0, at);
        /* "2001:db8::" is cut as a whole. */
        while (ip.len && ip.data[ip.len - 1] == delimiter)
            ip.len--;
    }
    return o;
}

static enum outcome access_peer(struct run *r, const struct table *t, struct slice name)
{
    bool found = false;
    enum outcome o = access_domain(r, t, name, 0, &found);
    if (o != DUNNO || found)
        return o;
    return access_ip(r, t, r->facts->ip, 0, &found);
}

enum outcome rule_client_access(struct run *r, const struct rule *rule)
{
    struct subject s = subject_swap(r, client_text(r), class_client, r->subject.acl);
    enum outcome o = access_peer(r, rule->table, client_name(r));
    r->subject = s;
    return o;
}

enum outcome rule_reverse_access(struct run *r, const struct rule *rule)
{
    struct slice name = r->facts->reverse_name.len ? r->facts->reverse_name : SLICE("unknown");
    struct subject s = subject_swap(r, name, class_reverse, r->subject.acl);
    enum outcome o = access_peer(r, rule->table, name);
    r->subject = s;
    return o;
}

static enum outcome access_name(struct run *r, const struct rule *rule, struct slice name,
                                const char *class)
{
    bool found = false;
    if (!name.data)
        return DUNNO;
    struct subject s = subject_swap(r, name, class, r->subject.acl);
    enum outcome o = access_domain(r, rule->table, name, 0, &found);
    r->subject = s;
    return o;
}

enum outcome rule_helo_access(struct run *r, const struct rule *rule)
{
    return access_name(r, rule, r->facts->helo, class_helo);
}

enum outcome rule_etrn_access(struct run *r, const struct rule *rule)
{
    return access_name(r, rule, r->facts->etrn, class_etrn);
}

/* ---- mail addresses ---- */

/* Keys in order; those but the first are partial. */
struct keys {
    struct slice whole, bare, domain, local_at, bare_at;
};

/* As Postfix asks: in lower case, which a pattern's $1 shows. */
static struct slice folded(struct run *r, struct slice full)
{
    char *p = arena_alloc(r->arena, full.len + 1);
    for (size_t i = 0; p && i < full.len; i++)
        p[i] = ascii_lower(full.data[i]);
    return p ? slice_of(p, full.len) : full;
}

static struct keys keys_of(struct run *r, struct slice full)
{
    struct slice domain = domain_of(full), user, detail;
    struct slice local = slice_sub(full, 0, full.len - domain.len - 1);
    struct keys k = {.whole = full, .domain = domain};
    address_split_detail(local, r->conf->recipient_delimiter, &user, &detail);
    k.local_at = slice_sub(full, 0, local.len + 1);
    if (detail.data) {
        k.bare_at = slice_cstr(arena_printf(r->arena, "%.*s@", SLICE_ARG(user)));
        k.bare =
            slice_cstr(arena_printf(r->arena, "%.*s@%.*s", SLICE_ARG(user), SLICE_ARG(domain)));
    }
    return k;
}

static enum outcome access_keys(struct run *r, const struct table *t, const struct keys *k)
{
    bool found = false;
    enum outcome o = access_key(r, t, k->whole, 0, &found);
    if (o == DUNNO && !found && k->bare.len)
        o = access_key(r, t, k->bare, PARTIAL_KEY, &found);
    if (o == DUNNO && !found)
        o = access_domain(r, t, k->domain, PARTIAL_KEY, &found);
    if (o == DUNNO && !found)
        o = access_key(r, t, k->local_at, PARTIAL_KEY, &found);
    if (o == DUNNO && !found && k->bare_at.len)
        o = access_key(r, t, k->bare_at, PARTIAL_KEY, &found);
    return o;
}

static enum outcome access_address(struct run *r, const struct table *t, struct slice address,
                                   const char *class)
{
    struct policy_address a;
    if (!ask_address(r, address, &a))
        return PENDING;
    if (a.known == POLICY_UNAVAILABLE && !a.full.len)
        return lookup_error(r, address);
    struct slice full = a.full.len ? a.full : address;
    if (!domain_of(full).data)
        return DUNNO;
    struct keys k = keys_of(r, folded(r, full));
    struct subject s = subject_swap(r, address, class, r->subject.acl);
    enum outcome o = access_keys(r, t, &k);
    r->subject = s;
    /* Where such an address ends is not told by its domain: no OK for it. */
    return o == PERMIT && a.routed && class == class_rcpt && !r->discarded ? DUNNO : o;
}

enum outcome rule_sender_access(struct run *r, const struct rule *rule)
{
    struct slice sender = r->facts->sender;
    bool found = false;
    if (!sender.data)
        return DUNNO;
    if (sender.len)
        return access_address(r, rule->table, sender, class_sender);
    struct subject s = subject_swap(r, sender, class_sender, r->subject.acl);
    enum outcome o = access_key(r, rule->table, r->conf->smtpd_null_access_lookup_key, 0, &found);
    r->subject = s;
    return o;
}

enum outcome rule_rcpt_access(struct run *r, const struct rule *rule)
{
    if (!r->facts->rcpt.data)
        return DUNNO;
    return access_address(r, rule->table, r->facts->rcpt, class_rcpt);
}

enum outcome rule_sasl_access(struct run *r, const struct rule *rule)
{
    bool found = false;
    if (!r->facts->login.data || r->facts->login.len == 0)
        return DUNNO;
    struct subject s = subject_swap(r, r->facts->login, "SASL login name", r->subject.acl);
    enum outcome o = access_key(r, rule->table, r->facts->login, 0, &found);
    r->subject = s;
    return o;
}

/* The certificate's fingerprint, then its key's, unless the rule's search_order says otherwise. */
enum outcome rule_cert_access(struct run *r, const struct rule *rule)
{
    struct slice prints[2] = {r->facts->cert_fingerprint, r->facts->key_fingerprint};
    size_t cert = slice_search(rule->text, SLICE("cert_fingerprint"));
    size_t key = slice_search(rule->text, SLICE("pubkey_fingerprint"));
    bool found = false;
    enum outcome o = DUNNO;
    if (key < cert || (key != SIZE_MAX && cert == SIZE_MAX)) {
        prints[0] = r->facts->key_fingerprint;
        prints[1] = cert == SIZE_MAX ? SLICE_NONE : r->facts->cert_fingerprint;
    } else if (cert != SIZE_MAX && key == SIZE_MAX) {
        prints[1] = SLICE_NONE;
    }
    for (size_t i = 0; i < 2 && o == DUNNO && !found; i++) {
        if (!prints[i].len)
            continue;
        struct subject s = subject_swap(r, client_text(r), "Client certificate", r->subject.acl);
        o = access_key(r, rule->table, prints[i], 0, &found);
        r->subject = s;
    }
    return o;
}
