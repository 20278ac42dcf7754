/* address.c: restrictions about the addresses of MAIL and RCPT: their form, their domain, and
 * whether they are somebody's. */
#include "policy/machine.h"

#include <stdio.h>
#include <stdlib.h>

#include "mime/address.h"

/* The address that a rule is about; data NULL: not there yet, or the null sender. */
static struct slice address_of(const struct run *r, int of, const char **ret_class)
{
    struct slice a = of == OF_SENDER ? r->facts->sender : r->facts->rcpt;
    *ret_class = of == OF_SENDER ? class_sender : class_rcpt;
    return a.len ? a : SLICE_NONE;
}

static enum outcome refuse_address(struct run *r, struct slice address, const char *class,
                                   int64_t code, const char *enhanced, const char *why)
{
    return refuse(r, BY_POLICY, code, enhanced, "<%.*s>: %s rejected: %s", SLICE_ARG(address),
                  class, why);
}

static bool is_literal(struct slice domain)
{
    return domain.len && domain.data[0] == '[' && domain.data[domain.len - 1] == ']';
}

enum outcome rule_address_form(struct run *r, const struct rule *rule)
{
    const char *class;
    struct slice address = address_of(r, rule->word->option, &class);
    struct slice domain = domain_of(address);
    if (!address.data || is_literal(domain))
        return DUNNO;
    if (domain.len > 1 && domain.data[domain.len - 1] == '.' && domain.data[domain.len - 2] != '.')
        domain.len--;
    if (domain.data && hostname_valid(domain) && slice_find(domain, '.') != SIZE_MAX)
        return DUNNO;
    return refuse_address(r, address, class, r->conf->non_fqdn_reject_code, "5.5.2",
                          "need fully-qualified address");
}

/* RFC 7505: "0 ." */
static bool is_null_mx(const struct dns_answer *a)
{
    for (size_t i = 0; i < a->records.n; i++) {
        struct slice rest = a->records.items[i];
        (void)slice_split(&rest, ' ');
        if (rest.len == 0 || slice_is(rest, "."))
            return true;
    }
    return false;
}

/* Has the domain an MX or an address? */
static enum outcome check_domain(struct run *r, struct slice address, struct slice domain,
                                 const char *class)
{
    static const unsigned types[] = {POLICY_DNS_MX, POLICY_DNS_A, POLICY_DNS_AAAA};
    bool sender = class == class_sender, temporary = false;
    for (size_t i = 0; i < 3; i++) {
        struct dns_answer a;
        if (!ask_dns(r, domain, types[i], &a))
            return PENDING;
        if (a.outcome == POLICY_DNS_FOUND && i == 0 && is_null_mx(&a)) {
            const char *why = arena_printf(r->arena, "Domain %.*s does not accept mail (nullMX)",
                                           SLICE_ARG(domain));
            return refuse_address(r, address, class, sender ? 550 : 556,
                                  sender ? "5.7.27" : "5.1.10", why ? why : "nullMX");
        }
        if (a.outcome == POLICY_DNS_FOUND)
            return DUNNO;
        temporary |= a.outcome == POLICY_DNS_TEMPORARY;
        if (temporary && i == 0)
            break;
    }
    const char *enhanced = sender ? "4.1.8" : "4.1.2";
    if (temporary)
        return defer_if_permit(r, r->conf->unknown_address_tempfail_action, 450, enhanced,
                               "<%.*s>: %s rejected: Domain not found", SLICE_ARG(address), class);
    return refuse_address(r, address, class, r->conf->unknown_address_reject_code, enhanced,
                          "Domain not found");
}

enum outcome rule_unknown_domain(struct run *r, const struct rule *rule)
{
    const char *class;
    struct policy_address a;
    struct slice address = address_of(r, rule->word->option, &class);
    if (!address.data)
        return DUNNO;
    if (!ask_address(r, address, &a))
        return PENDING;
    bool ends_here = a.known != POLICY_MALFORMED && a.class <= POLICY_CLASS_MAILBOX;
    struct slice domain = domain_of(a.full.len ? a.full : address);
    if (ends_here || domain.len == 0 || is_literal(domain))
        return DUNNO;
    return check_domain(r, address, domain, class);
}

/* ---- whose it is ---- */

static int64_t code_of(const struct conf *c, enum policy_class class, const char **ret_table)
{
    switch (class) {
    case POLICY_CLASS_ALIAS:
        *ret_table = " in virtual alias table";
        return c->unknown_virtual_alias_reject_code;
    case POLICY_CLASS_MAILBOX:
        *ret_table = " in virtual mailbox table";
        return c->unknown_virtual_mailbox_reject_code;
    case POLICY_CLASS_RELAY:
        *ret_table = " in relay recipient table";
        return c->unknown_relay_recipient_reject_code;
    default:
        *ret_table = " in local recipient table";
        return c->unknown_local_recipient_reject_code;
    }
}

/* Says which rule it was, where the lists did not. */
static enum outcome by_rule(struct run *r, enum outcome o, struct slice rule, struct slice where)
{
    if (o == REJECT && !r->rule) {
        r->decision->rule = rule;
        r->decision->where = where;
    }
    return o;
}

/* In the words of the transport that it would take (error:5.1.6 moved), or by its class. */
static enum outcome refuse_unknown(struct run *r, const struct policy_address *a,
                                   struct slice address, const char *class)
{
    const char *table;
    char status[16] = "5.1.1";
    bool sender = class == class_sender;
    if (a->status.len && a->status.len < sizeof status)
        snprintf(status, sizeof status, "%.*s", SLICE_ARG(a->status));
    if (a->text.len && !slice_starts(a->text, SLICE("User unknown"))) {
        struct slice fitted = fit_enhanced(r, slice_cstr(status), class);
        snprintf(status, sizeof status, "%.*s", SLICE_ARG(arena_dup(r->arena, fitted)));
        return refuse(r, BY_POLICY, a->code, status, "<%.*s>: %s rejected: %.*s",
                      SLICE_ARG(address), class, SLICE_ARG(a->text));
    }
    int64_t code = code_of(r->conf, a->class, &table);
    /* An alias domain's unknown names end at error(8) with 5.1.1: 5.1.7 of a sender. */
    const char *enhanced = !sender ? "5.1.1" : a->class == POLICY_CLASS_ALIAS ? "5.1.7" : "5.1.0";
    return refuse(r, BY_POLICY, code, enhanced, "<%.*s>: %s rejected: User unknown%s",
                  SLICE_ARG(address), class, r->conf->show_user_unknown_table_name ? table : "");
}

enum outcome refuse_unlisted(struct run *r, struct slice address, bool sender)
{
    struct policy_address a;
    const char *class = sender ? class_sender : class_rcpt;
    if (!ask_address(r, address, &a))
        return PENDING;
    switch (a.known) {
    case POLICY_UNLISTED:
        return by_rule(
            r, refuse_unknown(r, &a, address, class),
            sender ? SLICE("reject_unlisted_sender") : SLICE("reject_unlisted_recipient"), a.where);
    case POLICY_BROKEN:
        return by_rule(r,
                       refuse(r, BY_US, 451, "4.3.5",
                              "<%.*s>: %s rejected: Server configuration error", SLICE_ARG(address),
                              class),
                       SLICE("alias_maps"), a.where);
    case POLICY_UNAVAILABLE:
        return by_rule(r,
                       refuse(r, BY_US, 451, "4.3.0",
                              "<%.*s>: %s rejected: Temporary lookup failure", SLICE_ARG(address),
                              class),
                       SLICE("local_recipient"), SLICE(""));
    default:
        return DUNNO;
    }
}

enum outcome rule_unlisted(struct run *r, const struct rule *rule)
{
    const char *class;
    struct slice address = address_of(r, rule->word->option, &class);
    if (!address.data)
        return DUNNO;
    if (!r->warn_depth && class == class_sender)
        r->sender_looked_up = true;
    else if (!r->warn_depth)
        r->rcpt_looked_up = true;
    return refuse_unlisted(r, address, class == class_sender);
}

/* ---- the sender's owner ---- */

/* owners: login names, separated by commas or blanks. */
static bool is_owner(struct slice owners, struct slice login)
{
    size_t from = 0;
    for (size_t at = 0; at <= owners.len; at++) {
        if (at < owners.len && !strchr(", \t\r\n", owners.data[at]))
            continue;
        if (at > from && slice_eq_nocase(slice_sub(owners, from, at - from), login))
            return true;
        from = at + 1;
    }
    return false;
}

enum outcome rule_sender_login(struct run *r, const struct rule *rule)
{
    const struct policy_facts *f = r->facts;
    int how = rule->word->option;
    struct policy_address a;
    struct table_match match = {0};
    enum result result;
    bool logged_in = f->login.data != NULL;
    if (!f->sasl || f->sender.len == 0 || !(how & (logged_in ? LOGIN_LOGGED_IN : LOGIN_NOT)))
        return DUNNO;
    if (!ask_address(r, f->sender, &a))
        return PENDING;
    struct slice full = a.full.len ? a.full : f->sender;
    if (!ask_tables_address(r, &r->policy->login_maps, full, &result, &match))
        return PENDING;
    if (result != OK && result != NOT_FOUND)
        return lookup_error(r, f->sender);
    if (result == OK && !logged_in) {
        r->decided_where = match.where;
        return refuse(r, BY_POLICY, 553, "5.7.1", "<%.*s>: Sender address rejected: not logged in",
                      SLICE_ARG(f->sender));
    }
    if (!logged_in || (result == NOT_FOUND && (how & LOGIN_KNOWN)) ||
        (result == OK && is_owner(match.value, f->login)))
        return DUNNO;
    r->decided_where = match.where;
    return refuse(r, BY_POLICY, 553, "5.7.1",
                  "<%.*s>: Sender address rejected: not owned by user %.*s", SLICE_ARG(f->sender),
                  SLICE_ARG(f->login));
}
