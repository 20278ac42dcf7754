/* destination.c: restrictions about where the mail would go. */
#include "policy/machine.h"

#include <stdlib.h>

/* Is the recipient's domain one that this host takes mail for? A temporary failure is told as the
 * outcome. */
static enum outcome authorized(struct run *r, bool *ret)
{
    struct policy_address a;
    if (!ask_address(r, r->facts->rcpt, &a))
        return PENDING;
    if (a.known == POLICY_UNAVAILABLE && a.class == POLICY_CLASS_OTHER)
        return lookup_error(r, r->facts->rcpt);
    *ret = a.class != POLICY_CLASS_OTHER && !a.routed;
    return DUNNO;
}

enum outcome rule_auth_destination(struct run *r, const struct rule *rule)
{
    bool ours = false;
    if (!r->facts->rcpt.data)
        return DUNNO;
    enum outcome o = authorized(r, &ours);
    if (o != DUNNO)
        return o;
    if (rule->word->option == DESTINATION_PERMIT)
        return ours ? PERMIT : DUNNO;
    if (ours)
        return DUNNO;
    int64_t code = r->conf->relay_domains_reject_code;
    bool defer = rule->word->option == DESTINATION_DEFER;
    return refuse(r, BY_POLICY, defer ? code - 100 : code, "5.7.1", "<%.*s>: Relay access denied",
                  SLICE_ARG(r->facts->rcpt));
}

/* RFC 5321 4.5.5: a bounce goes to one. */
enum outcome rule_multi_bounce(struct run *r, const struct rule *rule)
{
    const struct policy_facts *f = r->facts;
    unsigned allowed = r->stage == POLICY_AT_RCPT ? 0 : 1;
    (void)rule;
    if (!f->sender.data || f->sender.len || f->n_rcpts <= allowed)
        return DUNNO;
    return refuse_subject(r, r->conf->multi_recipient_bounce_reject_code, "5.5.3",
                          "Multi-recipient bounce");
}

/* ---- permit_mx_backup ---- */

static bool is_ours(const struct run *r, struct slice_list addresses)
{
    for (size_t i = 0; i < addresses.n; i++)
        if (ip_is_ours(r, addresses.items[i]))
            return true;
    return false;
}

struct exchanger {
    uint64_t preference;
    struct slice host;
};

static struct exchanger exchanger_of(struct slice record)
{
    struct exchanger x = {0, record};
    if (slice_parse_u64(slice_split(&x.host, ' '), 65535, &x.preference) != OK)
        x.preference = 65535;
    return x;
}

/* Are addresses of the primary exchangers in permit_mx_backup_networks? (Empty: no such demand.) */
static bool primary_allowed(const struct run *r, struct slice_list addresses)
{
    struct slice entry;
    if (r->conf->permit_mx_backup_networks.n == 0)
        return true;
    for (size_t i = 0; i < addresses.n; i++)
        if (conf_network_match(r->conf->permit_mx_backup_networks, addresses.items[i], &entry))
            return true;
    return false;
}

static enum outcome mx_unknown(struct run *r, struct slice what)
{
    return defer_if_permit(r, SLICE(""), 450, "4.4.4",
                           "<%.*s>: %s rejected: Unable to look up host %.*s as mail exchanger: "
                           "Host not found, try again",
                           SLICE_ARG(r->subject.name), r->subject.class, SLICE_ARG(what));
}

/* One exchanger's addresses; DUNNO: told in the flags. */
static enum outcome look_at_exchanger(struct run *r, const struct exchanger *x, uint64_t best,
                                      bool *ret_we, bool *ret_allowed)
{
    static const unsigned types[] = {POLICY_DNS_A, POLICY_DNS_AAAA};
    for (size_t i = 0; i < 2; i++) {
        struct dns_answer a;
        if (!ask_dns(r, x->host, types[i], &a))
            return PENDING;
        if (a.outcome == POLICY_DNS_TEMPORARY)
            return mx_unknown(r, x->host);
        *ret_we |= is_ours(r, a.records);
        if (x->preference == best)
            *ret_allowed |= primary_allowed(r, a.records);
    }
    return DUNNO;
}

static enum outcome check_exchangers(struct run *r, const struct dns_answer *mx)
{
    bool we = false, allowed = false;
    uint64_t best = UINT64_MAX;
    for (size_t i = 0; i < mx->records.n; i++) {
        struct exchanger x = exchanger_of(mx->records.items[i]);
        best = x.preference < best ? x.preference : best;
    }
    for (size_t i = 0; i < mx->records.n; i++) {
        struct exchanger x = exchanger_of(mx->records.items[i]);
        enum outcome o = look_at_exchanger(r, &x, best, &we, &allowed);
        if (o != DUNNO || r->if_permit.active)
            return o;
    }
    return we && allowed ? PERMIT : DUNNO;
}

enum outcome rule_mx_backup(struct run *r, const struct rule *rule)
{
    bool ours = false;
    struct dns_answer mx;
    struct policy_address a;
    (void)rule;
    if (!r->facts->rcpt.data)
        return DUNNO;
    enum outcome o = authorized(r, &ours);
    if (o != DUNNO || ours)
        return ours ? PERMIT : o;
    if (!ask_address(r, r->facts->rcpt, &a) ||
        !ask_dns(r, domain_of(a.full.len ? a.full : r->facts->rcpt), POLICY_DNS_MX, &mx))
        return PENDING;
    if (mx.outcome == POLICY_DNS_TEMPORARY)
        return defer_if_permit(r, SLICE(""), 450, "4.4.4",
                               "<%.*s>: %s rejected: Unable to look up mail exchanger information: "
                               "Host not found, try again",
                               SLICE_ARG(r->subject.name), r->subject.class);
    return a.routed || mx.outcome != POLICY_DNS_FOUND ? DUNNO : check_exchangers(r, &mx);
}
