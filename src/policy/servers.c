/* servers.c: check_…_a_access, _mx_access, _ns_access: an access table asked about the servers of a
 * domain: their names and their addresses. */
#include "policy/machine.h"

/* The name that a rule is about; data NULL: none. */
static struct slice subject_name(struct run *r, int of, struct slice *ret_shown,
                                 const char **ret_class)
{
    const struct policy_facts *f = r->facts;
    static const char *const *const classes[] = {&class_client, &class_reverse, &class_helo,
                                                 &class_sender, &class_rcpt};
    const struct slice names[] = {f->name, f->reverse_name, f->helo, f->sender, f->rcpt};
    struct slice name = names[of];
    *ret_class = *classes[of];
    *ret_shown = of == OF_CLIENT ? client_text(r) : name;
    if (of <= OF_REVERSE && (name.len == 0 || slice_is_nocase(name, "unknown")))
        return SLICE_NONE;
    if (of >= OF_SENDER) {
        struct slice domain = domain_of(name);
        name = domain.data ? domain : name.len ? r->conf->myorigin : SLICE_NONE;
    }
    return name.len ? name : SLICE_NONE;
}

static enum outcome check_addresses(struct run *r, const struct table *t, struct slice host,
                                    bool *found)
{
    static const unsigned types[] = {POLICY_DNS_A, POLICY_DNS_AAAA};
    enum outcome o = DUNNO;
    for (size_t i = 0; i < 2; i++) {
        struct dns_answer a;
        if (!ask_dns(r, host, types[i], &a))
            return PENDING;
        for (size_t k = 0; k < a.records.n && o == DUNNO && !*found; k++)
            o = access_ip(r, t, a.records.items[k], 0, found);
    }
    return o;
}

static enum outcome check_server(struct run *r, const struct table *t, struct slice host,
                                 bool *found)
{
    enum outcome o = access_domain(r, t, host, 0, found);
    if (o != DUNNO || *found)
        return o;
    return check_addresses(r, t, host, found);
}

/* The records of the domain; without NS those of the domains above it; without MX (or for A) the
 * domain itself. False: PENDING. */
static bool find_servers(struct run *r, struct slice domain, unsigned type, struct dns_answer *ret)
{
    struct slice name = domain;
    struct slice *self = ARENA_NEW(r->arena, struct slice);
    if (type != POLICY_DNS_A && !ask_dns(r, name, type, ret))
        return false;
    while (type == POLICY_DNS_NS && ret->outcome == POLICY_DNS_NO_DATA) {
        size_t dot = slice_find(name, '.');
        if (dot == SIZE_MAX || dot + 1 >= name.len)
            break;
        name = slice_from(name, dot + 1);
        if (!ask_dns(r, name, type, ret))
            return false;
    }
    if (self &&
        (type == POLICY_DNS_A || (type == POLICY_DNS_MX && ret->outcome == POLICY_DNS_NO_DATA))) {
        *self = domain;
        *ret = (struct dns_answer){POLICY_DNS_FOUND, {self, 1}};
    }
    return true;
}

/* "[192.0.2.1]" */
static enum outcome check_literal(struct run *r, const struct table *t, struct slice domain,
                                  unsigned type)
{
    struct slice ip = slice_sub(domain, 1, domain.len > 2 ? domain.len - 2 : 0);
    bool found = false;
    if (type == POLICY_DNS_NS)
        return DUNNO;
    if (slice_starts_nocase(ip, SLICE("IPv6:")))
        ip = slice_from(ip, 5);
    return name_is_ip(ip) ? access_ip(r, t, ip, 0, &found) : DUNNO;
}

static enum outcome check_all(struct run *r, const struct table *t, struct slice domain,
                              unsigned type)
{
    struct dns_answer a;
    bool found = false;
    enum outcome o = DUNNO;
    if (domain.data[0] == '[')
        return check_literal(r, t, domain, type);
    if (!find_servers(r, domain, type, &a))
        return PENDING;
    if (a.outcome == POLICY_DNS_TEMPORARY)
        add_note(r, "warn", SLICE("the servers of a domain could not be looked up"));
    for (size_t i = 0; i < a.records.n && o == DUNNO && !found; i++) {
        struct slice host = a.records.items[i];
        if (type == POLICY_DNS_MX && slice_find(host, ' ') != SIZE_MAX)
            (void)slice_split(&host, ' ');
        if (host.len && !slice_is(host, "."))
            o = check_server(r, t, host, &found);
    }
    return o;
}

enum outcome rule_server_access(struct run *r, const struct rule *rule)
{
    const char *class;
    struct slice shown;
    unsigned type = (unsigned)rule->word->option & 0xff;
    struct slice name = subject_name(r, rule->word->option >> 8, &shown, &class);
    if (!name.data)
        return DUNNO;
    struct subject s = subject_swap(r, shown, class, r->subject.acl);
    enum outcome o = check_all(r, rule->table, name, type);
    /* Whoever owns a domain chooses its servers: an OK here could be had by anybody. */
    if (o == PERMIT && !r->discarded)
        o = server_error(r, "OK is not allowed here: use DUNNO", rule->text);
    r->subject = s;
    return o;
}
