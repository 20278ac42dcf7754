/* helo.c: restrictions about the name that the client gives itself. */
#include "policy/machine.h"

#include "mime/address.h"

static struct slice without_dot(struct slice name)
{
    if (name.len > 1 && name.data[name.len - 1] == '.' && name.data[name.len - 2] != '.')
        name.len--;
    return name;
}

static enum outcome refuse_helo(struct run *r, int64_t code, const char *enhanced, const char *why)
{
    struct subject s = subject_swap(r, r->facts->helo, class_helo, r->subject.acl);
    enum outcome o = refuse_subject(r, code, enhanced, why);
    r->subject = s;
    return o;
}

static enum outcome check_literal(struct run *r, struct slice helo)
{
    if (domain_is_literal(helo))
        return DUNNO;
    return refuse_helo(r, r->conf->invalid_hostname_reject_code, "5.5.2", "invalid ip address");
}

enum outcome rule_helo_form(struct run *r, const struct rule *rule)
{
    struct slice helo = r->facts->helo, name = without_dot(helo);
    if (!helo.data)
        return DUNNO;
    if (helo.len && helo.data[0] == '[')
        return check_literal(r, helo);
    if (rule->word->option == HELO_INVALID)
        return hostname_valid(name) || name_is_ip(name)
                   ? DUNNO
                   : refuse_helo(r, r->conf->invalid_hostname_reject_code, "5.5.2", "Invalid name");
    return hostname_valid(name) && slice_find(name, '.') != SIZE_MAX
               ? DUNNO
               : refuse_helo(r, r->conf->non_fqdn_reject_code, "5.5.2",
                             "need fully-qualified hostname");
}

/* Does the name have an address or an MX? */
enum outcome rule_unknown_helo(struct run *r, const struct rule *rule)
{
    static const unsigned types[] = {POLICY_DNS_A, POLICY_DNS_AAAA, POLICY_DNS_MX};
    struct slice helo = r->facts->helo;
    bool temporary = false;
    (void)rule;
    if (!helo.data)
        return DUNNO;
    if (helo.len && helo.data[0] == '[')
        return check_literal(r, helo);
    for (size_t i = 0; i < 3; i++) {
        struct dns_answer a;
        if (!ask_dns(r, helo, types[i], &a))
            return PENDING;
        if (a.outcome == POLICY_DNS_FOUND)
            return DUNNO;
        temporary |= a.outcome == POLICY_DNS_TEMPORARY;
    }
    if (temporary)
        return defer_if_permit(r, r->conf->unknown_helo_hostname_tempfail_action, 450, "4.7.1",
                               "<%.*s>: %s rejected: Host not found", SLICE_ARG(helo), class_helo);
    return refuse_helo(r, r->conf->unknown_hostname_reject_code, "4.7.1", "Host not found");
}
