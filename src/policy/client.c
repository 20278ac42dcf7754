/* client.c: restrictions about the client: its address, its name, its login, its certificate. */
#include "policy/machine.h"

/* The name that an address has is found out by edge; a lookup that failed for now refuses for now,
 * whatever the configured code. */
static enum outcome refuse_name(struct run *r, enum policy_name_status status, const char *enhanced,
                                const char *what)
{
    int64_t code = status == POLICY_NAME_TEMPORARY ? 450 : r->conf->unknown_client_reject_code;
    return refuse(r, BY_POLICY, code, enhanced, "Client host rejected: cannot find your %s, [%.*s]",
                  what, SLICE_ARG(r->facts->ip));
}

enum outcome rule_unknown_client(struct run *r, const struct rule *rule)
{
    (void)rule;
    if (r->facts->name_status == POLICY_NAME_OK)
        return DUNNO;
    return refuse_name(r, r->facts->name_status, "4.7.25", "hostname");
}

enum outcome rule_unknown_reverse(struct run *r, const struct rule *rule)
{
    (void)rule;
    if (r->facts->reverse_status == POLICY_NAME_OK)
        return DUNNO;
    return refuse_name(r, r->facts->reverse_status, "4.7.1", "reverse hostname");
}

/* Only what the client's socket proves. */
enum outcome rule_permit_mynetworks(struct run *r, const struct rule *rule)
{
    struct slice entry;
    (void)rule;
    if (!r->facts->ip_proven || !conf_network_match(r->conf->mynetworks, r->facts->ip, &entry))
        return DUNNO;
    r->decided_where = slice_cstr(conf_source(r->conf, "mynetworks"));
    return PERMIT;
}

enum outcome rule_permit_interfaces(struct run *r, const struct rule *rule)
{
    (void)rule;
    return r->facts->ip_proven && ip_is_ours(r, r->facts->ip) ? PERMIT : DUNNO;
}

enum outcome rule_permit_sasl(struct run *r, const struct rule *rule)
{
    (void)rule;
    return r->facts->login.data ? PERMIT : DUNNO;
}

/* option 1: any certificate that a known authority signed; else those of relay_clientcerts. */
enum outcome rule_permit_certs(struct run *r, const struct rule *rule)
{
    const struct tables *ts = &r->policy->client_certs;
    struct slice prints[2] = {r->facts->cert_fingerprint, r->facts->key_fingerprint};
    if (rule->word->option)
        return r->facts->cert_trusted ? PERMIT : DUNNO;
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < ts->n; k++) {
            enum result result = NOT_FOUND;
            struct table_match match;
            if (!ask_table(r, ts->items[k], prints[i], &result, &match))
                return PENDING;
            if (result == OK)
                return PERMIT;
            if (result != NOT_FOUND)
                return lookup_error(r, prints[i]);
        }
    return DUNNO;
}
