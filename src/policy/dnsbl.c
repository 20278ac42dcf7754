/* dnsbl.c: lists in DNS of addresses and domains that are blocked or let in (RFC 5782). */
#include "policy/machine.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/template.h"

/* "zen.example.org=127.0.0.[2..11]" taken apart. */
struct dnsbl {
    struct slice domain, filter;
};

static struct dnsbl dnsbl_of(const struct rule *rule)
{
    size_t eq = slice_find(rule->text, '=');
    return (struct dnsbl){slice_sub(rule->text, 0, eq),
                          eq == SIZE_MAX ? SLICE("") : slice_from(rule->text, eq + 1)};
}

/* ---- the filter ---- */

/* "2", or "[2;4..7]" */
static bool field_matches(struct slice pattern, uint64_t n)
{
    uint64_t low, high;
    if (pattern.len < 2 || pattern.data[0] != '[')
        return slice_parse_u64(pattern, 255, &low) == OK && low == n;
    struct slice rest = slice_sub(pattern, 1, pattern.len - 2);
    while (rest.data) {
        struct slice item = slice_trim(slice_split(&rest, ';'));
        size_t dots = slice_search(item, SLICE(".."));
        if (slice_parse_u64(slice_trim(slice_sub(item, 0, dots)), 255, &low) != OK)
            return false;
        high = low;
        if (dots != SIZE_MAX &&
            slice_parse_u64(slice_trim(slice_from(item, dots + 2)), 255, &high) != OK)
            return false;
        if (n >= low && n <= high)
            return true;
    }
    return false;
}

/* Up to the next dot that stands in no brackets. */
static struct slice take_field(struct slice *rest)
{
    size_t at = 0;
    bool inside = false;
    while (at < rest->len && (inside || rest->data[at] != '.')) {
        inside = rest->data[at] == '[' || (inside && rest->data[at] != ']');
        at++;
    }
    struct slice field = slice_sub(*rest, 0, at);
    *rest = at < rest->len ? slice_from(*rest, at + 1) : SLICE_NONE;
    return field;
}

static bool filter_matches(struct slice filter, struct slice ip)
{
    struct slice rest = filter, octets = ip;
    if (filter.len == 0)
        return true;
    for (int i = 0; i < 4; i++) {
        uint64_t n;
        if (!rest.data || slice_parse_u64(slice_split(&octets, '.'), 255, &n) != OK ||
            !field_matches(take_field(&rest), n))
            return false;
    }
    return true;
}

/* ---- the question ---- */

/* 4.3.2.1 of 1.2.3.4; the nibbles of an IPv6 address. */
static struct slice reversed(struct run *r, struct slice ip)
{
    unsigned char b[16];
    char copy[64], out[80];
    size_t n = 0;
    if (ip.len == 0 || ip.len >= sizeof copy)
        return SLICE_NONE;
    memcpy(copy, ip.data, ip.len);
    copy[ip.len] = 0;
    if (inet_pton(AF_INET, copy, b) == 1) {
        n = (size_t)snprintf(out, sizeof out, "%u.%u.%u.%u", b[3], b[2], b[1], b[0]);
    } else if (inet_pton(AF_INET6, copy, b) == 1) {
        for (int i = 15; i >= 0; i--)
            n += (size_t)snprintf(out + n, sizeof out - n, "%x.%x%s", b[i] & 15, b[i] >> 4,
                                  i ? "." : "");
    }
    return n ? arena_dup(r->arena, slice_of(out, n)) : SLICE_NONE;
}

enum listing { UNLISTED, LISTED, UNKNOWN, ASKED };

static enum listing look_up(struct run *r, const struct dnsbl *list, struct slice what,
                            struct slice *ret_name)
{
    struct dns_answer a;
    const char *name =
        arena_printf(r->arena, "%.*s.%.*s", SLICE_ARG(what), SLICE_ARG(list->domain));
    if (!name)
        return UNLISTED;
    *ret_name = slice_cstr(name);
    if (!ask_dns(r, *ret_name, POLICY_DNS_A, &a))
        return ASKED;
    for (size_t i = 0; i < a.records.n; i++)
        if (filter_matches(list->filter, a.records.items[i]))
            return LISTED;
    return a.outcome == POLICY_DNS_TEMPORARY ? UNKNOWN : UNLISTED;
}

/* ---- the reply ---- */

struct blocked {
    struct run *r;
    const struct dnsbl *list;
    struct slice what, reason;
    const char *class;
};

static struct slice macro(void *arg, struct slice name)
{
    const struct blocked *b = arg;
    const struct policy_facts *f = b->r->facts;
    if (slice_is(name, "rbl_code"))
        return slice_cstr(arena_printf(b->r->arena, "%d", (int)b->r->conf->maps_rbl_reject_code));
    if (slice_is(name, "rbl_domain"))
        return b->list->domain;
    if (slice_is(name, "rbl_reason") || slice_is(name, "rbl_txt"))
        return b->reason;
    if (slice_is(name, "rbl_what"))
        return b->what;
    if (slice_is(name, "rbl_class"))
        return slice_cstr(b->class);
    if (slice_is(name, "client"))
        return client_text(b->r);
    if (slice_is(name, "client_address"))
        return f->ip;
    if (slice_is(name, "client_name"))
        return client_name(b->r);
    if (slice_is(name, "helo_name"))
        return f->helo.data ? f->helo : SLICE("");
    return template_address(name, f->sender, f->rcpt);
}

static struct slice template_of(struct run *r, const struct rule *rule, bool *ret_pending)
{
    const struct tables *ts = &r->policy->rbl_replies;
    enum result result = NOT_FOUND;
    struct table_match match;
    for (size_t i = 0; i < ts->n && result == NOT_FOUND; i++)
        if (!ask_table(r, ts->items[i], rule->text, &result, &match)) {
            *ret_pending = true;
            return SLICE("");
        }
    return result == OK ? match.value : r->conf->default_rbl_reply;
}

static enum outcome refuse_listed(struct run *r, const struct rule *rule, struct blocked *b,
                                  struct slice name)
{
    struct dns_answer txt;
    bool pending = false;
    uint64_t code;
    if (!ask_dns(r, name, POLICY_DNS_TXT, &txt))
        return PENDING;
    b->reason = txt.records.n ? txt.records.items[0] : SLICE("");
    struct slice text = template_of(r, rule, &pending);
    if (pending)
        return PENDING;
    text = template_expand(text, macro, b, r->arena);
    struct slice enhanced = SLICE("5.7.1"), rest = text;
    if (slice_parse_u64(slice_split(&rest, ' '), 599, &code) != OK || code < 400 || !rest.data) {
        add_note(r, "problem", SLICE("a template of an RBL reply has no code"));
        return refuse(r, BY_POLICY, 450, "4.7.1", "Service unavailable");
    }
    rest = take_enhanced(slice_trim(rest), &enhanced);
    const char *e = arena_printf(r->arena, "%.*s", SLICE_ARG(enhanced));
    return refuse(r, BY_POLICY, (int64_t)code, e ? e : "5.7.1", "%.*s", SLICE_ARG(rest));
}

/* False: asked for. Without a recipient there is nothing to relay. */
static bool goes_to_us(struct run *r, bool *ret)
{
    struct policy_address a;
    if (!r->facts->rcpt.data)
        return true;
    if (!ask_address(r, r->facts->rcpt, &a))
        return false;
    *ret = a.class != POLICY_CLASS_OTHER && !a.routed;
    return true;
}

/* what: for the question; shown: in the reply. */
static enum outcome check(struct run *r, const struct rule *rule, struct slice what,
                          struct slice shown, const char *class)
{
    struct dnsbl list = dnsbl_of(rule);
    struct slice name = SLICE("");
    bool permits = rule->word->option & LIST_PERMITS, ours = true;
    /* A stranger's list does not make a relay of us. */
    if (permits && !goes_to_us(r, &ours))
        return PENDING;
    if (!ours)
        return DUNNO;
    struct blocked b = {.r = r, .list = &list, .what = shown, .class = class};
    switch (look_up(r, &list, what, &name)) {
    case ASKED:
        return PENDING;
    case UNLISTED:
        return DUNNO;
    case UNKNOWN:
        if (!permits)
            return DUNNO;
        return defer_if_reject(r, 450, "4.7.1", "<%.*s>: %s rejected: %s", SLICE_ARG(shown), class,
                               "Service unavailable");
    case LISTED:
        break;
    }
    return permits ? PERMIT : refuse_listed(r, rule, &b, name);
}

enum outcome rule_rbl_client(struct run *r, const struct rule *rule)
{
    struct slice what = reversed(r, r->facts->ip);
    return what.len ? check(r, rule, what, r->facts->ip, class_client) : DUNNO;
}

enum outcome rule_rhsbl(struct run *r, const struct rule *rule)
{
    const struct policy_facts *f = r->facts;
    static const char *const *const classes[] = {&class_client, &class_reverse, &class_helo,
                                                 &class_sender, &class_rcpt};
    const struct slice names[] = {f->name, f->reverse_name, f->helo, f->sender, f->rcpt};
    int of = rule->word->option & ~LIST_PERMITS;
    struct slice shown = names[of], domain = domain_of(shown);
    if (!domain.data)
        domain = shown;
    if (domain.len == 0 || (of <= OF_REVERSE && slice_is_nocase(domain, "unknown")) ||
        domain.data[0] == '[' || name_is_ip(domain) || !hostname_valid(domain))
        return DUNNO;
    return check(r, rule, domain, shown, *classes[of]);
}
